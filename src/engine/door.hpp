// Who may talk to the app through vercel-sim. A page of any site can send requests to this machine: by its
// own name after a DNS rebinding, or straight at localhost from the developer's browser. Vercel answers a
// host it does not know with 404 DEPLOYMENT_NOT_FOUND; `next dev` checks its own paths only, and in some
// versions only warns. Pure; asked for every request.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace vsim::engine {

// What a browser says of a request. Empty: it did not say.
struct Visit {
  std::string_view authority;       // Host, or the authority of an absolute-form target: "localhost:3000"
  std::string_view origin;          // "http://localhost:3000", "null"
  std::string_view sec_fetch_site;  // "cross-site"
  std::string_view sec_fetch_mode;  // "no-cors"
  bool upgrade = false;
  bool dev_internal = false;  // engine/classify.hpp
};

class Door {
 public:
  enum class Answer { enter, host_not_allowed, origin_not_allowed };

  // `allowed`: host names with commas between them; ".example.com" is example.com and all below it, "*" is
  // every host and origin.
  explicit Door(std::string_view allowed = {});

  // localhost, *.localhost, IP addresses (nobody's DNS answers for those) and what is allowed are served.
  // Upgrades and the dev server's own paths also want an Origin that is absent (no browser), the host that is
  // asked, a loopback name or address, or allowed; and no <script> or <img> of another site gets the dev
  // server's files.
  Answer ask(const Visit&) const;

  // "LocalHost:3000" → "localhost", "[::1]:3000" → "::1".
  static std::string host_of(std::string_view authority);

 private:
  bool listed(std::string_view host) const;
  bool serves(std::string_view authority) const;
  bool admits_origin(std::string_view origin, std::string_view authority) const;

  std::vector<std::string> names_;
  bool all_ = false;
};

// Whether `name` can stand in the list: a host name, ".name", or "*"; no scheme, no port, no path.
bool is_allowable_host(std::string_view name);

}  // namespace vsim::engine
