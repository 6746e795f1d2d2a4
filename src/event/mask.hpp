// Keeps secrets out of what is written down: request targets as they may be stored and shown. Pure.
#pragma once

#include <string>
#include <string_view>

namespace vsim::event {

// A query parameter whose value is a secret by its name: token, secret, password, key, auth, signature, code,
// session, ticket, state and their relatives
// ("access_token", "X-Amz-Signature", "apiKey"), but not "keyboard" or "author".
bool names_a_secret(std::string_view parameter);

// A value that is itself an address with a secret in it, written plainly or percent-encoded: "/cb?token=…",
// "https://user:password@…".
bool hides_a_secret(std::string_view value);

// A word of a command line with its secret replaced by "***": "API_TOKEN=***", "--password=***". `after` is
// the word before it: what follows "--api-key" is a secret too.
std::string mask_word(std::string_view word, std::string_view after);

// Passes `target` to `append(std::string_view)` piece by piece, each secret value replaced by "***".
template <class Append>
void mask_target(std::string_view target, Append append) {
  const std::size_t question = target.find('?');
  if (question == std::string_view::npos) return append(target);
  append(target.substr(0, question + 1));
  std::string_view rest = target.substr(question + 1);
  while (!rest.empty()) {
    const std::size_t end = rest.find_first_of("&;");
    const std::string_view pair = rest.substr(0, end);
    const std::size_t equals = pair.find('=');
    if (equals != std::string_view::npos && equals + 1 < pair.size() &&
        (names_a_secret(pair.substr(0, equals)) || hides_a_secret(pair.substr(equals + 1)))) {
      append(pair.substr(0, equals + 1));
      append(std::string_view("***"));
    } else {
      append(pair);
    }
    if (end == std::string_view::npos) return;
    append(rest.substr(end, 1));
    rest.remove_prefix(end + 1);
  }
}

}  // namespace vsim::event
