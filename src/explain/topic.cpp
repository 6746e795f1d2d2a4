#include "explain/topic.hpp"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <set>

#include "base/text.hpp"
#include "check/rule.hpp"
#include "limits/code.hpp"

namespace vsim::explain {

std::string_view embedded(std::string_view path);  // codes/*.yaml, generated
std::vector<std::string_view> embedded_paths();

namespace {

const std::set<std::string>& keys() {
  static const std::set<std::string> k = {"category", "as_of",  "emulated", "status", "title", "why",
                                          "client",   "fix",    "example",  "lang",   "found", "messages",
                                          "see",      "source", "silence",  "<<"};
  return k;
}

// One code's fields: its own, then those of the entry it continues (<<), then those all share.
class Fields {
 public:
  Fields(const YAML::Node& own, const YAML::Node& common) : levels_{own, own["<<"], common} {}

  YAML::Node node(const char* key) const {
    for (const YAML::Node& level : levels_)
      if (level.IsDefined() && level.IsMap())
        if (const YAML::Node found = level[key]; found.IsDefined()) return found;
    return YAML::Node(YAML::NodeType::Undefined);
  }
  std::string text(const char* key) const {
    const YAML::Node n = node(key);
    return n.IsDefined() && n.IsScalar() ? check::trimmed(n.as<std::string>()) : std::string();
  }
  std::vector<std::string> list(const char* key) const {
    std::vector<std::string> out;
    const YAML::Node n = node(key);
    if (n.IsDefined() && n.IsSequence())
      for (const auto& item : n) out.push_back(item.as<std::string>());
    return out;
  }

 private:
  std::vector<YAML::Node> levels_;
};

std::string expectation(std::string_view code) {
  return fmt::format(
      "Name it in the project's `vercel-sim.yaml`; `vercel-sim test` then stays green, and says so when it "
      "no "
      "longer strikes:\n\n```yaml\nexpect:\n  - code: {}\n    route: app/api/example/route.ts\n```",
      code);
}

Result<Topic> read_code(const std::string& id, const Fields& f) {
  Topic t;
  t.id = id;
  t.kind = id.starts_with("SIM_")                                  ? TopicKind::emulator
           : !id.empty() && id.front() >= 'a' && id.front() <= 'z' ? TopicKind::cause
                                                                   : TopicKind::platform;
  t.category = f.text("category");
  t.as_of = f.text("as_of");
  t.emulated = f.text("emulated") == "true";
  t.client = f.text("client");
  t.example = f.text("example");
  t.language = f.text("lang").empty() ? "ts" : f.text("lang");
  t.messages = f.list("messages");
  t.see = f.list("see");
  t.found = f.text("found");
  t.silence = f.text("silence");
  if (const limits::Code code = limits::find_code(id); code != limits::Code::none) {
    const limits::CodeInfo& info = limits::info(code);
    for (const char* key : {"status", "title", "why", "fix", "source"})
      if (!f.text(key).empty() && std::string_view(key) != "status")
        return Error{fmt::format("{}: \"{}\" is said in src/limits/code.cpp", id, key), ""};
    if (!t.emulated) return Error{fmt::format("{}: is emulated (src/limits/code.cpp)", id), ""};
    if (t.client.empty() || t.found.empty() || t.example.empty() || t.messages.empty())
      return Error{fmt::format("{}: client, found, example and messages are needed", id), ""};
    t.status = info.status;
    t.title = info.title;
    t.why = info.why;
    t.fix = info.fix;
    t.sources = {std::string(info.source)};
    if (t.silence.empty()) t.silence = expectation(id);
  } else {
    if (t.emulated) return Error{fmt::format("{}: has no row in src/limits/code.cpp", id), ""};
    t.title = f.text("title");
    t.why = f.text("why");
    t.fix = f.text("fix");
    const YAML::Node status = f.node("status");
    t.status = status.IsDefined() ? status.as<int>() : 0;
    t.sources = {f.text("source").empty() ? "https://vercel.com/docs/errors/" + id : f.text("source")};
    if (t.kind == TopicKind::cause &&
        (t.client.empty() || t.found.empty() || t.messages.empty() || f.text("source").empty()))
      return Error{fmt::format("{}: client, found, messages and source are needed", id), ""};
    if (t.client.empty())
      t.client =
          fmt::format("{} with `x-vercel-error: {}`, as text, JSON or a page by Accept.", t.status, id);
    if (t.found.empty())
      t.found =
          "It does not: this happens in Vercel's network or in a deployment, which is not here. It is "
          "explained "
          "so that the code in a log or on an error page can be looked up.";
    if (t.title.empty() || t.why.empty() || t.fix.empty() || (t.status == 0 && t.kind == TopicKind::platform))
      return Error{fmt::format("{}: title, why, fix and status are needed", id), ""};
  }
  if (t.category.empty() || t.as_of.empty())
    return Error{fmt::format("{}: category and as_of are needed", id), ""};
  return t;
}

Topic of_rule(const check::Rule& r) {
  Topic t;
  t.id = r.id;
  t.kind = TopicKind::rule;
  t.emulated = true;
  t.category =
      fmt::format("{} on serverless, {} on Fluid compute", to_string(r.serverless), to_string(r.fluid));
  t.title = r.title;
  t.why = r.explanation;
  t.client = r.client;
  t.fix = r.fix;
  t.bad = check::trimmed(r.bad.front());
  t.example = check::trimmed(r.good.front());
  t.language = "ts";
  t.messages = r.messages;
  t.found = "`vercel-sim check` reads the sources and runs nothing. This rule says: " + r.message + ".";
  t.silence = fmt::format(
      "On the line, or the line above, with the reason:\n\n```ts\n// vercel-sim-ignore {} the reason\n```",
      r.id);
  t.sources = r.docs;
  t.as_of = r.as_of;
  t.see = r.see;
  return t;
}

std::vector<Topic> load() {
  std::vector<Topic> out;
  for (const std::string_view path : embedded_paths()) {
    auto part = parse_codes(embedded(path));
    if (!part) {
      std::fputs(fmt::format("{}: {}\n", path, part.error().message).c_str(), stderr);
      std::abort();  // the binary's own data
    }
    for (Topic& t : *part) out.push_back(std::move(t));
  }
  for (const check::Rule& r : check::rules()) out.push_back(of_rule(r));
  std::sort(out.begin(), out.end(),
            [](const Topic& a, const Topic& b) { return a.kind != b.kind ? a.kind < b.kind : a.id < b.id; });
  return out;
}

}  // namespace

Result<std::vector<Topic>> parse_codes(std::string_view yaml) {
  try {
    const YAML::Node root = YAML::Load(std::string(yaml));
    if (!root.IsMap() || !root["codes"] || !root["codes"].IsMap()) return Error{"a map with \"codes\"", ""};
    const YAML::Node common = root["common"];
    std::vector<Topic> out;
    for (const auto& entry : root["codes"]) {
      const std::string id = entry.first.as<std::string>();
      if (!entry.second.IsMap()) return Error{fmt::format("{}: a map", id), ""};
      for (const YAML::Node& level : {entry.second, common})
        if (level.IsDefined() && level.IsMap())
          for (const auto& field : level)
            if (!keys().contains(field.first.as<std::string>()))
              return Error{fmt::format("{}: unknown key \"{}\"", id, field.first.as<std::string>()), ""};
      auto topic = read_code(id, Fields(entry.second, common));
      if (!topic) return topic.error();
      out.push_back(std::move(*topic));
    }
    return out;
  } catch (const YAML::Exception& e) {
    return Error{fmt::format("line {}: {}", e.mark.line + 1, e.msg), ""};
  }
}

const std::vector<Topic>& topics() {
  static const std::vector<Topic> all = load();
  return all;
}

const Topic* find_topic(std::string_view id) {
  for (const Topic& t : topics())
    if (iequals(t.id, id)) return &t;
  return nullptr;
}

}  // namespace vsim::explain
