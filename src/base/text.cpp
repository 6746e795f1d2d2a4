#include "base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace vsim {
namespace {

__extension__ typedef unsigned __int128 Wide;

constexpr int kMaxFractionDigits = 9;

// "12", "1.5": the number as numerator / 10^fraction_digits, and what follows it.
struct Decimal {
  std::uint64_t numerator = 0;
  std::uint64_t denominator = 1;
  std::string_view unit;
};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::optional<Decimal> split_decimal(std::string_view text) {
  std::size_t i = 0;
  Wide numerator = 0;
  const auto take = [&](char c) {
    numerator = numerator * 10 + static_cast<unsigned>(c - '0');
    return numerator <= UINT64_MAX;
  };
  while (i < text.size() && is_digit(text[i]))
    if (!take(text[i++])) return std::nullopt;
  if (i == 0) return std::nullopt;

  Decimal d;
  if (i < text.size() && text[i] == '.') {
    const std::size_t first = ++i;
    while (i < text.size() && is_digit(text[i])) ++i;
    std::string_view fraction = text.substr(first, i - first);
    if (fraction.empty()) return std::nullopt;
    while (!fraction.empty() && fraction.back() == '0') fraction.remove_suffix(1);
    if (fraction.size() > kMaxFractionDigits) return std::nullopt;
    for (const char c : fraction) {
      if (!take(c)) return std::nullopt;
      d.denominator *= 10;
    }
  }
  d.numerator = static_cast<std::uint64_t>(numerator);
  d.unit = text.substr(i);
  return d;
}

// numerator × scale / denominator if that is a whole number below `limit`.
std::optional<std::uint64_t> scaled(const Decimal& d, std::uint64_t scale, std::uint64_t limit) {
  const Wide product = Wide{d.numerator} * scale;
  if (product % d.denominator != 0) return std::nullopt;
  const Wide value = product / d.denominator;
  if (value >= limit) return std::nullopt;
  return static_cast<std::uint64_t>(value);
}

// value / scale written exactly with at most nine decimals, or nothing when that is not possible.
std::optional<std::string> exact_decimal(std::uint64_t value, std::uint64_t scale) {
  std::string out = fmt::format("{}", value / scale);
  Wide rest = value % scale;
  if (rest == 0) return out;
  out += '.';
  for (int i = 0; i < kMaxFractionDigits && rest != 0; ++i) {
    rest *= 10;
    out += static_cast<char>('0' + static_cast<int>(rest / scale));
    rest %= scale;
  }
  if (rest != 0) return std::nullopt;
  return out;
}

struct Unit {
  std::string_view name;
  std::uint64_t scale;
};

constexpr Unit kDurationUnits[] = {{"ns", 1},
                                   {"us", 1'000},
                                   {"ms", 1'000'000},
                                   {"s", 1'000'000'000},
                                   {"m", 60'000'000'000},
                                   {"h", 3'600'000'000'000}};

constexpr Unit kSizeUnits[] = {{"B", 1},
                               {"KB", 1'000},
                               {"MB", 1'000'000},
                               {"GB", 1'000'000'000},
                               {"TB", 1'000'000'000'000},
                               {"KiB", 1ull << 10},
                               {"MiB", 1ull << 20},
                               {"GiB", 1ull << 30},
                               {"TiB", 1ull << 40}};

// Restricted Damerau-Levenshtein (one swap of neighbours counts once), ASCII case ignored.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), now(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    now[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const bool same = ascii_lower(a[i - 1]) == ascii_lower(b[j - 1]);
      now[j] = std::min({last[j] + 1, now[j - 1] + 1, last[j - 1] + (same ? 0 : 1)});
      if (i > 1 && j > 1 && ascii_lower(a[i - 1]) == ascii_lower(b[j - 2]) &&
          ascii_lower(a[i - 2]) == ascii_lower(b[j - 1]))
        now[j] = std::min(now[j], before[j - 2] + 1);
    }
    std::swap(before, last);
    std::swap(last, now);
  }
  return last[b.size()];
}

}  // namespace

std::optional<Duration> parse_duration(std::string_view text) {
  if (text == "none") return kForever;
  const auto d = split_decimal(text);
  if (!d) return std::nullopt;
  for (const Unit& u : kDurationUnits)
    if (d->unit == u.name) {
      const auto ns = scaled(*d, u.scale, static_cast<std::uint64_t>(kForever.count()));
      return ns ? std::optional(Duration(static_cast<Duration::rep>(*ns))) : std::nullopt;
    }
  return std::nullopt;
}

std::string format_duration(Duration d) {
  if (d == kForever) return "none";
  if (d == Duration::min()) return fmt::format("-{}", format_duration(kForever - Duration(1)));
  if (d < Duration::zero()) return fmt::format("-{}", format_duration(-d));
  if (d == Duration::zero()) return "0s";
  const auto ns = static_cast<std::uint64_t>(d.count());
  for (const std::size_t i : {3u, 2u, 1u, 0u}) {
    const Unit& u = kDurationUnits[i];
    if (ns < u.scale) continue;
    if (const auto number = exact_decimal(ns, u.scale)) return *number + std::string(u.name);
  }
  return fmt::format("{}ns", ns);
}

std::string human_duration(Duration d) {
  if (d == kForever) return "no limit";
  if (d < Duration::zero()) d = Duration::zero();
  const auto ms =
      static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(d).count());
  if (ms == 0) return d == Duration::zero() ? "0ms" : "<1ms";
  if (ms < 1'000) return fmt::format("{}ms", ms);
  if (ms < 10'000) return fmt::format("{}.{:02}s", ms / 1'000, ms % 1'000 / 10);
  if (ms < 60'000) return fmt::format("{}.{}s", ms / 1'000, ms % 1'000 / 100);
  const std::uint64_t s = ms / 1'000;
  if (s < 3'600) return s % 60 == 0 ? fmt::format("{}m", s / 60) : fmt::format("{}m {}s", s / 60, s % 60);
  return s % 3'600 < 60 ? fmt::format("{}h", s / 3'600) : fmt::format("{}h {}m", s / 3'600, s % 3'600 / 60);
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
  if (text == "none") return kUnlimited;
  const auto d = split_decimal(text);
  if (!d) return std::nullopt;
  if (d->unit.empty()) return scaled(*d, 1, kUnlimited);
  for (const Unit& u : kSizeUnits)
    if (iequals(d->unit, u.name)) return scaled(*d, u.scale, kUnlimited);
  return std::nullopt;
}

std::string format_size(std::uint64_t bytes) {
  if (bytes == kUnlimited) return "none";
  std::string best = fmt::format("{}B", bytes);
  for (const Unit& u : kSizeUnits) {
    if (bytes < u.scale) continue;
    if (const auto number = exact_decimal(bytes, u.scale))
      if (number->size() + u.name.size() < best.size()) best = *number + std::string(u.name);
  }
  return best;
}

std::string human_size(std::uint64_t bytes) {
  if (bytes == kUnlimited) return "no limit";
  std::size_t i = 0;
  while (i < 4 && bytes >= kSizeUnits[i + 1].scale) ++i;
  const Unit& u = kSizeUnits[i];
  std::string out = fmt::format("{}", bytes / u.scale);
  const std::size_t decimals = i == 0 || out.size() >= 3 ? 0 : 3 - out.size();  // three significant digits
  if (decimals > 0) {
    std::string fraction = fmt::format("{:03}", bytes % u.scale / (u.scale / 1'000)).substr(0, decimals);
    while (!fraction.empty() && fraction.back() == '0') fraction.pop_back();
    if (!fraction.empty()) out += "." + fraction;
  }
  return out + " " + std::string(u.name);
}

std::optional<std::string_view> nearest_name(std::string_view word,
                                             std::span<const std::string_view> candidates) {
  constexpr std::size_t kLongestTypo = 64;  // keeps the cost of nonsense input flat
  if (word.empty() || word.size() > kLongestTypo) return std::nullopt;
  std::optional<std::string_view> best;
  std::size_t best_distance = std::max<std::size_t>(1, word.size() / 3) + 1;
  for (const std::string_view c : candidates) {
    if (c.size() > 2 * kLongestTypo) continue;
    const std::size_t distance = edit_distance(word, c);
    if (distance < best_distance && distance < c.size()) {
      best = c;
      best_distance = distance;
    }
  }
  return best;
}

// no surrogates).
std::size_t utf8_length(std::string_view s) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(s[i]); };
  const auto tail = [&](std::size_t i, unsigned char lo = 0x80, unsigned char hi = 0xBF) {
    return i < s.size() && at(i) >= lo && at(i) <= hi;
  };
  const unsigned char c = at(0);
  if (c < 0x80) return 1;
  if (c >= 0xC2 && c <= 0xDF) return tail(1) ? 2 : 0;
  if (c >= 0xE0 && c <= 0xEF) {
    const unsigned char lo = c == 0xE0 ? 0xA0 : 0x80, hi = c == 0xED ? 0x9F : 0xBF;
    return tail(1, lo, hi) && tail(2) ? 3 : 0;
  }
  if (c >= 0xF0 && c <= 0xF4) {
    const unsigned char lo = c == 0xF0 ? 0x90 : 0x80, hi = c == 0xF4 ? 0x8F : 0xBF;
    return tail(1, lo, hi) && tail(2) && tail(3) ? 4 : 0;
  }
  return 0;
}

void append_json_string(std::string& out, std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  out += '"';
  while (!text.empty()) {
    const auto c = static_cast<unsigned char>(text.front());
    const std::size_t n = utf8_length(text);
    if (n == 0) {
      out += "\xEF\xBF\xBD";
      text.remove_prefix(1);
      continue;
    }
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        if (c < 0x20 || c == 0x7F) {
          out += "\\u00";
          out += kHex[c >> 4];
          out += kHex[c & 15];
        } else {
          out += text.substr(0, n);
        }
    }
    text.remove_prefix(n);
  }
  out += '"';
}

std::string json_string(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

std::string uri_path(std::string_view path) {
  std::string out;
  for (const char c : path) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("-._~/!$&'()*+,;=@").find(c) != std::string_view::npos;
    if (plain)
      out += c;
    else
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

std::vector<std::string_view> split(std::string_view text, std::string_view separator) {
  std::vector<std::string_view> out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(separator), text.size());
    out.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + separator.size(), text.size()));
  }
  return out;
}

bool is_one_of(std::string_view word, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

std::string counted(std::size_t n, std::string_view what) {
  return fmt::format("{} {}{}", n, what, n == 1 ? "" : "s");
}

std::string exact_millis(Duration d) {
  const auto ns =
      d.count() < 0 ? 0 - static_cast<std::uint64_t>(d.count()) : static_cast<std::uint64_t>(d.count());
  std::string out = fmt::format("{}{}.{:06}", d.count() < 0 ? "-" : "", ns / 1'000'000, ns % 1'000'000);
  while (out.back() == '0') out.pop_back();
  if (out.back() == '.') out.pop_back();
  return out;
}

bool iequals(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(),
                                            [](char x, char y) { return ascii_lower(x) == ascii_lower(y); });
}

char ascii_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  c = ascii_lower(c);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

std::string percent_decoded(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escape =
        text[i] == '%' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 && hex_digit(text[i + 2]) >= 0;
    out += escape ? static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2])) : text[i];
    if (escape) i += 2;
  }
  return out;
}

bool is_ipv4(std::string_view host) {
  for (int parts = 1;; ++parts) {
    const std::size_t dot = host.find('.');
    const std::string_view part = host.substr(0, dot);
    if (part.empty() || part.size() > 3 || !std::all_of(part.begin(), part.end(), is_digit)) return false;
    int value = 0;
    for (const char c : part) value = value * 10 + (c - '0');
    if (value > 255) return false;
    if (dot == std::string_view::npos) return parts == 4;
    host.remove_prefix(dot + 1);
  }
}

bool is_loopback_host(std::string_view host) {
  constexpr std::string_view kName = "localhost", kBelow = ".localhost";
  return iequals(host, kName) || host == "::1" || (host.starts_with("127.") && is_ipv4(host)) ||
         (host.size() > kBelow.size() && iequals(host.substr(host.size() - kBelow.size()), kBelow));
}

}  // namespace vsim
