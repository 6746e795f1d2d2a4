#include "limits/connections.hpp"

#include <fmt/format.h>

#include "base/text.hpp"
#include "limits/of_setting.hpp"

namespace vsim::limits::connections {

void ConnectionLedger::note(std::string_view instance, const HeldConnections& held) {
  constexpr std::size_t kMostAddresses = 256;
  auto known = by_address_.find(held.to);
  if (known == by_address_.end()) {
    if (held.count == 0 || by_address_.size() >= kMostAddresses) return;
    known = by_address_.try_emplace(held.to).first;
  }
  if (held.count > 0) {
    known->second.insert_or_assign(std::string(instance), held.count);
    return;
  }
  if (const auto its = known->second.find(instance); its != known->second.end()) known->second.erase(its);
  if (known->second.empty()) by_address_.erase(known);
}

void ConnectionLedger::gone(std::string_view instance) {
  for (auto it = by_address_.begin(); it != by_address_.end();) {
    if (const auto its = it->second.find(instance); its != it->second.end()) it->second.erase(its);
    it = it->second.empty() ? by_address_.erase(it) : std::next(it);
  }
}

Sum ConnectionLedger::sum(std::string_view to) const {
  Sum out;
  const auto known = by_address_.find(to);
  if (known == by_address_.end()) return out;
  for (const auto& [_, count] : known->second) {
    ++out.instances;
    out.connections += count;
  }
  return out;
}

std::string words(Sum sum, std::string_view to) {
  return fmt::format("{} hold{} {} to {}", counted(sum.instances, "instance"), sum.instances == 1 ? "s" : "",
                     counted(sum.connections, "connection"), to);
}

Verdict refused(const profile::Profile& p, Sum sum, const HeldConnections& held, std::string_view route,
                std::string_view file) {
  Verdict v = of_setting(Code::sim_connections_refused, "isolation", p.isolation, route,
                         held.at.empty() ? file : std::string_view(held.at));
  v.limit = fmt::format("{} takes no more: {}", held.to, held.refusal);
  v.measured = words(sum, held.to);
  return v;
}

}  // namespace vsim::limits::connections
