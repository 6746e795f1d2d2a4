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

Error cannot(const std::string& where, std::string_view why, std::string fix) {
  return {fmt::format("--record {}: {}", where, why), std::move(fix)};
}

}  // namespace

std::string build_identity(const std::string& project_dir, const process::Environment& env,
                           const std::string& app_label) {
  std::string key(process::get_env(env, "NEXT_SERVER_ACTIONS_ENCRYPTION_KEY").value_or(""));
  if (key.empty() && !project_dir.empty()) key = stored_key(project_dir);
  return key.empty() ? std::string() : digest(app_label + '\n' + key);
}

Result<int> open_recording(const std::string& where) {
  // Not O_TRUNC: what is there is looked at first, and stays until there is something to put in its place.
  const int fd =
      ::open(where.c_str(), O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
  if (fd < 0) {
    if (errno == ELOOP) return cannot(where, "a symbolic link", "name a file of its own");
    return cannot(where, std::strerror(errno), "name a file in a directory that exists");
  }
  const auto refuse = [&](std::string_view why, std::string fix) {
    ::close(fd);
    return cannot(where, why, std::move(fix));
  };
  struct stat found {};
  if (::fstat(fd, &found) != 0 || !S_ISREG(found.st_mode))
    return refuse("not a regular file", "name another");
  if (found.st_uid != ::geteuid()) return refuse("somebody else's file", "name another");
  // Until the descriptor is closed. A file system that has no locks (ENOLCK, EOPNOTSUPP) keeps nobody out.
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
    return refuse("another run records into it", "name another, or end that run first");
  char beginning[64];
  const ssize_t n = ::read(fd, beginning, sizeof beginning);
  if (n < 0) return refuse(std::strerror(errno), "name another");
  if (n > 0 && !replay::looks_like_recording({beginning, static_cast<std::size_t>(n)}))
    return refuse("there is a file that is no recording, and it stays", "name another, or remove it");
  if (::fchmod(fd, 0600) != 0) return refuse(std::strerror(errno), "name another");
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
  recorder_.emplace(
      *file_, true,
      [directory = emulator.project_dir, env = emulator.app.env, label = emulator.app_label,
       next = emulator.app.next] { return next ? build_identity(directory, env, label) : std::string(); });
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
