#include "cli/run_options.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "cli/option_table.hpp"
#include "cli/option_words.hpp"
#include "profile/schema.hpp"

namespace vsim::cli {
namespace {

std::string_view command_of(For command) {
  return command == For::run    ? "vercel-sim run"
         : command == For::test ? "vercel-sim test"
                                : "vercel-sim replay";
}

class Parser {
 public:
  Parser(Words words, For command) : words_(words), for_(command) {
    error_.command = command_of(command);
    error_.help = error_.command + " --help";
  }

  Outcome parse() {
    while (at_ < words_.size()) {
      const std::string_view word = words_[at_++];
      if (word == "--" && for_ == For::replay) {
        problem("unexpected --: the recording is what tests; another app than next dev comes with --app");
        at_ = words_.size();
      } else if (word == "--") {
        auto& command = for_ == For::test ? out_.command : out_.run.command;
        for (std::string_view w : words_.subspan(at_)) command.emplace_back(w);
        at_ = words_.size();
        if (command.empty())
          problem(fmt::format("-- expects a command after it, such as -- {}",
                              for_ == For::test ? "npx playwright test" : "node server.js"));
        after_dashes_ = true;
      } else if (is_help(word)) {
        return Options{ShowHelp{for_ == For::run    ? HelpTopic::run
                                : for_ == For::test ? HelpTopic::test
                                                    : HelpTopic::replay},
                       no_color_};
      } else if (word.size() > 1 && word.front() == '-') {
        option(word);
      } else if (for_ == For::replay) {
        if (word.empty() || !replay_.recording.empty())
          problem(fmt::format("expects one recording; got {}", quoted(word)));
        else
          replay_.recording = word;
      } else if (const Words rest = words_.subspan(at_ - 1);
                 word.find('/') == std::string_view::npos &&
                 std::find(rest.begin(), rest.end(), "--") == rest.end()) {
        // The whole command without its --: one mistake.
        problem(fmt::format("a command comes after --: {} -- {}", error_.command, fmt::join(rest, " ")));
        at_ = words_.size();
        after_dashes_ = true;
      } else {
        problem(fmt::format("unexpected argument {}: a command comes after --, a directory after --cwd",
                            quoted(word)));
      }
    }
    conflicts();
    if (!error_.problems.empty()) return error_;
    if (for_ == For::replay) return Options{std::move(replay_), no_color_};
    if (for_ == For::test) return Options{std::move(out_), no_color_};
    return Options{std::move(out_.run), no_color_};
  }

 private:
  void problem(std::string text) { error_.problems.push_back(std::move(text)); }
  bool given(std::string_view name) const {
    return std::find(out_.run.given.begin(), out_.run.given.end(), name) != out_.run.given.end();
  }

  void option(std::string_view word) {
    std::optional<std::string_view> value;
    std::string_view name = word;
    if (const std::size_t equals = word.find('='); equals != std::string_view::npos) {
      name = word.substr(0, equals);
      value = word.substr(equals + 1);
    }
    if (name == "-p") name = "--port";
    if (name == kNoColor) {
      no_color_ = true;
      return no_value(name, value);
    }
    const auto o = find_option(name, for_, replay_);
    if (!o) return unknown(name, value);
    out_.run.given.emplace_back(o->name);
    if (o->takes == Takes::nothing) {
      o->set({});
      return no_value(name, value);
    }
    if (o->takes == Takes::maybe_value) {
      if (value && value->empty()) return expects(*o, *value);
      if (!value && word_follows()) value = words_[at_++];
      if (!o->set(value.value_or(std::string_view()))) expects(*o, *value);
      return;
    }
    take_value(value);
    if (!value)
      return problem(
          fmt::format("{} needs a value: {}, such as {} {}", o->name, o->expects, o->name, o->example));
    if (!o->set(*value)) expects(*o, *value);
  }

  // What follows an option that is not known is its value, not one more mistake: run and test take no words
  // outside options. For replay such a word may be the recording.
  void unknown(std::string_view name, std::optional<std::string_view> value) {
    for (const For other : {For::run, For::test, For::replay}) {
      Replay probe;
      const auto o = find_option(name, other, probe);
      if (!o) continue;
      problem(fmt::format("{} is an option of {}", o->name, command_of(other)));
      if (o->takes == Takes::value || (o->takes == Takes::maybe_value && word_follows())) take_value(value);
      return;
    }
    const auto names = names_of(for_);
    problem(fmt::format("unknown option {}{}", name, did_you_mean(name, names)));
    const auto meant = nearest_name(name, names);
    if (meant ? takes_value(*meant) : for_ != For::replay && word_follows()) take_value(value);
  }

  bool word_follows() const { return at_ < words_.size() && !words_[at_].starts_with('-'); }

  bool takes_value(std::string_view name) {
    const auto o = find_option(name, for_, replay_);
    return o && o->takes == Takes::value;
  }

  // The next word is the value, unless it is an option that we know: then the value was forgotten.
  void take_value(std::optional<std::string_view>& value) {
    if (value || at_ == words_.size()) return;
    const std::string_view next = words_[at_];
    const std::string_view next_name = next.substr(0, next.find('='));
    const auto names = names_of(for_);
    if (next == "--" || std::find(names.begin(), names.end(), next_name) != names.end()) return;
    value = next;
    ++at_;
  }

  void no_value(std::string_view name, const std::optional<std::string_view>& value) {
    if (value) problem(fmt::format("{} takes no value; got {}", name, quoted(*value)));
  }
  void expects(const Found& o, std::string_view value) {
    problem(fmt::format("{} expects {}, such as {} {}; got {}{}", o.name, o.expects, o.name, o.example,
                        quoted(value), nearest_word(value, o.expects)));
  }

  void conflicts() {
    constexpr std::string_view kWhy = "each says what stands behind vercel-sim, so only one can be given";
    const Run& run = out_.run;
    if (given("--upstream") && given("--app")) problem(fmt::format("--upstream and --app: {}", kWhy));
    if (for_ == For::run && given("--upstream") && after_dashes_)
      problem(fmt::format("--upstream and --: {}", kWhy));
    if (for_ == For::run && given("--app") && after_dashes_) problem(fmt::format("--app and --: {}", kWhy));
    if (run.upstream && run.isolation && *run.isolation != profile::Isolation::none)
      problem(
          fmt::format("--upstream and --isolation {}: a server that already runs cannot be isolated; leave "
                      "--isolation out",
                      profile::to_string(*run.isolation)));
    if (given("--quiet") && given("--verbose")) problem("--quiet and --verbose contradict each other");
    if (run.events && run.record && *run.events == *run.record)
      problem("--events and --record name the same file");
    if (for_ == For::run) return;
    if (for_ == For::replay) return replay_conflicts();
    if (!after_dashes_)
      problem("expects the command that tests after --, such as: vercel-sim test -- npx playwright test");
    if (run.events == "-")
      problem("--events - and a command: standard output is the command's own; name a file");
    for (const auto* file :
         {&out_.reports.html, &out_.reports.junit, &out_.reports.sarif, &out_.reports.json})
      if (*file == "-")
        problem("a report to - and a command: standard output is the command's own; name a file");
  }

  void replay_conflicts() {
    if (replay_.recording.empty())
      problem("expects the recording that --record wrote, such as: vercel-sim replay session.jsonl");
    if (given("--profiles") && given("--profile")) problem("--profile and --profiles: give one of them");
    const ReportOutputs& files = out_.reports;
    if (out_.run.events == "-")
      problem("--events -: standard output is for what the replay found; name a file");
    for (const auto* file : {&files.html, &files.junit, &files.sarif, &files.json})
      if (*file == "-") problem("a report to -: standard output is for what the replay found; name a file");
    if (replay_.profiles.size() < 2) return;
    if (files.html || files.junit || files.sarif || files.github || out_.run.events)
      problem(
          "--html, --junit, --sarif, --github and --events are about one run: give one profile, or --json");
  }

  Words words_;
  For for_;
  std::size_t at_ = 0;
  Replay replay_;
  Test& out_ = replay_.test;
  bool no_color_ = false;
  bool after_dashes_ = false;
  UsageError error_;
};

}  // namespace

Outcome parse_run(Words words) { return Parser(words, For::run).parse(); }
Outcome parse_test(Words words) { return Parser(words, For::test).parse(); }
Outcome parse_replay(Words words) { return Parser(words, For::replay).parse(); }

}  // namespace vsim::cli
