// What several benchmarks do alike.
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import net from 'node:net';
import { join, relative } from 'node:path';

export const option = (name, otherwise) => { const i = process.argv.indexOf(`--${name}`); return i < 0 ? otherwise : process.argv[i + 1]; };
export const pause = (ms) => new Promise((done) => setTimeout(done, ms));
export const quantile = (xs, q) => [...xs].sort((a, b) => a - b)[Math.min(xs.length - 1, Math.floor(xs.length * q))];
export const freePort = () => new Promise((done) => { const s = net.createServer().listen(0, '127.0.0.1', () => { const { port } = s.address(); s.close(() => done(port)); }); });
export const ticksPerSecond = Number(execFileSync('getconf', ['CLK_TCK']));  // of a second, as /proc counts

// The app with its packages, without what was built; `to` is new.
export function copyApp(app, to) {
  if (!existsSync(join(app, 'node_modules/next/package.json'))) throw new Error(`no packages in ${app}: run "npm ci" there first`);
  cpSync(app, to, { recursive: true, filter: (from) => !['node_modules', '.next'].includes(relative(app, from).split('/')[0]) });
  try {
    execFileSync('cp', ['-al', join(app, 'node_modules'), join(to, 'node_modules')], { stdio: 'ignore' });
  } catch {  // another file system
    rmSync(join(to, 'node_modules'), { recursive: true, force: true });
    execFileSync('cp', ['-a', join(app, 'node_modules'), join(to, 'node_modules')]);
  }
  return to;
}

// What /proc says of a process, from the third field on (proc(5)); throws where it is gone.
export const statOf = (pid) => readFileSync(`/proc/${pid}/stat`, 'latin1').replace(/^.*\) /s, '').split(' ');

// CPU in ms of a process and of all below it: what they have used, and what those of their children have that have ended.
export function cpuOf(root) {
  const parents = new Map();
  const used = new Map();
  for (const pid of readdirSync('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    try {
      const fields = statOf(pid).map(Number);
      parents.set(Number(pid), fields[1]);
      used.set(Number(pid), (fields[11] + fields[12] + fields[13] + fields[14]) / ticksPerSecond * 1000);
    } catch {}  // gone meanwhile
  }
  let total = 0;
  for (const pid of used.keys()) for (let at = pid; at > 1; at = parents.get(at) ?? 0) if (at === root) { total += used.get(pid); break; }
  return total;
}
