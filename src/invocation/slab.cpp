#include "invocation/slab.hpp"

namespace vsim::invocation {

Invocation* Slab::acquire() {
  std::uint32_t slot;
  if (!free_.empty()) {
    slot = free_.back();
    free_.pop_back();
  } else {
    slot = static_cast<std::uint32_t>(slots_.size());
    if (slot >= kMost) return nullptr;
    Invocation& made = records_.emplace_back();
    made.slot = slot;
    slots_.push_back({0, &made});
  }
  Slot& s = slots_[slot];
  ++s.uses;
  ++active_;
  s.invocation->id = static_cast<InvocationId>(s.uses << kSlotBits | slot);
  return s.invocation;
}

Invocation* Slab::find(InvocationId id) {
  const auto slot = static_cast<std::uint64_t>(id) & (kMost - 1);
  if (slot >= slots_.size()) return nullptr;
  Invocation* found = slots_[slot].invocation;
  return found->id == id && id != InvocationId::none ? found : nullptr;
}

void Slab::release(Invocation& v) {
  v.id = InvocationId::none;
  v.life.end();
  v.traffic = event::Traffic::invocation;
  v.page.clear();
  v.route.clear();
  v.file.clear();
  v.config_file.clear();
  v.config_line = 0;
  v.kind = v.runtime = {};
  v.buffered = v.supports_cancellation = v.cold = v.body_over = v.half_closed = v.unheard = false;
  v.limit = {};
  v.first_byte = v.total = kForever;
  v.instance.clear();
  v.start.clear();
  v.placed_at = v.answered = {};
  v.compiled_before_placed = v.waited = {};
  v.init.reset();
  v.unserved_before = {};
  v.own_requests = {};
  v.leased = v.expiring = false;
  v.hanging.clear();
  v.status = 0;
  v.origin.clear();
  v.answer_at.clear();
  v.verdicts.clear();
  free_.push_back(v.slot);
  --active_;
}

}  // namespace vsim::invocation
