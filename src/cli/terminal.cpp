#include "cli/terminal.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>

#include "base/text.hpp"
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
    const bool paint = colour_ && ink != Ink::plain;
    if (paint) out_.append(kCodes[static_cast<std::size_t>(ink)]);
    tame(text);
    if (paint) out_.append("\x1b[0m");
    return *this;
  }
  Paint& operator()(std::string_view text) { return (*this)(Ink::plain, text); }

 private:
  // What an app or a client sent must not drive the terminal: no C0 and C1 control characters, the latter
  // neither as UTF-8 (C2 80 to C2 9F) nor as lone bytes.
  void tame(std::string_view text) {
    // Nearly always there is nothing to tame.
    if (std::all_of(text.begin(), text.end(), [](char c) { return (c >= 0x20 && c < 0x7f) || c == '\n'; })) {
      out_.append(text);
      return;
    }
    for (std::size_t i = 0; i < text.size(); ++i) {
      const auto at = [&](std::size_t k) { return static_cast<unsigned char>(text[k]); };
      const unsigned char c = at(i);
      if (c < 0x80) {
        out_.push_back((c < 0x20 && c != '\n') || c == 0x7f ? '?' : text[i]);
        continue;
      }
      const std::size_t size = c >= 0xf0 && c < 0xf8 ? 4 : c >= 0xe0 ? 3 : c >= 0xc2 ? 2 : 0;
      bool whole = size != 0 && c < 0xf8 && i + size <= text.size();
      for (std::size_t k = 1; whole && k < size; ++k) whole = (at(i + k) & 0xc0) == 0x80;
      if (!whole || (c == 0xc2 && at(i + 1) < 0xa0)) {
        out_.push_back('?');
        if (whole) ++i;
        continue;
      }
      out_.append(text.substr(i, size));
      i += size - 1;
    }
  }

  std::string& out_;
  bool colour_;
};

Ink status_ink(int status) {
  return status >= 500 || status == 0 ? Ink::red
         : status >= 400              ? Ink::yellow
         : status >= 300              ? Ink::cyan
                                      : Ink::green;
}

void verdict(Paint& paint, const limits::Verdict& v) {
  const auto& info = limits::info(v.code);
  paint("  ")(v.enforced ? Ink::red : Ink::yellow, v.enforced ? "✗ " : "! ")(
      Ink::bold, info.name)("  ")(info.title)("\n");
  const auto row = [&](std::string_view name, std::string_view text) {
    if (!text.empty()) paint("    ")(Ink::dim, fmt::format("{:<8}", name))(text)("\n");
  };
  if (!v.limit.empty()) {
    std::string limit = v.limit;
    if (!v.measured.empty()) limit += ", measured " + v.measured;
    if (!v.limit_key.empty()) limit += fmt::format("  ({}", v.limit_key);
    if (v.provenance != nullptr && !v.limit_key.empty())
      limit += fmt::format(", profile {}{}{}", v.provenance->profile,
                           v.provenance->as_of.empty() ? "" : ", as of ", v.provenance->as_of);
    if (!v.limit_key.empty()) limit += ")";
    row("limit", limit);
  }
  row("why", info.why);
  row("source", v.provenance != nullptr && !v.provenance->source.empty()
                    ? std::string_view(v.provenance->source)
                    : info.source);
  row("route", v.file.empty() ? v.route : v.route.empty() ? v.file : v.route + "  " + v.file);
  row("fix", v.fix.empty() ? info.fix : std::string_view(v.fix));
}

void ended(std::string& out, const event::InvocationEnded& e, TerminalStyle style) {
  const bool shown = e.traffic == event::Traffic::invocation || e.traffic == event::Traffic::prerender ||
                     e.traffic == event::Traffic::socket ||
                     (e.traffic == event::Traffic::direct && style.verbose) || !e.verdicts.empty() ||
                     (e.traffic != event::Traffic::internal && e.outcome.ended_by == event::EndedBy::app);
  if (!shown || (style.quiet && e.verdicts.empty())) return;
  Paint paint(out, style.colour);
  constexpr std::size_t kLongest = 160;
  const std::string_view target = e.target.substr(0, kLongest);
  paint(" ")(Ink::bold, fmt::format("{:<4}", e.method))(" ")(target)(e.target.size() > kLongest ? "… " : " ");
  paint(status_ink(e.status), e.status == 0 ? std::string("---") : std::to_string(e.status));
  // What the function took; what Next needed before it started, routing and compiling, is named when it is
  // worth it.
  const bool charged = e.traffic == event::Traffic::invocation && e.charged.count() > 0;
  paint(" in ")(human_duration(charged ? e.charged : e.total));
  std::string more;
  const auto add = [&](std::string text) { more += (more.empty() ? "" : ", ") + text; };
  if (charged && e.total - e.charged >= std::chrono::milliseconds(100))
    add(human_duration(e.total - e.charged) + " of compiling and routing not counted");
  if (e.traffic == event::Traffic::prerender) add("static page: build work on Vercel, no limit");
  if (e.traffic == event::Traffic::direct) add("answered by next dev, no function");
  if (e.client_left) add("client left");
  if (!more.empty()) paint(Ink::dim, " (" + more + ")");
  if (e.outcome.code != limits::Code::none) paint(" ")(Ink::red, limits::info(e.outcome.code).name);
  paint("\n");
  for (const auto& v : e.verdicts) verdict(paint, v);
}

}  // namespace

void format_event(std::string& out, const event::Event& event, const profile::Profile&, TerminalStyle style) {
  Paint paint(out, style.colour);
  if (const auto* e = std::get_if<event::InvocationEnded>(&event)) return ended(out, *e, style);
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
  if (const auto* e = std::get_if<event::SocketOpened>(&event)) {
    if (!style.quiet) paint(" ")(Ink::bold, "WS  ")(" ")(e->target)(" ")(Ink::green, "101")(" open")("\n");
    return;
  }
  if (const auto* e = std::get_if<event::RouteCompiled>(&event)) {
    if (style.verbose)
      paint(Ink::dim,
            fmt::format(" compiled {} in {} (not counted)", e->route, human_duration(e->took)))("\n");
    return;
  }
}

void Terminal::on_event(const event::Stamp&, const event::Event& event) {
  writer_.append([&](std::string& out) { format_event(out, event, profile_, style_); });
  const auto* started = std::get_if<event::RunStarted>(&event);
  if (started == nullptr || ready_hint_.empty()) return;
  std::string hint = ready_hint_;
  for (std::size_t at = 0; (at = hint.find("{url}", at)) != std::string::npos; at += started->url.size())
    hint.replace(at, 5, started->url);
  app_output(hint + "\n");
}

void Terminal::app_output(std::string_view text) {
  writer_.append([&](std::string& out) { out.append(text); });
}

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
