// --record: the file of whole requests, opened so that nobody else can read it, and said so.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "app/emulator.hpp"
#include "app/recorder.hpp"
#include "app/recording_file.hpp"
#include "base/result.hpp"
#include "cli/terminal.hpp"

namespace vsim::cli {

// Which build of the app it is that the emulator will run (replay::About::build): a digest of the key that
// Next makes the ids of Server Actions with, where it outlives one start of `next dev`; empty: it does not.
// To be asked when the app is ready.
std::function<std::string()> build_of(const app::EmulatorOptions&);

// A descriptor to append with, of a file with mode 0600 that is locked against other runs. What is there
// already must be a recording, an own file and no link. It is still in it: app::RecordingFile empties it.
Result<int> open_recording(const std::string& where);

class RecordFile {
 public:
  // False: it cannot be written, and that is told. `hub` must not outlive this.
  bool open(const std::string& where, app::EventHub& hub, app::EmulatorOptions& emulator);
  // To whoever started it: what is in there.
  void say(Terminal& people) const;
  // False: it does not hold everything, and that is told.
  bool complete();

 private:
  std::string where_;
  std::unique_ptr<app::RecordingFile> file_;
  std::optional<app::Recorder> recorder_;
};

}  // namespace vsim::cli
