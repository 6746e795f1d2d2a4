#include "cli/more_options.hpp"

#include <algorithm>

#include "cli/option_words.hpp"

namespace vsim::cli {
namespace {

// The words of a command whose options take no values: what is no option goes to `out`.
template <class OnOption>
void split(Words words, std::span<const std::string_view> known, UsageError& error,
           std::vector<std::string_view>& out, OnOption on_option) {
  bool rest = false;
  for (const std::string_view w : words) {
    if (rest || w.size() < 2 || w.front() != '-') {
      out.push_back(w);
    } else if (w == "--") {
      rest = true;
    } else if (std::find(known.begin(), known.end(), w) != known.end()) {
      on_option(w);
    } else {
      error.problems.push_back(fmt::format("unknown option {}{}", w, did_you_mean(w, known)));
    }
  }
}

UsageError about(std::string_view command) {
  return {fmt::format("vercel-sim {}", command), {}, fmt::format("vercel-sim {} --help", command)};
}

bool asks_help(Words words) {
  const auto dashes = std::find(words.begin(), words.end(), std::string_view("--"));
  return std::any_of(words.begin(), dashes, is_help);
}

}  // namespace

Outcome parse_explain(Words words) {
  if (asks_help(words)) return Options{ShowHelp{HelpTopic::explain}};
  static constexpr std::string_view kKnown[] = {kNoColor, kHelp};
  Options options;
  UsageError error = about("explain");
  std::vector<std::string_view> w;
  split(words, kKnown, error, w, [&](std::string_view) { options.no_color = true; });
  if (!error.problems.empty()) return error;
  // An error message that was not quoted comes as several words.
  options.command = Explain{fmt::format("{}", fmt::join(w, " "))};
  return options;
}

Outcome parse_doctor(Words words) {
  if (asks_help(words)) return Options{ShowHelp{HelpTopic::doctor}};
  static constexpr std::string_view kKnown[] = {"--json", kNoColor, kHelp};
  Options options;
  Doctor doctor;
  UsageError error = about("doctor");
  std::vector<std::string_view> w;
  split(words, kKnown, error, w,
        [&](std::string_view name) { (name == "--json" ? doctor.json : options.no_color) = true; });
  if (w.size() > 1)
    error.problems.push_back(fmt::format("expects one directory; got {} and {}", quoted(w[0]), quoted(w[1])));
  if (w.size() == 1 && w[0].empty())
    error.problems.emplace_back("expects a directory, such as: vercel-sim doctor apps/web");
  if (!error.problems.empty()) return error;
  if (!w.empty()) doctor.directory = w[0];
  options.command = std::move(doctor);
  return options;
}

Outcome parse_completion(Words words) {
  if (asks_help(words)) return Options{ShowHelp{HelpTopic::completion}};
  static constexpr std::string_view kKnown[] = {kNoColor, kHelp};
  static constexpr std::pair<std::string_view, Shell> kShells[] = {
      {"bash", Shell::bash}, {"zsh", Shell::zsh}, {"fish", Shell::fish}};
  static constexpr std::string_view kNames[] = {"bash", "zsh", "fish"};
  Options options;
  UsageError error = about("completion");
  std::vector<std::string_view> w;
  split(words, kKnown, error, w, [&](std::string_view) { options.no_color = true; });
  if (error.problems.empty() && w.size() != 1)
    error.problems.emplace_back("expects one of bash, zsh, fish, such as: vercel-sim completion bash");
  if (!error.problems.empty()) return error;
  for (const auto& [name, shell] : kShells)
    if (name == w[0]) {
      options.command = Completion{shell};
      return options;
    }
  error.problems.push_back(
      fmt::format("expects one of bash, zsh, fish; got {}{}", quoted(w[0]), did_you_mean(w[0], kNames)));
  return error;
}

}  // namespace vsim::cli
