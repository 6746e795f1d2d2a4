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

}  // namespace

StateReport StateReader::read(const json::object& told) {
  StateReport out;
  out.method = text(told, "method");
  out.open = flag(told, "open");
  out.asked = texts(told, "asked");
  const auto* v = told.if_contains("seen");
  if (v == nullptr || !v->is_array()) return out;
  for (const auto& item : v->get_array()) {
    if (!item.is_object() || out.seen.size() == kMost) continue;
    const json::object& s = item.get_object();
    Known in_full;
    Known* variable = &in_full;
    const std::uint64_t n = counter(s, "variable").value_or(0);
    if (n > 0 && n <= kMostVariables) {
      const auto found = s.contains("had") ? known_.try_emplace(n).first : known_.find(n);
      if (found == known_.end()) continue;
      variable = &found->second;
    }
    if (s.contains("had"))
      *variable = {std::string(text(s, "name")), std::string(text(s, "at")), texts(s, "had")};
    else
      follow(variable->had, s);
    StateSeen seen;
    seen.name = variable->name;
    seen.at = variable->at;
    seen.kind = text(s, "kind");
    seen.before = counter(s, "before").value_or(0);
    seen.after = counter(s, "after").value_or(0);
    seen.changed = flag(s, "changed");
    seen.unread = flag(s, "unread");
    seen.counts = flag(s, "counts");
    seen.from_request = flag(s, "from_request");
    seen.by_client = flag(s, "by_client");
    seen.more = flag(s, "more");
    seen.had = variable->had;
    for (std::string& key : texts(s, "also")) seen.had.push_back(std::move(key));
    seen.wrote = texts(s, "wrote");
    out.seen.push_back(std::move(seen));
  }
  return out;
}

}  // namespace vsim::agent
