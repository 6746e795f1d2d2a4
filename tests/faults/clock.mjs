// Another wall clock for a process that runs: the functions in its vDSO that tell the time of day are written over, so that they ask the kernel
// and add an offset. Nothing else on the machine sees it, and the monotonic clock goes on. Linux on x64, for processes that may be traced.
import { closeSync, openSync, readdirSync, readFileSync, readSync, writeSync } from "node:fs";
import { eventually } from "../e2e/harness.mjs";
import { isAlive, signal } from "./meters.mjs";

const le = (n) => Buffer.from(Int32Array.of(n).buffer);
const code = (...parts) => Buffer.concat(parts.map((part) => (typeof part === "string" ? Buffer.from(part.replaceAll(" ", ""), "hex") : part)));

// Each asks the kernel (mov eax, number; syscall), adds the offset, and returns.
const kFunctions = {
  // test edi, edi; jne over the addition: CLOCK_REALTIME is 0
  __vdso_clock_gettime: (offset) => code("b8 e4000000 0f05 85ff 7507 488106", le(offset), "c3"),
  __vdso_gettimeofday: (offset) => code("b8 60000000 0f05 488107", le(offset), "c3"),
  // test rdi, rdi; je over the store
  __vdso_time: (offset) => code("b8 c9000000 0f05 4805", le(offset), "4885ff 7403 488907 c3"),
};

// Where the kernel has put its page of functions, or null.
function vdsoOf(pid) {
  const line = readFileSync(`/proc/${pid}/maps`, "latin1").split("\n").find((text) => text.endsWith("[vdso]"));
  const [from, to] = line ? line.split(" ")[0].split("-").map((text) => parseInt(text, 16)) : [];
  return line ? { from, to } : null;
}

// name → {at, size}, from the symbols of the ELF image that the page is. `at` counts from its begin.
function functionsIn(image) {
  const found = {};
  const sections = Number(image.readBigUInt64LE(0x28));
  const header = (i) => sections + i * image.readUInt16LE(0x3a);
  for (let i = 0; i < image.readUInt16LE(0x3c); i += 1) {
    if (image.readUInt32LE(header(i) + 4) !== 11) continue; // SHT_DYNSYM
    const [from, size] = [0x18, 0x20].map((at) => Number(image.readBigUInt64LE(header(i) + at)));
    const strings = Number(image.readBigUInt64LE(header(image.readUInt32LE(header(i) + 0x28)) + 0x18));
    for (let at = from; at < from + size; at += 24) {
      const name = strings + image.readUInt32LE(at);
      found[image.toString("latin1", name, image.indexOf(0, name))] = { at: Number(image.readBigUInt64LE(at + 8)), size: Number(image.readBigUInt64LE(at + 16)) };
    }
  }
  return found;
}

// The instruction that each thread of a stopped process comes to next.
const counters = (pid) => readdirSync(`/proc/${pid}/task`).map((thread) => Number(readFileSync(`/proc/${pid}/task/${thread}/syscall`, "latin1").trim().split(" ").at(-1)));

// Why it cannot be done here; undefined: it can.
export function noClock() {
  if (process.arch !== "x64") return `not written for ${process.arch}`;
  return vdsoOf("self") ? undefined : "this kernel has no vDSO";
}

// The wall clock of the processes that `pids()` names is `seconds` ahead (behind, if negative). Answers a function that gives the machine's clock
// back, to copies that were made of them meanwhile too.
export async function setClock(pids, seconds) {
  const old = {};
  for (const pid of pids()) {
    await withStopped(pid, ({ memory, from, functions }) => {
      for (const [name, make] of Object.entries(kFunctions)) {
        const own = make(seconds);
        const { at, size } = functions[name] ?? {};
        if (at === undefined || size < own.length) continue; // this kernel has it not, or it only goes on to another
        old[name] ??= read(memory, from + at, own.length);
        writeSync(memory, own, 0, own.length, from + at);
      }
    });
  }
  return async () => {
    for (const pid of pids()) {
      await withStopped(pid, ({ memory, from, functions }) => {
        for (const [name, bytes] of Object.entries(old)) {
          const at = from + functions[name].at;
          if (!read(memory, at, bytes.length).equals(bytes)) writeSync(memory, bytes, 0, bytes.length, at);
        }
      });
    }
  };
}

function read(memory, at, size) {
  const bytes = Buffer.alloc(size);
  readSync(memory, bytes, 0, size, at);
  return bytes;
}

// `act` while the process stands still, and no thread of it is within what is written over. Undefined: it has gone.
async function withStopped(pid, act) {
  try {
    const { from, to } = vdsoOf(pid);
    const memory = openSync(`/proc/${pid}/mem`, "r+");
    try {
      const image = read(memory, from, to - from);
      for (;;) {
        signal(pid, "SIGSTOP");
        await eventually(`process ${pid} stands still`, 5_000, () => !isAlive(pid) || /^State:\s+T/m.test(readFileSync(`/proc/${pid}/status`, "latin1")));
        if (!counters(pid).some((at) => at >= from && at < to)) return act({ memory, from, functions: functionsIn(image) });
        signal(pid, "SIGCONT");
      }
    } finally {
      signal(pid, "SIGCONT");
      closeSync(memory);
    }
  } catch (error) {
    if (isAlive(pid)) throw error;
    return undefined;
  }
}
