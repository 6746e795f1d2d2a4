// Files of a project from anywhere: the scripts of package.json, .env, next.config, versions and remotes.
// They are read without being run, and do not crash or hang. The first byte chooses the reader.
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "fuzz/require.hpp"
#include "project/dev_script.hpp"
#include "project/env_names.hpp"
#include "project/git_head.hpp"
#include "project/next_config.hpp"
#include "project/node_version.hpp"
#include "routes/json_text.hpp"

using namespace vsim;
using namespace vsim::project;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0 || size > 16'384) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 5) {
    case 0: {
      const std::size_t line = text.find('\n');
      const std::map<std::string, std::string, std::less<>> scripts = {
          {"dev", std::string(text.substr(0, line))},
          {"other", line == std::string_view::npos ? "" : std::string(text.substr(line + 1))}};
      const DevScript dev = parse_dev_script(scripts);
      require(!dev.port || (*dev.port >= 0 && *dev.port <= 65'535), "a port that is none");
      std::size_t bytes = 0;
      for (const ShellWord& w : split_shell(text)) bytes += w.text.size();
      require(bytes <= text.size(), "more than was written");
      break;
    }
    case 1:
      for (const std::string_view name : env_names(text))
        require(name.data() >= text.data() && name.data() + name.size() <= text.data() + text.size(),
                "a name outside the text");
      break;
    case 2: {
      const NextConfig c = read_next_config(text, (data[0] & 128) != 0 ? "next.config.ts" : "next.config.js");
      std::size_t lines = 1;
      for (const char ch : text) lines += ch == '\n' ? 1 : 0;
      for (const int line : {c.base_path.line, c.asset_prefix.line, c.page_extensions.line, c.dist_dir.line,
                             c.trailing_slash.line})
        require(line >= 0 && static_cast<std::size_t>(line) <= lines, "a line outside the text");
      break;
    }
    case 3: {
      const std::size_t line = text.find('\n');
      (void)parse_version(text);
      (void)satisfies({20, 11, 1}, text.substr(0, line));
      (void)check_node({22, 1, 0}, text.substr(0, line),
                       line == std::string_view::npos ? "" : text.substr(line + 1));
      (void)remote_of(text);
      break;
    }
    default: {
      const routes::JsonText json = routes::parse_json_text(text);
      require(!json.error || !json.error->empty(), "an error without a word");
    }
  }
  return 0;
}
