// Events as JSON lines and back. The field names are a published format: docs/events.md. Pure. encode() is on
// the path of every request when --events is on: but for a target that is masked and needs escapes, it
// allocates only what `out` needs to grow.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "event/event.hpp"

namespace vsim::event {

// Appends one line with its newline. Query parameters that name a secret are masked. `start` is the moment
// that `at_ms` counts from.
void encode(std::string& out, const Stamp& stamp, const Event& event, TimePoint start = {});

// An event that owns what its views point to. Movable; the views stay valid.
class OwnedEvent {
 public:
  OwnedEvent();
  ~OwnedEvent();
  OwnedEvent(OwnedEvent&&) noexcept;
  OwnedEvent& operator=(OwnedEvent&&) noexcept;
  const Stamp& stamp() const;
  const Event& event() const;

 private:
  friend Result<OwnedEvent> decode(std::string_view line);
  struct Storage;
  std::unique_ptr<Storage> storage_;
};

// One line, with or without its newline. `at` counts from zero. Unknown fields are ignored, missing ones keep
// their defaults; an unknown type, a wrong type of value or broken JSON is an error that says where.
Result<OwnedEvent> decode(std::string_view line);

}  // namespace vsim::event
