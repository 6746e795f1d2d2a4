#include "cli/record_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/hash.hpp"
#include "cli/run.hpp"
#include "event/json_value.hpp"
#include "files/own_file.hpp"
#include "project/files.hpp"
#include "replay/recording.hpp"

namespace vsim::cli {
namespace {

// The key is 256 random bits, so that its digest gives nothing away.
std::string digest(std::string_view text) { return fmt::format("{:016x}", fnv1a(text)); }

// What Next keeps below its build directory, unless it believes itself in a container (facts of Next 16:
// server/app-render/encryption-utils-server.js).
std::string stored_key(const std::string& project_dir) {
  for (const char* folder : {".next/dev/cache/.rscinfo", ".next/cache/.rscinfo"}) {
    const auto text = project::read_text(project_dir + "/" + folder);
    if (!text) continue;
    const auto value = event::parse_json(*text);
    const event::JsonValue* key = value ? value->find("encryption.key") : nullptr;
    if (key != nullptr && key->type == event::JsonValue::Type::string) return key->text;
  }
  return {};
}

std::string build_identity(const std::string& project_dir, const process::Environment& env,
                           const std::string& app_label) {
  std::string key(process::get_env(env, "NEXT_SERVER_ACTIONS_ENCRYPTION_KEY").value_or(""));
  if (key.empty() && !project_dir.empty()) key = stored_key(project_dir);
  return key.empty() ? std::string() : digest(app_label + '\n' + key);
}

}  // namespace

std::function<std::string()> build_of(const app::EmulatorOptions& emulator) {
  const auto* next = std::get_if<app::NextSpec>(&emulator.app);
  if (next == nullptr) return [] { return std::string(); };
  return [directory = emulator.project_dir, env = next->env, label = emulator.app_label] {
    return build_identity(directory, env, label);
  };
}

Result<int> open_recording(const std::string& where) {
  // Not O_TRUNC: what is there is looked at first, and stays until there is something to put in its place.
  auto fd =
      files::open_own(where, O_APPEND | O_CREAT,
                      {replay::looks_like_recording, "there is a file that is no recording, and it stays"});
  const auto cannot = [&](std::string_view why, std::string fix) {
    if (fd) ::close(*fd);
    return Error{fmt::format("--record {}: {}", where, why), std::move(fix)};
  };
  if (!fd) return cannot(fd.error().message, "name a file of its own, in a directory that exists");
  // Until the descriptor is closed. A file system that has no locks (ENOLCK, EOPNOTSUPP) keeps nobody out.
  if (::flock(*fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
    return cannot("another run records into it", "name another, or end that run first");
  if (::fchmod(*fd, 0600) != 0) return cannot(std::strerror(errno), "name another");
  return fd;
}

bool RecordFile::open(const std::string& where, app::EventHub& hub, app::EmulatorOptions& emulator) {
  where_ = where;
  const auto fd = open_recording(where);
  if (!fd) {
    print_error(fd.error());
    return false;
  }
  file_ = std::make_unique<app::RecordingFile>(*fd);
  recorder_.emplace(*file_, true, build_of(emulator));
  hub.add(*recorder_);
  emulator.recorder = &*recorder_;
  return true;
}

void RecordFile::say(Terminal& people) const {
  if (file_)
    people.app_output(
        fmt::format("recording to {}: whole requests, with bodies, cookies and tokens. Only you can read it "
                    "(mode 0600); do not share it\n",
                    where_));
}

bool RecordFile::complete() {
  if (!file_) return true;
  file_->close();
  if (file_->error() != 0)
    return print_error({fmt::format("--record {}: {}", where_, std::strerror(file_->error())),
                        "what came after that is lost: free some space, or name another file"}),
           false;
  if (file_->lost() > 0)
    return print_error(
               {fmt::format("--record {}: the disk was too slow, requests lost: {}", where_, file_->lost()),
                ""}),
           false;
  return true;
}

}  // namespace vsim::cli
