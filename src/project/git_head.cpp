#include "project/git_head.hpp"

#include "project/command_output.hpp"

namespace vsim::project {
namespace {

std::string line_of(const std::string& root, std::vector<std::string> words) {
  CommandOutput said = git_output(root, std::move(words));
  if (!said.succeeded) return {};
  while (said.text.ends_with('\n')) said.text.pop_back();
  return std::move(said.text);
}

}  // namespace

Remote remote_of(std::string_view url) {
  Remote out;
  for (const std::string_view name : {"github", "gitlab", "bitbucket"})
    if (url.find(name) != std::string_view::npos) out.provider = name;
  if (url.ends_with('/')) url.remove_suffix(1);
  if (url.ends_with(".git")) url.remove_suffix(4);
  const std::size_t slug = url.find_last_of('/');
  if (slug == std::string_view::npos) return out;
  out.slug = url.substr(slug + 1);
  const std::string_view rest = url.substr(0, slug);
  const std::size_t owner = rest.find_last_of("/:");
  if (owner != std::string_view::npos) out.owner = rest.substr(owner + 1);
  return out;
}

std::vector<std::pair<std::string, std::string>> git_variables(const std::string& root) {
  // Parts end with a NUL: a message has any letters. No signature is looked at, which would run a program.
  const std::string commit = line_of(root, {"log", "-1", "--no-show-signature", "--format=%H%x00%an%x00%B"});
  const std::size_t author = commit.find('\0');
  if (author == std::string::npos) return {};
  const std::size_t message = commit.find('\0', author + 1);
  if (message == std::string::npos) return {};
  constexpr std::size_t kMostMessage = 2'048;
  std::vector<std::pair<std::string, std::string>> out = {
      {"VERCEL_GIT_COMMIT_SHA", commit.substr(0, author)},
      {"VERCEL_GIT_COMMIT_AUTHOR_NAME", commit.substr(author + 1, message - author - 1)},
      {"VERCEL_GIT_COMMIT_MESSAGE", commit.substr(message + 1, kMostMessage)},
      {"VERCEL_GIT_COMMIT_REF", line_of(root, {"symbolic-ref", "-q", "--short", "HEAD"})}};
  const Remote remote = remote_of(line_of(root, {"config", "--get", "remote.origin.url"}));
  out.emplace_back("VERCEL_GIT_PROVIDER", remote.provider);
  out.emplace_back("VERCEL_GIT_REPO_OWNER", remote.owner);
  out.emplace_back("VERCEL_GIT_REPO_SLUG", remote.slug);
  std::erase_if(out, [](const auto& one) { return one.second.empty(); });
  return out;
}

}  // namespace vsim::project
