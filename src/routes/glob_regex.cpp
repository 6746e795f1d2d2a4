#include "routes/glob_regex.hpp"

#include <algorithm>

namespace vsim::routes {
namespace {

using Op = GlobRegex::Op;
using Step = GlobRegex::Step;
using Set = GlobRegex::Set;
using Fragment = std::vector<Step>;
using Ranges = std::vector<std::pair<char16_t, char16_t>>;

bool is_word(char16_t c) {
  return (c >= u'a' && c <= u'z') || (c >= u'A' && c <= u'Z') || (c >= u'0' && c <= u'9') || c == u'_';
}

Ranges class_escape(char16_t c) {
  switch (c) {
    case u'd':
    case u'D':
      return {{u'0', u'9'}};
    case u'w':
    case u'W':
      return {{u'0', u'9'}, {u'A', u'Z'}, {u'_', u'_'}, {u'a', u'z'}};
    default:
      return {{u'\t', u'\r'},   {u' ', u' '},     {0x00a0, 0x00a0}, {0x1680, 0x1680}, {0x2000, 0x200a},
              {0x2028, 0x2029}, {0x202f, 0x202f}, {0x205f, 0x205f}, {0x3000, 0x3000}, {0xfeff, 0xfeff}};
  }
}
Ranges complement(const Ranges& in) {  // `in` is sorted and disjoint
  Ranges out;
  std::uint32_t next = 0;
  for (const auto& [lo, hi] : in) {
    if (lo > next) out.emplace_back(static_cast<char16_t>(next), static_cast<char16_t>(lo - 1));
    next = hi + 1u;
  }
  if (next <= 0xffff) out.emplace_back(static_cast<char16_t>(next), char16_t{0xffff});
  return out;
}
bool is_class_escape(char16_t c) {
  return std::u16string_view(u"dDwWsS").find(c) != std::u16string_view::npos;
}
Ranges class_ranges(char16_t c) {
  const Ranges r = class_escape(c);
  return c == u'D' || c == u'W' || c == u'S' ? complement(r) : r;
}

void append(Fragment& to, const Fragment& from) { to.insert(to.end(), from.begin(), from.end()); }
std::int32_t length(const Fragment& f) { return static_cast<std::int32_t>(f.size()); }

class Parser {
 public:
  explicit Parser(std::u16string_view source) : s_(source) {}
  std::vector<Set> sets;

  std::optional<Fragment> parse() {
    auto f = alternatives(0);
    if (!f || at_ != s_.size()) return std::nullopt;
    f->push_back({Op::accept});
    return f;
  }

 private:
  bool more() const { return at_ < s_.size(); }
  bool take(std::u16string_view what) {
    if (s_.substr(at_, what.size()) != what) return false;
    at_ += what.size();
    return true;
  }

  std::optional<Fragment> alternatives(int depth) {
    if (depth > GlobRegex::kMaxDepth) return std::nullopt;
    std::vector<Fragment> branches;
    do {
      auto f = sequence(depth);
      if (!f) return std::nullopt;
      branches.push_back(std::move(*f));
    } while (take(u"|"));
    // split b1 (jump end) b2 (jump end) … bn
    Fragment out = std::move(branches.back());
    for (std::size_t i = branches.size() - 1; i-- > 0;) {
      Fragment joined{{Op::split, 0, 1, length(branches[i]) + 2}};
      append(joined, branches[i]);
      joined.push_back({Op::jump, 0, length(out) + 1});
      append(joined, out);
      out = std::move(joined);
    }
    return out;
  }

  std::optional<Fragment> sequence(int depth) {
    Fragment out;
    while (more() && s_[at_] != u'|' && s_[at_] != u')') {
      auto f = term(depth);
      if (!f) return std::nullopt;
      append(out, *f);
    }
    return out;
  }

  std::optional<Fragment> term(int depth) {
    if (take(u"^")) return Fragment{{Op::begin}};
    if (take(u"$")) return Fragment{{Op::end}};
    if (take(u"\\b")) return Fragment{{Op::word}};
    if (take(u"\\B")) return Fragment{{Op::not_word}};
    auto atom = single(depth);
    if (!atom || !more()) return atom;
    const char16_t q = s_[at_];
    if (q != u'*' && q != u'+' && q != u'?') return atom;
    ++at_;
    take(u"?");  // lazy: the same set of texts
    const std::int32_t n = length(*atom);
    Fragment out;
    if (q != u'+') out.push_back({Op::split, 0, 1, q == u'*' ? n + 2 : n + 1});
    append(out, *atom);
    if (q == u'*') out.push_back({Op::jump, 0, -n - 1});
    if (q == u'+') out.push_back({Op::split, 0, -n, 1});
    return out;
  }

  std::optional<Fragment> single(int depth) {
    const bool look = take(u"(?="), not_look = !look && take(u"(?!");
    if (look || not_look || take(u"(?:") || take(u"(")) {
      auto body = alternatives(depth + 1);
      if (!body || !take(u")")) return std::nullopt;
      if (!look && !not_look) return body;
      Fragment out{{look ? Op::look : Op::not_look, 0, 0, length(*body) + 2}};
      append(out, *body);
      out.push_back({Op::accept});
      return out;
    }
    if (take(u"[")) return character_class();
    if (take(u".")) return Fragment{{Op::any}};
    const char16_t c = s_[at_++];
    if (c == u'*' || c == u'+' || c == u'?') return std::nullopt;  // nothing to repeat
    if (c != u'\\') return Fragment{{Op::unit, c}};
    if (!more()) return std::nullopt;
    if (is_class_escape(s_[at_])) return set_step({false, class_ranges(s_[at_++])});
    return Fragment{{Op::unit, escaped(false)}};
  }

  Fragment set_step(Set set) {
    sets.push_back(std::move(set));
    return {{Op::set, 0, static_cast<std::int32_t>(sets.size() - 1)}};
  }

  std::optional<unsigned> hex(std::size_t digits) const {
    unsigned value = 0;
    for (std::size_t i = 0; i < digits; ++i) {
      if (at_ + i >= s_.size()) return std::nullopt;
      const char16_t c = s_[at_ + i];
      const unsigned d = c >= u'0' && c <= u'9'   ? c - u'0'
                         : c >= u'a' && c <= u'f' ? c - u'a' + 10u
                         : c >= u'A' && c <= u'F' ? c - u'A' + 10u
                                                  : 99u;
      if (d > 15) return std::nullopt;
      value = value * 16 + d;
    }
    return value;
  }

  // The character after a backslash, by the rules browsers keep for old expressions (ECMA-262 annex B). There
  // is at least one left.
  char16_t escaped(bool in_class) {
    const char16_t c = s_[at_++];
    constexpr std::u16string_view kNames = u"tnvfr", kMeant = u"\t\n\v\f\r";
    if (const std::size_t named = kNames.find(c); named != std::u16string_view::npos) return kMeant[named];
    switch (c) {
      case u'b':
        return in_class ? u'\b' : u'b';
      case u'x':
      case u'u':
        if (const auto v = hex(c == u'x' ? 2 : 4)) {
          at_ += c == u'x' ? 2 : 4;
          return static_cast<char16_t>(*v);
        }
        return c;
      case u'c':
        if (more() && ((s_[at_] | 32) >= u'a' && (s_[at_] | 32) <= u'z'))
          return static_cast<char16_t>(s_[at_++] & 31);
        --at_;
        return u'\\';
      default:
        break;
    }
    if (c < u'0' || c > u'7') return c;
    unsigned value = c - u'0';
    for (int i = 0;
         i < 2 && more() && s_[at_] >= u'0' && s_[at_] <= u'7' && value * 8 + (s_[at_] - u'0') <= 255; ++i)
      value = value * 8 + (s_[at_++] - u'0');
    return static_cast<char16_t>(value);
  }

  std::optional<Fragment> character_class() {
    Set set;
    set.negated = take(u"^");
    struct Atom {
      bool is_class = false;
      char16_t c = 0;
      Ranges ranges;
    };
    const auto atom = [&]() -> std::optional<Atom> {
      if (!more()) return std::nullopt;
      const char16_t c = s_[at_++];
      if (c != u'\\') return Atom{false, c, {}};
      if (!more()) return std::nullopt;
      if (is_class_escape(s_[at_])) return Atom{true, 0, class_ranges(s_[at_++])};
      return Atom{false, escaped(true), {}};
    };
    const auto add = [&](const Atom& a) {
      if (a.is_class)
        set.ranges.insert(set.ranges.end(), a.ranges.begin(), a.ranges.end());
      else
        set.ranges.emplace_back(a.c, a.c);
    };
    while (true) {
      if (!more()) return std::nullopt;
      if (take(u"]")) return set_step(std::move(set));
      const auto from = atom();
      if (!from) return std::nullopt;
      if (!(at_ + 1 < s_.size() && s_[at_] == u'-' && s_[at_ + 1] != u']')) {
        add(*from);
        continue;
      }
      ++at_;
      const auto to = atom();
      if (!to) return std::nullopt;
      if (from->is_class || to->is_class) {
        add(*from);
        add(*to);
        set.ranges.emplace_back(u'-', u'-');
      } else if (from->c > to->c) {
        return std::nullopt;  // range out of order
      } else {
        set.ranges.emplace_back(from->c, to->c);
      }
    }
  }

  std::u16string_view s_;
  std::size_t at_ = 0;
};

bool in_set(const Set& set, char16_t c) {
  for (const auto& [lo, hi] : set.ranges)
    if (c >= lo && c <= hi) return !set.negated;
  return set.negated;
}

}  // namespace

std::optional<GlobRegex> GlobRegex::compile(std::u16string_view source) {
  Parser parser(source);
  auto steps = parser.parse();
  if (!steps) return std::nullopt;
  GlobRegex out;
  out.steps_ = std::move(*steps);
  out.sets_ = std::move(parser.sets);
  out.look_index_.assign(out.steps_.size(), -1);
  for (std::size_t i = 0; i < out.steps_.size(); ++i)
    if (out.steps_[i].op == Op::look || out.steps_[i].op == Op::not_look)
      out.look_index_[i] = static_cast<std::int32_t>(out.look_count_++);
  return out;
}

// Depth-first over (step, position) with every pair tried once. What a lookahead answers at a position is
// kept in `looks` for the whole match.
bool GlobRegex::run(std::size_t from, std::size_t at, std::u16string_view text,
                    std::vector<std::vector<std::int8_t>>& looks) const {
  const std::size_t width = text.size() + 1;
  std::vector<bool> tried;
  std::vector<std::pair<std::size_t, std::size_t>> todo{{from, at}};
  while (!todo.empty()) {
    std::size_t pc = todo.back().first, pos = todo.back().second;
    todo.pop_back();
    while (true) {
      const std::size_t key = (pc - from) * width + pos;
      if (key >= tried.size()) tried.resize(std::max(key + 1, tried.size() * 2));
      if (tried[key]) break;
      tried[key] = true;
      const Step& s = steps_[pc];
      const auto go = [&](std::int32_t delta) {
        return static_cast<std::size_t>(static_cast<std::int64_t>(pc) + delta);
      };
      bool on = true;
      switch (s.op) {
        case Op::accept:
          return true;
        case Op::unit:
          on = pos < text.size() && text[pos] == s.unit;
          break;
        case Op::any:
          on = pos < text.size() && text[pos] != u'\n' && text[pos] != u'\r' && text[pos] != 0x2028 &&
               text[pos] != 0x2029;
          break;
        case Op::set:
          on = pos < text.size() && in_set(sets_[static_cast<std::size_t>(s.a)], text[pos]);
          break;
        case Op::split:
          todo.emplace_back(go(s.b), pos);
          pc = go(s.a);
          continue;
        case Op::jump:
          pc = go(s.a);
          continue;
        case Op::begin:
          on = pos == 0;
          break;
        case Op::end:
          on = pos == text.size();
          break;
        case Op::word:
        case Op::not_word: {
          const bool before = pos > 0 && is_word(text[pos - 1]),
                     here = pos < text.size() && is_word(text[pos]);
          on = (before != here) == (s.op == Op::word);
          break;
        }
        case Op::look:
        case Op::not_look: {
          auto& row = looks[static_cast<std::size_t>(look_index_[pc])];
          if (row.empty()) row.assign(width, -1);
          if (row[pos] < 0) {
            const bool found = run(pc + 1, pos, text, looks);
            row[pos] = found ? 1 : 0;
          }
          if ((row[pos] == 1) != (s.op == Op::look)) {
            on = false;
            break;
          }
          pc = go(s.b);
          continue;
        }
      }
      if (!on) break;
      if (s.op == Op::unit || s.op == Op::any || s.op == Op::set) ++pos;
      ++pc;
    }
  }
  return false;
}

bool GlobRegex::matches(std::u16string_view text) const {
  std::vector<std::vector<std::int8_t>> looks(look_count_);
  for (std::size_t at = 0; at <= text.size(); ++at) {
    if (run(0, at, text, looks)) return true;
    if (steps_.front().op == Op::begin) break;
  }
  return false;
}

}  // namespace vsim::routes
