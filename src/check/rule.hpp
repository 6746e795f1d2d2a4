// The rules as data: rules/*.yaml, one file a rule, embedded in the binary. A rule is a tree-sitter query
// whose predicates (predicates.hpp) say in C++ what a query cannot; who reads this header prints them. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "profile/profile.hpp"

namespace vsim::check {

enum class Severity : std::uint8_t { off, note, warning, error };
std::string_view to_string(Severity);

// Without the line ends and spaces that a block of YAML ends with.
std::string trimmed(std::string s);

struct Rule {
  std::string id;     // "socket-io-server"
  std::string title;  // one line, no full stop
  Severity serverless = Severity::off, fluid = Severity::off;
  // Which files: any of "request", "server", "custom-server", "client", "config", "edge", "plan" (plan: no
  // query, the functions' maxDuration against the profile).
  std::vector<std::string> where;
  bool once = false;    // the same words are said at the first place only, with the others named
  std::string query;    // captures @at (the place of the finding) and others
  std::string message;  // with {capture} and {detail}
  std::string explanation, fix;
  std::string client;                 // what a visitor sees when it strikes in production
  std::vector<std::string> messages;  // what people then search for; `*` stands for anything
  std::string as_of;                  // the date of the newest of `docs`
  std::vector<std::string> see;       // codes that the same mistake gives at run time, other rules
  std::vector<std::string> docs;
  // Small projects in one text: "// file: app/x/route.ts" begins a file. The bad ones strike exactly this
  // rule.
  std::vector<std::string> bad, good;

  Severity severity(profile::Compute c) const { return c == profile::Compute::fluid ? fluid : serverless; }
};

// The embedded rules, sorted by id. An error would be a mistake in this repository: a unit test reads them
// all.
const std::vector<Rule>& rules();
const Rule* find_rule(std::string_view id);
// One rule's YAML; unknown and missing keys are errors.
Result<Rule> parse_rule(std::string_view yaml);

}  // namespace vsim::check
