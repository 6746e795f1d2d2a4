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
constexpr std::string_view kWords[] = {"key",       "keys",    "auth", "code",     "sig",      "pwd",
                                       "pass",      "jwt",     "otp",  "totp",     "passcode", "sas",
                                       "accesskey", "authkey", "sid",  "pw",       "pin",      "ticket",
                                       "nonce",     "state",   "dsn",  "verifier", "assertion"};

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

namespace {

bool is_quote(char c) { return c == '"' || c == '\''; }
bool is_name(char c) {
  return is_letter(c) || (c >= '0' && c <= '9') ||
         std::string_view("_-.$[]%").find(c) != std::string_view::npos;
}

// Headers and members of JSON: "code: 5" in a sentence is none.
bool names_a_secret_surely(std::string_view name) {
  constexpr std::string_view kKey = "key";
  return names_a_secret(name) &&
         ((name.size() >= kKey.size() && iequals(name.substr(name.size() - kKey.size()), kKey)) ||
          std::any_of(std::begin(kAnywhere), std::end(kAnywhere), [&](std::string_view part) {
            return std::search(name.begin(), name.end(), part.begin(), part.end(),
                               [](char x, char y) { return ascii_lower(x) == y; }) != name.end();
          }));
}

// A secret by its form, whatever it is called: a JSON Web Token, keys of well-known services.
bool is_secret_by_form(std::string_view word) {
  constexpr std::size_t kShortest = 20;
  constexpr std::string_view kBegins[] = {"sk_live_", "sk_test_", "rk_live_", "sk-",   "ghp_",
                                          "gho_",     "ghs_",     "glpat-",   "npm_",  "github_pat_",
                                          "xoxb-",    "xoxp-",    "AKIA",     "whsec_"};
  if (word.size() < kShortest) return false;
  if (word.starts_with("eyJ")) return std::count(word.begin(), word.end(), '.') == 2;
  return std::any_of(std::begin(kBegins), std::end(kBegins),
                     [&](std::string_view begin) { return word.starts_with(begin); });
}

// A text in which a name may stand before its value in many ways: `a=b`, `"a": "b"`, `A: b`, `--a b`,
// `scheme://user:b@`, `//user:b@`.
class Text {
 public:
  explicit Text(std::string_view text) : text_(text) {}

  std::string masked() {
    while (at_ < text_.size()) {
      if (text_.substr(at_).starts_with("://"))
        user_info(3);
      else if (text_.substr(at_).starts_with("//"))
        user_info(2);
      else if (is_name(text_[at_]))
        name();
      else
        out_ += text_[at_++];
    }
    return std::move(out_);
  }

 private:
  void keep(std::size_t until) {
    out_ += text_.substr(at_, until - at_);
    at_ = until;
  }
  void hide(std::size_t until) {
    out_ += "***";
    at_ = until;
  }
  std::size_t find(std::string_view ends, std::size_t from) const {
    return std::min(text_.find_first_of(ends, from), text_.size());
  }
  std::size_t skip(std::string_view characters, std::size_t from) const {
    return std::min(text_.find_first_not_of(characters, from), text_.size());
  }

  // Behind "//" alone, which may be a path, only what has a password.
  void user_info(std::size_t mark) {
    keep(at_ + mark);
    const std::size_t at = text_.substr(0, find("/?#\"' \t\n", at_)).rfind('@');
    if (at == std::string_view::npos || at <= at_) return;
    if (mark == 3 || text_.substr(at_, at - at_).find(':') != std::string_view::npos) hide(at);
  }

  void name() {
    std::size_t end = at_;
    while (end < text_.size() && is_name(text_[end])) ++end;
    std::string_view name = text_.substr(at_, end - at_);
    is_secret_by_form(name) ? hide(end) : keep(end);
    const bool flag = name.starts_with('-');
    name.remove_prefix(std::min(name.find_first_not_of('-'), name.size()));
    const std::size_t behind = skip("\\\"'", end);  // of a member of JSON, perhaps in a text itself
    const bool quoted =
        behind > end && text_.substr(end, behind - end).find_first_of("\"'") != std::string_view::npos;
    const std::size_t mark = quoted ? skip(" \t", behind) : behind;
    const char separator = mark < text_.size() ? text_[mark] : '\0';
    if (separator == '=' && (quoted || mark == end)) {
      if (names_a_secret(name)) value(mark + 1, quoted ? " \t" : "", " \t\n&;\"'`");
    } else if (separator == ':' && !text_.substr(mark).starts_with("://")) {
      if (quoted ? names_a_secret(name) : names_a_secret_surely(name))
        value(mark + 1, " \t", quoted ? " \t\n,}\"'" : "\n&;\"'`");
    } else if (flag && (separator == ' ' || separator == '\t') && names_a_secret(name)) {
      const std::size_t from = skip(" \t", mark);
      if (from < text_.size() && text_[from] != '-') value(mark, " \t", " \t\n&;|\"'`");
    }
  }

  // `before`: what may stand in front of it.
  void value(std::size_t from, std::string_view before, std::string_view ends) {
    from = skip(before, from);
    const std::size_t escaped = skip("\\", from);
    if (escaped < text_.size() && is_quote(text_[escaped])) {
      keep(escaped + 1);
      std::size_t end = std::min(text_.find(text_[escaped], at_), text_.size());
      while (end > at_ && text_[end - 1] == '\\') --end;
      if (end > at_) hide(end);
      return;
    }
    keep(from);
    if (const std::size_t end = find(ends, from); end > from) hide(end);
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::string out_;
};

std::string masked_text(std::string_view text) { return Text(text).masked(); }

}  // namespace

bool hides_a_secret(std::string_view value) {
  if (is_secret_by_form(value)) return true;
  // What has a name or an address in it has one of these, whatever its encoding.
  if (value.find_first_of("=@%:") == std::string_view::npos) return false;
  std::string text(value);
  for (int round = 0; round < kMostEncodings; ++round) {
    if (masked_text(text) != text) return true;
    std::string decoded = percent_decoded(text);
    if (decoded == text) return false;
    text = std::move(decoded);
  }
  return true;  // nobody encodes an innocent value so often
}

namespace {

// What is hidden may have held what kept a name and its value apart ("://u:***@" was "://u:a/b@"): one time
// is not enough.
std::string mask_once(std::string_view word) {
  std::string text = masked_text(word);
  // An address within an address, encoded.
  const std::size_t question = text.find('?');
  if (question == std::string::npos || text.find('%', question) == std::string::npos) return text;
  std::string out = text.substr(0, question + 1);
  const auto append = [&](std::string_view piece) { out += piece; };
  mask_pairs(std::string_view(text).substr(question + 1), "&; \t\n\"'", append);
  return out;
}

}  // namespace

std::string mask_word(std::string_view word, std::string_view after) {
  const auto is = [&](std::initializer_list<std::string_view> flags) {
    return std::find(flags.begin(), flags.end(), after) != flags.end();
  };
  if (!word.empty() && !word.starts_with('-')) {
    const std::string_view name = after.substr(std::min(after.find_first_not_of('-'), after.size()));
    if (after.starts_with('-') && after.find('=') == std::string_view::npos && names_a_secret(name))
      return "***";
    const std::size_t colon = word.find(':');
    if (colon != std::string_view::npos && is({"-u", "--user", "-U", "--proxy-user"}))
      return std::string(word.substr(0, colon + 1)) + "***";
  }
  constexpr int kMostRounds = 8;
  std::string out(word);
  for (int round = 0; round < kMostRounds; ++round) {
    std::string again = mask_once(out);
    if (again == out) return out;
    out = std::move(again);
  }
  return "***";  // nobody nests innocent values so deeply
}

std::string mask_field(std::string_view name, std::string_view value) {
  const bool sets = iequals(name, "set-cookie");
  if (sets || iequals(name, "cookie")) {
    std::string out;
    for (bool first = true; !value.empty(); first = false) {
      const std::size_t end = std::min(value.find(';'), value.size());
      const std::string_view pair = value.substr(0, end);
      const std::size_t equals = pair.find('=');
      const bool hides = first || !sets;
      if (hides)
        out.append(equals == std::string_view::npos ? "" : pair.substr(0, equals + 1)).append("***");
      else
        out += pair;
      if (end < value.size()) out += ';';
      value.remove_prefix(std::min(end + 1, value.size()));
    }
    return out;
  }
  if (iequals(name, "authorization") || iequals(name, "proxy-authorization")) {
    const std::size_t space = value.find(' ');
    return std::string(space == std::string_view::npos ? "" : value.substr(0, space + 1)) + "***";
  }
  constexpr std::string_view kAboutOthers = "access-control-";
  const bool is_about_others =
      name.size() > kAboutOthers.size() && iequals(name.substr(0, kAboutOthers.size()), kAboutOthers);
  if (!is_about_others && names_a_secret(name)) return "***";
  return mask_word(value, {});
}

}  // namespace vsim::event
