#include "agent/state_reader.hpp"

#include <algorithm>
#include <boost/json/value.hpp>
#include <utility>

#include "agent/line_fields.hpp"

namespace vsim::agent {

namespace json = boost::json;
using namespace line;

namespace {

constexpr std::size_t kMost = 64;        // variables of one report
constexpr std::size_t kMostKeys = 1024;  // of one variable

// What it had when it was told last, and what is no longer so: each key as often as it was told.
void follow(std::vector<std::string>& had, const json::object& s) {
  std::vector<std::string> gone = texts(s, "gone");
  if (gone.size() > kMostKeys) gone.resize(kMostKeys);
  for (const std::string& key : gone)
    if (const auto found = std::find(had.begin(), had.end(), key); found != had.end()) had.erase(found);
  for (std::string& key : texts(s, "come"))
    if (had.size() < kMostKeys) had.push_back(std::move(key));
}

// What stands there when a variable is told in full.
StateReader::Variable in_full(const json::object& s) {
  StateReader::Variable v;
  v.name = text(s, "name");
  v.at = text(s, "at");
  v.had = texts(s, "had");
  return v;
}

// What is told each time.
void take_state(StateReader::Variable& v, const json::object& s) {
  v.kind = text(s, "kind");
  v.size = counter(s, "before").value_or(0);
  v.unread = flag(s, "unread");
}

StateSeen steady(const StateReader::Variable& v) {
  StateSeen seen;
  seen.name = v.name;
  seen.at = v.at;
  seen.kind = v.kind;
  seen.before = seen.after = v.size;
  seen.unread = v.unread;
  seen.had = v.had;
  return seen;
}

bool is_number(std::uint64_t n) { return n > 0 && n <= StateReader::kMostVariables; }

}  // namespace

const StateReader::Variable* StateReader::known(std::uint64_t n) const {
  if (const auto found = known_.find(n); found != known_.end()) return &found->second;
  if (of_template_ == nullptr) return nullptr;
  const auto found = of_template_->find(n);
  return found == of_template_->end() ? nullptr : &found->second;
}

StateReader::Variable* StateReader::own(std::uint64_t n) {
  const Variable* const it = known(n);
  return it == nullptr ? nullptr : &known_.try_emplace(n, *it).first->second;
}

void StateReader::take(const json::object& told) {
  const auto* v = told.if_contains("told");
  if (v == nullptr || !v->is_array()) return;
  has_copies_ = true;
  for (const auto& item : v->get_array()) {
    if (!item.is_object()) continue;
    const json::object& s = item.get_object();
    const std::uint64_t n = counter(s, "variable").value_or(0);
    if (!is_number(n) || !s.contains("had")) continue;
    take_state(known_[n] = in_full(s), s);
  }
}

std::shared_ptr<const StateReader::Variables> StateReader::for_copies() const {
  return has_copies_ ? std::make_shared<const Variables>(known_) : nullptr;
}

StateReport StateReader::read(const json::object& told) {
  StateReport out;
  out.method = text(told, "method");
  out.open = flag(told, "open");
  out.asked = texts(told, "asked");
  const auto* v = told.if_contains("seen");
  if (v == nullptr || !v->is_array()) return out;
  for (const auto& item : v->get_array()) {
    if (out.seen.size() == kMost) continue;
    // A number alone: as it was told last, from the beginning to the end.
    if (item.is_int64()) {
      if (const Variable* it = known(static_cast<std::uint64_t>(item.get_int64())))
        out.seen.push_back(steady(*it));
      continue;
    }
    if (!item.is_object()) continue;
    const json::object& s = item.get_object();
    Variable unnumbered;
    Variable* variable = &unnumbered;
    const std::uint64_t n = counter(s, "variable").value_or(0);
    if (s.contains("had")) {
      if (is_number(n)) variable = &known_[n];
      *variable = in_full(s);
    } else {
      if (is_number(n)) variable = own(n);
      if (variable == nullptr) continue;
      follow(variable->had, s);
    }
    take_state(*variable, s);
    StateSeen seen = steady(*variable);
    seen.after = counter(s, "after").value_or(0);
    seen.changed = flag(s, "changed");
    seen.counts = flag(s, "counts");
    seen.from_request = flag(s, "from_request");
    seen.by_client = flag(s, "by_client");
    seen.more = flag(s, "more");
    for (std::string& key : texts(s, "also")) seen.had.push_back(std::move(key));
    seen.wrote = texts(s, "wrote");
    out.seen.push_back(std::move(seen));
  }
  return out;
}

}  // namespace vsim::agent
