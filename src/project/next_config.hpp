// What next.config says without running it: basePath, assetPrefix, pageExtensions, distDir, trailingSlash,
// where they are literals. What is computed is marked so; the preload inside next dev tells the real values
// later. read_next_config is a function of the text; the reading of the file is find_next_config's.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vsim::project {

enum class Known : std::uint8_t {
  unset,     // the file does not name it: Next's default holds
  literal,   // `value` is what the file says
  computed,  // the file names it, or may, but only running it would tell
};
template <class T>
struct ConfigValue {
  Known known = Known::unset;
  T value{};
  int line = 0;
  void set(T v) {
    known = Known::literal;
    value = std::move(v);
  }
  bool operator==(const ConfigValue&) const = default;
};

struct NextConfig {
  std::string file;  // "next.config.ts", "" when there is none
  ConfigValue<std::string> base_path;
  ConfigValue<std::string> asset_prefix;
  ConfigValue<std::vector<std::string>> page_extensions;
  ConfigValue<std::string> dist_dir;
  ConfigValue<bool> trailing_slash;
  // The object goes through functions (withSentryConfig(…), a phase function): values were read, but may be
  // changed on the way.
  bool wrapped = false;
  bool operator==(const NextConfig&) const = default;
};

NextConfig read_next_config(std::string_view text, std::string_view file);
// The first of next.config.js, .mjs, .ts, .mts in `root`, in Next's order.
NextConfig find_next_config(const std::string& root);

}  // namespace vsim::project
