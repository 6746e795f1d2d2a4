// Who sent a signal: another process (kill), or the kernel on behalf of the terminal (Ctrl-C, a hangup),
// which then gave it to the whole foreground process group. Asio's signal_set does not tell. Main thread
// only.
#pragma once

namespace vsim::process {

// From now on remembers the sender of each `signal`. Call it after Asio took the signal over: its handler
// still gets it.
void watch_signal_origin(int signal);
// Of the last one that came.
bool sent_by_terminal(int signal);

}  // namespace vsim::process
