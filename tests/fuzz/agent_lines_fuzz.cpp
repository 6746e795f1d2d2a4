// What an agent, an instance or next dev says, of which any part may be an app's word: lines of the control
// channel, dispatches, and fields of a response. The first byte chooses the reader.
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>

#include "agent/control.hpp"
#include "agent/dispatch.hpp"
#include "agent/meta.hpp"
#include "agent/secrets.hpp"
#include "fuzz/require.hpp"

using namespace vsim;
using namespace vsim::agent;

namespace {

constexpr std::string_view kToken = "0123456789abcdef";

void look(const std::vector<Hanging>& all) {
  for (const Hanging& h : all) require(h.delay >= Duration{}, "a delay below zero");
}
void look(const StateReport& r) { require(r.seen.size() <= 64, "more variables than are kept"); }

struct OfAgent final : ControlHandler {
  void on_hello(const Hello& h) override { require(h.pid >= 0, "a process number"); }
  void on_listening() override {}
  void on_config(const AppConfig&) override {}
  void on_dispatch(InvocationId, std::string_view, std::string_view, std::string_view, bool) override {}
  void on_compile(InvocationId, bool) override {}
  void on_handler(InvocationId) override {}
  void on_precompiled(const Precompiled& p) override { require(std::isfinite(p.ms), "ms"); }
  void on_left(InvocationId, const std::vector<Hanging>& left, bool) override { look(left); }
  void on_state(InvocationId, const StateReport& r) override { look(r); }
  void on_boot(const Boot& b) override { require(!b.file.empty(), "a boot file without a name"); }
  void on_changed(const Changed& c) override { require(c.generation <= 1ull << 53, "a generation"); }
  void on_problem(std::string_view) override {}
  void on_closed(bool) override {}
};

struct OfInstance final : InstanceHandler {
  bool on_instance(std::uint64_t, std::string_view, pid_t) override { return true; }
  void on_ready(std::uint64_t, double ms) override { require(std::isfinite(ms), "ms"); }
  void on_bound(std::uint64_t, BoundReport) override {}
  void on_handler(std::uint64_t, InvocationId) override {}
  void on_dispatch(std::uint64_t, InvocationId, std::string_view, std::string_view, std::string_view,
                   bool) override {}
  void on_compile(std::uint64_t, InvocationId, bool) override {}
  void on_call(std::uint64_t, bool) override {}
  void on_done(std::uint64_t, InvocationId, std::optional<std::vector<std::string>>,
               const std::vector<Hanging>& left, bool) override {
    look(left);
  }
  void on_state(std::uint64_t, InvocationId, const StateReport& r) override { look(r); }
  void on_pong(std::uint64_t) override {}
  void on_made(std::uint64_t, InvocationId, const MadeReport& m) override {
    require(std::isfinite(m.every) && std::isfinite(m.read), "a time that is no number");
  }
  void on_socket_failed(std::uint64_t, InvocationId) override {}
  void on_broken_off(std::uint64_t, InvocationId, std::string_view, std::string_view) override {}
  void on_crashed(std::uint64_t, InvocationId, int) override {}
  void on_dying(std::uint64_t, std::string_view, std::string_view, std::string_view) override {}
  void on_closed(std::uint64_t) override {}
};

// Of one connection: some refer to what was said before.
template <typename Take>
void lines(std::string_view text, Take take) {
  for (;;) {
    const std::size_t end = text.find('\n');
    take(text.substr(0, end));
    if (end == std::string_view::npos) return;
    text.remove_prefix(end + 1);
  }
}

void fields(std::string_view text) {
  const std::string with = std::string(kToken) + " " + std::string(text);
  if (const auto meta = parse_meta("x-vsim-meta", with, kToken)) {
    for (const char c : page_field(meta->page)) require(c > ' ' && c < 0x7f && c != ',', "a page in a field");
    require(meta->kept.size() <= text.size() && meta->page.size() <= text.size(), "more than was said");
  }
  require(text.starts_with(kToken) || !parse_meta("x-vsim-meta", text, kToken), "meta without the token");
  require(text.starts_with(kToken) || !dispatch_field("x-vsim-dispatch", text, kToken),
          "a dispatch without the token");
  if (const auto got = dispatch_field("x-vsim-dispatch", with, kToken))
    require(got->size() <= text.size(), "more than was said");
  require(
      parse_call(text, kToken) == 0 || text.starts_with(call_mark(kToken, parse_call(text, kToken)) + "."),
      "a call that nobody has marked");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] & 3) {
    case 0: {
      OfAgent handler;
      lines(text, [&, said = Said{}](std::string_view line) mutable { (void)deliver(line, handler, said); });
      break;
    }
    case 1: {
      OfInstance handler;
      lines(text,
            [&, said = Said{}](std::string_view line) mutable { (void)deliver(line, 7, handler, said); });
      break;
    }
    case 2:
      if (const auto d = parse_dispatch(text)) {
        require(d->head.ends_with("\r\n") && d->head.find("\r\n\r\n") == std::string_view::npos, "the head");
        require(d->head.data() >= text.data() && d->head.data() + d->head.size() == text.data() + text.size(),
                "the head is inside the text");
        for (const char c : page_field(d->page))
          require(c > ' ' && c < 0x7f && c != ',', "a page in a field");
      }
      break;
    default:
      fields(text);
  }
  return 0;
}
