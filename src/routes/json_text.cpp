#include "routes/json_text.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/stream_parser.hpp>

#include <algorithm>

namespace vsim::routes {
namespace {

// Walks a text that Boost.JSON has accepted, so that no mistake needs to be handled and the depth is known to
// be small.
class Walker {
 public:
  Walker(std::string_view text, JsonText& out) : text_(text), out_(out) {}
  void value(const std::string& path) {
    space();
    if (at_ >= text_.size()) return;
    switch (text_[at_]) {
      case '{':
        members(path, '}');
        return;
      case '[':
        members(path, ']');
        return;
      case '"':
        string();
        return;
      default:
        while (at_ < text_.size() &&
               std::string_view(",]} \t\r\n").find(text_[at_]) == std::string_view::npos)
          ++at_;
    }
  }

 private:
  void space() {
    while (at_ < text_.size() && std::string_view(" \t\r\n").find(text_[at_]) != std::string_view::npos)
      ++at_;
  }
  std::string string() {
    const std::size_t from = at_++;
    while (at_ < text_.size() && text_[at_] != '"') at_ += text_[at_] == '\\' ? 2 : 1;
    at_ = std::min(at_ + 1, text_.size());
    boost::system::error_code ec;
    const std::string_view quoted = text_.substr(from, at_ - from);
    const boost::json::value v = boost::json::parse({quoted.data(), quoted.size()}, ec);
    if (ec) return {};
    return v.is_string() ? std::string(v.get_string()) : std::string();
  }
  TextPlace here() {  // positions only grow, so the lines are counted once
    while (counted_ < at_) {
      if (text_[counted_] == '\n') {
        ++line_;
        line_start_ = counted_ + 1;
      }
      ++counted_;
    }
    return {line_, static_cast<int>(at_ - line_start_) + 1};
  }
  void members(const std::string& path, char close) {
    ++at_;
    std::size_t index = 0;
    while (true) {
      space();
      if (at_ >= text_.size()) return;
      if (text_[at_] == close) {
        ++at_;
        return;
      }
      if (text_[at_] == ',') {
        ++at_;
        continue;
      }
      const TextPlace place = here();
      std::string key;
      if (close == '}') {
        key = json_path({string()});
        space();
        ++at_;  // the colon
      } else {
        key = std::to_string(index++);
      }
      std::string child = path;
      if (!child.empty()) child += '/';
      child += key;
      out_.places[child] = place;
      value(child);
    }
  }

  std::string_view text_;
  JsonText& out_;
  std::size_t at_ = 0, counted_ = 0, line_start_ = 0;
  int line_ = 1;
};

}  // namespace

TextPlace place_at(std::string_view text, std::size_t offset) {
  offset = std::min(offset, text.size());
  const std::string_view before = text.substr(0, offset);
  const std::size_t newline = before.rfind('\n');
  return {static_cast<int>(std::count(before.begin(), before.end(), '\n')) + 1,
          static_cast<int>(newline == std::string_view::npos ? offset : offset - newline - 1) + 1};
}

TextPlace JsonText::place(std::string_view path) const {
  const auto found = places.find(path);
  return found == places.end() ? TextPlace{} : found->second;
}

std::string json_path(std::initializer_list<std::string_view> keys) {
  std::string out;
  bool first = true;
  for (const std::string_view key : keys) {
    if (!first) out += '/';
    first = false;
    for (const char c : key) {
      if (c == '/') out += '\\';
      out += c;
    }
  }
  return out;
}

JsonText parse_json_text(std::string_view text) {
  JsonText out;
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  boost::json::stream_parser parser;
  boost::system::error_code ec;
  std::size_t read = 0;
  try {
    read = parser.write_some(text.data(), text.size(), ec);
    if (!ec) {
      const std::size_t rest = text.find_first_not_of(" \t\r\n", read);
      if (rest != std::string_view::npos) {
        read = rest;
        ec = boost::json::error::extra_data;
      } else {
        parser.finish(ec);
      }
    }
  } catch (const std::exception& e) {
    out.error = e.what();
    out.error_place = place_at(text, read);
    return out;
  }
  if (ec) {
    out.error = ec.message();
    out.error_place = place_at(text, read);
    return out;
  }
  out.value = parser.release();
  Walker(text, out).value("");
  return out;
}

}  // namespace vsim::routes
