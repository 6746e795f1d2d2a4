#include "profile/render.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "base/fit_columns.hpp"
#include "base/text.hpp"
#include "profile/diagnostic.hpp"
#include "profile/schema.hpp"
#include "profile/switch.hpp"

namespace vsim::profile {
namespace {

std::string duration_text(const Profile& p) {
  std::string out = fmt::format("{}, at most {}", format_duration(p.duration_default.value),
                                format_duration(p.duration_max.value));
  if (p.duration_extended_max.value != p.duration_max.value)
    out += fmt::format(" ({} beta)", format_duration(p.duration_extended_max.value));
  return out;
}

std::string websocket_text(const Profile& p) {
  if (p.websocket_policy.value == WebSocketPolicy::tunnel) return "closed at the maximum duration";
  switch (p.websocket_refusal.value) {
    case WebSocketRefusal::reject:
      return fmt::format("refused ({})", p.websocket_refusal_status.value);
    case WebSocketRefusal::deliver_as_get:
      return "refused (delivered as GET)";
    case WebSocketRefusal::drop:
      return "refused (never answered)";
  }
  return "?";
}

std::string place_of(const Provenance& from) {
  return from.line > 0 ? fmt::format("{}:{}", from.file, from.line) : from.file;
}

// A YAML scalar that reads back as `text` whatever it holds.
std::string yaml_text(std::string_view text) {
  const bool plain = !text.empty() &&
                     text.find_first_not_of(
                         "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                         "_./:-") == std::string_view::npos &&
                     text.find_first_not_of("-:.") == 0 && text.back() != ':' && !iequals(text, "null");
  if (plain) return std::string(text);
  std::string out;
  append_json_string(out, text);  // YAML's double-quoted form takes every JSON string
  return out;
}

std::string comment(std::string_view text) {  // a file name may hold anything
  std::string out(text);
  std::replace_if(
      out.begin(), out.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }, '?');
  return out;
}

std::string_view group_of(std::string_view key) {
  const std::size_t dot = key.find('.');
  return dot == std::string_view::npos ? std::string_view() : key.substr(0, dot);
}

}  // namespace

std::string render_list(std::span<const Profile> profiles) {
  std::vector<std::vector<std::string>> rows = {
      {"PROFILE", "DURATION", "REQUEST BODY", "WEBSOCKETS", "ISOLATION", "AS OF"}};
  std::vector<std::vector<std::string>> titles;
  for (const Profile& p : profiles) {
    rows.push_back({p.name, duration_text(p), human_size(p.request_body_max.value), websocket_text(p),
                    std::string(to_string(p.isolation.value)), p.as_of});
    titles.push_back({p.name, p.title});
  }
  return in_columns(rows) + "\n" + in_columns(titles);
}

std::string render_show(const Profile& p) {
  std::string out = fmt::format("# {}\n", comment(p.title));
  if (!p.as_of.empty())
    out += fmt::format("# Values as of {}. ", p.as_of);
  else
    out += "# ";
  out += "Save this as a file, change it, and use it: --profile ./my-profile.yaml\n";
  out += fmt::format("name: {}\ntitle: {}\n", yaml_text(p.name), yaml_text(p.title));
  std::string_view group;
  for (const Key& key : keys()) {
    const Provenance& from = provenance_of(p, key);
    const bool nested = !group_of(key.name).empty();
    if (nested && group_of(key.name) != group) out += fmt::format("\n{}:\n", group_of(key.name));
    if (!nested && (!group.empty() || &key == keys().data())) out += '\n';
    group = group_of(key.name);
    const std::string_view word = nested ? key.name.substr(group.size() + 1) : key.name;
    const std::string_view in = nested ? "  " : "";
    out += fmt::format("{}{}:  # {}\n", in, word, comment(place_of(from)));
    const std::string human = value_human(p, key);
    const std::string exact = value_text(p, key);
    out += fmt::format("{}  value: {}", in, yaml_text(exact));
    if (human != exact) out += fmt::format("  # {}", human.substr(0, human.find(" (")));
    out += '\n';
    const std::pair<std::string_view, const std::string*> evidence[] = {{"source", &from.source},
                                                                        {"as_of", &from.as_of},
                                                                        {"confidence", &from.confidence},
                                                                        {"note", &from.note}};
    for (const auto& [name, text] : evidence)
      if (!text->empty()) out += fmt::format("{}  {}: {}\n", in, name, yaml_text(*text));
  }
  out += "\n# Documented by the platform, and not enforced here:\n";
  for (const Unenforced& u : unenforced())
    out += fmt::format("#   {}: {} ({}, {})\n", u.what, u.value, u.source, u.as_of);
  return out;
}

std::string render_diff(const Profile& a, const Profile& b) {
  std::vector<std::vector<std::string>> rows = {{"KEY", a.name, b.name, "FROM"}};
  for (Difference& d : differences(a, b)) {
    const Key& key = *find_key(d.key);
    rows.push_back(
        {std::string(d.key), std::move(d.from), std::move(d.to),
         fmt::format("{} | {}", place_of(provenance_of(a, key)), place_of(provenance_of(b, key)))});
  }
  const std::size_t same = keys().size() - (rows.size() - 1);
  if (rows.size() == 1) return fmt::format("{} and {} have the same {} values.\n", a.name, b.name, same);
  return in_columns(rows) + fmt::format("\n{} of {} values are the same.\n", same, keys().size());
}

std::string render_limits_summary(const Profile& p) {
  std::string out = fmt::format("limits: functions {}; request body {}; WebSockets {}", duration_text(p),
                                human_size(p.request_body_max.value), websocket_text(p));
  if (!p.as_of.empty()) out += fmt::format(" (as of {})", p.as_of);
  out += '\n';
  std::string set;
  for (const Key& key : keys()) {
    const Provenance& from = provenance_of(p, key);
    if (from.profile != kSetByUser) continue;
    if (key.name == "duration.extended_max" && p.duration_extended_max.value == p.duration_max.value)
      continue;
    set += fmt::format("{}{}={}", set.empty() ? "" : ", ", key.name, value_text(p, key));
    if (from.note.starts_with("instead of ")) set += fmt::format(" ({})", from.note);
  }
  if (!set.empty()) out += fmt::format("set by you: {}\n", set);
  // A limit that is not the documented one is said aloud.
  if (const Provenance& from = p.duration_default.from;
      is_builtin(from.profile) && from.confidence == "CHOICE" && !from.note.empty())
    out += fmt::format("duration.default {} is this project's choice: {}\n",
                       format_duration(p.duration_default.value), from.note);
  return out;
}

}  // namespace vsim::profile
