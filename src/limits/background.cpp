#include "limits/background.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "limits/of_setting.hpp"

namespace vsim::limits::background {
namespace {

// "@scope/name" of the package that a place is in; empty: it is in none.
std::string_view package_of(std::string_view at) {
  constexpr std::string_view kFolder = "node_modules/";
  const std::size_t found = at.rfind(kFolder);
  if (found == std::string_view::npos) return {};
  at.remove_prefix(found + kFolder.size());
  std::size_t end = at.find('/');
  if (at.starts_with('@') && end != std::string_view::npos) end = at.find('/', end + 1);
  return at.substr(0, end);
}

// With no line of the app's among its callers.
bool is_of_packages(std::span<const Hanging> hanging) {
  return !hanging.empty() && std::all_of(hanging.begin(), hanging.end(),
                                         [](const Hanging& h) { return !package_of(h.at).empty(); });
}

// What a database is asked, or a cache: named "Postgres query", "Redis command".
bool has_query(std::span<const Hanging> hanging) {
  return std::any_of(hanging.begin(), hanging.end(), [](const Hanging& h) {
    return h.kind.ends_with(" query") || h.kind.ends_with(" command");
  });
}

}  // namespace

std::string_view place(std::span<const Hanging> hanging, std::string_view otherwise) {
  const auto own = std::find_if(hanging.begin(), hanging.end(),
                                [](const Hanging& h) { return !h.at.empty() && package_of(h.at).empty(); });
  return own != hanging.end() ? std::string_view(own->at) : otherwise;
}

std::string list(std::span<const Hanging> hanging) {
  constexpr std::size_t kShown = 3;
  std::string out;
  for (const Hanging& h : hanging.first(std::min(hanging.size(), kShown))) {
    if (!out.empty()) out += ", ";
    out += h.kind.empty() ? "something" : h.kind;
    if (h.delay > Duration::zero()) out += " of " + human_duration(h.delay);
    if (const std::string_view package = package_of(h.at); !package.empty())
      out.append(" by the package ").append(package);
    else if (!h.at.empty())
      out += " at " + h.at;
  }
  if (hanging.size() > kShown) out += ", and " + std::to_string(hanging.size() - kShown) + " more";
  return out;
}

bool only_intervals(std::span<const Hanging> hanging) {
  return std::all_of(hanging.begin(), hanging.end(), [](const Hanging& h) { return h.kind == "interval"; });
}

Verdict frozen(const profile::Profile& p, profile::Isolation isolation, bool freezes,
               std::span<const Hanging> hanging, std::string_view route, std::string_view file) {
  Verdict v =
      of_setting(Code::sim_background_work_frozen, "isolation", p.isolation, route, place(hanging, file));
  switch (isolation) {
    case profile::Isolation::invocation:
      v.limit = "the instance ends when the response and waitUntil work are done";
      break;
    case profile::Isolation::instance:
      v.limit = freezes
                    ? "the instance is frozen when the response and waitUntil work are done"
                    : "on Vercel the instance is frozen when the response and waitUntil work are done; with "
                      "--inspect-instance it runs on";
      v.enforced = freezes;
      break;
    default:
      // On Fluid a busy instance goes on running, which nobody can count on.
      v.limit = "only the response and waitUntil work are sure to be done";
      v.enforced = false;
      break;
  }
  if (is_of_packages(hanging)) {
    v.enforced = false;
    v.fix =
        has_query(hanging)
            ? "A client has sent this in a turn of its own, so the line that asked for it is not known, nor "
              "whether it is the package's own. If a handler asked for it, let it wait for the answer: "
              "`await` it, or `after(() => …)` if the response need not wait."
            : "A package has begun this by itself, as monitoring and analytics do: what it has not sent yet "
              "goes out later or never, which cannot be told from here. If it must not be lost, wait for "
              "it: `after(() => client.flush())`.";
  }
  if (only_intervals(hanging))
    v.fix =
        "An interval never ends by itself, so there is nothing that the platform could wait for. Clear it "
        "when the response is done; what must happen again and again belongs into a cron job (Vercel Cron), "
        "and an interval at the top of a module runs only while some request does: renew what it renews when "
        "it is asked for.";
  v.measured = "left " + list(hanging);
  return v;
}

Verdict frozen_middleware(const profile::Profile& p, bool stopped, std::span<const Hanging> hanging) {
  Verdict v =
      of_setting(Code::sim_background_work_frozen, "isolation", p.isolation, kMiddleware, place(hanging, {}));
  v.limit = stopped ? "middleware stops when its answer and waitUntil work are done"
                    : "only the answer of middleware and its waitUntil work are sure to be done";
  v.enforced = stopped;
  v.measured = "left " + list(hanging);
  v.fix =
      "Give the work to the event, the second argument of the function: `event.waitUntil(track())`, or to "
      "`after()` of next/server. Or await it before the answer.";
  return v;
}

}  // namespace vsim::limits::background
