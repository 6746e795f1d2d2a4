#include "app/memory_sampler.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <chrono>
#include <utility>

#include "app/clock.hpp"
#include "process/usage.hpp"

namespace vsim::app {
namespace {

using namespace std::chrono_literals;
using instance::InstanceId;

constexpr auto kEvery = 1s;
// Between two readings after the ends of invocations. One that leaks with each request is to be seen before
// it has served many more.
constexpr auto kSoon = 100ms;
// What is shared changes when processes come and go, and is a few MB.
constexpr auto kWholeEvery = 30s;

}  // namespace

MemorySampler::MemorySampler(boost::asio::io_context& io, Told told)
    : io_(io), told_(std::move(told)), tick_(io), soon_(io) {
  tick();
}

MemorySampler::~MemorySampler() {
  *alive_ = false;
  reader_.join();
}

void MemorySampler::watch(InstanceId id, pid_t pid, bool is_copy, std::uint64_t program) {
  Watched& w = watched_[id] = {};
  w.pid = pid;
  w.program = program;
  w.is_copy = is_copy;
  used(id);
}

void MemorySampler::used(InstanceId id) {
  const auto it = watched_.find(id);
  if (it == watched_.end() || stopped_) return;
  it->second.soon = true;
  soon();
}

void MemorySampler::served(InstanceId id) {
  used(id);
  const auto it = watched_.find(id);
  if (it == watched_.end() || stopped_ || std::exchange(it->second.served, true)) return;
  const std::uint64_t own = process::own_memory_of(it->second.pid, it->second.program);
  if (own != 0) told_(id, own + it->second.others, it->second.shared.value_or(0));
}

bool MemorySampler::busy(InstanceId id) const {
  const auto it = watched_.find(id);
  if (it == watched_.end()) return false;
  const TimePoint at = now();
  const Wanted& since = at - it->second.last.at >= kBusyFor ? it->second.last : it->second.before;
  const Duration took = process::wanted_processor(it->second.pid);
  // What it waits for at this moment is in neither figure yet.
  return since.took > Duration::zero() && took - since.took >= (at - since.at) / 5 * 4;
}

Duration MemorySampler::unserved(InstanceId id) const {
  const auto it = watched_.find(id);
  return it == watched_.end() ? Duration::zero() : process::waited_for_processor(it->second.pid);
}

void MemorySampler::forget(InstanceId id) { watched_.erase(id); }

void MemorySampler::stop() {
  stopped_ = true;
  tick_.cancel();
  soon_.cancel();
}

void MemorySampler::tick() {
  tick_.expires_after(kEvery);
  tick_.async_wait([this](boost::system::error_code error) {
    if (error || stopped_) return;
    tick();
    read(true);
  });
}

void MemorySampler::soon() {
  if (std::exchange(soon_armed_, true)) return;
  soon_.expires_at(to_steady(std::max(now(), read_at_ + kSoon)));
  soon_.async_wait([this](boost::system::error_code error) {
    soon_armed_ = false;
    if (error || stopped_) return;
    read(false);
  });
}

void MemorySampler::read(bool all) {
  if (reading_) {
    if (!all) soon();
    return;
  }
  std::vector<Job> jobs;
  const TimePoint at = now();
  for (auto& [id, w] : watched_)
    if (std::exchange(w.soon, false) || all)
      jobs.push_back({id, w.pid, w.program,
                      !w.is_copy && (w.whole == TimePoint{} || at - w.whole >= kWholeEvery), w.is_copy});
  if (jobs.empty()) return;
  reading_ = true;
  read_at_ = at;
  boost::asio::post(reader_, [this, jobs = std::move(jobs), alive = alive_]() mutable {
    for (Job& job : jobs) {
      job.own = process::own_memory_of(job.pid, job.program);
      job.wanted = {now(), process::wanted_processor(job.pid)};
      if (job.is_copy) job.faulted = process::faulted_memory_of(job.pid);
      if (job.whole && job.own != 0) job.all = process::memory_of(job.pid);
    }
    boost::asio::post(io_, [this, jobs = std::move(jobs), alive] {
      if (*alive) have(jobs);
    });
  });
}

void MemorySampler::have(const std::vector<Job>& jobs) {
  reading_ = false;
  for (const Job& job : jobs) {
    const auto it = watched_.find(job.id);
    if (it == watched_.end() || job.own == 0 || stopped_) continue;
    if (job.whole && job.all != 0) {
      it->second.others = job.all - std::min(job.all, job.own);
      it->second.whole = now();
    }
    if (job.wanted.at - it->second.last.at >= kBusyFor)
      it->second.before = std::exchange(it->second.last, job.wanted);
    if (job.faulted != 0) {
      Watched& w = it->second;
      const std::uint64_t before = w.shared.value_or(job.own),
                          more = job.faulted - std::min(w.faulted, job.faulted);
      w.shared = before - std::min(before, more);
      w.faulted = job.faulted;
    }
    told_(job.id, job.own + it->second.others, it->second.shared.value_or(0));
  }
}

}  // namespace vsim::app
