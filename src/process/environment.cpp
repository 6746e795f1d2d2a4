#include "process/environment.hpp"

#include <unistd.h>

namespace vsim::process {
namespace {

bool names(std::string_view entry, std::string_view name) {
  return entry.size() > name.size() && entry.starts_with(name) && entry[name.size()] == '=';
}

}  // namespace

Environment current_environment() {
  Environment env;
  for (char** e = environ; e && *e; ++e) env.emplace_back(*e);
  return env;
}

std::optional<std::string_view> get_env(const Environment& env, std::string_view name) {
  for (const std::string& e : env)
    if (names(e, name)) return std::string_view(e).substr(name.size() + 1);
  return std::nullopt;
}

void set_env(Environment& env, std::string_view name, std::string_view value) {
  std::string entry;
  entry.reserve(name.size() + 1 + value.size());
  entry.append(name).append("=").append(value);
  for (std::string& e : env) {
    if (names(e, name)) {
      e = std::move(entry);
      return;
    }
  }
  env.push_back(std::move(entry));
}

void unset_env(Environment& env, std::string_view name) {
  std::erase_if(env, [&](const std::string& e) { return names(e, name); });
}

}  // namespace vsim::process
