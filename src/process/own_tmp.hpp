// A /tmp that is a child's own (own_tmp.h), on a disk that is read-only for it (read_only.h): whether this
// system lets us have one, and what of this machine's own /tmp a child needs all the same. Decides nothing
// else.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vsim::process {

// What of the disk stays writable (read_only.h).
struct ReadOnly {
  std::string project;                // read-only, though it may lie in one of those
  std::vector<std::string> writable;  // absolute and real; 60 at most
};

struct OwnTmp {
  std::uint64_t size = 0;         // bytes that it takes, in the memory of this machine; 0: as many as it has
  std::vector<std::string> kept;  // entries ("/tmp/x") that are this machine's own in it too; 64 at most
  bool mounted = true;            // false: /tmp stays this machine's own, and only `disk` is looked at
  std::optional<ReadOnly> disk;   // nullopt: as writable as outside
};

// For who makes it in a process that is there already (fork.c). A line each: options of /tmp, or "-" if it is
// not mounted; its entries; the paths of the disk, parents first, "+" before what is writable and "=" before
// the project.
std::string text_of(const OwnTmp&);

// The entry of /tmp that this path is, or lies in: "/tmp/x" for "/tmp/x/y". Empty: it lies elsewhere.
std::string_view entry_in_tmp(std::string_view path);

// Sockets of databases that stand in /tmp by default (PostgreSQL's, MySQL's).
std::vector<std::string> sockets_in_tmp();

// Why this system does not let us have that, tried with a child; nullopt: it does. Milliseconds.
std::optional<std::string> why_no_own_tmp(const OwnTmp&);

}  // namespace vsim::process
