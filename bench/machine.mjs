// What the hooks of the machine cost (disk, network, programs, plan): the same program and app with them and with all of them off by profile keys, in interleaved rounds.
//   node bench/machine.mjs [--bin build/vercel-sim] [--rounds 10] [--requests 200] [--starts 30] [--json FILE] [--check]
// A request: CPU of all processes of a server (every thread's, in ns) for --requests on one warm instance, with / without; `again` is a second server without, whose ratio to the
// first is what two servers differ in anyway. A start: CPU and time of what an instance loads (joined, as it is there: src/agent/dev/joined.cjs) and hooks for it, in fresh processes in which what
// Next itself uses of Node is loaded; a copy pays none of it.
// The bars: at most 2 % of a request's CPU, 5 ms of a start; --check makes a missed one the exit code 1. On a busy machine read the ratios, and `again`.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { createRequire } from 'node:module';
import { loadavg, tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { statOf } from './common.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const option = (name, otherwise) => { const i = process.argv.indexOf(`--${name}`); return i < 0 ? otherwise : process.argv[i + 1]; };
const bin = resolve(option('bin', join(here, '../build/vercel-sim')));
const app = resolve(here, '../fixtures/apps/chat');
const [rounds, requests, starts] = [['rounds', 10], ['requests', 200], ['starts', 30]].map(([name, n]) => Number(option(name, n)));
const dir = mkdtempSync(join(tmpdir(), 'vs-machine-'));
const median = (xs) => { const s = [...xs].sort((a, b) => a - b); return s.length % 2 ? s[(s.length - 1) / 2] : (s[s.length / 2 - 1] + s[s.length / 2]) / 2; };

const kOff = ['network.self', 'network.loopback', 'network.ipv6', 'network.smtp', 'network.protection', 'disk.writes', 'disk.tmp', 'disk.reads', 'programs.absent', 'static.changes', 'descriptors.mode'];
// One that uses what is hooked, soundly: files of the project, its own /tmp, a connection.
const kRoute = `import { readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
export const dynamic = 'force-dynamic';
export async function GET() {
  const text = await readFile(path.join(process.cwd(), 'public/icon.svg'), 'utf8');
  await writeFile('/tmp/vsim-bench', text);
  const { size } = await stat('/tmp/vsim-bench');
  return Response.json({ size, there: (await readFile('/tmp/vsim-bench', 'utf8')).length });
}
`;
const targets = [['/api/counter', 'API call'], ['/time', 'page'], ['/api/files', 'API call that reads and writes files']];

class Server {
  constructor(name, off) { this.name = name; this.off = off; this.agent = new http.Agent({ keepAlive: true, maxSockets: 1 }); }
  async start() {
    const cwd = join(dir, this.name);
    cpSync(app, cwd, { recursive: true, filter: (from) => !['node_modules', '.next'].includes(relative(app, from).split('/')[0]) });
    execFileSync('cp', ['-al', join(app, 'node_modules'), join(cwd, 'node_modules')]);
    mkdirSync(join(cwd, 'app/api/files'));
    writeFileSync(join(cwd, 'app/api/files/route.ts'), kRoute);
    const log = join(dir, `${this.name}.log`);
    const fd = openSync(log, 'w');
    const env = { ...process.env, NEXT_TELEMETRY_DISABLED: '1' };
    for (const name of ['PORT', 'NODE_OPTIONS', 'NODE_ENV']) delete env[name];
    const set = this.off ? kOff.flatMap((key) => ['--set', `${key}=off`]) : ['--set', 'network.protection=warn'];
    this.child = spawn(bin, ['run', '--profile', 'hobby-fluid', '--port', '0', '--no-color', ...set], { cwd, env, stdio: ['ignore', fd, fd] });
    for (const end = performance.now() + 180_000; !this.port; await new Promise((r) => setTimeout(r, 50))) {
      this.port = Number(/^vercel-sim ready on http:\/\/localhost:(\d+)/m.exec(readFileSync(log, 'utf8'))?.[1]);
      if (this.child.exitCode !== null || performance.now() > end) throw new Error(`${this.name} is not ready:\n${readFileSync(log, 'utf8').slice(-2000)}`);
    }
  }
  get(path) {
    return new Promise((done, fail) => {
      http.get({ host: '127.0.0.1', port: this.port, path, agent: this.agent }, (response) => {
        response.resume().on('error', fail).on('end', () => (response.statusCode === 200 ? done() : fail(new Error(`${this.name} ${path}: ${response.statusCode}`))));
      }).on('error', fail);
    });
  }
  // ms of everything below it that lives.
  cpu() {
    const parents = new Map();
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      try { parents.set(Number(pid), Number(statOf(pid)[1])); } catch {}  // gone meanwhile
    }
    let ns = 0;
    for (const pid of parents.keys()) {
      let at = pid;
      while (at > 1 && at !== this.child.pid) at = parents.get(at) ?? 0;
      if (at !== this.child.pid) continue;
      try {
        for (const task of readdirSync(`/proc/${pid}/task`)) ns += Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'latin1').split(' ')[0]);
      } catch {}
    }
    return ns / 1e6;
  }
  async measure(path) {
    const before = this.cpu();
    for (let i = 0; i < requests; i++) await this.get(path);
    return (this.cpu() - before) / requests;
  }
  async stop() {
    this.agent.destroy();
    const gone = new Promise((done) => this.child.once('exit', done));
    if (this.child.exitCode === null && this.child.kill('SIGINT')) await gone;
  }
}

// ---- A start: the parts that an instance has for this, loaded and hooked.
const kStart = `
const { AsyncLocalStorage } = require('node:async_hooks');
const sim = { guard: (_, f) => f(), lacks() {}, boot: { options: { dir: '/' } }, options: { project: '/', publicPort: 3000, machine: process.env.MODES, isHttps: false, instance: '1', timeScale: 1 },
  plain: { setTimeout, setImmediate }, tell() {}, invocations: new AsyncLocalStorage(), isUserCode: () => false, originalPosition() {}, missing: new Set() };
for (const part of ['shared/hanging', 'shared/connections', 'instance/own-requests', 'shared/source-maps']) Object.assign(sim, require(process.env.AGENT + part + '.cjs')(sim));
require('node:https'), require('node:dns'), require('node:tls'), require('node:child_process'), require('node:os'), require('node:fs').promises, fetch.name;
sim.hookOwnRequests(); sim.hookHanging();
const [cpu, time] = [process.cpuUsage(), performance.now()];
const load = require(process.env.JOINED);
for (const part of process.env.PARTS.split(' ')) Object.assign(sim, load('../' + part + '.cjs')(sim));
sim.hookNetwork(); sim.hookDisk(); sim.hookChildren(); sim.hookRefused(); sim.hookReads(); sim.hookTmp(); sim.hookPrograms(); sim.hookPlan(); sim.keepSpare();
const ms = performance.now() - time;
const { user, system } = process.cpuUsage(cpu);
console.log(JSON.stringify({ ms, cpu: (user + system) / 1000 }));
process.exit(0);
`;
const kParts = ['shared/machine', 'instance/network', 'instance/disk', 'instance/read-only', 'instance/refused', 'instance/reads', 'instance/reads-by-name', 'instance/tmp', 'instance/programs', 'instance/plan'];
const { writeJoined } = createRequire(import.meta.url)('../src/agent/dev/joined.cjs');
const kModes = 'self=enforce,loopback=warn,ipv6=warn,smtp=warn,protection=warn,disk=enforce,reads=warn,programs=warn,descriptors=enforce,descriptors_max=1024,cpus=1';
function startOnce() {
  const env = { PATH: process.env.PATH, AGENT: `${join(here, '../src/agent')}/`, MODES: kModes, JOINED: writeJoined({ folder: dir, names: kParts }), PARTS: kParts.join(' ') };
  const { status, stdout, stderr } = spawnSync(process.execPath, ['-e', kStart], { env, encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}

async function main() {
  if (!existsSync(join(app, 'node_modules/next'))) throw new Error(`no packages in ${app}: run "npm ci" there first`);
  const load = [loadavg()[0]];
  const begun = Array.from({ length: starts }, startOnce);
  const start = { cpu: median(begun.map(({ cpu }) => cpu)), ms: median(begun.map(({ ms }) => ms)), least: Math.min(...begun.map(({ cpu }) => cpu)) };
  console.log(`start: ${start.cpu.toFixed(1)} ms of CPU (least ${start.least.toFixed(1)}), ${start.ms.toFixed(1)} ms; medians of ${starts}`);
  const servers = [new Server('with', false), new Server('without', true), new Server('again', true)];
  const raw = { with: {}, without: {}, again: {} };
  try {
    for (const server of servers) await server.start();
    for (const server of servers) for (const [path] of targets) for (let i = 0; i < requests; i++) await server.get(path);
    for (let round = 0; round < rounds; round++) {
      for (const [path] of targets) for (let i = 0; i < servers.length; i++) {
        const server = servers[(i + round) % servers.length];
        (raw[server.name][path] ??= []).push(await server.measure(path));
      }
    }
  } finally {
    for (const server of servers) if (server.child) await server.stop();
    rmSync(dir, { recursive: true, force: true });
  }
  load.push(loadavg()[0]);
  console.log(`load ${load.map((x) => x.toFixed(1)).join(' to ')}; ${rounds} rounds of ${requests} requests; medians`);
  const rows = targets.map(([path, what]) => {
    const ratio = (name) => median(raw[name][path].map((ms, i) => ms / raw.without[path][i]));
    return { what, without: median(raw.without[path]), with: ratio('with'), again: ratio('again') };
  });
  for (const row of rows) console.log(`${row.what}: ${row.without.toFixed(2)} ms of CPU without; with ${((row.with - 1) * 100).toFixed(1)} %, again ${((row.again - 1) * 100).toFixed(1)} %`);
  if (option('json')) writeFileSync(option('json'), JSON.stringify({ load, start, rows, raw, begun }, null, 1));
  const missed = start.cpu > 5 || rows.some((row) => row.with > 1.02);
  if (process.argv.includes('--check') && missed) process.exitCode = 1;
}

await main();
