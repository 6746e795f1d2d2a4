// JSON with places: Boost.JSON reads the values (it keeps the order of members), this adds the line and
// column of each, and of the first mistake. Used for vercel.json here and for package.json in project/. Pure.
#pragma once

#include <boost/json/value.hpp>

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace vsim::routes {

struct TextPlace {
  int line = 0;    // 1-based
  int column = 0;  // 1-based, bytes
  bool operator==(const TextPlace&) const = default;
};
TextPlace place_at(std::string_view text, std::size_t offset);

struct JsonText {
  boost::json::value value;  // null when `error`
  std::optional<std::string> error;
  TextPlace error_place;
  // Where the member or element starts: "functions/app\/api\/**/maxDuration" with "/" in keys written as
  // "\/". For a member, of its key.
  std::map<std::string, TextPlace, std::less<>> places;

  TextPlace place(std::string_view path) const;  // {} when unknown
};

// A UTF-8 byte order mark in front is allowed. Nesting is limited to Boost.JSON's 32.
JsonText parse_json_text(std::string_view text);
std::string json_path(std::initializer_list<std::string_view> keys);

}  // namespace vsim::routes
