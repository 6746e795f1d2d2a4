#include "cli/terminal.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>

#include "base/fit_columns.hpp"
#include "base/plain_text.hpp"
#include "base/text.hpp"
#include "cli/columns.hpp"
#include "limits/code.hpp"

namespace vsim::cli {
namespace {

enum class Ink { plain, dim, bold, red, green, yellow, cyan };

class Paint {
 public:
  Paint(std::string& out, bool colour) : out_(out), colour_(colour) {}
  Paint& operator()(Ink ink, std::string_view text) {
    static constexpr std::array<std::string_view, 7> kCodes{"",         "\x1b[2m",  "\x1b[1m", "\x1b[31m",
                                                            "\x1b[32m", "\x1b[33m", "\x1b[36m"};
    const bool paint = colour_ && ink != Ink::plain && !text.empty();
    if (paint) out_.append(kCodes[static_cast<std::size_t>(ink)]);
    append_plain(out_, text, LineEnds::keep);
    if (paint) out_.append("\x1b[0m");
    return *this;
  }
  Paint& operator()(std::string_view text) { return (*this)(Ink::plain, text); }

 private:
  std::string& out_;
  bool colour_;
};

Ink status_ink(int status) {
  return status >= 500 || status == 0 ? Ink::red
         : status >= 400              ? Ink::yellow
         : status >= 300              ? Ink::cyan
                                      : Ink::green;
}

// "duration.default, profile hobby, as of 2026-08-03"
std::string whose(const limits::Verdict& v) {
  std::string out = v.limit_key;
  if (v.provenance == nullptr || out.empty()) return out;
  if (v.provenance->profile == profile::kSetByUser) return out + ", set by you";
  out += ", profile " + v.provenance->profile;
  if (!v.provenance->as_of.empty()) out += ", as of " + v.provenance->as_of;
  return out;
}

// What to do comes first, how we know it last.
void verdict(Paint& paint, const limits::Verdict& v, std::size_t times_before) {
  const auto& info = limits::info(v.code);
  paint("  ")(v.enforced ? Ink::red : Ink::yellow, v.enforced ? "✗ " : "! ")(Ink::bold,
                                                                             info.name)("  ")(info.title);
  if (times_before > 0) paint(Ink::dim, fmt::format(" (explained above, {} times now)", times_before + 1));
  paint("\n");
  const auto row = [&](std::string_view name, Ink ink, std::string_view text) {
    if (!text.empty()) paint("    ")(Ink::dim, fmt::format("{:<8}", name))(ink, text)("\n");
  };
  // A number stands beside its limit; what was seen otherwise speaks for itself.
  const bool number = !v.limit.empty() && !v.measured.empty() && v.measured[0] >= '0' && v.measured[0] <= '9';
  // What was seen differs from one to the next: the cause of a death, an instance, a line.
  if (times_before > 0) return number ? void() : row("seen", Ink::plain, v.measured);
  row("fix", Ink::green, v.fix.empty() ? info.fix : std::string_view(v.fix));
  row("seen", Ink::plain, number ? fmt::format("{}, the limit is {}", v.measured, v.limit) : v.measured);
  row("where", Ink::cyan,
      v.file.empty()    ? v.route
      : v.route.empty() ? v.file
                        : fmt::format("{}  (route {})", v.file, v.route));
  row("why", Ink::plain, info.why);
  const std::string from = whose(v);
  row("limit", Ink::plain,
      v.limit.empty() || number ? from
      : from.empty()            ? v.limit
                                : fmt::format("{} ({})", v.limit, from));
  row("source", Ink::plain,
      v.provenance != nullptr && !v.provenance->source.empty() ? std::string_view(v.provenance->source)
                                                               : info.source);
}

void verdicts(Paint& paint, std::span<const limits::Verdict> list, Explained* explained) {
  for (const auto& v : list) verdict(paint, v, explained == nullptr ? 0 : explained->times_before(v));
}

// What passed and did not count against the deadline, where it is worth a word.
std::string not_counted(const event::InvocationEnded& e) {
  constexpr Duration kWorth = std::chrono::milliseconds(50);
  std::string out;
  const auto part = [&](std::string_view name, Duration took) {
    if (took >= kWorth) out += fmt::format("{}{} {}", out.empty() ? "" : ", ", name, human_duration(took));
  };
  part("compile", e.compile);
  part("waited", e.waited);
  part("init", e.init);
  part("own requests", e.own_requests);
  // After an instance has said its last byte a slow client may still be reading.
  part(e.instance.empty() ? "routing" : "routing and delivery",
       e.total - e.charged - e.compile - e.waited - e.init - e.own_requests);
  return out.empty() ? out : "not counted: " + out;
}

void ended(std::string& out, const event::InvocationEnded& e, TerminalStyle style, Explained* explained) {
  // The request that it stood before has a line of its own.
  if (event::let_pass(e) && !style.verbose) return;
  const bool shown = e.traffic == event::Traffic::invocation || e.traffic == event::Traffic::prerender ||
                     e.traffic == event::Traffic::socket ||
                     (e.traffic == event::Traffic::direct && style.verbose) || !e.verdicts.empty() ||
                     (e.traffic != event::Traffic::internal && e.outcome.ended_by == event::EndedBy::app);
  if (!shown || (style.quiet && e.verdicts.empty())) return;
  Paint paint(out, style.colour);
  constexpr std::size_t kLongest = 160;
  constexpr std::string_view kPad = "    ";  // methods in a column
  const std::string_view target = e.target.substr(0, kLongest);
  paint(" ")(Ink::bold, e.method)(kPad.substr(0, kPad.size() - std::min(e.method.size(), kPad.size())))(" ")(
      target)(e.target.size() > kLongest ? "… " : " ");
  char digits[12];
  const std::string_view status(
      digits, static_cast<std::size_t>(std::to_chars(digits, digits + sizeof digits, e.status).ptr - digits));
  paint(status_ink(e.status), e.status == 0 ? std::string_view("---") : status);
  // What the function took; what came before it is named when it is worth it.
  // Nothing at all is what a handler takes whose start and end are heard of at once.
  const bool charged =
      ((e.traffic == event::Traffic::invocation || !e.instance.empty()) && e.charged.count() > 0) ||
      (e.traffic == event::Traffic::invocation && !e.instance.empty());
  paint(" in ")(human_duration(charged ? e.charged : e.total));
  if (!e.instance.empty()) {
    const bool warm = e.start == "warm";
    paint(" ")(Ink::dim, e.instance)(" ")(warm ? Ink::dim : Ink::cyan, warm ? "warm" : "cold");
  }
  std::string more;
  const auto add = [&](std::string_view text) {
    if (!text.empty()) more.append(more.empty() ? "" : ", ").append(text);
  };
  if (e.kind == "middleware") add("middleware of that request");
  if (e.traffic == event::Traffic::prerender) add("static page: build work on Vercel, no limit");
  if (e.traffic == event::Traffic::direct) add("answered by next dev, no function");
  if (e.client_left) add("client left");
  if (charged) add(not_counted(e));
  if (!more.empty()) paint(Ink::dim, " (" + more + ")");
  if (e.outcome.code != limits::Code::none) paint(" ")(Ink::red, limits::info(e.outcome.code).name);
  paint("\n");
  verdicts(paint, e.verdicts, explained);
}

// As `profiles diff` has it, key by key.
void switched(Paint& paint, const event::ProfileChanged& e) {
  const bool scale_only = e.changes.size() == 1 && e.changes[0].key == "time_scale";
  if (scale_only)
    paint(Ink::cyan, "time scale ")(Ink::bold, fmt::format("{:g}x", e.time_scale))(
        " for requests that come from now on (limits are divided by it, none below 1 s of real time; "
        "verdicts "
        "name the limit as it is)\n");
  else
    paint(Ink::cyan, "plan ")(Ink::bold, e.profile)(fmt::format(" (as of {})", e.profile_as_of))(
        " for requests that come from now on")(e.before == e.profile ? ";"
                                                                     : fmt::format(", after {};", e.before))(
        " those under way keep the limits they came under\n");
  if (scale_only) return;
  std::size_t widest = 0;
  for (const auto& c : e.changes) widest = std::max(widest, c.key.size());
  for (const auto& c : e.changes)
    paint("  ")(Ink::dim, fmt::format("{:<{}}", c.key, widest))("  ")(c.from)(Ink::dim, " → ")(Ink::bold,
                                                                                               c.to)("\n");
  if (e.changes.empty()) paint("  nothing that is enforced here differs\n");
}

void deployed(Paint& paint, const event::Deployed& e) {
  paint(Ink::cyan, "deployment ")(
      Ink::bold, std::to_string(e.deployment))(": new requests go to it, on fresh instances");
  if (e.sockets + e.streams + e.requests == 0) {
    paint("; nothing is open on the one before\n");
    return;
  }
  std::vector<std::string> what;
  if (e.sockets > 0) what.push_back(counted(e.sockets, "socket"));
  if (e.streams > 0) what.push_back(counted(e.streams, "stream"));
  if (e.requests > 0) what.push_back(counted(e.requests, "request"));
  const bool one = e.sockets + e.streams + e.requests == 1;
  paint(fmt::format("; {} {} on the one before until {}\n", fmt::join(what, ", "), one ? "stays" : "stay",
                    one ? "it ends" : "they end"));
}

void met(Paint& paint, const event::DeploymentMet& e) {
  paint(Ink::dim, fmt::format(" deployment {} ", e.deployment))(e.socket ? "WS " : "stream ")(Ink::bold,
                                                                                              e.target)(" ");
  switch (e.fate) {
    case event::Fate::reconnected:
      paint(Ink::green, "came back")(fmt::format(" after {}", human_duration(e.took)));
      break;
    case event::Fate::ended:
      paint("had said all, and nobody asked again");
      break;
    case event::Fate::left:
      paint("was closed by its client, which did not come back");
      break;
    case event::Fate::lost:
      paint(Ink::red, "is lost")(": it was ended, and nobody came back within 10s");
      break;
  }
  paint(Ink::dim, fmt::format(" (it had stayed {} on the old one)", human_duration(e.stayed)))("\n");
}

void scored(Paint& paint, const event::DeploymentScored& e) {
  const std::size_t all = e.sockets + e.streams;
  if (all == 0) return;
  paint(Ink::cyan, fmt::format("deployment {}", e.deployment))(fmt::format(
      " met {} and {}: {} came back{}", counted(e.sockets, "socket"), counted(e.streams, "stream"),
      e.reconnected, e.reconnected > 0 ? fmt::format(" (slowest {})", human_duration(e.slowest)) : ""));
  if (e.ended > 0) paint(fmt::format(", {} had ended", e.ended));
  if (e.left > 0) paint(fmt::format(", {} left", e.left));
  if (e.open > 0) paint(fmt::format(", {} still open", e.open));
  paint(", ")(e.lost > 0 ? Ink::red : Ink::green, fmt::format("{} lost", e.lost))("\n");
}

// "i3 spawning (fork)", "i3 frozen /api/a", "i3 dead, deadline: killed by signal 9 (SIGKILL)".
void changed(Paint& paint, const event::InstanceChanged& e) {
  std::string text = fmt::format(" {:<4} {}", e.instance, e.to);
  if (!e.function.empty()) text.append(" ").append(e.function);
  if (!e.why.empty()) text.append(", ").append(e.why);
  if (!e.death.empty()) text.append(": ").append(e.death);
  if (e.memory > 0) text.append(" (").append(human_size(e.memory)).append(")");
  if (!e.start.empty()) text.append(" (").append(e.start).append(")");
  if (!e.uncopied.empty())
    text.append(" (its instances evaluate for themselves: ").append(e.uncopied).append(")");
  paint(Ink::dim, text)("\n");
}

void background(Paint& paint, const event::BackgroundWork& e, Explained* explained) {
  if (e.verdicts.empty()) return;
  // It may come long after the line of its invocation: whose it is stands here again.
  paint(" ")(Ink::bold,
             fmt::format("{:<4}", ""))(" ")(e.route.empty() ? e.file : e.route)(" after the response");
  if (!e.instance.empty()) paint(" ")(Ink::dim, e.instance);
  paint("\n");
  verdicts(paint, e.verdicts, explained);
}

}  // namespace

std::size_t Explained::times_before(const limits::Verdict& v) {
  // Past this, whoever reads has stopped reading: everything is explained again.
  constexpr std::size_t kMost = 4096;
  // What differs between two that look the same to a reader are the numbers that were measured.
  key_.assign(limits::info(v.code).name);
  for (const std::string_view part :
       {std::string_view(v.limit_key), std::string_view(v.limit), std::string_view(v.route),
        std::string_view(v.file), std::string_view(v.fix)})
    key_.append(1, '\n').append(part);
  if (const auto at = met_.find(key_); at != met_.end()) return at->second++;
  if (met_.size() < kMost) met_.emplace(key_, 1);
  return 0;
}

void format_event(std::string& out, const event::Event& event, TerminalStyle style, Explained* explained) {
  Paint paint(out, style.colour);
  if (const auto* e = std::get_if<event::InvocationEnded>(&event)) return ended(out, *e, style, explained);
  if (const auto* e = std::get_if<event::RunStarted>(&event)) {
    // Stable: other programs wait for this line. Scale and isolation are in the banner above it.
    paint(Ink::green, "vercel-sim ready on ")(
        Ink::bold, e->url)(fmt::format(" (profile {}, as of {})", e->profile, e->profile_as_of))("\n");
    return;
  }
  if (const auto* e = std::get_if<event::Notice>(&event)) {
    const Ink ink = e->level == event::Level::error     ? Ink::red
                    : e->level == event::Level::warning ? Ink::yellow
                                                        : Ink::cyan;
    paint(ink, e->level == event::Level::error     ? "error: "
               : e->level == event::Level::warning ? "warning: "
                                                   : "note: ");
    if (!e->file.empty())
      paint(e->line > 0 ? fmt::format("{}:{}: ", e->file, e->line) : fmt::format("{}: ", e->file));
    paint(e->message);
    if (!e->code.empty()) paint(Ink::dim, fmt::format("  [{}]", e->code));
    paint("\n");
    if (!e->fix.empty()) paint(Ink::dim, "  fix: ")(e->fix)("\n");
    return;
  }
  if (const auto* e = std::get_if<event::AppChanged>(&event)) {
    if (e->state == event::AppState::crashed)
      paint(Ink::red, "the app stopped: ")(e->detail)("\n");
    else if (e->state == event::AppState::restarting)
      paint(Ink::yellow, "restarting the app")(e->detail.empty() ? "" : " ")(e->detail)("\n");
    else if (e->state == event::AppState::ready && style.verbose)
      paint(Ink::dim, "the app is ready")("\n");
    return;
  }
  if (const auto* e = std::get_if<event::ProfileChanged>(&event)) return switched(paint, *e);
  if (const auto* e = std::get_if<event::Deployed>(&event)) return style.quiet ? void() : deployed(paint, *e);
  if (const auto* e = std::get_if<event::DeploymentMet>(&event)) return style.quiet ? void() : met(paint, *e);
  if (const auto* e = std::get_if<event::DeploymentScored>(&event)) return scored(paint, *e);
  if (const auto* e = std::get_if<event::SocketOpened>(&event)) {
    if (!style.quiet)
      paint(" ")(Ink::bold, "WS  ")(" ")(e->target)(" ")(
          Ink::green, "101")(" open")(e->instance.empty() ? "" : " ")(Ink::dim, e->instance)("\n");
    return;
  }
  if (const auto* e = std::get_if<event::RouteCompiled>(&event)) {
    if (style.verbose)
      paint(Ink::dim,
            fmt::format(" compiled {} in {} (not counted)", e->route, human_duration(e->took)))("\n");
    return;
  }
  if (const auto* e = std::get_if<event::InstanceChanged>(&event)) {
    if (style.verbose) changed(paint, *e);
    return;
  }
  if (const auto* e = std::get_if<event::BackgroundWork>(&event)) return background(paint, *e, explained);
  if (const auto* e = std::get_if<event::CommandRun>(&event)) {
    if (!style.verbose) return;
    if (e->ended)
      paint(Ink::dim, fmt::format(" {} ended with {}", e->command, e->exit_code))("\n");
    else
      paint(Ink::dim, fmt::format(" running {}", e->command))("\n");
    return;
  }
}

Terminal::Terminal(app::LineWriter& writer, TerminalStyle style, int fd)
    : writer_(writer), style_(style), fd_(columns_of(fd) > 0 ? fd : -1) {}

void Terminal::on_event(const event::Stamp& stamp, const event::Event& event) {
  if (fd_ >= 0) open_.on_event(stamp, event);
  event_.clear();
  format_event(event_, event, style_, &explained_);
  if (!event_.empty()) {
    if (const std::size_t width = columns_of(fd_); width > 0) event_ = fit_columns(event_, width);
    writer_.gather([&](std::string& out) { out.append(event_); });
  }
  const auto* started = std::get_if<event::RunStarted>(&event);
  if (started == nullptr || ready_hint_.empty()) return;
  std::string hint = ready_hint_;
  const auto put = [&hint](std::string_view name, std::string_view text) {
    for (std::size_t at = 0; (at = hint.find(name, at)) != std::string::npos; at += text.size())
      hint.replace(at, name.size(), text);
  };
  put("{url}", started->url);
  put("{port}", started->url.substr(started->url.rfind(':') + 1));
  say(hint + "\n");
}

void Terminal::app_output(std::string_view text) {
  writer_.append([&](std::string& out) { out.append(text); });
}

void Terminal::tick(TimePoint now) {
  const std::string open = open_.tell(now);
  if (open.empty() || style_.quiet) return;
  std::string text;
  Paint(text, style_.colour)(Ink::dim, open);
  say(text);
}

void Terminal::say(std::string_view text) { app_output(fit_columns(text, columns_of(fd_))); }

bool is_next_request_line(std::string_view line) {
  std::string plain;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '\x1b' && i + 1 < line.size() && line[i + 1] == '[') {
      i += 2;
      while (i < line.size() && !(line[i] >= '@' && line[i] <= '~')) ++i;
    } else if (line[i] != '\r' && line[i] != '\n') {
      plain.push_back(line[i]);
    }
  }
  std::string_view rest = plain;
  if (rest.starts_with("[i"))
    rest.remove_prefix(std::min(rest.find("] ") + 2, rest.size()));  // an instance's
  if (!rest.starts_with(' ')) return false;
  rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
  static constexpr std::array<std::string_view, 7> kMethods{"GET ",    "POST ", "PUT ",    "PATCH ",
                                                            "DELETE ", "HEAD ", "OPTIONS "};
  bool found = false;
  for (const auto method : kMethods) found = found || rest.starts_with(method);
  if (!found) return false;
  rest.remove_prefix(rest.find(' ') + 1);
  if (!rest.starts_with('/')) return false;
  const std::size_t space = rest.find(' ');
  if (space == std::string_view::npos || rest.size() < space + 8) return false;
  rest.remove_prefix(space + 1);
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  return digit(rest[0]) && digit(rest[1]) && digit(rest[2]) && rest.substr(3, 4) == " in ";
}

}  // namespace vsim::cli
