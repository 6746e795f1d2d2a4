// Who asks for what: any bytes as Host, Origin, Sec-Fetch-* and path. A name that is neither of this machine
// nor allowed is never served, and its pages get neither sockets nor the dev server's files.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/text.hpp"
#include "engine/classify.hpp"
#include "engine/door.hpp"
#include "fuzz/require.hpp"

using namespace vsim;
using namespace vsim::engine;

namespace {

std::string_view take_line(std::string_view& rest) {
  const std::string_view line = rest.substr(0, rest.find('\n'));
  rest.remove_prefix(std::min(rest.size(), line.size() + 1));
  return line;
}

// Written apart from the Door: no DNS answers for it, or only this machine's does.
bool is_of_this_machine(const std::string& host) {
  const auto only = [&](std::string_view letters) {
    return host.find_first_not_of(letters) == std::string::npos;
  };
  return host == "localhost" || host.ends_with(".localhost") ||
         (std::count(host.begin(), host.end(), '.') == 3 && only("0123456789.")) ||
         (host.find(':') != std::string::npos && only("0123456789abcdefABCDEF:."));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  static const Door closed, listed("app.local,.example.com");
  Visit v;
  v.authority = take_line(rest);
  v.origin = take_line(rest);
  v.sec_fetch_site = take_line(rest);
  v.sec_fetch_mode = take_line(rest);
  v.upgrade = (data[0] & 1) != 0;
  v.dev_internal = is_dev_internal(rest);
  const std::string host = Door::host_of(v.authority);
  const std::size_t scheme = v.origin.find("://");
  const std::string_view site = v.origin.substr(scheme == std::string_view::npos ? 0 : scheme + 3);
  const std::string from = Door::host_of(site.substr(0, site.find('/')));
  require(host.size() <= v.authority.size(), "a host that is longer than what was said");

  const auto answer = closed.ask(v);
  if (answer == Door::Answer::enter) {
    require(v.authority.empty() || is_of_this_machine(host), "a foreign name is served");
    const bool guarded = v.upgrade || v.dev_internal;
    require(!guarded || v.origin.empty() || is_of_this_machine(from) || from == host,
            "a page of another site is let in");
    require(!v.dev_internal || !(v.sec_fetch_site == "cross-site" && v.sec_fetch_mode == "no-cors"),
            "a script of the dev server in a page of another site");
  }
  if (listed.ask(v) == Door::Answer::enter && !v.authority.empty())
    require(is_of_this_machine(host) || host == "app.local" || host == "example.com" ||
                host.ends_with(".example.com"),
            "a name that is not listed is served");
  (void)is_allowable_host(v.authority);
  return 0;
}
