#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <set>

#include "base/fit_columns.hpp"
#include "base/plain_text.hpp"
#include "base/text.hpp"
#include "replay/compare.hpp"
#include "replay/resend.hpp"

namespace vsim::replay {
namespace {

// Where it went: "POST /api/slow"; the path where no route is known.
std::string place(const RecordedRequest& r, const RecordedOutcome& o) {
  const std::string& route = !r.outcome.route.empty() ? r.outcome.route : o.route;
  return plain(r.method) + " " +
         (route.empty() ? plain(std::string_view(r.target).substr(0, r.target.find('?'))) : plain(route));
}

std::string recorded_on(const Recording& recording) {
  std::string out =
      fmt::format("{} recorded on {}", counted(recording.requests.size(), "request"),
                  recording.about.profile.empty() ? "an unknown profile" : plain(recording.about.profile));
  if (!recording.about.profile_as_of.empty())
    out += fmt::format(" (as of {})", plain(recording.about.profile_as_of));
  if (recording.lost > 0) out += fmt::format("; {} more are lost", recording.lost);
  if (!recording.ended) out += "; the recording has no end, what came after is missing";
  return out;
}

std::string numbers(const std::vector<std::uint64_t>& list) {
  constexpr std::size_t kShown = 6;
  std::string out;
  for (std::size_t i = 0; i < std::min(list.size(), kShown); ++i)
    out += fmt::format("{}#{}", i > 0 ? " " : "", list[i]);
  if (list.size() > kShown) out += fmt::format(" and {} more", list.size() - kShown);
  return out;
}

// What is said once of all requests that met the same.
struct Group {
  std::string what, before, after;
  std::vector<std::uint64_t> numbers;
};

std::vector<Group> groups(const Replayed& replayed, Change change) {
  std::vector<Group> out;
  for (const Line& l : replayed.lines) {
    if (l.change != change) continue;
    Group g;
    if (l.met.outcome) {
      g.what = place(*l.request, *l.met.outcome);
      g.before = change == Change::differs ? fmt::format("{}", l.request->outcome.status)
                                           : word_for(l.request->outcome);
      g.after =
          change == Change::differs ? fmt::format("{}", l.met.outcome->status) : word_for(*l.met.outcome);
    } else {
      g.what = place(*l.request, l.request->outcome);
      g.after = l.met.why_not;
    }
    const auto same = std::find_if(out.begin(), out.end(), [&](const Group& o) {
      return o.what == g.what && o.before == g.before && o.after == g.after;
    });
    if (same != out.end()) {
      same->numbers.push_back(l.request->n);
    } else {
      g.numbers.push_back(l.request->n);
      out.push_back(std::move(g));
    }
  }
  return out;
}

std::string_view heading(Change change) {
  switch (change) {
    case Change::broke:
      return "broke: had worked in the recording";
    case Change::other:
      return "broken in another way";
    case Change::mended:
      return "mended: had been broken in the recording";
    case Change::differs:
      return "another status, without a limit: what the app remembers may be other than when it was recorded";
    case Change::same:
      return "the same";
    case Change::not_sent:
      return "not sent again";
  }
  return {};
}

void section(std::string& out, const Replayed& replayed, Change change) {
  const auto list = groups(replayed, change);
  if (list.empty()) return;
  const char* sign = change == Change::broke || change == Change::other ? "✗"
                     : change == Change::mended                         ? "✓"
                                                                        : "-";
  out += fmt::format("\n{}\n", heading(change));
  for (const Group& g : list) {
    if (change == Change::not_sent)
      out += fmt::format("  {} {}  ({})\n      {}\n", sign, g.what, numbers(g.numbers), g.after);
    else
      out += fmt::format("  {} {}  {} -> {}  ({})\n", sign, g.what, g.before, g.after, numbers(g.numbers));
  }
}

// Requests that were sent with what the app gave this time instead of what it gave then.
void renewed(std::string& out, const Replayed& replayed) {
  std::vector<std::pair<std::string, std::vector<std::uint64_t>>> list;
  for (const Line& l : replayed.lines) {
    for (const std::string& what : l.met.renewed) {
      const auto known =
          std::find_if(list.begin(), list.end(), [&](const auto& x) { return x.first == what; });
      if (known == list.end())
        list.push_back({what, {l.request->n}});
      else
        known->second.push_back(l.request->n);
    }
  }
  if (list.empty()) return;
  out += "\nsent with a change\n";
  for (const auto& [what, n] : list) out += fmt::format("  - {}  ({})\n", plain(what), numbers(n));
}

std::string counts(const Replayed& r) {
  std::string out = fmt::format("{} broke, {} mended, {} the same", r.count(Change::broke),
                                r.count(Change::mended), r.count(Change::same));
  if (const auto n = r.count(Change::other); n > 0) out += fmt::format(", {} broken in another way", n);
  if (const auto n = r.count(Change::differs); n > 0) out += fmt::format(", {} with another status", n);
  if (const auto n = r.count(Change::not_sent); n > 0) out += fmt::format(", {} not sent", n);
  return out;
}

// What a route met on one profile, of all its requests: "ok", or each thing that is wrong and how often.
std::string cell(const std::map<std::string, std::size_t>& words, std::size_t all) {
  std::string out;
  std::size_t unsent = 0;
  for (const auto& [word, n] : words) {
    if (word.empty()) {
      unsent = n;
      continue;
    }
    if (word == "ok") continue;
    if (!out.empty()) out += ", ";
    out += word;
    if (n < all) out += fmt::format(" {}/{}", n, all);
  }
  if (unsent == all) return "not sent";
  if (out.empty()) out = "ok";
  return unsent == 0 ? out : out + fmt::format(", {} not sent", unsent);
}

using Row = std::vector<std::string>;

// Codes are long: where the table would be too wide, each is a letter that is explained below.
constexpr std::size_t kWidest = 110;
std::string fitted(std::vector<Row> rows) {
  std::string whole = in_columns(rows, "  ");
  const auto lines = split(whole, "\n");
  if (std::all_of(lines.begin(), lines.end(), [](auto line) { return columns(line) <= kWidest; }))
    return whole;
  std::vector<std::string> legend;
  for (std::size_t r = 1; r < rows.size(); ++r) {
    for (std::size_t c = 1; c < rows[r].size(); ++c) {
      std::string& text = rows[r][c];
      std::string out;
      for (std::size_t at = 0; at < text.size();) {
        std::size_t end = at;
        while (end < text.size() && ((text[end] >= 'A' && text[end] <= 'Z') || text[end] == '_')) ++end;
        if (end - at < 4) {
          out += text[at++];
          continue;
        }
        const std::string code = text.substr(at, end - at);
        const auto known = std::find(legend.begin(), legend.end(), code);
        out += fmt::format("[{}]", known - legend.begin() + 1);
        if (known == legend.end()) legend.push_back(code);
        at = end;
      }
      text = out;
    }
  }
  std::string out = in_columns(rows, "  ");
  for (std::size_t i = 0; i < legend.size(); ++i)
    out += fmt::format("{}  [{}] {}\n", i == 0 ? "\n" : "", i + 1, legend[i]);
  return out;
}

}  // namespace

std::string render_comparison(const Recording& recording, const Replayed& replayed) {
  std::string out = fmt::format("{}, replayed on {}\n", recorded_on(recording), replayed.profile);
  if (replayed.lines.empty() && !recording.requests.empty())
    return out + "nothing was sent: the app did not run\n";
  for (const Change c : {Change::broke, Change::other, Change::mended, Change::differs, Change::not_sent})
    section(out, replayed, c);
  renewed(out, replayed);
  return out + "\n" + counts(replayed) + "\n";
}

std::string render_table(const Recording& recording, const std::vector<Replayed>& all) {
  std::string out = recorded_on(recording) + "\n\n";
  std::vector<std::string> order;
  std::map<std::string, std::vector<std::size_t>> routes;  // indices of requests, and so of lines
  for (std::size_t i = 0; i < recording.requests.size(); ++i) {
    const std::string what = place(recording.requests[i], recording.requests[i].outcome);
    auto& list = routes[what];
    if (list.empty()) order.push_back(what);
    list.push_back(i);
  }
  std::vector<Row> rows;
  Row head{"request", "recorded"};
  for (const Replayed& p : all) head.push_back(p.profile);
  rows.push_back(head);
  for (const std::string& what : order) {
    const auto& list = routes[what];
    Row row{list.size() > 1 ? fmt::format("{} ({})", what, list.size()) : what};
    std::map<std::string, std::size_t> words;
    for (const std::size_t i : list) ++words[word_for(recording.requests[i].outcome)];
    row.push_back(cell(words, list.size()));
    for (const Replayed& p : all) {
      words.clear();
      for (const std::size_t i : list)
        if (i < p.lines.size())
          ++words[p.lines[i].met.outcome ? word_for(*p.lines[i].met.outcome) : std::string()];
      row.push_back(p.lines.empty() ? "did not run" : cell(words, list.size()));
    }
    rows.push_back(std::move(row));
  }
  out += fitted(rows);
  std::set<std::string> told;
  std::string unsent;
  for (const Replayed& p : all)
    for (const Group& g : groups(p, Change::not_sent)) {
      if (!told.insert(g.what + '\n' + g.after).second) continue;
      unsent += fmt::format("  - {}  ({})\n      {}\n", g.what, numbers(g.numbers), g.after);
    }
  if (!unsent.empty()) out += fmt::format("\n{}\n{}", heading(Change::not_sent), unsent);
  out += "\n";
  rows.clear();
  for (const Replayed& p : all)
    rows.push_back({p.profile, p.lines.empty() && !recording.requests.empty() ? "did not run" : counts(p)});
  return out + in_columns(rows);
}

namespace {

std::string outcome_json(const RecordedOutcome& o) {
  std::string codes;
  for (const limits::Code code : o.codes)
    codes += fmt::format("{}\"{}\"", codes.empty() ? "" : ",", limits::info(code).name);
  return fmt::format(
      R"({{"broken":{},"status":{},"codes":[{}],"ended_by":"{}","phase":"{}","traffic":"{}","route":{},"file":{},"kind":{},"total_ms":{:.3f},"charged_ms":{:.3f}}})",
      is_broken(o), o.status, codes, to_string(o.ended_by), to_string(o.phase), to_string(o.traffic),
      json_string(o.route), json_string(o.file), json_string(o.kind),
      std::chrono::duration<double, std::milli>(o.total).count(),
      std::chrono::duration<double, std::milli>(o.charged).count());
}

}  // namespace

std::string render_json(const Recording& recording, const std::vector<Replayed>& all) {
  const About& a = recording.about;
  std::string out = fmt::format(
      "{{\"schema\":\"vercel-sim-replay-1\",\n\"recording\":{{\"version\":{},\"profile\":{},\"profile_as_"
      "of\":{},"
      "\"isolation\":{},\"app\":{},\"requests\":{},\"lost\":{},\"ended\":{}}},\n\"profiles\":[",
      json_string(a.version), json_string(a.profile), json_string(a.profile_as_of), json_string(a.isolation),
      json_string(a.app), recording.requests.size(), recording.lost, recording.ended);
  for (const Replayed& p : all) {
    out += fmt::format("{}\n{{\"profile\":{},\"exit_code\":{},\"ran\":{},\"counts\":{{",
                       &p == all.data() ? "" : ",", json_string(p.profile), p.exit_code,
                       !p.lines.empty() || recording.requests.empty());
    for (std::size_t i = 0; i < kChanges; ++i)
      out += fmt::format("{}\"{}\":{}", i > 0 ? "," : "", to_string(static_cast<Change>(i)),
                         p.count(static_cast<Change>(i)));
    out += "},\"requests\":[";
    for (const Line& l : p.lines) {
      const std::string text = label(*l.request);
      const std::size_t space = text.find(' ');
      out += fmt::format("{}\n{{\"n\":{},\"method\":{},\"target\":{},\"change\":\"{}\",\"recorded\":{}",
                         &l == p.lines.data() ? "" : ",", l.request->n, json_string(text.substr(0, space)),
                         json_string(text.substr(space + 1)), to_string(l.change),
                         outcome_json(l.request->outcome));
      if (l.met.outcome) out += ",\"replayed\":" + outcome_json(*l.met.outcome);
      if (!l.met.why_not.empty()) out += ",\"why_not\":" + json_string(l.met.why_not);
      if (!l.met.renewed.empty()) {
        out += ",\"renewed\":[";
        for (const std::string& r : l.met.renewed)
          out += (&r == l.met.renewed.data() ? "" : ",") + json_string(r);
        out += "]";
      }
      out += "}";
    }
    out += "]";
    if (!p.report.empty()) out += ",\"report\":" + p.report.substr(0, p.report.find_last_not_of('\n') + 1);
    out += "}";
  }
  return out + "\n]}\n";
}

}  // namespace vsim::replay
