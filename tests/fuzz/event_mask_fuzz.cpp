// Any bytes as a request's target or a command line's word: a value that a secret's name stands before is
// never written down, whatever is before and behind it, and what is masked stays as it is.
#include <cstdint>
#include <string>
#include <string_view>

#include "event/mask.hpp"
#include "fuzz/require.hpp"

using namespace vsim::event;

namespace {

constexpr std::string_view kSecret = "QZSECRETZQ";

std::string masked(std::string_view target) {
  std::string out;
  mask_target(target, [&](std::string_view piece) { out += piece; });
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 8'192) return 0;
  const std::string text(reinterpret_cast<const char*>(data), size);
  const std::string once = masked(text);
  require(masked(once) == once, "a second time it differs");
  if (text.find(kSecret) != std::string::npos) return 0;
  for (const char* pair : {"&access_token=", "&sid=", "&next=%2Fcb%3Ftoken%3D", "&u=https://user:"}) {
    std::string target = "/?" + text + pair;
    target += kSecret;
    if (target.ends_with("user:" + std::string(kSecret))) target += "@h/";
    require(masked(target + "&" + text).find(kSecret) == std::string::npos, "a secret is written down");
  }
  const std::string named = "?" + text + "token=" + std::string(kSecret);
  if (text.find_first_of("&;=") == std::string::npos)
    require(masked(named).find(kSecret) == std::string::npos, "a secret with a long name is written down");
  (void)mask_word(text, "");
  (void)mask_word(text, "--header");
  if (!text.starts_with('-') && !text.empty())
    require(mask_word(text, "--api-key") == "***", "a secret of the command line is written down");
  return 0;
}
