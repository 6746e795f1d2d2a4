// What the instances weigh, read from /proc on a thread of its own: the kernel takes milliseconds for the
// whole figure of a process, and holds up its memory calls meanwhile. So the whole figure (PSS) is read at
// the start and now and then, and in between what is the process's own, which is what grows and costs
// microseconds. Decides nothing. Called by the fleet, I/O thread only.
#pragma once

#include <sys/types.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "base/time.hpp"
#include "instance/ids.hpp"

namespace vsim::app {

class MemorySampler {
 public:
  // `shared`: of the bytes of a copy those that are its template's at least, and cost nothing more. `told`
  // may watch, forget and stop.
  using Told = std::function<void(instance::InstanceId, std::uint64_t bytes, std::uint64_t shared)>;
  MemorySampler(boost::asio::io_context&, Told told);
  ~MemorySampler();

  // From now on once a second; the first time soon. Of a copy of a template the whole figure is not read
  // (walking all of its pages, 3 ms): what it had when it began is its template's, but for a page with each
  // fault. `program`: of its own memory what its program takes, which no copy pays for (bytes).
  void watch(instance::InstanceId, pid_t, bool is_copy, std::uint64_t program = 0);
  // Whether its main thread has wanted a processor all the time, as far back as this can be told: at least
  // kBusyFor, at most a second more.
  bool busy(instance::InstanceId) const;
  // How long its main thread has waited for a processor since it began; zero: not known.
  Duration unserved(instance::InstanceId) const;
  // Something has run on it: soon.
  void used(instance::InstanceId);
  // An invocation has ended on it. The first time this is told from inside the call: what it weighs before
  // another one comes is what growth is measured by.
  void served(instance::InstanceId);
  void forget(instance::InstanceId);
  void stop();

 private:
  static constexpr Duration kBusyFor = std::chrono::milliseconds(500);
  struct Wanted {
    TimePoint at{};
    Duration took{};
  };
  struct Watched {
    pid_t pid = 0;
    std::uint64_t program = 0;
    std::uint64_t others = 0;             // its share of what it shares
    std::optional<std::uint64_t> shared;  // of a copy: with its template, since
    std::uint64_t faulted = 0;            // so much had come with faults
    TimePoint whole{};                    // when that was read
    bool soon = false, served = false, is_copy = false;
    Wanted before, last;  // processor; at least kBusyFor apart
  };
  struct Job {
    instance::InstanceId id;
    pid_t pid;
    std::uint64_t program;
    bool whole;
    bool is_copy;
    std::uint64_t own = 0, all = 0;  // bytes; 0: gone
    std::uint64_t faulted = 0;
    Wanted wanted{};
  };
  void tick();
  void soon();
  void read(bool all);
  void have(const std::vector<Job>&);

  boost::asio::io_context& io_;
  Told told_;
  std::map<instance::InstanceId, Watched> watched_;
  bool reading_ = false, soon_armed_ = false, stopped_ = false;
  TimePoint read_at_{};
  boost::asio::steady_timer tick_, soon_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  boost::asio::thread_pool reader_{1};
};

}  // namespace vsim::app
