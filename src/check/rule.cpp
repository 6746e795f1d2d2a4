#include "check/rule.hpp"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>
#include <boost/describe/enum.hpp>
#include <boost/describe/enum_from_string.hpp>
#include <boost/describe/enum_to_string.hpp>

#include <algorithm>
#include <cstdlib>
#include <set>

namespace vsim::check {

BOOST_DESCRIBE_ENUM(Severity, off, note, warning, error)

std::string_view embedded(std::string_view path);  // rules/*.yaml, generated
std::vector<std::string_view> embedded_paths();

std::string trimmed(std::string s) {
  while (!s.empty() && (s.back() == '\n' || s.back() == ' ')) s.pop_back();
  return s;
}

namespace {

std::vector<std::string> list(const YAML::Node& n) {
  std::vector<std::string> out;
  if (n.IsSequence())
    for (const auto& item : n) out.push_back(item.as<std::string>());
  else if (n.IsScalar())
    out.push_back(n.as<std::string>());
  return out;
}

bool read_severity(const YAML::Node& n, Severity& out) {
  return n.IsScalar() && boost::describe::enum_from_string(n.Scalar().c_str(), out);
}

}  // namespace

std::string_view to_string(Severity s) { return boost::describe::enum_to_string(s, "off"); }

Result<Rule> parse_rule(std::string_view yaml) {
  try {
    const YAML::Node root = YAML::Load(std::string(yaml));
    if (!root.IsMap()) return Error{"a rule is a map", ""};
    static const std::set<std::string> kKeys = {
        "id",     "title",    "severity", "where", "query", "message", "explanation", "fix",
        "client", "messages", "as_of",    "see",   "docs",  "bad",     "good",        "once"};
    for (const auto& pair : root)
      if (!kKeys.contains(pair.first.as<std::string>()))
        return Error{fmt::format("unknown key \"{}\"", pair.first.as<std::string>()), ""};
    for (const std::string& key : kKeys)
      if (!root[key] && key != "query" && key != "once") return Error{fmt::format("no \"{}\"", key), ""};
    Rule r;
    r.id = root["id"].as<std::string>();
    r.title = trimmed(root["title"].as<std::string>());
    const YAML::Node severity = root["severity"];
    if (!severity.IsMap() || severity.size() != 2 || !severity["serverless"] || !severity["fluid"] ||
        !read_severity(severity["serverless"], r.serverless) || !read_severity(severity["fluid"], r.fluid))
      return Error{"severity: serverless and fluid, each error, warning, note or off", ""};
    r.where = list(root["where"]);
    static const std::set<std::string> kWhere = {"request", "server", "custom-server", "client",
                                                 "config",  "edge",   "plan"};
    for (const std::string& w : r.where)
      if (!kWhere.contains(w)) return Error{fmt::format("where: unknown word \"{}\"", w), ""};
    r.once = root["once"] && root["once"].as<bool>();
    if (root["query"]) r.query = root["query"].as<std::string>();
    const bool plan = r.where == std::vector<std::string>{"plan"};
    if (r.query.empty() != plan) return Error{"a query, unless where is plan", ""};
    r.message = trimmed(root["message"].as<std::string>());
    r.explanation = trimmed(root["explanation"].as<std::string>());
    r.fix = trimmed(root["fix"].as<std::string>());
    r.client = trimmed(root["client"].as<std::string>());
    r.messages = list(root["messages"]);
    r.as_of = root["as_of"].as<std::string>();
    r.see = list(root["see"]);
    r.docs = list(root["docs"]);
    r.bad = list(root["bad"]);
    r.good = list(root["good"]);
    if (r.docs.empty() || r.bad.empty() || r.good.empty())
      return Error{"docs, bad and good need at least one entry", ""};
    return r;
  } catch (const YAML::Exception& e) {
    return Error{fmt::format("line {}: {}", e.mark.line + 1, e.msg), ""};
  }
}

const std::vector<Rule>& rules() {
  static const std::vector<Rule> all = [] {
    std::vector<Rule> out;
    for (const std::string_view path : embedded_paths()) {
      auto rule = parse_rule(embedded(path));
      if (!rule) std::abort();  // the binary's own data; a unit test says which
      out.push_back(std::move(*rule));
    }
    std::sort(out.begin(), out.end(), [](const Rule& a, const Rule& b) { return a.id < b.id; });
    return out;
  }();
  return all;
}

const Rule* find_rule(std::string_view id) {
  for (const Rule& r : rules())
    if (r.id == id) return &r;
  return nullptr;
}

}  // namespace vsim::check
