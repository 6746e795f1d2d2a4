// What a child that is being started needs to make a /tmp of its own (own_tmp.h), laid out before: it may not
// allocate. Used by launch() and the trial of it only.
#pragma once

#include <string>
#include <vector>

#include "process/own_tmp.h"
#include "process/own_tmp.hpp"

namespace vsim::process::os {

class TmpForChild {
 public:
  explicit TmpForChild(const OwnTmp&);
  TmpForChild(const TmpForChild&) = delete;
  TmpForChild& operator=(const TmpForChild&) = delete;
  const vsim_own_tmp* get() const { return &tmp_; }

 private:
  std::string options_;
  std::vector<std::string> kept_;
  std::vector<const char*> pointers_, disk_pointers_;
  std::vector<std::string> disk_paths_;
  vsim_read_only disk_{};
  vsim_own_tmp tmp_{};
};

}  // namespace vsim::process::os
