// What isolation costs: plain `next dev` against `vercel-sim run` on fresh and on warm instances; one run, the same app, interleaved rounds.
//   node bench/isolation.mjs [--bin build/vercel-sim] [--rounds 30] [--seconds 10] [--page /time] [--static /] [--json FILE] [--check] [--keep DIR]
//                            [--only api,page,fetches,sustained,unbound,empty,forks] [--app fixtures/apps/chat] [--larger]
// Each server has a copy of the app (its packages as hard links), so that no two share a .next. --larger: one of 420 modules with a UI library and middleware (larger/make.mjs), without those that are started one by one; --without-started: so with any app. Each round asks each server once for each
// target, beginning with another server each time. Before a request that is to meet a spare, the run waits until --events has told that the
// spare is bound and frozen, its reserve is full and no instance starts, binds or dies; what the request met is then read from the event of its end
// (`start`), not assumed: one that met something else is counted as a miss, and is in no row of times.
// `forks` (alone or with others) sets instances that are copies of a template (the default) beside instances that are started one by one (--set instances.fork=off) and
// beside plain `next dev`, without pauses: an API call, a page and a page that is made at build, one request after the other; 20 calls at once; one client and four
// for --seconds; the page faults of an instance from its begin to its end, and what it makes the system do from the request to the answer (counts.mjs); what one more waiting instance weighs; from the start to the first answer.
// The bars are those the product has set itself; --check makes a missed one the exit code 1. --keep DIR keeps events and output of all servers. On a busy machine the numbers say nothing; the load is printed.
import { spawn } from 'node:child_process';
import { closeSync, cpSync, existsSync, fstatSync, mkdtempSync, openSync, readdirSync, readFileSync, readSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { cpus, loadavg, tmpdir, totalmem } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { copyApp, cpuOf, freePort, option, quantile, statOf, ticksPerSecond } from './common.mjs';
import { counts } from './counts.mjs';
import { makeLarger } from './larger/make.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const bin = resolve(option('bin', join(here, '../build/vercel-sim')));
const rounds = Number(option('rounds', 30));
const seconds = Number(option('seconds', 10));
const only = option('only', 'api,page,fetches,sustained,unbound,empty,forks').split(',');
const api = '/api/counter';
const page = option('page', '/time');
const looks = [[api, 'API call'], [page, 'page'], [option('static', '/'), 'static page']];
const targets = [...(only.includes('api') ? [api] : []), ...(only.includes('page') ? [page] : [])];
const dir = mkdtempSync(join(tmpdir(), 'vs-bench-'));
const app = process.argv.includes('--larger') ? makeLarger(join(dir, 'app')) : resolve(option('app', join(here, '../fixtures/apps/chat')));
const mark = `vsim-bench-${process.pid}-${Date.now()}`;
const servers = new Set();
const now = () => performance.now();
const round1 = (x) => x === undefined || Number.isNaN(x) ? '' : x.toFixed(1);
const raw = { samples: {}, misses: {}, spawn_ms: [], bind_ms: [], pss: {}, fetches: {}, sustained: [], forks: {}, counts: {} };
const push = (table, key, value) => (table[key] ??= []).push(value);

// Asks until the probe answers something truthy: for events in a file, and ports.
async function until(what, ms, probe, every = 10) {
  for (const end = now() + ms; ;) {
    const value = await probe();
    if (value) return value;
    if (now() > end) throw new Error(`${what}: not within ${ms} ms`);
    await new Promise((r) => setTimeout(r, every));
  }
}

// ---- servers



// Nothing is told when a process is started: its age says that, in ticks of 10 ms.
function spawned({ pid, time }) {
  try {
    const begun = Number(statOf(pid)[19]) / ticksPerSecond;
    const age = Number(readFileSync('/proc/uptime', 'latin1').split(' ')[0]) - begun;
    raw.spawn_ms.push(age * 1000 - (Date.now() - Date.parse(time)));
  } catch {}  // gone meanwhile
}

// The events of one vercel-sim as far as this benchmark needs them.
class Events {
  #fd = -1; #at = 0; #rest = ''; #givenUp = new Set();
  instances = new Map();  // name: its last instance_changed, with the time of each state it had
  ends = new Map();       // last part of the request id (the header names one more region): invocation_ended
  constructor(path) { this.path = path; }
  read() {
    if (this.#fd < 0) { if (!existsSync(this.path)) return; this.#fd = openSync(this.path, 'r'); }
    const size = fstatSync(this.#fd).size;
    if (size <= this.#at) return;
    const bytes = Buffer.alloc(size - this.#at);
    this.#at += readSync(this.#fd, bytes, 0, bytes.length, this.#at);
    const lines = (this.#rest + bytes.toString('latin1')).split('\n');
    this.#rest = lines.pop();
    for (const line of lines) this.#take(JSON.parse(line));
  }
  #take(e) {
    if (e.t === 'invocation_ended') this.ends.set(e.request_id.split('::').at(-1), e);
    if (e.t !== 'instance_changed') return;
    const before = this.instances.get(e.instance);
    const times = { ...before?.times, [e.to]: Date.parse(e.time) };
    if (e.from === 'spawning' && e.to === 'spare') spawned(e);
    if (e.from === 'binding' && e.to !== 'bound' && e.why === 'init_timeout') this.#givenUp.add(e.function ?? before?.function ?? '');
    if (e.from === 'binding' && e.to === 'bound') raw.bind_ms.push(times.bound - times.binding);
    this.instances.set(e.instance, { ...before, ...e, was: e.from, times });
  }
  in(...states) { return [...this.instances.values()].filter((i) => states.includes(i.to)); }
  // A bound spare is frozen until used; one that has served an invocation is frozen from idle.
  bound(route) { return this.in('bound', 'frozen').filter((i) => (i.to === 'bound' || i.was === 'bound') && (i.function === route || i.function === `${route}/route` || i.function === `${route}/page`)); }
  givenUp(route) { return [...this.#givenUp].some((f) => f.startsWith(`${route}/`) || f === route); }
  close() { if (this.#fd >= 0) closeSync(this.#fd); this.#fd = -1; }
}

class Server {
  constructor(name) { this.name = name; this.agent = new http.Agent({ keepAlive: true, maxSockets: Infinity }); }
  async start(command, args, cwd) {
    this.log = openSync(join(dir, `${this.name}.log`), 'w');
    const env = { ...process.env, NEXT_TELEMETRY_DISABLED: '1', VSIM_BENCH_MARK: mark };
    for (const name of ['PORT', 'NODE_OPTIONS', 'NODE_ENV']) delete env[name];
    this.child = spawn(command, args, { cwd, env, stdio: ['ignore', this.log, this.log] });
    this.exited = new Promise((done) => { this.child.once('exit', done); this.child.once('error', done); });
    servers.add(this);
    const begin = now();
    await until(`${this.name} answers`, 120_000, async () => {
      if (this.child.exitCode !== null) throw new Error(`${this.name} ended:\n${readFileSync(join(dir, `${this.name}.log`), 'utf8').slice(-3000)}`);
      return (await this.get(api).catch(() => ({}))).status === 200;
    }, 20);
    this.startMs = now() - begin;
  }
  // One request, from the first byte sent to the last byte read.
  get(path) {
    return new Promise((done, fail) => {
      const begin = now();
      http.get({ host: '127.0.0.1', port: this.port, path, agent: this.agent, headers: { Accept: 'text/html,*/*' } }, (response) => {
        const chunks = [];
        response.on('data', (c) => chunks.push(c)).on('error', fail).on('end', () =>
          done({ ms: now() - begin, status: response.statusCode, id: response.headers['x-vercel-id'], body: Buffer.concat(chunks).toString() }));
      }).on('error', fail);
    });
  }
  async stop() {
    this.agent.destroy();
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill('SIGINT');
    await Promise.race([this.exited, new Promise((r) => setTimeout(r, 10_000))]);
    this.child.kill('SIGKILL');
    this.events?.close();
    closeSync(this.log);
    servers.delete(this);
  }
}

async function startPlain() {
  const server = new Server('plain');
  const cwd = copyApp(app, join(dir, 'plain'));
  server.port = await freePort();
  await server.start(process.execPath, [join(cwd, 'node_modules/next/dist/bin/next'), 'dev', '-H', '127.0.0.1', '-p', String(server.port)], cwd);
  return server;
}
async function startSim(name, extra) {
  const server = new Server(name);
  const cwd = copyApp(app, join(dir, name));
  server.events = new Events(join(dir, `${name}.jsonl`));
  server.port = await freePort();
  await server.start(bin, ['run', '--profile', 'hobby', '--port', String(server.port), '--no-color', '--events', server.events.path, ...extra], cwd);
  return server;
}

// Nothing starts, is bound or goes, and the store is as full as it gets: two unbound spares, and a bound one for each target.
// A function whose binding took too long (a busy machine) gets no bound spare any more: its requests are misses.
const kSpares = { invocation: 2, instance: 1, unbound: 2, started: 2 };
// That for a while: what waits for bursts is made after a lull, and is not to be made while another server is measured.
const kSettledMs = 400;
function settled(server, routes) {
  let since;
  return until(`${server.name} settles for ${routes}`, 180_000, () => {
    server.events.read();
    const isFull = server.events.in('spawning', 'binding', 'leased', 'retired', 'dying').length === 0 &&
      server.events.in('spare').length >= kSpares[server.name] &&
      routes.every((route) => server.events.bound(route).length > 0 || server.events.givenUp(route));
    since = isFull ? since ?? now() : undefined;
    return isFull && now() - since >= kSettledMs;
  });
}
const endOf = (server, id) => until(`${server.name} tells the end of ${id}`, 10_000, () => { server.events.read(); return server.events.ends.get(id?.split('::').at(-1)); });

// A request, checked: its time, and what it met there.
async function ask(server, path) {
  const answer = await server.get(path);
  if (answer.status !== 200) throw new Error(`${server.name} ${path}: ${answer.status} ${answer.body.slice(0, 300)}`);
  const count = path === api ? JSON.parse(answer.body).count : undefined;
  const start = server.events ? (await endOf(server, answer.id)).start : 'warm';
  if (start !== 'warm' && count !== undefined && count !== 1) throw new Error(`${server.name}: a fresh instance (${start}) counted ${count}`);
  return { ms: answer.ms, start };
}
async function measure(server, path, wanted) {
  const { ms, start } = await ask(server, path);
  if (start === wanted) push(raw.samples, `${server.name} ${wanted} ${path}`, ms);
  else push(raw.misses, `${server.name} ${wanted} ${path}`, { start, ms });
}

function weigh(server) {
  for (const i of server.events.in('spare', 'bound', 'idle', 'frozen')) {
    const what = i.to === 'spare' ? 'spare' : i.to === 'bound' || i.was === 'bound' ? 'bound spare' : 'has served';
    try {
      const pss = Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${i.pid}/smaps_rollup`, 'utf8'))[1]) / 1024;
      push(raw.pss, what, pss);
    } catch {}  // gone meanwhile
  }
}

// ---- phases

async function warmUp(server, routes) {
  for (let i = 0; i < 5; i++) for (const path of routes) await ask(server, path);
}
async function latencies(plain, fresh, warm) {
  const cells = [[plain, 'warm'], [fresh, 'bound'], [warm, 'warm']];
  for (let round = 0; round < rounds; round++) {
    for (const path of targets) {
      for (let i = 0; i < cells.length; i++) {
        const [server, wanted] = cells[(i + round) % cells.length];
        // Both, whoever is asked: a refill would take the machine from the other.
        await settled(warm, []);
        await settled(fresh, targets);
        await measure(server, path, wanted);
      }
    }
    if (round % 5 === 4 || round === rounds - 1) for (const server of [fresh, warm]) { server.events.read(); weigh(server); }
  }
}
// What a page does that asks its own API for 20 things at once.
async function fetches(all, fresh) {
  for (let round = 0; round < Math.max(3, Math.round(rounds / 3)); round++) {
    for (let i = 0; i < all.length; i++) {
      const server = all[(i + round) % all.length];
      await settled(fresh, [api]);
      const begin = now();
      const answers = await Promise.all(Array.from({ length: 20 }, () => server.get(api)));
      const ms = now() - begin;
      const bad = answers.find((a) => a.status !== 200 || (server === fresh && JSON.parse(a.body).count !== 1));
      if (bad) throw new Error(`20 fetches, ${server.name}: ${bad.status} ${bad.body.slice(0, 300)}`);
      push(raw.fetches, server.name, ms);
    }
  }
}
async function sustained(name, server) {
  for (const clients of [1, 4]) {
    if (server.events) await settled(server, [api]);
    let done = 0;
    const begin = now();
    await Promise.all(Array.from({ length: clients }, async () => {
      for (; now() - begin < seconds * 1000; done++) {
        const answer = await server.get(api);
        if (answer.status !== 200 || (server.events && JSON.parse(answer.body).count !== 1)) throw new Error(`sustained: ${answer.status} ${answer.body.slice(0, 300)}`);
      }
    }));
    raw.sustained.push({ name, clients, invocations: done, rate: done / (now() - begin) * 1000 });
  }
}
async function unbound(plain, server) {
  for (let round = 0; round < rounds; round++) {
    for (const path of targets) {
      await settled(server, []);
      await measure(server, path, 'spare');
    }
  }
}
// Copies and started instances, interleaved; the memory is that of those that wait, and what it would cost to have one more: pages of its own.
async function forks(plain, forked, spawned) {
  const named = [['plain', plain], ['fork', forked], ['spawn', spawned]].filter(([, server]) => server);
  const isolated = named.slice(1).map(([, server]) => server);
  const weighed = (what, server) => {
    server.events.read();
    for (const { pid } of server.events.in('spare', 'bound', 'frozen')) {
      try {
        const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
        const of = (name) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)[1]) / 1024;
        push(raw.forks, `${what}: memory, PSS`, of('Pss'));
        push(raw.forks, `${what}: memory, private`, of('Private_Dirty') + of('Private_Clean'));
      } catch {}  // gone meanwhile
    }
  };
  for (let round = 0; round < Math.max(3, Math.round(rounds / 6)); round++) {
    for (let i = 0; i < named.length; i++) {
      const [name, server] = named[(i + round) % named.length];
      for (const each of isolated) await settled(each, [api]);
      if (server !== plain) weighed(name, server);
      for (const [path, what] of looks) {
        for (const each of isolated) await settled(each, [api]);
        const cpu = cpuOf(server.child.pid);
        const faults = faultsOf(server);
        for (let n = 0; n < 10; n++) {
          const { ms, status, body } = await server.get(path);
          if (status !== 200 || (server !== plain && path === api && JSON.parse(body).count !== 1)) throw new Error(`${name}: ${status} ${body.slice(0, 300)}`);
          push(raw.forks, `${name}: ${what}, one after the other`, ms);
        }
        push(raw.forks, `${name}: ${what}, CPU of all processes`, (cpuOf(server.child.pid) - cpu) / 10);
        if (server !== plain) push(raw.forks, `${name}: ${what}, page faults of instances`, (faultsOf(server) - faults) / 10);
      }
      for (const each of isolated) await settled(each, [api]);
      const from = now();
      const answers = await Promise.all(Array.from({ length: 20 }, () => server.get(api)));
      push(raw.forks, `${name}: 20 at once`, now() - from);
      const bad = answers.find((a) => a.status !== 200 || (server !== plain && JSON.parse(a.body).count !== 1));
      if (bad) throw new Error(`${name}: ${bad.status} ${bad.body.slice(0, 300)}`);
    }
  }
}
// What an invocation on a copy makes the system do.
async function counted(server) {
  for (const [path, what] of looks.slice(0, 2)) {
    raw.counts[what] = await counts(server, path, 12, () => settled(server, [path]), dir);
  }
}
// Minor page faults of the instances that have ended: children of vercel-sim, which waits for them.
const faultsOf = ({ child }) => Number(statOf(child.pid)[8]);
// One request after the other until one meets no instance: refill waits for a pause. The process may have been on its way when it came.
async function empty(server) {
  for (let round = 0; round < Math.max(3, Math.round(rounds / 3)); round++) {
    for (const path of targets) {
      await settled(server, []);
      for (let i = 0; i < 20; i++) {
        const { ms, start } = await ask(server, path);
        if (start === 'cold') { push(raw.samples, `${server.name} cold ${path}`, ms); break; }
      }
    }
  }
}

// ---- report

let missed = 0;
function report() {
  const line = (...cells) => console.log(`| ${cells.join(' | ')} |`);
  console.log(`\n${rounds} rounds, ${cpus().length} × ${cpus()[0].model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}, load ${loadavg().map((x) => x.toFixed(1)).join(' ')}\n`);
  line('invocation', 'target', 'n', 'p50 ms', 'p95 ms', '× plain', 'p50 − plain', 'bar', '');
  line('---', '---', '--:', '--:', '--:', '--:', '--:', '---', '---');
  const rows = [['plain next dev, warm', 'plain warm'], ['fresh instance, waited as a bound spare', 'invocation bound'], ['warm instance', 'instance warm'],
    ['fresh instance, unbound spare', 'unbound spare'], ['fresh instance, empty pool', 'unbound cold']];
  for (const path of targets) {
    const plain = raw.samples[`plain warm ${path}`];
    const base = plain && quantile(plain, 0.5);
    for (const [title, key] of rows) {
      const xs = raw.samples[`${key} ${path}`];
      const lost = raw.misses[`${key} ${path}`]?.length ?? 0;
      if (!xs && !lost) continue;
      const p50 = xs ? quantile(xs, 0.5) : NaN;
      let bar, limit;
      if (key === 'invocation bound') { const more = path === api ? 20 : 30; bar = `+${more} ms`; limit = base + more; }
      if (key === 'instance warm') { bar = '× 1.25 or +3 ms'; limit = Math.max(base * 1.25, base + 3); }
      const fails = bar && !(p50 <= limit);
      if (fails) missed++;
      line(title, path, `${xs?.length ?? 0}${lost ? ` (${lost} met another)` : ''}`, round1(p50), xs ? round1(quantile(xs, 0.95)) : '',
        key === 'plain warm' ? '' : (p50 / base).toFixed(2), key === 'plain warm' ? '' : round1(p50 - base), bar ?? '', bar ? (fails ? '**fail**' : 'pass') : '');
    }
  }
  console.log('\n| what | n | p50 | p95 | unit |\n|---|--:|--:|--:|---|');
  const other = (title, xs, unit) => { if (xs?.length) line(title, xs.length, round1(quantile(xs, 0.5)), round1(quantile(xs, 0.95)), unit); };
  for (const [name, title] of [['plain', 'plain next dev'], ['invocation', 'fresh instances'], ['instance', 'reused instances']]) other(`20 fetches at once, ${title}`, raw.fetches[name], 'ms for all');
  other('spawn to ready', raw.spawn_ms, 'ms');
  other('spare to bound', raw.bind_ms, 'ms');
  for (const [what, xs] of Object.entries(raw.pss)) other(`memory of an instance, ${what}`, xs, 'MiB PSS');
  for (const [what, xs] of Object.entries(raw.forks)) {
    const base = raw.forks[`plain:${what.split(':')[1]}`];
    other(`${what}${base && !what.startsWith('plain') ? `, ${(quantile(xs, 0.5) / quantile(base, 0.5)).toFixed(1)} × plain` : ''}`, xs, /memory/.test(what) ? 'MiB' : /faults/.test(what) ? 'faults' : 'ms');
  }
  const units = { ahead: ['minor page faults until it waits', 'faults'], way: ['minor page faults from the request to its answer', 'faults'], copied: ["memory copied of its template's", 'MiB'], made: ['memory it has besides', 'MiB'], calls: ['system calls from the request to its answer', 'calls'] };
  for (const [what, found] of Object.entries(raw.counts)) {
    for (const [key, [title, unit]] of Object.entries(units)) other(`a copy, ${what}: ${title}`, found[key], unit);
    if (found.why) line(`a copy, ${what}: system calls not counted: ${found.why}`, '', '', '', '');
    if (found.missed) line(`a copy, ${what}: requests that none or several copies seem to have served, not counted`, found.missed, '', '', '');
  }
  for (const s of raw.sustained) {
    const plain = raw.sustained.find((one) => one.name === 'plain' && one.clients === s.clients);
    const ratio = plain && s !== plain ? `, ${(s.rate / plain.rate).toFixed(2)} × plain` : '';
    line(`${s.name}: invocations without pause, ${s.clients} client${s.clients > 1 ? 's' : ''}${ratio}`, s.invocations, round1(s.rate), '', 'a second');
  }
}

let ending;
const endAll = () => ending ??= end();
async function end() {
  await Promise.all([...servers].map((s) => s.stop()));
  const left = [];
  for (const pid of readdirSync('/proc')) {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) continue;
    try { if (readFileSync(`/proc/${pid}/environ`, 'latin1').includes(mark)) left.push(Number(pid)); } catch {}
  }
  for (const pid of left) try { process.kill(pid, 'SIGKILL'); } catch {}
  if (option('keep')) for (const f of readdirSync(dir)) if (/[.](jsonl|log)$/.test(f)) cpSync(join(dir, f), join(option('keep'), f));
  rmSync(dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
}
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => endAll().finally(() => { report(); process.exit(130); }));

try {
  const plain = await startPlain();
  const fresh = await startSim('invocation', ['--isolation', 'invocation']);
  if (only.includes('forks')) {
    // Those of a larger app that are started one by one do not all fit the budget of memory.
    const started = process.argv.includes('--larger') || process.argv.includes('--without-started') ? undefined : await startSim('started', ['--isolation', 'invocation', '--set', 'instances.fork=off']);
    const all = [['plain', plain], ['fork', fresh], ['spawn', started]].filter(([, server]) => server);
    for (const [, server] of all) await warmUp(server, looks.map(([path]) => path));
    await forks(plain, fresh, started);
    await counted(fresh);
    for (const [name, server] of all) await sustained(name, server);
    for (const [name, server] of all) push(raw.forks, `${name}: start to the first answer`, server.startMs);
    await started?.stop();
  }
  const warm = only.some((name) => name !== 'forks') ? await startSim('instance', ['--isolation', 'instance']) : undefined;
  if (warm) {
    for (const server of [plain, fresh, warm]) await warmUp(server, targets);
    await latencies(plain, fresh, warm);
  }
  if (only.includes('fetches')) await fetches([plain, fresh, warm], fresh);
  if (only.includes('sustained') && !only.includes('forks')) await sustained('fork', fresh);
  await Promise.all([fresh, warm].map((s) => s?.stop()));
  if (only.includes('unbound') || only.includes('empty')) {
    const server = await startSim('unbound', ['--isolation', 'invocation', '--set', 'spares.bound=off']);
    await warmUp(server, targets);
    if (only.includes('unbound')) await unbound(plain, server);
    if (only.includes('empty')) await empty(server);
  }
} catch (error) {
  console.error(error);
  for (const { events } of servers) if (events) console.error(events.path, [...events.instances.values()].filter((i) => i.to !== 'dead').map((i) => `${i.instance} ${i.was}→${i.to} ${i.function ?? ''}`));
  process.exitCode = 1;
} finally {
  await endAll();
}
report();
if (option('json')) writeFileSync(option('json'), JSON.stringify(raw, null, 1));
if (missed && process.argv.includes('--check')) process.exitCode = 1;
