#include "cli/open_requests.hpp"

#include <fmt/format.h>

#include "base/plain_text.hpp"
#include "base/text.hpp"

namespace vsim::cli {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kMost = 1000;   // watched at once
constexpr std::size_t kLongest = 80;  // bytes of a target
constexpr Duration kFirst = 2s, kSecond = 10s, kEvery = 30s;

// The dev server's own, which is open as long as a page is.
bool is_internal(std::string_view target) {
  return target.starts_with("/_next/") || target.starts_with("/__nextjs") ||
         target.starts_with("/_vercel-sim/");
}

}  // namespace

void OpenRequests::on_event(const event::Stamp& stamp, const event::Event& event) {
  if (const auto* e = std::get_if<event::InvocationStarted>(&event)) {
    if (open_.size() < kMost && !is_internal(e->target))
      open_[static_cast<std::uint64_t>(e->id)] = {
          std::string(e->method), std::string(e->target.substr(0, kLongest)), stamp.at, kFirst};
  } else if (const auto* ended = std::get_if<event::InvocationEnded>(&event)) {
    open_.erase(static_cast<std::uint64_t>(ended->id));
  } else if (const auto* socket = std::get_if<event::SocketOpened>(&event)) {
    open_.erase(static_cast<std::uint64_t>(socket->id));  // its line says that it is open
  }
}

std::string OpenRequests::tell(TimePoint now) {
  std::string out;
  for (auto& [id, one] : open_) {
    const Duration took = now - one.since;
    if (took < one.next) continue;
    one.next = one.next == kFirst ? kSecond : one.next == kSecond ? kEvery : one.next + kEvery;
    out += fmt::format(" {:<4} {} … still open after {}s\n", one.method, plain(one.target), took / 1s);
  }
  return out;
}

}  // namespace vsim::cli
