// The private directory of one run: mode 0700, a short path (a unix socket's may have 107 bytes), gone at the
// end; the guardian removes it when we are killed, and the next start removes what even the guardian could
// not. Never follows a link and never uses a place that another user owns. Called by app/ at start, before
// any socket exists.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "process/os.hpp"

namespace vsim::process {

class Guardian;

class RunDir {
 public:
  // In the first of bases() that is ours and private and has a path short enough. Removes what dead runs left
  // there. `guardian` (may be null) must outlive it. The error names each that was tried.
  static Result<RunDir> create(Guardian* guardian);
  // vercel-sim in $XDG_RUNTIME_DIR or else /run/user/<uid>, vercel-sim-<uid> in /var/tmp, $TMPDIR and /tmp.
  // /tmp comes last: it is all that a function on Vercel can write to, so code that empties it is sound.
  static std::vector<std::string> bases();
  // Below `base` (made if missing): for tests, and for whoever must choose the place.
  static Result<RunDir> create_in(const std::string& base, Guardian* guardian);
  ~RunDir() { remove(); }
  RunDir(RunDir&&) noexcept;
  RunDir& operator=(RunDir&&) noexcept;

  const std::string& path() const { return path_; }
  // Names of up to 40 bytes are sure to fit.
  std::string socket_path(std::string_view name) const { return path_ + "/" + std::string(name); }
  // Removes it now with all it holds. Done by the destructor.
  void remove();

 private:
  RunDir() = default;
  std::string path_;
  os::Fd lock_;  // the directory itself, locked while we live: how others know that it is in use
  Guardian* guardian_ = nullptr;
};

}  // namespace vsim::process
