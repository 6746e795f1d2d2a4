#include "cli/machine.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "process/os.hpp"

namespace vsim::cli::machine {
namespace {

namespace fs = std::filesystem;

std::string read(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  // By read(), which only marks the stream: an iterator throws when a process ends between open and read.
  std::string text;
  char chunk[4096];
  while (in.read(chunk, sizeof chunk) || in.gcount() > 0)
    text.append(chunk, static_cast<std::size_t>(in.gcount()));
  return text;
}

std::string link_target(const fs::path& path) {
  std::error_code gone;
  return fs::read_symlink(path, gone).string();
}

Process describe(int pid) {
  Process p;
  p.pid = pid;
  const std::string base = "/proc/" + std::to_string(pid);
  p.command = read(base + "/cmdline");
  for (char& c : p.command)
    if (c == '\0' || c == '\n') c = ' ';
  while (p.command.ends_with(' ')) p.command.pop_back();
  p.directory = link_target(base + "/cwd");
  return p;
}

// The sockets that listen on the port, as "socket:[inode]".
std::set<std::string> listening(std::uint16_t port) {
  std::set<std::string> out;
  for (const char* file : {"/proc/net/tcp", "/proc/net/tcp6"}) {
    std::istringstream in(read(file));
    std::string line;
    std::getline(in, line);
    while (std::getline(in, line)) {
      std::istringstream fields(line);
      std::string slot, local, remote, state, queues, timer, retransmits, uid, timeout, inode;
      fields >> slot >> local >> remote >> state >> queues >> timer >> retransmits >> uid >> timeout >> inode;
      const std::size_t colon = local.rfind(':');
      if (state != "0A" || colon == std::string::npos) continue;
      if (std::strtoul(local.c_str() + colon + 1, nullptr, 16) == port) out.insert("socket:[" + inode + "]");
    }
  }
  return out;
}

// 0, or the errno of bind.
int try_bind(int family, std::uint16_t port) {
  const int fd = ::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return errno;
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  int error = 0;
  if (family == AF_INET) {
    sockaddr_in a{};
    a.sin_family = AF_INET;
    a.sin_port = htons(port);
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::bind(fd, reinterpret_cast<const sockaddr*>(&a), sizeof a) != 0) error = errno;
  } else {
    sockaddr_in6 a{};
    a.sin6_family = AF_INET6;
    a.sin6_port = htons(port);
    a.sin6_addr = in6addr_loopback;
    if (::bind(fd, reinterpret_cast<const sockaddr*>(&a), sizeof a) != 0) error = errno;
  }
  // With SO_REUSEADDR two sockets may be bound, but only one may listen.
  if (error == 0 && ::listen(fd, 1) != 0) error = errno;
  ::close(fd);
  return error;
}

}  // namespace

std::vector<Process> processes() {
  std::vector<Process> out;
  for (const process::os::ProcessInfo& p : process::os::all_processes()) out.push_back(describe(p.pid));
  return out;
}

bool port_in_use(std::uint16_t port) {
  return try_bind(AF_INET, port) == EADDRINUSE || try_bind(AF_INET6, port) == EADDRINUSE;
}

std::optional<Process> listener_on(std::uint16_t port) {
  const std::set<std::string> sockets = listening(port);
  if (sockets.empty()) return std::nullopt;
  for (const process::os::ProcessInfo& p : process::os::all_processes()) {
    std::error_code gone;
    for (fs::directory_iterator it(fmt::format("/proc/{}/fd", p.pid), gone), end; !gone && it != end;
         it.increment(gone))
      if (sockets.contains(link_target(it->path()))) return describe(p.pid);
  }
  return std::nullopt;
}

std::optional<std::uint64_t> available_memory() {
  std::istringstream in(read("/proc/meminfo"));
  for (std::string name, unit; in >> name;) {
    std::uint64_t kib = 0;
    if (!(in >> kib)) break;
    if (name == "MemAvailable:") return kib * 1024;
    std::getline(in, unit);
  }
  return std::nullopt;
}

std::optional<std::uint64_t> kernel_number(const char* path) {
  std::ifstream in(path);
  std::uint64_t n = 0;
  if (!(in >> n)) return std::nullopt;
  return n;
}

Localhost localhost() {
  Localhost out;
  addrinfo* list = nullptr;
  if (::getaddrinfo("localhost", nullptr, nullptr, &list) == 0) {
    for (const addrinfo* a = list; a != nullptr; a = a->ai_next) {
      out.v4 |= a->ai_family == AF_INET;
      out.v6 |= a->ai_family == AF_INET6;
    }
    ::freeaddrinfo(list);
  }
  out.v6_works = try_bind(AF_INET6, 0) == 0;
  return out;
}

}  // namespace vsim::cli::machine
