// The right of one invocation to one slot of one instance: a value that can be moved, not copied, and ends
// exactly once: given to Scheduler::release or Scheduler::timed_out, or, if its owner lets it go, noticed by
// the scheduler at its next call. It does not keep the instance alive: after LeaseLost it only remains to be
// given back. Pure.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "base/ids.hpp"
#include "instance/ids.hpp"

namespace vsim::instance {

// What the scheduler and the leases it gave know in common. It outlives both.
struct LeaseLedger {
  std::uint64_t granted = 0;           // leases ever given; also the serial of the last one
  std::uint64_t returned = 0;          // leases ever ended, in whatever way
  std::vector<std::uint64_t> dropped;  // serials let go, not noticed yet
};

class Lease {
 public:
  Lease() = default;
  Lease(Lease&& other) noexcept
      : ledger_(std::exchange(other.ledger_, nullptr)),
        serial_(std::exchange(other.serial_, 0)),
        invocation_(std::exchange(other.invocation_, InvocationId::none)),
        instance_(std::exchange(other.instance_, InstanceId::none)) {}
  Lease& operator=(Lease&& other) noexcept {
    if (this == &other) return *this;
    drop();
    ledger_ = std::exchange(other.ledger_, nullptr);
    serial_ = std::exchange(other.serial_, 0);
    invocation_ = std::exchange(other.invocation_, InvocationId::none);
    instance_ = std::exchange(other.instance_, InstanceId::none);
    return *this;
  }
  ~Lease() { drop(); }

  // False once it was moved from or ended.
  explicit operator bool() const { return ledger_ != nullptr; }
  InvocationId invocation() const { return invocation_; }
  InstanceId instance() const { return instance_; }

 private:
  friend class Scheduler;
  Lease(std::shared_ptr<LeaseLedger> ledger, InvocationId invocation, InstanceId instance)
      : ledger_(std::move(ledger)),
        serial_(++ledger_->granted),
        invocation_(invocation),
        instance_(instance) {}
  // Ends it; the answer is 0 if it had ended before.
  std::uint64_t end() {
    if (ledger_ == nullptr) return 0;
    ++ledger_->returned;
    ledger_ = nullptr;
    return std::exchange(serial_, 0);
  }
  void drop() noexcept {
    if (ledger_ == nullptr) return;
    ++ledger_->returned;
    ledger_->dropped.push_back(serial_);
    ledger_ = nullptr;
  }

  std::shared_ptr<LeaseLedger> ledger_;
  std::uint64_t serial_ = 0;
  InvocationId invocation_ = InvocationId::none;
  InstanceId instance_ = InstanceId::none;
};

}  // namespace vsim::instance
