#include "routes/glob.hpp"

#include <boost/locale/utf.hpp>

#include <algorithm>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "routes/glob_braces.hpp"
#include "routes/glob_regex.hpp"

namespace vsim::routes {
namespace {

using Text = std::u16string;
using View = std::u16string_view;

constexpr std::size_t kMaxRegex =
    8192;                       // code units of one translated segment; negated lists double it each time
constexpr int kMaxDepth = 200;  // of classes that turn out to be none
constexpr View kStar = u"[^/]*?";
constexpr View kSpecials = u"().*{}+?[]^$\\!";

Text to_utf16(std::string_view in) {  // invalid bytes become U+FFFD, as in Node
  namespace utf = boost::locale::utf;
  Text out;
  const char* const end = in.data() + in.size();
  for (const char* at = in.data(); at != end;) {
    const char* next = at;
    const utf::code_point code = utf::utf_traits<char>::decode(next, end);
    const bool good = utf::is_valid_codepoint(code);
    utf::utf_traits<char16_t>::encode(good ? code : 0xfffd, std::back_inserter(out));
    at = good ? next : at + 1;
  }
  return out;
}

View trim(View s) {
  const auto space = [](char16_t c) {
    return (c >= 9 && c <= 13) || c == 32 || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) ||
           c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000 || c == 0xfeff;
  };
  while (!s.empty() && space(s.front())) s.remove_prefix(1);
  while (!s.empty() && space(s.back())) s.remove_suffix(1);
  return s;
}

std::vector<Text> split_slashes(View s) {  // runs of slashes count as one
  std::vector<Text> out(1);
  for (std::size_t i = 0; i < s.size(); ++i) {
    if (s[i] != u'/')
      out.back().push_back(s[i]);
    else if (i == 0 || s[i - 1] != u'/')
      out.emplace_back();
  }
  return out;
}

bool special(char16_t c) { return kSpecials.find(c) != View::npos; }

struct Translated {
  Text regex;
  bool magic = false;
};

// One path segment of a pattern to the source of a regular expression, state for state as minimatch 3.1.2
// does it: the result of malformed patterns depends on that order. `whole` is false for the inside of a class
// that turned out to be none. nullopt: too complex.
class Translator {
 public:
  Translator(View pattern, bool whole, int depth) : p_(pattern), whole_(whole), depth_(depth) {}

  std::optional<Translated> run() {
    if (depth_ > kMaxDepth) return std::nullopt;
    for (i_ = 0; i_ < p_.size(); ++i_) {
      if (!step(p_[i_])) return std::nullopt;
      if (re_.size() > kMaxRegex) return std::nullopt;
    }
    if (in_class_ && !reopen_class(p_.substr(class_start_ + 1), false)) return std::nullopt;
    while (!open_.empty()) unopen_list();
    flush();
    if (escaping_) re_ += u"\\\\";
    const bool guard = !re_.empty() && (re_[0] == u'[' || re_[0] == u'.' || re_[0] == u'(');
    if (!look_ahead_of_negations()) return std::nullopt;
    if (!re_.empty() && magic_) re_.insert(0, u"(?=.)");
    if (guard && !p_.starts_with(u'.')) re_.insert(0, u"(?!\\.)");
    return Translated{std::move(re_), magic_};
  }

 private:
  struct List {  // an extglob "@(a|b)"
    char16_t type;
    std::size_t start;
    std::size_t end = 0;
    std::size_t open_size;
  };

  void flush() {  // the pending ? * + @ ! stands for itself
    if (pending_ == 0) return;
    if (pending_ == u'*' || pending_ == u'?') {
      re_ += pending_ == u'*' ? kStar : View(u"[^/]");
      magic_ = true;
    } else {
      re_ += u'\\';
      re_ += pending_;
    }
    pending_ = 0;
  }

  bool step(char16_t c) {
    if (escaping_ && special(c)) {
      re_ += u'\\';
      re_ += c;
      escaping_ = false;
      return true;
    }
    switch (c) {
      case u'\\':
        flush();
        escaping_ = true;
        return true;
      case u'?':
      case u'*':
      case u'+':
      case u'@':
      case u'!':
        if (in_class_) {
          re_ += c == u'!' && i_ == class_start_ + 1 ? u'^' : c;
        } else {
          flush();
          pending_ = c;
        }
        return true;
      case u'(':
        open_list();
        return true;
      case u')':
        close_list();
        return true;
      case u'|':
        if (in_class_ || open_.empty() || escaping_) {
          re_ += u"\\|";
          escaping_ = false;
        } else {
          flush();
          re_ += u'|';
        }
        return true;
      case u'[':
        flush();
        if (in_class_) {
          re_ += u"\\[";
        } else {
          in_class_ = true;
          class_start_ = i_;
          re_class_start_ = re_.size();
          re_ += u'[';
        }
        return true;
      case u']':
        if (!in_class_ || i_ == class_start_ + 1) {
          re_ += u"\\]";
          escaping_ = false;
          return true;
        }
        return close_class();
      default:
        flush();
        if (escaping_)
          escaping_ = false;
        else if (special(c) && !(c == u'^' && in_class_))
          re_ += u'\\';
        re_ += c;
        return true;
    }
  }

  void open_list() {
    if (in_class_) {
      re_ += u'(';
    } else if (pending_ == 0) {
      re_ += u"\\(";
    } else {
      const View opening = pending_ == u'!' ? View(u"(?:(?!(?:") : View(u"(?:");
      open_.push_back({pending_, re_.size(), 0, opening.size()});
      re_ += opening;
      pending_ = 0;
    }
  }

  void close_list() {
    if (in_class_ || open_.empty()) {
      re_ += u"\\)";
      return;
    }
    flush();
    magic_ = true;
    List list = open_.back();
    open_.pop_back();
    switch (list.type) {
      case u'!':
        re_ += u"))[^/]*?)";
        break;
      case u'@':
        re_ += u')';
        break;
      default:
        re_ += u')', re_ += list.type;
    }
    list.end = re_.size();
    if (list.type == u'!') negations_.push_back(list);
  }

  bool close_class() {
    const View content = p_.substr(class_start_ + 1, i_ - class_start_ - 1);
    Text candidate(1, u'[');
    candidate.append(content).append(1, u']');
    if (!GlobRegex::compile(candidate)) {
      in_class_ = false;
      return reopen_class(content, true);
    }
    magic_ = true;
    in_class_ = false;
    re_ += u']';
    return true;
  }

  // "[" did not open a class after all: it is a literal, and what followed it is read again.
  bool reopen_class(View content, bool closed) {
    std::optional<Translated> inner;
    // The original reads an answer that is not there for these two, and so puts JavaScript's word for nothing
    // into the pattern.
    if (content.empty() || content == u"**")
      inner = Translated{u"undefined", false};
    else
      inner = Translator(content, false, depth_ + 1).run();
    if (!inner) return false;
    re_.resize(std::min(re_class_start_, re_.size()));
    re_ += u"\\[";
    re_ += inner->regex;
    if (closed) re_ += u"\\]";
    magic_ = magic_ || inner->magic;
    return true;
  }

  // A list that is never closed: its opening becomes literal, and so do the bars in it.
  void unopen_list() {
    const List list = open_.back();
    open_.pop_back();
    const Text rest = re_.substr(std::min(list.start + list.open_size, re_.size()));
    Text tail;
    for (std::size_t i = 0; i < rest.size();) {
      // Up to 64 pairs of backslashes, perhaps one more, and a bar: the pairs are doubled and the bar gets
      // its backslash.
      std::size_t run = i;
      while (run < rest.size() && rest[run] == u'\\') ++run;
      std::size_t count = run - i;
      if (run < rest.size() && rest[run] == u'|') {
        if (count > 129) {  // the pattern finds its match further right
          tail.append(count - 129, u'\\');
          count = 129;
        }
        const std::size_t pairs = count / 2 * 2;
        tail.append(pairs * 2, u'\\');
        tail += u"\\|";
        i = run + 1;
      } else {
        tail.append(rest, i, std::max<std::size_t>(count, 1));
        i += std::max<std::size_t>(count, 1);
      }
    }
    magic_ = true;
    re_.resize(std::min(list.start, re_.size()));
    if (list.type == u'*')
      re_ += kStar;
    else if (list.type == u'?')
      re_ += u"[^/]";
    else {
      re_ += u'\\';
      re_ += list.type;
    }
    re_ += u"\\(";
    re_ += tail;
  }

  // "*.!(x).!(y)": what a negation excludes has to be looked for up to the end of the segment, so what
  // follows is repeated inside it.
  bool look_ahead_of_negations() {
    for (std::size_t n = negations_.size(); n-- > 0;) {
      const List& list = negations_[n];
      const std::size_t start = std::min(list.start, re_.size());
      const std::size_t cut = std::min(list.end - 8, re_.size()), end = std::min(list.end, re_.size());
      const Text before = re_.substr(0, start), after = re_.substr(end);
      const Text first = cut > start ? re_.substr(start, cut - start) : Text();
      const Text last = end > cut ? re_.substr(cut, end - cut) : Text();
      Text inside = after;
      const auto parens = std::count(before.begin(), before.end(), u'(');
      for (auto k = parens; k > 0; --k) {
        const std::size_t at = inside.find(u')');
        if (at == Text::npos) break;
        const bool quantified = at + 1 < inside.size() &&
                                (inside[at + 1] == u'+' || inside[at + 1] == u'*' || inside[at + 1] == u'?');
        inside.erase(at, quantified ? 2 : 1);
      }
      re_ = before;
      re_ += first;
      re_ += inside;
      if (inside.empty() && whole_) re_ += u'$';
      re_ += last;
      re_ += after;
      if (re_.size() > kMaxRegex) return false;
    }
    return true;
  }

  View p_;
  const bool whole_;
  const int depth_;
  Text re_;
  bool magic_ = false, escaping_ = false, in_class_ = false;
  char16_t pending_ = 0;
  std::size_t i_ = 0, class_start_ = 0, re_class_start_ = 0;
  std::vector<List> open_, negations_;
};

Text unescape(View s) {
  Text out;
  for (std::size_t i = 0; i < s.size(); ++i) {
    if (s[i] == u'\\' && i + 1 < s.size() && s[i + 1] != u'\n' && s[i + 1] != u'\r') ++i;
    out.push_back(s[i]);
  }
  return out;
}

struct Globstar {};
struct Never {};  // a regular expression JavaScript would not take
using Part = std::variant<Globstar, Never, Text, GlobRegex>;

std::optional<Part> compile_part(View segment) {
  if (segment == u"**") return Globstar{};
  if (segment.empty()) return Text();
  auto t = Translator(segment, true, 0).run();
  if (!t) return std::nullopt;
  if (!t->magic) return unescape(segment);
  auto regex = GlobRegex::compile(u"^" + t->regex + u"$");
  if (!regex) return Never{};
  return std::move(*regex);
}

bool part_matches(const Part& part, const Text& name) {
  if (const auto* literal = std::get_if<Text>(&part)) return *literal == name;
  if (const auto* regex = std::get_if<GlobRegex>(&part)) return regex->matches(name);
  return false;
}

bool hidden(const Text& name) { return name.starts_with(u'.'); }

// Whether the parts from `p` on match the names from `f` on; each pair is answered once.
class PathMatch {
 public:
  PathMatch(const std::vector<Part>& parts, const std::vector<Text>& names)
      : parts_(parts), names_(names), memo_((parts.size() + 1) * (names.size() + 1), -1) {}

  bool from(std::size_t f, std::size_t p) {
    std::int8_t& known = memo_[p * (names_.size() + 1) + f];
    if (known < 0) known = decide(f, p) ? 1 : 0;
    return known == 1;
  }

 private:
  bool decide(std::size_t f, std::size_t p) {
    for (; f < names_.size() && p < parts_.size(); ++f, ++p) {
      if (!std::holds_alternative<Globstar>(parts_[p])) {
        if (!part_matches(parts_[p], names_[f])) return false;
        continue;
      }
      if (p + 1 == parts_.size())
        return std::none_of(names_.begin() + static_cast<std::ptrdiff_t>(f), names_.end(), hidden);
      for (std::size_t swallowed = f; swallowed < names_.size(); ++swallowed) {
        if (from(swallowed, p + 1)) return true;
        if (hidden(names_[swallowed])) return false;
      }
      return false;
    }
    if (f == names_.size()) return p == parts_.size();
    return f + 1 == names_.size() && names_[f].empty();  // "a/*" takes "a/b/"
  }

  const std::vector<Part>& parts_;
  const std::vector<Text>& names_;
  std::vector<std::int8_t> memo_;
};

}  // namespace

struct Glob::Impl {
  bool nothing = false;  // a comment
  bool empty = false;    // only the empty path
  bool complex = false;
  bool negated = false;
  std::vector<std::vector<Part>> alternatives;
};

Glob::Glob(std::string_view pattern) {
  auto impl = std::make_unique<Impl>();
  const Text whole = pattern.size() <= kMaxPatternLength ? to_utf16(pattern) : Text();
  View p = trim(whole);
  if (pattern.size() > kMaxPatternLength) {
    impl->complex = true;
  } else if (whole.starts_with(u'#') || p.starts_with(u'#')) {
    impl->nothing = true;
  } else if (p.empty()) {
    impl->empty = true;
  } else {
    for (; p.starts_with(u'!'); p.remove_prefix(1)) impl->negated = !impl->negated;
    const auto expanded = expand_braces(p, kMaxAlternatives);
    impl->complex = !expanded;
    if (expanded) {
      for (const Text& one : *expanded) {
        std::vector<Part> parts;
        for (const Text& segment : split_slashes(one)) {
          auto part = compile_part(segment);
          if (!part) {
            impl->complex = true;
            break;
          }
          parts.push_back(std::move(*part));
        }
        if (impl->complex) break;
        impl->alternatives.push_back(std::move(parts));
      }
    }
  }
  impl_ = std::move(impl);
}

Glob::~Glob() = default;
Glob::Glob(Glob&&) noexcept = default;
Glob& Glob::operator=(Glob&&) noexcept = default;
bool Glob::too_complex() const { return impl_->complex; }

bool Glob::matches(std::string_view path) const {
  if (impl_->nothing || impl_->complex) return false;
  if (impl_->empty) return path.empty();
  const std::vector<Text> names = split_slashes(to_utf16(path));
  for (const auto& parts : impl_->alternatives)
    if (PathMatch(parts, names).from(0, 0)) return !impl_->negated;
  return impl_->negated;
}

}  // namespace vsim::routes
