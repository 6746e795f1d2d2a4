#include "routes/glob_braces.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>

namespace vsim::routes {
namespace {

using Text = std::u16string;
using View = std::u16string_view;
using Words = std::vector<Text>;

// Noncharacters stand for escaped ones while braces are looked for.
constexpr View kEscapable = u"\\{},.", kHidden = u"\ufdd0\ufdd1\ufdd2\ufdd3\ufdd4";
constexpr char16_t kClose = 0xfdd2;
constexpr int kMaxDepth = 200;

Text hide_escapes(View s) {
  // In the original's order: first "\\" pairs from the left, then the rest.
  Text out;
  for (std::size_t i = 0; i < s.size(); ++i) {
    const std::size_t at = s[i] == u'\\' && i + 1 < s.size() ? kEscapable.find(s[i + 1]) : View::npos;
    out.push_back(at == View::npos ? s[i] : kHidden[at]);
    if (at != View::npos) ++i;
  }
  return out;
}
Text show_escapes(Text s) {
  for (char16_t& c : s)
    if (const std::size_t at = kHidden.find(c); at != View::npos) c = kEscapable[at];
  return s;
}

struct Balanced {
  View pre, body, post;
};
// The first pair of braces that belong together; with unbalanced ones the leftmost pair that still closes.
std::optional<Balanced> balanced(View s) {
  using Index = std::ptrdiff_t;
  const auto find = [&](char16_t c, Index from) -> Index {
    const std::size_t at = s.find(c, static_cast<std::size_t>(from));
    return at == View::npos ? -1 : static_cast<Index>(at);
  };
  Index open = find(u'{', 0);
  if (open < 0) return std::nullopt;
  Index close = find(u'}', open + 1);
  if (close <= 0) return std::nullopt;
  std::vector<Index> begins;
  Index left = static_cast<Index>(s.size()), right = -1, i = open;
  std::optional<std::pair<Index, Index>> result;
  while (i >= 0 && !result) {
    if (i == open) {
      begins.push_back(i);
      open = find(u'{', i + 1);
    } else if (begins.size() == 1) {
      result = {begins.back(), close};
      begins.pop_back();
    } else {
      const Index begin = begins.empty() ? -1 : begins.back();
      if (!begins.empty()) begins.pop_back();
      if (begin >= 0 && begin < left) {
        left = begin;
        right = close;
      }
      close = find(u'}', i + 1);
    }
    i = open < close && open >= 0 ? open : close;
  }
  if (!begins.empty()) result = {left, right};
  if (!result || result->second < 0) return std::nullopt;
  const auto a = static_cast<std::size_t>(result->first), b = static_cast<std::size_t>(result->second);
  return Balanced{s.substr(0, a), s.substr(a + 1, b - a - 1), s.substr(b + 1)};
}

Text braced(View body) {
  Text out(1, u'{');
  out.append(body).append(1, u'}');
  return out;
}

Words split(View s, char16_t by) {
  Words out(1);
  for (const char16_t c : s) {
    if (c == by)
      out.emplace_back();
    else
      out.back().push_back(c);
  }
  return out;
}

// Splits at commas that are in no inner braces.
Words comma_parts(View s, int depth) {
  if (s.empty()) return {Text()};
  const auto m = balanced(s);
  if (!m || depth > kMaxDepth) return split(s, u',');
  Words parts = split(m->pre, u',');
  parts.back() += braced(m->body);
  Words rest = comma_parts(m->post, depth + 1);
  if (!m->post.empty()) {
    parts.back() += rest.front();
    parts.insert(parts.end(), rest.begin() + 1, rest.end());
  }
  return parts;
}

bool is_letter(char16_t c) { return (c >= u'a' && c <= u'z') || (c >= u'A' && c <= u'Z'); }
bool is_integer(View s) {
  if (s.starts_with(u'-')) s.remove_prefix(1);
  return !s.empty() && std::all_of(s.begin(), s.end(), [](char16_t c) { return c >= u'0' && c <= u'9'; });
}
bool is_padded(View s) {
  if (s.starts_with(u'-')) s.remove_prefix(1);
  return s.size() > 1 && s[0] == u'0' && s[1] >= u'0' && s[1] <= u'9';
}

struct Sequence {
  bool letters = false;
  Words ends;  // two or three
};
std::optional<Sequence> sequence_of(View body) {
  Words parts;
  View rest = body;
  for (std::size_t at; (at = rest.find(u"..")) != View::npos; rest.remove_prefix(at + 2))
    parts.emplace_back(rest.substr(0, at));
  parts.emplace_back(rest);
  if (parts.size() < 2 || parts.size() > 3 || (parts.size() == 3 && !is_integer(parts[2])))
    return std::nullopt;
  if (is_integer(parts[0]) && is_integer(parts[1])) return Sequence{false, std::move(parts)};
  if (parts[0].size() == 1 && parts[1].size() == 1 && is_letter(parts[0][0]) && is_letter(parts[1][0]))
    return Sequence{true, std::move(parts)};
  return std::nullopt;
}

class Expander {
 public:
  explicit Expander(std::size_t most) : most_(most) {}
  bool failed = false;

  Words expand(View s, bool top, int depth) {
    if (failed || depth > kMaxDepth) {
      failed = true;
      return {};
    }
    const auto m = balanced(s);
    if (!m || m->pre.ends_with(u'$')) return {Text(s)};
    const auto sequence = sequence_of(m->body);
    if (!sequence && m->body.find(u',') == View::npos) {
      // "{a},b}": the first closing brace is a literal one
      if (closes_later(m->post)) {
        const Text again = Text(m->pre).append(1, u'{').append(m->body).append(1, kClose).append(m->post);
        return expand(again, true, depth + 1);
      }
      return {Text(s)};
    }
    Words parts;
    if (!sequence) {
      parts = comma_parts(m->body, 0);
      if (parts.size() == 1) {  // "x{{a,b}}y" is "x{a}y" and "x{b}y"
        parts = expand(Text(parts[0]), false, depth + 1);
        for (Text& p : parts) p = braced(p);
        if (parts.size() == 1) {
          Words out = m->post.empty() ? Words{Text()} : expand(m->post, false, depth + 1);
          for (Text& o : out) o.insert(0, Text(m->pre).append(parts[0]));
          return out;
        }
      }
    }
    const Words post = m->post.empty() ? Words{Text()} : expand(m->post, false, depth + 1);
    Words middle;
    if (sequence) {
      middle = count(*sequence);
    } else {
      for (const Text& p : parts) {
        Words more = expand(p, false, depth + 1);
        middle.insert(middle.end(), more.begin(), more.end());
      }
    }
    Words out;
    if (failed || middle.size() * post.size() > most_) {
      failed = true;
      return out;
    }
    for (const Text& a : middle)
      for (const Text& b : post) {
        Text one(m->pre);
        one.append(a).append(b);
        if (!top || sequence || !one.empty()) out.push_back(std::move(one));
      }
    return out;
  }

 private:
  // /,(?!,).*\}/ : a comma, not before another, and on the same line a closing brace after it
  static bool closes_later(View post) {
    for (std::size_t at = post.find(u','); at != View::npos; at = post.find(u',', at + 1)) {
      if (post.substr(at + 1).starts_with(u',')) continue;
      const View line = post.substr(at, post.find_first_of(u"\n\r\u2028\u2029", at) - at);
      if (line.find(u'}') != View::npos) return true;
    }
    return false;
  }

  Words count(const Sequence& s) {
    const auto number = [&](const Text& t) -> std::int64_t {
      if (!is_integer(t)) return t[0];
      if (t.size() > 15) failed = true;
      std::int64_t v = 0;
      for (const char16_t c : t)
        if (c != u'-' && !failed) v = v * 10 + (c - u'0');
      return t[0] == u'-' ? -v : v;
    };
    const std::int64_t from = number(s.ends[0]), to = number(s.ends[1]);
    const std::int64_t step = s.ends.size() == 3 ? std::max<std::int64_t>(std::abs(number(s.ends[2])), 1) : 1;
    if (failed || static_cast<std::size_t>(std::abs(to - from) / step) > most_) {
      failed = true;
      return {};
    }
    const bool down = to < from;
    const bool pad = std::any_of(s.ends.begin(), s.ends.end(), [](const Text& t) { return is_padded(t); });
    const std::size_t width = std::max(s.ends[0].size(), s.ends[1].size());
    Words out;
    for (std::int64_t i = from; down ? i >= to : i <= to; i += down ? -step : step) {
      if (s.letters) {
        out.emplace_back(i == u'\\' ? Text() : Text(1, static_cast<char16_t>(i)));
        continue;
      }
      std::string digits = std::to_string(i);
      if (pad && digits.size() < width) digits.insert(i < 0 ? 1 : 0, width - digits.size(), '0');
      out.emplace_back(digits.begin(), digits.end());
    }
    return out;
  }

  const std::size_t most_;
};

}  // namespace

std::optional<std::vector<std::u16string>> expand_braces(std::u16string_view pattern, std::size_t most) {
  // minimatch leaves a pattern alone that has no "{" with a "}" behind it on the same line and no other "{"
  // between.
  bool worth = false;
  for (std::size_t at = pattern.find(u'{'); at != View::npos && !worth; at = pattern.find(u'{', at + 1)) {
    const std::size_t stop = pattern.find_first_of(u"{}\n\r\u2028\u2029", at + 1);
    worth = stop != View::npos && pattern[stop] == u'}';
  }
  if (!worth) return Words{Text(pattern)};
  Text hidden =
      hide_escapes(pattern.starts_with(u"{}") ? Text(u"\\{\\}").append(pattern.substr(2)) : Text(pattern));
  Expander expander(most);
  Words out = expander.expand(hidden, true, 0);
  if (expander.failed) return std::nullopt;
  for (Text& t : out) t = show_escapes(std::move(t));
  return out;
}

}  // namespace vsim::routes
