// A /tmp that is a child's own (own_tmp.h): whether this system lets us have one, and what of this machine's
// own /tmp a child needs all the same. Decides nothing else.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vsim::process {

struct OwnTmp {
  std::uint64_t size = 0;         // bytes that it takes, in the memory of this machine; 0: as many as it has
  std::vector<std::string> kept;  // entries ("/tmp/x") that are this machine's own in it too; 64 at most
};

// For who makes it in a process that is there already (fork.c): "options\nentry\nentry".
std::string text_of(const OwnTmp&);

// The entry of /tmp that this path is, or lies in: "/tmp/x" for "/tmp/x/y". Empty: it lies elsewhere.
std::string_view entry_in_tmp(std::string_view path);

// Sockets of databases that stand in /tmp by default (PostgreSQL's, MySQL's).
std::vector<std::string> sockets_in_tmp();

// Why this system does not let us have one, tried with a child; nullopt: it does. Milliseconds.
std::optional<std::string> why_no_own_tmp(const OwnTmp&);

}  // namespace vsim::process
