// The project's sources as a route table, kept up to date. Scans app/, pages/, src/, vercel.json and
// next.config on a thread of its own and calls back on that thread with a new snapshot whenever what they say
// has changed. Files that did not change are not read again.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "project/next_config.hpp"
#include "routes/file_conventions.hpp"
#include "routes/finding.hpp"
#include "routes/route_table.hpp"
#include "routes/vercel_json.hpp"

namespace vsim::project {

// What Next itself says its configuration is. It replaces what was read from next.config without running it.
struct KnownConfig {
  std::optional<std::string> base_path;
  std::optional<std::vector<std::string>> page_extensions;
};

// Immutable once handed out.
struct Snapshot {
  std::shared_ptr<const routes::RouteTable> table;
  // Mistakes and hints of the sources. Values above a plan are not among them: ask over_plan() with the
  // profile's maximum.
  std::vector<routes::RouteFinding> findings;
  std::optional<routes::VercelJson> vercel;  // empty: there is no vercel.json
  NextConfig config;
  std::size_t files = 0;   // names seen
  std::size_t parsed = 0;  // files read and parsed for this snapshot; the others were known
  std::chrono::microseconds took{};
  std::uint64_t version = 0;  // grows by one with each snapshot handed out
};

struct SourceOptions {
  std::string root;  // absolute; Project::root
  KnownConfig known = {};
  std::size_t max_files = 50'000;         // names below app/ and pages/; the rest is left out, with a finding
  std::size_t max_file_bytes = 2u << 20;  // larger sources are not read
  std::chrono::milliseconds debounce{
      40};  // quiet time after a change before the rescan: editors and git write in bursts
  std::chrono::milliseconds poll_interval{1000};  // where inotify cannot be used
  bool force_polling = false;
};

class SourceIndex {
 public:
  using Callback = std::function<void(std::shared_ptr<const Snapshot>)>;

  explicit SourceIndex(SourceOptions options);
  ~SourceIndex();  // stops
  SourceIndex(const SourceIndex&) = delete;
  SourceIndex& operator=(const SourceIndex&) = delete;

  // Scans once on the calling thread; before start(). For `check`, and for a table before the first request.
  std::shared_ptr<const Snapshot> scan();
  // Starts the thread. It calls back with the first snapshot (unless scan() has given the same already), then
  // with each one that differs.
  void start(Callback on_change);
  // The preload has told the real configuration: rescan with it. Any thread.
  void set_known(KnownConfig known);
  // No callback runs after it returns. Quick: it waits at most for one scan. Must not be called from the
  // callback.
  void stop();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace vsim::project
