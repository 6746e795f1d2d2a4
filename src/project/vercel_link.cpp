#include "project/vercel_link.hpp"

#include <boost/json/value.hpp>

#include "project/files.hpp"
#include "routes/json_text.hpp"

namespace vsim::project {
namespace {

namespace json = boost::json;
constexpr std::size_t kMostBytes = 256UL * 1024;

// `settings` of the link in `directory`.
std::optional<json::object> settings_in(const std::string& directory) {
  const auto text = read_text(directory + "/.vercel/project.json", kMostBytes);
  if (!text) return std::nullopt;
  routes::JsonText parsed = routes::parse_json_text(*text);
  if (parsed.error || !parsed.value.is_object()) return std::nullopt;
  const json::value* settings = parsed.value.get_object().if_contains("settings");
  if (settings == nullptr || !settings->is_object()) return std::nullopt;
  return settings->get_object();
}

}  // namespace

std::optional<std::int64_t> made_at(const std::string& root, const std::string& workspace_root) {
  auto settings = settings_in(root);
  if (!settings && !workspace_root.empty() && root.starts_with(workspace_root + "/")) {
    settings = settings_in(workspace_root);
    const json::value* named = settings ? settings->if_contains("rootDirectory") : nullptr;
    if (named == nullptr || !named->is_string() ||
        named->get_string() != std::string_view(root).substr(workspace_root.size() + 1))
      return std::nullopt;
  }
  const json::value* made = settings ? settings->if_contains("createdAt") : nullptr;
  if (made == nullptr || !made->is_number()) return std::nullopt;
  boost::system::error_code error;
  const auto at = made->to_number<std::int64_t>(error);
  return error || at <= 0 ? std::nullopt : std::optional(at);
}

}  // namespace vsim::project
