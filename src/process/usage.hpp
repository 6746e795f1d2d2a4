// What a process costs others: its memory, and its place in the queue for a processor. Decides nothing; Linux
// only, like linux.cpp. Called by app/ for instances.
#pragma once

#include <sys/types.h>

#include <cstdint>

#include "base/time.hpp"

namespace vsim::process {

// Its memory, pages that it shares counted by their share (PSS), in bytes; where the kernel does not tell,
// its resident pages. 0: the process is gone. Takes milliseconds for a large process: not for the I/O thread.
std::uint64_t memory_of(pid_t);
// Of that, pages that are its own alone (anonymous ones): what grows. Microseconds.
// `program`: so much of it is the program's, and does not count.
std::uint64_t own_memory_of(pid_t, std::uint64_t program = 0);
// What the program's code takes of it, where that lies in memory of the process's own, in large pages (Node's
// --use-largepages): its copies share it. 0: nothing, or not known. Reads all mappings, 0.1 ms.
std::uint64_t program_memory_of(pid_t);
// A page for each minor fault that it has had: what a copy of another process has written to or got anew is
// no more. 0: not known. Microseconds.
std::uint64_t faulted_memory_of(pid_t);
// How long its main thread has run on a processor or waited for one, since it began; zero: not known.
// Microseconds.
Duration wanted_processor(pid_t);
// Of that, how long it has waited.
Duration waited_for_processor(pid_t);
std::uint64_t memory_of_machine();  // of the control group where it is less; 0: unknown
unsigned cores_of_machine();

// Behind the others until raise() is called; nothing where the system would not let us take it back (nice
// values fall for anybody and rise for the privileged only; the scheduler's group per session, where there is
// one, may do both).
void lower(pid_t leader);
void raise(pid_t leader);
// The calling thread, which does microseconds at a time, gets the processor as soon as it is woken, also
// where the kernel wakes it on one that somebody computes on (else it may wait for the end of his slice, 2.8
// ms): its own slices are short. Its share stays the same; what it starts has usual ones. Linux 6.12 and
// later, nothing before.
void shorten_slice();
// One that is about to be killed: the kernel takes back its memory as itself, milliseconds that others want.
void lower_for_good(pid_t leader);

}  // namespace vsim::process
