// Units and small text helpers that several modules need. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"

namespace vsim {

// "10s", "1.5s", "250ms", "5m", "1h", "none" (kForever); also us and ns. No sign, no spaces, a unit is
// required. nullopt when it is not one.
std::optional<Duration> parse_duration(std::string_view text);
// Exact and parses back: "10s", "300s" (seconds, as maxDuration counts; never "5m" or "1m30s"), "1.5s",
// "250ms", "none".
std::string format_duration(Duration d);
// For people and terminal lines: "8ms", "1.24s", "10.0s", "5m 2s". Rounded down, so that what is below a
// limit never reads as the limit.
std::string human_duration(Duration d);

// "4.5MB" (decimal, 10^6), "14KB" (10^3), "4MiB", "16KiB", "4493823B" or "4493823", "none" (kUnlimited).
// Units in any case, a whole number of bytes. nullopt otherwise.
inline constexpr std::uint64_t kUnlimited = UINT64_MAX;
std::optional<std::uint64_t> parse_size(std::string_view text);
std::string format_size(std::uint64_t bytes);  // shortest exact form that parses back
std::string human_size(std::uint64_t bytes);   // "4.6 MB", "14 KB": three digits, rounded down

// The candidate nearest to `word` (Damerau-Levenshtein, case ignored) if it is near enough to be a typo, else
// nullopt.
std::optional<std::string_view> nearest_name(std::string_view word,
                                             std::span<const std::string_view> candidates);

// Appends `text` as a JSON string with its quotes. Invalid UTF-8 becomes U+FFFD, so the line is always valid
// JSON.
void append_json_string(std::string& out, std::string_view text);
std::string json_string(std::string_view text);
// Of a relative path, as a URI reference.
std::string uri_path(std::string_view path);
// The parts of `text` between separators. What ends with one has no empty part behind it, and what is empty
// has none.
std::vector<std::string_view> split(std::string_view text, std::string_view separator);
bool is_one_of(std::string_view word, std::initializer_list<std::string_view> words);
// "1 file", "2 files".
std::string counted(std::size_t n, std::string_view what);
// Milliseconds with as many decimals as the nanoseconds need: "1234.5".
std::string exact_millis(Duration d);

// Length in bytes of the valid UTF-8 sequence that `text` (not empty) begins with; 0 when there is none (RFC
// 3629).
std::size_t utf8_length(std::string_view text);

// ASCII only, as HTTP needs.
bool iequals(std::string_view a, std::string_view b);
char ascii_lower(char c);

// Four numbers of at most 255, as browsers write every IPv4 address in Host and Origin.
bool is_ipv4(std::string_view host);
// "localhost" and what is below it, 127.x.y.z, "::1"; "127.example.com" is a name like any other. `host`:
// without its port and brackets.
bool is_loopback_host(std::string_view host);

int hex_digit(char c);  // 0 to 15; -1: it is none
// "%41" as "A"; what is no escape stays as it is.
std::string percent_decoded(std::string_view text);

}  // namespace vsim
