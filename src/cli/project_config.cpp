#include "cli/project_config.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/plain_text.hpp"
#include "base/text.hpp"
#include "limits/code.hpp"
#include "profile/layer.hpp"
#include "profile/loader.hpp"
#include "profile/schema.hpp"
#include "profile/yaml_tree.hpp"
#include "project/files.hpp"
#include "project/finder.hpp"

namespace vsim::cli {
namespace {

namespace fs = std::filesystem;
using profile::YamlNode;
using Kind = profile::YamlNode::Kind;

constexpr std::string_view kName = "vercel-sim.yaml";
constexpr std::string_view kEntryKeys[] = {"code", "route", "reason"};
constexpr std::size_t kMaxBytes = 256UL * 1024;

std::string near(std::string_view word, std::span<const std::string_view> names) {
  const auto found = nearest_name(word, names);
  return found ? fmt::format(": did you mean \"{}\"?", *found) : std::string();
}

class Reader {
 public:
  Reader(std::string_view file, std::string_view directory, std::string_view text, TestOptions& options,
         std::vector<profile::Diagnostic>& out)
      : source_(std::string(file), text), directory_(directory), options_(options), out_(out) {
    config_.file = file;
  }

  ProjectConfig read() {
    const auto root = profile::parse_yaml(source_, out_);
    if (!root || root->kind == Kind::null) return std::move(config_);  // empty: nothing is said
    if (root->kind != Kind::map) {
      report(*root, fmt::format("expected keys such as \"profile: hobby\", got {}", what_it_is(*root)));
      return std::move(config_);
    }
    each("", *root, [this](const std::string& name, const YamlNode& key, const YamlNode& value) {
      if (name == "expect")
        expect(key, value);
      else if (name == "set")
        settings(key, value);
      else
        option(name, key, value);
    });
    // What stands on the command line comes after, and so wins.
    options_.run.set.insert(options_.run.set.begin(), set_.begin(), set_.end());
    std::stable_sort(out_.begin(), out_.end(), [](const auto& a, const auto& b) {
      return std::tie(a.line, a.col) < std::tie(b.line, b.col);
    });
    return std::move(config_);
  }

 private:
  void report(const YamlNode& node, std::string message) {
    if (out_.size() < profile::kMaxDiagnostics) out_.push_back(source_.at(node, std::move(message)));
  }

  template <class F>
  void each(std::string_view path, const YamlNode& map, F&& visit) {
    profile::each_key(
        path, map, [this](const YamlNode& node, std::string message) { report(node, std::move(message)); },
        [&](const std::string& name, const YamlNode& key, const YamlNode& value, bool is_new) {
          if (is_new) visit(name, key, value);
        });
  }

  void option(const std::string& name, const YamlNode& key, const YamlNode& value) {
    std::vector<std::string_view> names = file_option_names();
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      names.insert(names.end(), {"set", "expect"});
      std::string message = fmt::format("unknown key {}", profile::shown(name));
      if (const std::string guess = near(name, names); !guess.empty())
        message += guess;
      else if (profile::find_key(name) != nullptr || profile::is_group(name))
        message += fmt::format(": a limit is set below \"set\", such as \"set: {{ {}: ... }}\"", name);
      else
        message += fmt::format(": known are {}", fmt::join(names, ", "));
      return report(key, std::move(message));
    }
    const bool nothing = value.kind == Kind::null;
    std::string text = value.text;
    if (value.kind != Kind::scalar) text.clear();
    if (name == "profile" && profile::is_path(text) && !text.starts_with('/')) {
      const fs::path joined = (fs::path(directory_) / text).lexically_normal();
      text = joined.has_parent_path() ? joined.string() : "./" + joined.string();
    }
    if (const auto expected = set_default(options_, name, text))
      report(nothing ? key : value,
             fmt::format("{}: expected {}, got {}", name, *expected, what_it_is(value)));
  }

  // Dotted keys, or nested as in a profile.
  void settings(const YamlNode& key, const YamlNode& value, const std::string& path = "") {
    if (value.kind != Kind::map)
      return report(value.kind == Kind::null ? key : value,
                    fmt::format("{}: expected keys such as \"duration.default: 15s\", got {}",
                                path.empty() ? "set" : path, what_it_is(value)));
    each(path, value, [this](const std::string& name, const YamlNode& k, const YamlNode& v) {
      const profile::Key* found = profile::find_key(name);
      if (found == nullptr && profile::is_group(name)) return settings(k, v, name);
      if (found == nullptr) return report(k, profile::unknown_key(name));
      profile::Profile probe;
      if (v.kind != Kind::scalar)
        return report(v.kind == Kind::null ? k : v,
                      fmt::format("{}: expected {}, got {}", name, profile::expected(*found), what_it_is(v)));
      if (const auto wrong = profile::assign(probe, *found, v.text, {}))
        return report(v, fmt::format("{}: {}", name, *wrong));
      set_.emplace_back(name, v.text);
    });
  }

  void expect(const YamlNode& key, const YamlNode& value) {
    if (value.kind == Kind::null) return;
    if (value.kind != Kind::sequence)
      return report(value, fmt::format("expect: expected a list of entries such as \"- code: "
                                       "FUNCTION_INVOCATION_TIMEOUT\", got {}",
                                       what_it_is(value)));
    for (const YamlNode& item : value.children) {
      if (item.kind != Kind::map) {
        report(item.kind == Kind::null ? key : item,
               fmt::format("expect: expected an entry with {}, got {}", fmt::join(kEntryKeys, ", "),
                           what_it_is(item)));
        continue;
      }
      entry(item);
    }
  }

  void entry(const YamlNode& item) {
    Expectation e;
    e.line = item.line + 1;
    bool has_code = false, has_route = false;
    const std::size_t before = out_.size();
    each("", item, [&](const std::string& name, const YamlNode& key, const YamlNode& value) {
      if (std::find(std::begin(kEntryKeys), std::end(kEntryKeys), name) == std::end(kEntryKeys)) {
        const std::string guess = near(name, kEntryKeys);
        return report(
            key, fmt::format(
                     "expect: unknown key {}{}", profile::shown(name),
                     guess.empty() ? fmt::format(": an entry has {}", fmt::join(kEntryKeys, ", ")) : guess));
      }
      (name == "code" ? has_code : has_route) |= name != "reason";
      if (value.kind != Kind::scalar || value.text.empty())
        return report(value.kind == Kind::null ? key : value,
                      fmt::format("{}: expected {}, got {}", name,
                                  name == "code"    ? "a code such as \"FUNCTION_INVOCATION_TIMEOUT\""
                                  : name == "route" ? "a file or route such as \"app/api/slow/route.ts\""
                                                    : "text",
                                  what_it_is(value)));
      if (name == "code") code(e, value);
      if (name == "route") route(e, value);
      if (name == "reason") e.reason = value.text;
    });
    if (!has_code)
      report(item,
             "expect: \"code\" is missing: say which violation is meant, such as "
             "\"code: FUNCTION_INVOCATION_TIMEOUT\"");
    if (!has_route)
      report(item,
             "expect: \"route\" is missing: say where it is meant, such as \"route: app/api/slow/route.ts\", "
             "or \"route: /**\" for everywhere");
    if (out_.size() == before) config_.expect.push_back(std::move(e));
  }

  void code(Expectation& e, const YamlNode& value) {
    e.code = limits::find_code(value.text);
    if (e.code != limits::Code::none) return;
    std::vector<std::string_view> known;
    for (int i = 1; i < static_cast<int>(limits::Code::kCount); ++i)
      known.push_back(limits::info(static_cast<limits::Code>(i)).name);
    const std::string guess = near(value.text, known);
    report(value, fmt::format("code: no code is called {}{}", profile::shown(value.text),
                              guess.empty() ? ": vercel-sim explain lists them" : guess));
  }

  void route(Expectation& e, const YamlNode& value) {
    e.route = value.text;
    if (e.route.starts_with("./")) e.route.erase(0, 2);
    if (routes::Glob(e.route).too_complex())
      report(value, "route: this pattern has too many alternatives");
    else if (e.route.find('\\') != std::string::npos)
      report(value, "route: expected \"/\" between the parts of a path, as on every system");
  }

  profile::Source source_;
  std::string directory_;
  TestOptions& options_;
  std::vector<profile::Diagnostic>& out_;
  ProjectConfig config_;
  std::vector<std::pair<std::string, std::string>> set_;
};

}  // namespace

ProjectConfig read_project_config(std::string_view file, std::string_view directory, std::string_view text,
                                  TestOptions& options, std::vector<profile::Diagnostic>& problems) {
  return Reader(file, directory, text, options, problems).read();
}

bool load_project_config(TestOptions& options, ProjectConfig& out) {
  std::string directory = project::real_path(options.run.cwd.empty() ? "." : options.run.cwd);
  if (directory.empty()) return true;  // said where --cwd is judged
  std::string path = directory + "/" + std::string(kName);
  std::error_code error;
  if (!fs::exists(path, error)) {
    const auto project = project::find_project(directory);
    if (!project) return true;
    directory = project->root;
    path = directory + "/" + std::string(kName);
    if (!fs::exists(path, error)) return true;
  }
  const fs::path here = fs::current_path(error);
  const std::string relative = error ? std::string() : fs::path(path).lexically_relative(here).string();
  const std::string shown = relative.empty() || relative.starts_with("../..") ? path : relative;
  std::vector<profile::Diagnostic> problems;
  const std::string repository = project::repository_of(directory);
  if (!project::lies_in(repository, path)) {
    fmt::print(stderr, "error: {}: a link out of the repository {} is not read\n", plain(shown),
               plain(repository));
    return false;
  }
  const auto text = project::read_text(path, kMaxBytes);
  if (!text) {
    fmt::print(stderr, "error: {}: cannot be read (it is no regular file, or larger than {})\n", shown,
               human_size(kMaxBytes));
    return false;
  }
  const std::string asked = options.run.profile;
  out = read_project_config(shown, directory, *text, options, problems);
  const std::string& profile = options.run.profile;
  if (profile != asked && profile::is_path(profile) && !project::lies_in(repository, profile)) {
    fmt::print(stderr,
               "error: {}: profile: {} lies outside of the repository {}\n  fix: name it on the command "
               "line: --profile {}\n",
               plain(shown), plain(profile), plain(repository), plain(profile));
    return false;
  }
  fmt::print(stderr, "{}", profile::to_string(problems));
  return problems.empty();
}

}  // namespace vsim::cli
