#include "project/supported_next.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "project/node_version.hpp"

namespace vsim::project {
namespace {

bool too_old(std::string_view version) {
  const auto parsed = parse_version(version);
  return parsed && parsed->major < 14;
}

// "next dev", "npx next dev", "node_modules/.bin/next dev -p 4000", and the same in one word of a shell.
bool is_next_dev(const std::vector<std::string>& command) {
  std::string before;
  for (const std::string& argument : command) {
    for (std::size_t at = 0; at < argument.size();) {
      const std::size_t end = std::min(argument.find_first_of(" \t;&|", at), argument.size());
      const std::string word = argument.substr(at, end - at);
      if (word == "dev" && (before == "next" || before.ends_with("/next"))) return true;
      if (!word.empty()) before = word;
      at = end + 1;
    }
  }
  return false;
}

}  // namespace

std::optional<Error> check_next(std::string_view version) {
  if (!too_old(version)) return std::nullopt;
  return Error{
      fmt::format(
          "Next {} is not supported, {} are: its functions share one process here, and what it compiles "
          "may be charged to them",
          version, kSupportedNext),
      "upgrade Next (npx @next/codemod upgrade), or take verdicts on state and durations as hints: "
      "vercel-sim run --compile-grace 20s -- npx next dev"};
}

std::optional<std::string> compile_hint(const std::vector<std::string>& command,
                                        std::string_view next_version) {
  if (next_version.empty() || !is_next_dev(command)) return std::nullopt;
  if (too_old(next_version))
    return fmt::format(
        "Next {} is not supported, {} are: as a command it runs, but nobody can tell compiling "
        "from running, so the first request of each route is charged for its compile. "
        "--compile-grace 20s leaves that much of it out",
        next_version, kSupportedNext);
  return fmt::format(
      "given as a command, next dev {} is a server like any other: nobody can tell compiling from "
      "running, so the first request of each route is charged for its compile. Leave the command "
      "out (vercel-sim runs next dev itself), or give --compile-grace 20s",
      next_version);
}

}  // namespace vsim::project
