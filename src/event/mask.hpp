// Keeps secrets out of what is written down: request targets as they may be stored and shown. Pure.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

namespace vsim::event {

// A query parameter whose value is a secret by its name: token, secret, password, key, auth, signature, code,
// session, ticket, state and their relatives
// ("access_token", "X-Amz-Signature", "apiKey"), but not "keyboard" or "author".
bool names_a_secret(std::string_view parameter);

// A value that is a secret by its form (a JSON Web Token, a key of a well-known service), or a text with one
// in it, written plainly or percent-encoded: "/cb?token=…", "https://user:password@…", {"password":"…"}.
bool hides_a_secret(std::string_view value);

// A word of a command line with its secrets replaced by "***": "API_TOKEN=***", "--password=***",
// "Authorization: ***", also where the word is a line for a shell. `after` is the word before it: what
// follows "--api-key" is a secret too.
std::string mask_word(std::string_view word, std::string_view after);

// The value of a header field as it may be shown: "Bearer ***", "sid=***; theme=***", and of a cookie that is
// set what it is set with.
std::string mask_field(std::string_view name, std::string_view value);

// `pairs`: names and values, between any of `ends`.
template <class Append>
void mask_pairs(std::string_view pairs, std::string_view ends, Append& append) {
  while (!pairs.empty()) {
    const std::size_t end = pairs.find_first_of(ends);
    const std::string_view pair = pairs.substr(0, end);
    const std::size_t equals = pair.find('=');
    if (equals != std::string_view::npos && equals + 1 < pair.size() &&
        (names_a_secret(pair.substr(0, equals)) || hides_a_secret(pair.substr(equals + 1)))) {
      append(pair.substr(0, equals + 1));
      append(std::string_view("***"));
    } else {
      append(pair);
    }
    if (end == std::string_view::npos) return;
    append(pairs.substr(end, 1));
    pairs.remove_prefix(end + 1);
  }
}

// Passes `target` to `append(std::string_view)` piece by piece, each secret value replaced by "***": of its
// query, and of parameters of its path ("/a;jsessionid=…").
template <class Append>
void mask_target(std::string_view target, Append append) {
  // An absolute target ("http://user:password@host/"), which is refused with them, and told.
  if (!target.empty() && target.front() != '/') return append(std::string_view(mask_word(target, {})));
  const std::size_t question = std::min(target.find('?'), target.size());
  const std::size_t first = std::min(target.find(';'), question);
  append(target.substr(0, first));
  if (first < question) mask_pairs(target.substr(first, question - first), ";/", append);
  if (question == target.size()) return;
  append(target.substr(question, 1));
  mask_pairs(target.substr(question + 1), "&;", append);
}

}  // namespace vsim::event
