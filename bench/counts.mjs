// What one fresh invocation on a copy makes the system do, which is the same on every machine where times are not: page faults, system calls, memory copied.
import { spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, readSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pause, statOf } from './common.mjs';

const kPage = 4096;
const now = () => Date.now();  // as strace tells it
const minorFaults = (pid) => Number(statOf(pid)[7]);
const tried = (read) => { try { return read(); } catch { return undefined; } };  // a process that is gone meanwhile

// Of each private mapping that a process may write to: [its address, its pages as /proc/PID/pagemap has them].
function* writable(pid) {
  const fd = openSync(`/proc/${pid}/pagemap`, 'r');
  try {
    for (const line of readFileSync(`/proc/${pid}/maps`, 'latin1').split('\n')) {
      const found = /^([0-9a-f]+)-([0-9a-f]+) .w.p/.exec(line);
      if (!found) continue;
      const [from, to] = found.slice(1).map((x) => Number.parseInt(x, 16));
      const bytes = Buffer.alloc((to - from) / kPage * 8);
      const read = readSync(fd, bytes, 0, bytes.length, from / kPage * 8);
      yield [from, new BigUint64Array(bytes.buffer, bytes.byteOffset, Math.floor(read / 8))];
    }
  } finally {
    closeSync(fd);
  }
}
const kPresent = 1n << 63n, kOfFile = 1n << 61n, kAlone = 1n << 56n;  // Documentation/admin-guide/mm/pagemap.rst
function ownPages(pid) {
  const own = [];
  for (const [from, pages] of writable(pid)) pages.forEach((page, i) => { if (page & kPresent && page & kAlone && !(page & kOfFile)) own.push(from + i * kPage); });
  return own;
}
function presentPages(pid) {
  const present = new Set();
  for (const [from, pages] of writable(pid)) pages.forEach((page, i) => { if (page & kPresent) present.add(from + i * kPage); });
  return present;
}

// What `during` answers, and calls(pid, from, until): how many system calls one of the processes made between two times, by strace. Or `why` it cannot tell
// (not installed, not permitted).
async function traced(pids, dir, during) {
  const to = mkdtempSync(join(dir, 'calls-'));
  const strace = spawn('strace', ['-ff', '-ttt', '-qq', '-s', '0', '-o', join(to, 'of'), ...pids.flatMap((pid) => ['-p', String(pid)])], { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  strace.stderr.on('data', (text) => { said += text; });
  const ended = new Promise((done) => { strace.once('error', done); strace.once('exit', done); });
  const follows = (pid) => /^TracerPid:\s+[1-9]/m.test(tried(() => readFileSync(`/proc/${pid}/status`, 'latin1')) ?? '');
  try {
    for (const end = now() + 5000; !pids.every(follows); await pause(5)) {
      if (strace.exitCode !== null || strace.pid === undefined || now() > end) return { why: said.trim().split('\n')[0] || 'strace did not begin (is it installed?)' };
    }
    const value = await during();
    strace.kill('SIGTERM');
    await ended;
    const times = new Map(pids.map((pid) => [pid, (tried(() => readFileSync(join(to, `of.${pid}`), 'latin1')) ?? '').split('\n')
      .filter((line) => /^\d+\.\d+ [a-z_0-9]+\(/.test(line)).map((line) => Number.parseFloat(line) * 1000)]));
    const calls = (pid, from, until) => times.get(pid).filter((at) => at >= from && at <= until).length;
    return { value, calls };
  } finally {
    strace.kill('SIGKILL');
    rmSync(to, { recursive: true, force: true });
  }
}

// Of `server`, a vercel-sim whose instances are copies: `times` requests of `path`, each after a pause, on a copy that waited. `settle` waits until one does.
// Answers lists, one number for each request; `missed` requests were served by none or by several of those that waited, as it seems, and are not counted; `why`
// system calls could not be.
//   ahead    minor faults until the copy waited; most of them are pages that it takes at once, before there is a request
//   way      minor faults from the request to its answer
//   copied   MiB of its template that the copy has copied when it answers; made: MiB that it has besides
//   calls    system calls from the request to its answer
export async function counts(server, path, times, settle, dir) {
  const found = { ahead: [], way: [], copied: [], made: [], calls: [], missed: 0, why: undefined };
  const waiting = () => { server.events.read(); return server.events.bound(path).map(({ pid }) => pid); };
  const template = () => server.events.in('template').find(({ function: of }) => of.startsWith(path))?.pid;
  for (let n = 0; n < times; n++) {
    await settle();
    const pids = waiting();
    const templated = template();
    const before = new Map(pids.map((pid) => [pid, minorFaults(pid)]));
    const { status } = await server.get(path);
    const after = new Map(pids.map((pid) => [pid, tried(() => minorFaults(pid))]));
    if (status !== 200) throw new Error(`${path}: ${status}`);
    const served = pids.filter((pid) => after.get(pid) !== before.get(pid));
    if (served.length !== 1 || after.get(served[0]) === undefined) { found.missed++; continue; }
    found.ahead.push(before.get(served[0]));
    found.way.push(after.get(served[0]) - before.get(served[0]));
    const own = tried(() => ownPages(served[0]));
    if (!own?.length || !templated) continue;
    const present = presentPages(templated);
    const copied = own.filter((page) => present.has(page)).length;
    found.copied.push(copied * kPage / 2 ** 20);
    found.made.push((own.length - copied) * kPage / 2 ** 20);
  }
  for (let n = 0; n < times && !found.why; n++) {
    await settle();
    const pids = waiting();
    const { value, calls, why } = await traced(pids, dir, async () => { const from = now(); const { status } = await server.get(path); return { from, until: now(), status }; });
    if (why) { found.why = why; break; }
    if (value.status !== 200) throw new Error(`${path} under strace: ${value.status}`);
    const made = pids.map((pid) => calls(pid, value.from, value.until)).filter(Boolean);
    if (made.length === 1) found.calls.push(made[0]); else found.missed++;
  }
  return found;
}
