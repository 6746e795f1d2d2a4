#include "app/api.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <deque>
#include <map>
#include <optional>
#include <vector>

#include "app/invocation_notes.hpp"
#include "base/text.hpp"
#include "profile/render.hpp"

namespace vsim::app {

std::string_view embedded(std::string_view path);  // docs/openapi.json, generated

namespace {

constexpr std::size_t kDefaultLimit = 100, kMostLimit = 1000;

std::optional<std::uint64_t> number_of(std::string_view text) {
  std::uint64_t out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return out;
}

// `"key":"value"` as it stands in a line: the encoder writes strings in one way only, and a quote within a
// string is escaped.
std::string text_field(std::string_view key, std::string_view value) {
  std::string out = fmt::format("\"{}\":", key);
  append_json_string(out, value);
  return out;
}

std::uint64_t seq_of(std::string_view line) { return number_of(value_of(line, "seq")).value_or(0); }
std::string_view type_of(std::string_view line) { return value_of(line.substr(0, 60), "t"); }

struct Asked {
  std::vector<std::string> needles;  // each stands in what is wanted
  std::optional<std::uint64_t> after;
  std::size_t limit = kDefaultLimit;
  std::string wrong;
};

// `known`: names of parameters beside after and limit, each a field of the lines.
Asked read_query(std::string_view query, std::initializer_list<std::string_view> known) {
  Asked out;
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    const std::string_view one = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    const std::size_t equals = std::min(one.find('='), one.size());
    const std::string name = query_decoded(one.substr(0, equals));
    const std::string value = query_decoded(one.substr(std::min(equals + 1, one.size())));
    const auto number = number_of(value);
    if (name == "after" || name == "limit") {
      if (!number || (name == "limit" && (*number == 0 || *number > kMostLimit)))
        out.wrong = name == "after" ? "after expects the seq of an event, such as after=120"
                                    : fmt::format("limit expects a number from 1 to {}", kMostLimit);
      else if (name == "after")
        out.after = number;
      else
        out.limit = *number;
    } else if (std::find(known.begin(), known.end(), name) == known.end()) {
      out.wrong = fmt::format("{} is no parameter of this; there are {}{}after, limit", name,
                              fmt::join(known, ", "), known.size() == 0 ? "" : ", ");
    } else if (name == "status") {
      if (!number) out.wrong = "status expects a number, such as status=504";
      out.needles.push_back(fmt::format("\"status\":{},", number.value_or(0)));
    } else {
      out.needles.push_back(text_field(name == "type" ? "t" : name, value));
    }
  }
  return out;
}

template <class Take>
void each_event(const ApiWorld& world, Take take) {
  for (const auto& block : world.events) each_event_line(*block, take);
}

bool has_all(std::string_view line, const std::vector<std::string>& needles) {
  return std::all_of(needles.begin(), needles.end(),
                     [&](const std::string& n) { return line.find(n) != std::string_view::npos; });
}

// The last ones, or with `after` the first ones behind it.
class Window {
 public:
  explicit Window(const Asked& asked) : asked_(asked) {}
  bool wants(std::uint64_t seq) const { return !asked_.after || seq > *asked_.after; }
  void add(std::uint64_t seq, std::string item) {
    if (asked_.after && (more_ || (items_.size() >= asked_.limit && seq != items_.back().first))) {
      more_ = true;
      return;
    }
    items_.emplace_back(seq, std::move(item));
    // What comes of one event stays together: `next` names events.
    while (!asked_.after && items_.size() > asked_.limit && items_.front().first != seq) {
      items_.pop_front();
      more_ = true;
    }
  }
  // "name": [ … ], and what to ask for next.
  std::string text(std::string_view name, const ApiWorld& world) const {
    std::string out = fmt::format("\"{}\":[", name);
    for (const auto& [seq, item] : items_) {
      if (out.back() == '}') out += ',';
      out += item;
    }
    return out + fmt::format("],\"more\":{},\"next\":{},\"left_out\":{}", more_,
                             items_.empty() ? asked_.after.value_or(0) : items_.back().first, world.left_out);
  }

 private:
  const Asked& asked_;
  std::deque<std::pair<std::uint64_t, std::string>> items_;
  bool more_ = false;
};

ApiAnswer bad(std::string_view why) {
  return {400, api_error(why, "GET /_vercel-sim/api/openapi.json describes them")};
}

ApiAnswer run_of(const ApiWorld& world) {
  static constexpr std::string_view kLatest[] = {"run_started", "profile_changed", "app_changed", "deployed",
                                                 "run_stopped"};
  std::map<std::string_view, std::string_view> latest;
  const auto look = [&](std::string_view line) {
    const std::string_view type = type_of(line);
    for (const std::string_view wanted : kLatest)
      if (type == wanted) latest[wanted] = line;
  };
  for (const std::string& line : world.kept) look(std::string_view(line));
  each_event(world, look);
  std::string out = fmt::format(R"({{"run":"{}","at_ms":{},"left_out":{},"takes_actions":{})", world.run,
                                world.at / std::chrono::milliseconds(1), world.left_out, world.takes_actions);
  for (const auto& [type, line] : latest) out += fmt::format(R"(,"{}":{})", type, line);
  return {200, out + "}"};
}

ApiAnswer events_of(std::string_view query, const ApiWorld& world) {
  const Asked asked = read_query(query, {"type", "route", "instance"});
  if (!asked.wrong.empty()) return bad(asked.wrong);
  Window window(asked);
  each_event(world, [&](std::string_view line) {
    const std::uint64_t seq = seq_of(line);
    if (window.wants(seq) && has_all(line, asked.needles)) window.add(seq, std::string(line));
  });
  return {200, "{" + window.text("events", world) + "}"};
}

ApiAnswer instances_of(const ApiWorld& world) {
  std::map<std::string_view, std::string_view> living;
  const auto look = [&](std::string_view line) {
    if (type_of(line) != "instance_changed") return;
    const std::string_view name = value_of(line, "instance");
    if (value_of(line, "to") == "dead")
      living.erase(name);
    else
      living[name] = line;
  };
  for (const std::string& line : world.kept) look(std::string_view(line));
  each_event(world, look);
  std::string out = R"({"instances":[)";
  for (const auto& [name, line] : living) {
    if (out.back() == '}') out += ',';
    out += line;
  }
  return {200, out + "]}"};
}

ApiAnswer invocations_of(std::string_view query, const ApiWorld& world) {
  const Asked asked = read_query(query, {"route", "instance", "code", "status", "method", "traffic"});
  if (!asked.wrong.empty()) return bad(asked.wrong);
  Window window(asked);
  std::map<std::uint64_t, std::string_view> open;
  each_event(world, [&](std::string_view line) {
    const std::string_view type = type_of(line);
    if (type != "invocation_started" && type != "invocation_ended") return;
    const std::uint64_t id = number_of(value_of(line, "id")).value_or(0), seq = seq_of(line);
    if (type == "invocation_started") {
      open[id] = line;
      return;
    }
    open.erase(id);
    if (window.wants(seq) && has_all(line, asked.needles)) window.add(seq, std::string(line));
  });
  std::string out = "{" + window.text("invocations", world) + R"(,"open":[)";
  for (const auto& [id, line] : open) {
    if (out.back() == '}') out += ',';
    out += line;
  }
  return {200, out + "]}"};
}

Duration millis_of(std::string_view line, std::string_view key) {
  const std::string text(value_of(line, key));
  const double ms = std::strtod(text.c_str(), nullptr);
  return ms > 0 && ms < 1e12 ? Duration(static_cast<Duration::rep>(ms * 1e6)) : Duration::zero();
}

// Since when and until when each invocation's code ran that stood on `instance`, or of all where that is
// empty.
std::map<std::uint64_t, Presence> runs_on(std::string_view instance, const ApiWorld& world) {
  std::map<std::uint64_t, Presence> out;
  const std::string of = fmt::format("\"instance\":\"{}\"", instance);
  each_event(world, [&](std::string_view line) {
    const std::string_view type = type_of(line);
    const bool begins = type == "invocation_running" || type == "socket_opened",
               ends = type == "invocation_ended";
    if ((!begins && !ends) || (!instance.empty() && line.find(of) == std::string_view::npos)) return;
    const std::uint64_t id = number_of(value_of(line, "id")).value_or(0);
    const Duration at = millis_of(line, "at_ms");
    auto [found, is_new] = out.try_emplace(id, Presence{at, kForever});
    if (is_new && ends) found->second.from -= millis_of(line, "total_ms");
    if (ends) found->second.until = at;
  });
  return out;
}

std::string notes_of(std::uint64_t id, std::string_view instance, Duration began, const ApiWorld& world) {
  std::map<std::uint64_t, Presence> runs = runs_on(instance, world);
  NotesAsked asked;
  asked.id = id;
  asked.instance = instance;
  const auto own = runs.find(id);
  asked.ran = own != runs.end() ? own->second : Presence{began, world.at};
  for (const auto& [other, ran] : runs)
    if (other != id) asked.others.push_back(ran);
  return notes_json(world.notes, asked);
}

// One invocation by its number or by an x-vercel-id of it: all that was said of it, and of its instance.
ApiAnswer story_of(std::string_view which, const ApiWorld& world) {
  const std::string decoded = query_decoded(which);
  std::optional<std::uint64_t> id = number_of(decoded);
  std::string needle = text_field("request_id", decoded);
  if (!id)
    each_event(world, [&](std::string_view line) {
      if (line.find(needle) == std::string_view::npos) return;
      if (const auto found = number_of(value_of(line, "id")); found && *found != 0) id = found;
    });
  // Without a number it was refused before it was passed on: its id alone tells it.
  if (id) needle = fmt::format("\"id\":{},", *id);
  std::vector<std::string_view> own;
  std::string_view instance;
  std::optional<Duration> began;
  std::uint64_t until = UINT64_MAX;
  if (id != 0u)
    each_event(world, [&](std::string_view line) {
      if (line.find(needle) == std::string_view::npos) return;
      own.push_back(line);
      if (!began) began = millis_of(line, "at_ms");
      if (const auto named = value_of(line, "instance"); !named.empty()) instance = named;
      if (type_of(line) == "invocation_ended") until = seq_of(line);
    });
  if (own.empty())
    return {404, api_error(fmt::format("no invocation {} among the events that are kept", decoded),
                           "its number or the x-vercel-id of its response; the oldest are forgotten")};
  std::string out = R"({"events":[)";
  const auto add = [&](std::string_view line) {
    if (out.back() == '}') out += ',';
    out += line;
  };
  for (const std::string_view line : own) add(line);
  out += R"(],"instance":[)";
  const std::string of = fmt::format("\"instance\":\"{}\"", instance);
  if (!instance.empty())
    each_event(world, [&](std::string_view line) {
      if (type_of(line) == "instance_changed" && line.find(of) != std::string_view::npos &&
          seq_of(line) <= until)
        add(line);
    });
  return {200, out + fmt::format(R"(],"open":{},{}}})", until == UINT64_MAX,
                                 notes_of(id.value_or(0), instance, *began, world))};
}

// The objects of a JSON list that begins behind `list`'s first character.
template <class Use>
void each_object(std::string_view list, Use use) {
  int depth = 0;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const char c = list[i];
    if (c == '"') {
      for (++i; i < list.size() && list[i] != '"'; ++i)
        if (list[i] == '\\') ++i;
    } else if (c == '{') {
      if (depth++ == 0) begin = i;
    } else if (c == '}') {
      if (--depth == 0) use(list.substr(begin, i + 1 - begin));
    } else if (c == ']' && depth == 0) {
      return;
    }
  }
}

// Each with the fields of the event that said it.
ApiAnswer verdicts_of(std::string_view query, const ApiWorld& world) {
  const Asked asked = read_query(query, {"code", "route"});
  if (!asked.wrong.empty()) return bad(asked.wrong);
  constexpr std::string_view kList = ",\"verdicts\":[";
  Window window(asked);
  each_event(world, [&](std::string_view line) {
    const std::size_t at = line.find(kList);
    const std::uint64_t seq = seq_of(line);
    if (at == std::string_view::npos || !window.wants(seq)) return;
    each_object(line.substr(at + kList.size()), [&](std::string_view verdict) {
      if (has_all(verdict, asked.needles))
        window.add(seq, fmt::format("{},\"verdict\":{}}}", line.substr(0, at), verdict));
    });
  });
  return {200, "{" + window.text("verdicts", world) + "}"};
}

}  // namespace

std::string_view value_of(std::string_view line, std::string_view key) {
  const std::string name = fmt::format("\"{}\":", key);
  const std::size_t at = line.find(name);
  if (at == std::string_view::npos) return {};
  line.remove_prefix(at + name.size());
  if (!line.starts_with('"')) return line.substr(0, line.find_first_of(",}]"));
  std::size_t end = 1;
  while (end < line.size() && line[end] != '"') end += line[end] == '\\' ? 2 : 1;
  return line.substr(1, end - 1);
}

std::string api_error(std::string_view error, std::string_view fix) {
  std::string out = R"({"error":)";
  append_json_string(out, error);
  if (!fix.empty()) {
    out += R"(,"fix":)";
    append_json_string(out, fix);
  }
  return out + "}";
}

std::string query_decoded(std::string_view text) {
  std::string spaced(text);
  std::replace(spaced.begin(), spaced.end(), '+', ' ');
  return percent_decoded(spaced);
}

ApiAnswer ask_api(std::string_view path, std::string_view query, const ApiWorld& world) {
  constexpr std::string_view kOne = "invocations/";
  const bool plain = path == "run" || path == "plan" || path == "instances" || path == "openapi.json" ||
                     (path.starts_with(kOne) && path.size() > kOne.size());
  if (plain && !query.empty()) return bad(fmt::format("{} takes no parameters", path));
  if (path == "run") return run_of(world);
  if (path == "plan" && world.profile) return {200, profile::render_json(*world.profile)};
  if (path == "instances") return instances_of(world);
  if (path == "invocations") return invocations_of(query, world);
  if (path == "verdicts") return verdicts_of(query, world);
  if (path == "events") return events_of(query, world);
  if (path == "openapi.json") return {200, std::string(embedded("docs/openapi.json"))};
  if (plain && path.starts_with(kOne)) return story_of(path.substr(kOne.size()), world);
  return {404, api_error(fmt::format("there is no {} in this API", path),
                         "GET /_vercel-sim/api/openapi.json describes what there is")};
}

}  // namespace vsim::app
