#include "event/mask.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace vsim::event {
namespace {

// Anywhere in the name: too long to be part of an innocent word.
constexpr std::string_view kAnywhere[] = {
    "token",  "secret",  "passw", "passphr", "signature", "apikey", "credential", "authoriz", "oauth",
    "sessid", "session", "saml",  "csrf",    "xsrf",      "bearer", "cookie",     "hmac"};
// Only as a word of the name ("api_key", "api-key", "apiKey", "key").
constexpr std::string_view kWords[] = {"key", "keys",   "auth",  "code",      "sig",     "pwd", "pass",
                                       "jwt", "otp",    "sas",   "accesskey", "authkey", "sid", "pw",
                                       "pin", "ticket", "nonce", "state",     "dsn"};

constexpr int kMostEncodings = 4;

bool is_letter(char c) { return ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z'; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }

bool is_secret_word(std::string_view word) {
  return std::any_of(std::begin(kWords), std::end(kWords),
                     [&](std::string_view w) { return iequals(w, word); });
}

}  // namespace

bool names_a_secret(std::string_view parameter) {
  char plain[128], lower[128];
  std::size_t size = 0;
  const auto is_ascii = [](char c) { return static_cast<unsigned char>(c) < 0x80; };
  for (std::size_t i = 0; i < parameter.size(); ++i) {
    char c = parameter[i];
    if (c == '%' && i + 2 < parameter.size() && hex_digit(parameter[i + 1]) >= 0 &&
        hex_digit(parameter[i + 2]) >= 0) {
      c = static_cast<char>(hex_digit(parameter[i + 1]) * 16 + hex_digit(parameter[i + 2]));
      i += 2;
    }
    // Of what is not ASCII one byte stands for all that follow, however many: written to an event and read
    // again, a byte that is no UTF-8 is three.
    if (!is_ascii(c) && size > 0 && !is_ascii(plain[size - 1])) continue;
    if (size == sizeof plain) return true;  // nobody calls an innocent value so
    plain[size] = c;
    lower[size++] = ascii_lower(c);
  }
  const std::string_view name(plain, size), low(lower, size);
  for (const std::string_view part : kAnywhere)
    if (low.find(part) != std::string_view::npos) return true;

  for (std::size_t start = 0; start < size;) {
    std::size_t end = start;
    while (end < size && is_letter(name[end]) &&
           (end == start || !is_upper(name[end]) || is_upper(name[end - 1])))
      ++end;
    if (end > start && is_secret_word(name.substr(start, end - start))) return true;
    start = end > start ? end : start + 1;
  }
  return false;
}

bool hides_a_secret(std::string_view value) {
  // An address has one of these, whatever its encoding.
  if (value.find_first_of("=@%") == std::string_view::npos) return false;
  std::string text(value);
  for (int round = 0; round < kMostEncodings; ++round) {
    if (const std::size_t scheme = text.find("://"); scheme != std::string::npos) {
      const std::string_view authority = std::string_view(text).substr(scheme + 3);
      const std::size_t at = authority.substr(0, authority.find_first_of("/?#")).rfind('@');
      if (at != std::string_view::npos && at > 0) return true;
    }
    const std::string_view all = text;
    for (std::size_t mark = all.find_first_of("?&;#"); mark != std::string_view::npos;
         mark = all.find_first_of("?&;#", mark + 1)) {
      const std::string_view rest = all.substr(mark + 1);
      const std::string_view pair = rest.substr(0, rest.find_first_of("&;#"));
      const std::size_t equals = pair.find('=');
      if (equals != std::string_view::npos && equals + 1 < pair.size() &&
          names_a_secret(pair.substr(0, equals)))
        return true;
    }
    std::string decoded = percent_decoded(text);
    if (decoded == text) return false;
    text = std::move(decoded);
  }
  return true;  // nobody encodes an innocent value so often
}

std::string mask_word(std::string_view word, std::string_view after) {
  const auto named = [](std::string_view name) {
    while (name.starts_with('-')) name.remove_prefix(1);
    return !name.empty() && names_a_secret(name);
  };
  const bool value = !word.starts_with('-') && !word.empty();
  if (value && after.starts_with("-") && after.find('=') == std::string_view::npos && named(after))
    return "***";
  const std::size_t equals = word.find('=');
  if (equals != std::string_view::npos && equals + 1 < word.size() && word.find_first_of("/?&: ") > equals &&
      named(word.substr(0, equals)))
    return std::string(word.substr(0, equals + 1)) + "***";
  if (word.find("://") == std::string_view::npos) return std::string(word);
  const std::size_t scheme = word.find("://") + 3;
  const std::size_t at = word.substr(0, word.find_first_of("/?#", scheme)).rfind('@');
  std::string out(word.substr(0, scheme));
  if (at != std::string_view::npos && at > scheme) out += "***@";
  mask_target(word.substr(at != std::string_view::npos && at > scheme ? at + 1 : scheme),
              [&](std::string_view piece) { out += piece; });
  return out;
}

}  // namespace vsim::event
