#include "app/node_options.hpp"

namespace vsim::app {

std::string with_agent(std::string_view users, std::string_view script) {
  std::string out;
  if (!script.empty()) {
    // Node splits NODE_OPTIONS at spaces, except inside double quotes, where a backslash escapes.
    out = "--require=";
    if (script.find_first_of(" \"\\") == std::string_view::npos) {
      out += script;
    } else {
      out += '"';
      for (const char c : script) {
        if (c == '"' || c == '\\') out += '\\';
        out += c;
      }
      out += '"';
    }
  }
  if (users.find("--max-http-header-size") == std::string_view::npos)
    out += (out.empty() ? "" : " ") + std::string("--max-http-header-size=262144");
  if (!users.empty()) out.append(" ").append(users);
  return out;
}

}  // namespace vsim::app
