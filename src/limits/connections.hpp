// Connections that instances hold to one address outside, a database for instance: each instance has a pool
// of its own, which one `next dev` does not show (docs/platform.md section 8). Nothing is refused
// here. With room on the other side it is worth a remark, once; where the other side refuses one, the verdict
// says how many there are. Pure; asked when an instance tells of its connections.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>

#include "limits/verdict.hpp"
#include "profile/profile.hpp"

namespace vsim::limits::connections {

// What an instance tells of one address.
struct HeldConnections {
  std::string to;         // "127.0.0.1:5432"
  std::size_t count = 0;  // open now; 0: none any more
  std::string at;         // where the app had one opened, "lib/db.ts:3:9"; empty: not known
  std::string refusal;    // what the other side said to one more, "53300 too many clients"; empty: nothing
};

struct Sum {
  std::size_t instances = 0, connections = 0;
};

class ConnectionLedger {
 public:
  void note(std::string_view instance, const HeldConnections&);
  void gone(std::string_view instance);
  Sum sum(std::string_view to) const;

 private:
  std::map<std::string, std::map<std::string, std::size_t, std::less<>>, std::less<>> by_address_;
};

// "2 instances hold 7 connections to 127.0.0.1:5432"
std::string words(Sum, std::string_view to);
Verdict refused(const profile::Profile&, Sum, const HeldConnections&, std::string_view route,
                std::string_view file);

}  // namespace vsim::limits::connections
