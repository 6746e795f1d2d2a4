// One scan of a project's sources, remembering what it read. Used by SourceIndex, on one thread at a time.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "project/sources.hpp"
#include "routes/source_config.hpp"

namespace vsim::project {

class Scanner {
 public:
  explicit Scanner(SourceOptions options) : options_(std::move(options)) {}

  // A whole new snapshot, without a version.
  std::shared_ptr<Snapshot> scan(const KnownConfig& known);
  // Everything a snapshot says that a reader could notice, as one text: equal texts, equal snapshots.
  static std::string fingerprint(const Snapshot& snapshot);
  const std::vector<std::string>& directories() const { return directories_; }  // of the last scan, absolute

 private:
  struct Stamp {
    std::int64_t seconds = 0, nanoseconds = 0, size = 0;
    std::uint64_t inode = 0;
    bool operator==(const Stamp&) const = default;
  };
  struct Entry {
    Stamp stamp;
    routes::SourceRole role{};
    routes::SourceConfig config;
    std::uint64_t seen = 0;  // the scan that last met it
  };

  void list(const std::string& relative, int depth, std::vector<std::string>& out, bool& truncated);
  void list_here(const std::string& relative, std::vector<std::string>& out);
  void read_sources(const std::vector<std::string>& paths,
                    std::map<std::string, routes::SourceConfig, std::less<>>& out, Snapshot& snapshot);

  const SourceOptions options_;
  std::vector<std::string> directories_;
  std::vector<std::pair<std::uint64_t, std::uint64_t>>
      open_;  // device and inode of the directories being listed: links may go in circles
  std::unordered_map<std::string, Entry> entries_;
  std::uint64_t round_ = 0;
};

}  // namespace vsim::project
