// Commands of something that is called and obeyed: what is asked for while one is carried out is carried out
// behind the rest. Pure.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

namespace vsim {

template <class Command>
class InOrder {
 public:
  std::vector<Command>& asked() { return commands_; }

  // Carries out all that is asked for, in order. False: that goes on already, further out, and nothing was
  // done here.
  template <class CarryOut>
  bool carry_out(CarryOut carry_out) {
    if (carrying_out_) return false;
    carrying_out_ = true;
    while (next_ < commands_.size()) {
      Command command = std::move(commands_[next_++]);
      carry_out(command);
    }
    commands_.clear();
    next_ = 0;
    carrying_out_ = false;
    return true;
  }

 private:
  std::vector<Command> commands_;
  std::size_t next_ = 0;
  bool carrying_out_ = false;
};

}  // namespace vsim
