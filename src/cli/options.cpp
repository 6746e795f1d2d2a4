#include "cli/options.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "cli/command_table.hpp"
#include "cli/option_words.hpp"

namespace vsim::cli {
namespace {

constexpr HelpTopic kApps[] = {HelpTopic::run, HelpTopic::test, HelpTopic::replay};

std::string title(const Command& command) { return fmt::format("vercel-sim {}", command.name); }

// The words after a command, by the rows of both tables.
class Parser {
 public:
  Parser(ArgumentWords words, const Command& command) : words_(words), command_(command) {
    given_.command = command.topic;
  }

  ParsedOptions parse() {
    while (at_ < words_.size()) {
      const std::string_view word = words_[at_++];
      const bool dashes = word == "--" && command_.dashes != Dashes::unknown;
      if (dashes)
        rest();
      else if (is_help(word) && command_.topic != HelpTopic::general)
        return Options{ShowHelp{command_.topic}, no_color_};
      else if (word.size() > 1 && word.front() == '-')
        option(word);
      else
        plain(word);
    }
    auto asked = command_.finish(given_);
    if (given_.problems.empty()) return Options{std::move(asked), no_color_};
    // What `help` has no help of its own for is in the general one.
    const std::string about =
        command_.topic == HelpTopic::general ? std::string("vercel-sim") : title(command_);
    return UsageError{title(command_), std::move(given_.problems), about + " --help"};
  }

 private:
  void problem(std::string text) { given_.problems.push_back(std::move(text)); }
  bool for_app() const { return command_.dashes == Dashes::command; }

  // What follows "--".
  void rest() {
    const ArgumentWords rest = words_.subspan(at_);
    at_ = words_.size();
    if (command_.dashes == Dashes::refused)
      return problem(
          "unexpected --: the recording is what tests; another app than next dev comes with --app");
    if (command_.dashes == Dashes::words) {
      given_.words.insert(given_.words.end(), rest.begin(), rest.end());
      return;
    }
    const bool tests = command_.topic == HelpTopic::test;
    auto& command = tests ? given_.replay.test.command : given_.run().command;
    command.assign(rest.begin(), rest.end());
    if (command.empty())
      problem(fmt::format("-- expects a command after it, such as -- {}",
                          tests ? "npx playwright test" : "node server.js"));
    given_.after_dashes = true;
  }

  void plain(std::string_view word) {
    const ArgumentWords rest = words_.subspan(at_ - 1);
    if (for_app() && !word.empty() && word.find('/') == std::string_view::npos &&
        std::find(rest.begin(), rest.end(), "--") == rest.end()) {
      // The whole command without its --: one mistake.
      problem(fmt::format("a command comes after --: {} -- {}", title(command_), fmt::join(rest, " ")));
      at_ = words_.size();
      given_.after_dashes = true;
    } else if (command_.word != nullptr) {
      command_.word(given_, word);
    } else {
      given_.words.push_back(word);
    }
  }

  void option(std::string_view word) {
    std::optional<std::string_view> value;
    std::string_view name = word;
    if (const std::size_t equals = word.find('='); equals != std::string_view::npos) {
      name = word.substr(0, equals);
      value = word.substr(equals + 1);
    }
    const Option* o = find_option(name, command_.topic);
    if (o == nullptr) return unknown(name, value);
    if (o->name() == kHelp) return;  // of `help` itself
    no_color_ |= o->name() == kNoColor;
    if (!o->may_take_value()) {
      set(*o, {});
      given_.options.emplace_back(o->name(), std::nullopt);
      if (value) problem(fmt::format("{} takes no value; got {}", o->name(), quoted(*value)));
      return;
    }
    const bool attached = value.has_value();
    if (o->takes_value())
      take_value(value);
    else if (!value && word_follows())
      value = words_[at_++];
    given_.options.emplace_back(o->name(), value);
    if (o->takes_value() ? !value : attached && value->empty()) return no_value(*o, value);
    if (!set(*o, value.value_or(std::string_view()))) wrong(*o, *value);
  }

  bool set(const Option& o, std::string_view value) {
    return o.format != nullptr ? given_.replay.test.reports.ask(*o.format, value) : o.set(given_, value);
  }

  // The next word is the value, unless it is an option: then the value was forgotten.
  void take_value(std::optional<std::string_view>& value) {
    if (!value && at_ < words_.size() && !words_[at_].starts_with("--")) value = words_[at_++];
  }
  bool word_follows() const { return at_ < words_.size() && !words_[at_].starts_with('-'); }

  static std::string such_as(const Option& o) {
    return o.example.empty() ? std::string() : fmt::format(", such as {} {}", o.name(), o.example);
  }
  void no_value(const Option& o, const std::optional<std::string_view>& value) {
    if (value) return wrong(o, *value);
    problem(fmt::format("{} needs a value: {}{}", o.name(), expected(o), such_as(o)));
  }
  void wrong(const Option& o, std::string_view value) {
    const std::string what = expected(o);
    problem(fmt::format("{} expects {}{}; got {}{}", o.name(), what, such_as(o), quoted(value),
                        nearest_word(value, what)));
  }

  // What follows an option that is not known is its value, not one more mistake; but where words may follow,
  // only if the option that was meant takes one.
  void unknown(std::string_view name, std::optional<std::string_view> value) {
    if (std::find(std::begin(kApps), std::end(kApps), command_.topic) != std::end(kApps))
      for (const HelpTopic other : kApps) {
        const Option* o = find_option(name, other);
        if (o == nullptr) continue;
        problem(fmt::format("{} is an option of {}", o->name(), title(command_of(other))));
        if (o->takes_value() || (o->may_take_value() && word_follows())) take_value(value);
        return;
      }
    const auto names = names_of(command_.topic);
    problem(fmt::format("unknown option {}{}", name, did_you_mean(name, names)));
    const auto meant = nearest_name(name, names);
    const Option* o = meant ? find_option(*meant, command_.topic) : nullptr;
    if (o != nullptr ? o->takes_value() : for_app() && word_follows()) take_value(value);
  }

  ArgumentWords words_;
  const Command& command_;
  std::size_t at_ = 0;
  Given given_;
  bool no_color_ = false;
};

// What the first word is to people who come from elsewhere; "" when it is nothing.
std::string_view meant_by(std::string_view word) {
  if (word == "version" || word == "-v") return "--version";
  for (const Command& c : command_table())
    for (const std::string_view known : split(c.elsewhere, " "))
      if (known == word) return c.name;
  return {};
}

// The first word is no command.
std::string problem_of_first(ArgumentWords arguments) {
  const std::string_view first = arguments.front();
  const bool is_option = first.starts_with('-');
  if (const std::string_view other = meant_by(first); !other.empty())
    return fmt::format("unknown {} {}. Did you mean {}?", is_option ? "option" : "command", first, other);
  if (!is_option) return fmt::format("unknown command {}{}", first, did_you_mean(first, command_names()));
  const std::string_view name = first.substr(0, first.find('='));
  if (first != "--" && find_option(name, HelpTopic::run) == nullptr) {
    std::vector<std::string_view> known = names_of(HelpTopic::run);
    known.push_back("--version");
    return fmt::format("unknown option {}{}", name, did_you_mean(name, known));
  }
  // The command may stand behind its options.
  std::vector<std::string_view> rest(arguments.begin(), arguments.end());
  std::string_view command = "run";
  const auto dashes = std::find(rest.begin(), rest.end(), "--");
  const auto at =
      std::find_if(rest.begin(), dashes, [](std::string_view word) { return find_command(word) != nullptr; });
  if (at != dashes) {
    command = *at;
    rest.erase(at);
  }
  return fmt::format("{} needs the command before it: vercel-sim {} {}", name, command, fmt::join(rest, " "));
}

ParsedOptions parse_command(ArgumentWords arguments) {
  if (arguments.empty()) return Options{ShowHelp{}};
  const std::string_view first = arguments.front();
  if (first == "--version" || first == "-V") return Options{ShowVersion{}};
  const Command* command = find_command(is_help(first) ? "help" : first);
  if (command == nullptr) return UsageError{"vercel-sim", {problem_of_first(arguments)}, "vercel-sim --help"};
  return Parser(arguments.subspan(1), *command).parse();
}

// What every command knows, taken out before it looks. False: what stands there is not what is expected.
bool take_color(std::vector<std::string_view>& words, Colour& color, std::string& problem) {
  for (auto at = words.begin(); at != words.end() && *at != "--";) {
    const std::size_t equals = at->find('=');
    if (at->substr(0, equals) != kColor) {
      ++at;
      continue;
    }
    std::string_view when;
    if (equals != std::string_view::npos) {
      when = at->substr(equals + 1);
      at = words.erase(at);
    } else if (at = words.erase(at); at != words.end() && !at->starts_with('-')) {
      when = *at;
      at = words.erase(at);
    }
    if (when != "always" && when != "auto" && when != "never") {
      const std::string what = expected(*find_option(kColor, HelpTopic::run));
      problem = fmt::format("{} expects {}, such as {}=never; got {}{}", kColor, what, kColor, quoted(when),
                            nearest_word(when, what));
      return false;
    }
    color = when == "always" ? Colour::always : when == "never" ? Colour::never : Colour::automatic;
  }
  return true;
}

}  // namespace

ParsedOptions parse_options(ArgumentWords arguments) {
  std::vector<std::string_view> words(arguments.begin(), arguments.end());
  Colour color = Colour::automatic;
  if (std::string problem; !take_color(words, color, problem))
    return UsageError{"vercel-sim", {std::move(problem)}, "vercel-sim --help"};
  ParsedOptions out = parse_command(words);
  if (out) out->color = color;
  return out;
}

std::string to_text(const UsageError& error) {
  std::string out;
  for (const std::string& p : error.problems) out += fmt::format("{}: {}\n", error.command, p);
  if (!error.help.empty()) out += fmt::format("See {}\n", error.help);
  return out;
}

std::vector<std::string_view> file_option_names() {
  std::vector<std::string_view> out;
  for (const Option& o : option_table())
    if (o.in_file && (o.commands & in(HelpTopic::test)) != 0) out.push_back(o.name().substr(2));
  return out;
}

std::optional<std::string> set_default(TestOptions& target, std::string_view name, std::string_view value) {
  const Option* o = find_option(fmt::format("--{}", name), HelpTopic::test);
  if (o == nullptr) return "an option";
  Given given;
  if (!o->may_take_value()) {
    if (value != "true" && value != "false") return "true or false";
  } else if (value.empty() || !o->set(given, value)) {
    return fmt::format("{}, such as \"{}: {}\"", expected(*o), name, o->example);
  }
  const auto has = [&](std::string_view n) {
    const auto& said = target.run.given;
    return std::find(said.begin(), said.end(), n) != said.end();
  };
  // The command line says what stands behind vercel-sim with any of three words.
  const bool behind = o->name() == "--app" || o->name() == "--upstream";
  if (has(o->name()) || (behind && (has("--app") || has("--upstream") || !target.run.command.empty())))
    return std::nullopt;
  if (!o->may_take_value() && value == "false") return std::nullopt;
  given.replay.test = std::move(target);
  o->set(given, value);
  target = std::move(given.replay.test);
  return std::nullopt;
}

}  // namespace vsim::cli
