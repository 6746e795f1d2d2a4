// What a run holds, from /proc: memory, descriptors, processes, connections.
import { readdirSync, readFileSync } from "node:fs";

// Of the program alone, in MiB.
export const pss = (pid) => Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"))[1]) / 1024;
export const descriptors = (pid) => readdirSync(`/proc/${pid}/fd`).length;

// Connections of clients that the port still has, other than those that only wait for late packets (TIME_WAIT).
export function connections(port) {
  let count = 0;
  for (const file of ["/proc/net/tcp", "/proc/net/tcp6"]) {
    for (const line of readFileSync(file, "latin1").split("\n").slice(1)) {
      const fields = line.trim().split(/\s+/);
      if (fields.length > 3 && parseInt(fields[1].split(":")[1], 16) === port && !["0A", "06", "07"].includes(fields[3])) count += 1;
    }
  }
  return count;
}

// One letter, as in proc(5); X: there is none.
const state = (pid) => {
  try {
    return /^State:\s+(\w)/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"))[1];
  } catch {
    return "X";
  }
};
export const isAlive = (pid) => !["Z", "X"].includes(state(pid));
export const isStopped = (pid) => state(pid) === "T";

export const signal = (pid, name) => {
  try {
    process.kill(pid, name);
    return true;
  } catch {
    return false; // gone meanwhile
  }
};

// The guardian has no environment: it is known as a child of the program.
export function guardianOf(pid) {
  const found = readdirSync("/proc").filter((name) => /^\d+$/.test(name)).find((name) => {
    try {
      const parent = readFileSync(`/proc/${name}/stat`, "latin1").replace(/^.*\) \S+ /s, "").split(" ")[0];
      return Number(parent) === pid && readFileSync(`/proc/${name}/cmdline`, "latin1").startsWith("vercel-sim\0__guardian");
    } catch {
      return false;
    }
  });
  return found && Number(found);
}
