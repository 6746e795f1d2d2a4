#include "explain/search.hpp"

#include <algorithm>
#include <optional>
#include <set>

#include "base/text.hpp"

namespace vsim::explain {
namespace {

std::set<std::string> words_of(std::string_view text) {
  std::set<std::string> out;
  std::string word;
  for (const char c : text) {
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) {
      word += c;
    } else {
      if (word.size() > 2) out.insert(word);
      word.clear();
    }
  }
  if (word.size() > 2) out.insert(word);
  return out;
}

// 0: nothing in common. Equal beats a message inside the query (the longer the better), which beats a query
// that is part of a message, which beats words in common.
int score(std::string_view query, std::string_view message) {
  if (query == message) return 10'000;
  if (message.size() >= 3 && holds(query, message)) return 5'000 + static_cast<int>(message.size());
  if (query.size() >= 4 && message.find(query) != std::string_view::npos)
    return 3'000 + static_cast<int>(100 * query.size() / message.size());
  const auto a = words_of(query), b = words_of(message);
  std::size_t shared = 0;
  for (const std::string& w : a) shared += b.count(w);
  if (shared < 2 || shared * 10 < a.size() * 6) return 0;
  return 500 + static_cast<int>(200 * shared / (a.size() + b.size()));
}

// The id by itself, not a piece of a longer name.
bool has_word(std::string_view query, std::string_view id) {
  const auto inside = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  };
  for (std::size_t at = query.find(id); at != std::string_view::npos; at = query.find(id, at + 1)) {
    const std::size_t end = at + id.size();
    if ((at == 0 || !inside(query[at - 1])) && (end == query.size() || !inside(query[end]))) return true;
  }
  return false;
}

int score(std::string_view query, const Topic& topic) {
  int best = 0;
  for (const std::string& m : topic.messages) best = std::max(best, score(query, normalized(m)));
  if (topic.status != 0 && query == std::to_string(topic.status))
    best = std::max(best, topic.emulated ? 4'000 : 2'000);
  const std::string id = normalized(topic.id);
  // A code somewhere in a line of a log is what the line is about.
  if (id.find_first_of("_-") != std::string::npos && has_word(query, id))
    best = std::max(best, 20'000 + static_cast<int>(id.size()));
  if (query.size() >= 4 &&
      (id.find(query) != std::string::npos || normalized(topic.title).find(query) != std::string::npos))
    best = std::max(best, topic.emulated ? 1'600 : 1'500);
  return best;
}

}  // namespace

std::string normalized(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::string_view rest = text.substr(i);
    // Typographic quotes and the ellipsis: U+2018 to U+201F, U+2026.
    if (rest.size() >= 3 && rest[0] == '\xE2' && rest[1] == '\x80' &&
        ((rest[2] >= '\x98' && rest[2] <= '\x9F') || rest[2] == '\xA6')) {
      i += 2;
      continue;
    }
    if (rest.starts_with("...")) {
      i += 2;
      continue;
    }
    const char c = text[i];
    if (c == '"' || c == '\'' || c == '`' || c == '\\') continue;
    if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
      if (!out.empty() && out.back() != ' ') out += ' ';
      continue;
    }
    out += ascii_lower(c);
  }
  while (out.ends_with(' ') || out.ends_with('.')) out.pop_back();
  return out;
}

bool holds(std::string_view text, std::string_view message) {
  std::size_t at = 0;
  while (!message.empty()) {
    const std::size_t star = message.find('*');
    const std::string_view part = message.substr(0, star);
    const std::size_t found = text.find(part, at);
    if (found == std::string_view::npos) return false;
    at = found + part.size();
    if (star == std::string_view::npos) break;
    message.remove_prefix(star + 1);
  }
  return true;
}

SearchAnswer search(std::string_view raw) {
  SearchAnswer out;
  if (const Topic* exact = find_topic(raw)) {
    out.best = {exact};
    return out;
  }
  const std::string query = normalized(raw);
  struct Scored {
    int score;
    const Topic* topic;
  };
  std::vector<Scored> found;
  if (!query.empty())
    for (const Topic& t : topics())
      if (const int s = score(query, t); s > 0) found.push_back({s, &t});
  std::stable_sort(found.begin(), found.end(),
                   [](const Scored& a, const Scored& b) { return a.score > b.score; });
  // A misspelt id is one word; what only shares letters with other ids must not hide it.
  std::vector<std::string_view> ids;
  for (const Topic& t : topics()) ids.push_back(t.id);
  const auto near = raw.find(' ') == std::string_view::npos ? nearest_name(raw, ids) : std::nullopt;
  // Words in common alone say less than a name that is nearly right.
  constexpr int kSure = 1'000;
  if (found.empty() || (near && found.front().score < kSure)) {
    if (near) out.meant = *near;
    return out;
  }
  const int top = found.front().score;
  bool code = false, emulated = false;
  for (const Scored& s : found) {
    if (s.score != top) break;
    code |= s.topic->kind != TopicKind::rule;
    emulated |= s.topic->emulated && s.topic->kind != TopicKind::rule;
  }
  constexpr std::size_t kMost = 6;
  for (const Scored& s : found) {
    const bool rule = s.topic->kind == TopicKind::rule;
    // Of the equally likely ones: codes before rules, what vercel-sim produces before what it only explains.
    if (s.score == top && !(code && rule) && !(emulated && !s.topic->emulated))
      out.best.push_back(s.topic);
    else if (out.also.size() < kMost)
      out.also.push_back(s.topic);
  }
  return out;
}

}  // namespace vsim::explain
