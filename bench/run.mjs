// The edge compared with nginx and HAProxy in one run, on the same origin, one worker each, in interleaved rounds.
//   node bench/run.mjs [--bin build/vercel-sim] [--rounds 10] [--seconds 2] [--only small,page,64k,1m,record,idle,tick,deadline]
// CPU is what the proxy's own process used (/proc/PID/stat), so a noisy neighbour moves it little; rates and latencies are for orientation.
import { spawn, execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, mkdirSync, readFileSync, rmSync, writeFileSync, openSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { option, pause, quantile, ticksPerSecond } from './common.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const bin = resolve(option('bin', join(here, '../build/vercel-sim')));
const rounds = Number(option('rounds', 10));
const seconds = Number(option('seconds', 2));
const only = option('only', 'small,page,64k,1m,record,idle,tick,deadline').split(',');
const dir = mkdtempSync(join(tmpdir(), 'vercel-sim-bench-'));
chmodSync(dir, 0o755);  // nginx's worker is nobody
const ports = { ORIGIN: 18080, STREAMS: 18081, nginx: 18082, haproxy: 18083, 'vercel-sim': 18084, deadline: 18085, record: 18086 };
const children = [];
const median = (xs) => quantile(xs, 0.5);
const agent = new http.Agent({ maxSockets: Infinity });

function start(command, args, options = {}) {
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'inherit'], ...options });
  children.push(child);
  return child;
}
function config(file, port) {
  const text = readFileSync(join(here, file), 'utf8').replaceAll('@DIR@', dir).replaceAll('@ORIGIN@', ports.ORIGIN)
    .replaceAll('@STREAMS@', ports.STREAMS).replaceAll('@PORT@', port);
  const path = join(dir, file);
  writeFileSync(path, text);
  return path;
}
async function answers(port, path = '/small') {
  for (let i = 0; i < 200; i++) {
    const ok = await new Promise((done) => http.get({ port, path, host: '127.0.0.1' }, (r) => { r.resume(); done(r.statusCode === 200); }).on('error', () => done(false)));
    if (ok) return;
    await pause(50);
  }
  throw new Error(`nothing answers on port ${port}`);
}
const childrenOf = (pid) => readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);
function cpu(pid) {  // seconds of all threads
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}
function memory(pid) {  // private bytes: what a stream really adds
  return Number(/^Private_Dirty:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))[1]) * 1024;
}
const switches = (pid) => Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);
const ms = (text) => {
  const m = /([\d.]+)(us|ms|s|m)$/.exec(text);
  if (!m) throw new Error(`wrk printed a latency that is no time: ${text}`);
  return m[1] * { us: 1e-3, ms: 1, s: 1e3, m: 6e4 }[m[2]];
};
async function wrk(port, path, connections) {
  const child = spawn('wrk', ['-t1', `-c${connections}`, `-d${seconds}s`, '--latency', `http://127.0.0.1:${port}${path}`], { stdio: ['ignore', 'pipe', 'inherit'] });
  let out = '';
  for await (const chunk of child.stdout) out += chunk;
  const bad = /unable to connect.*|Non-2xx or 3xx responses: (\d+)|Socket errors: (.*)/.exec(out);
  if (bad || !/requests in/.test(out) || /-nan/.test(out)) throw new Error(`wrk on port ${port}: ${bad ? bad[0] : out}`);
  return { requests: Number(/(\d+) requests in/.exec(out)[1]), rate: Number(/Requests\/sec:\s+([\d.]+)/.exec(out)[1]), p50: ms(/^\s+50%\s+(\S+)/m.exec(out)[1]), p99: ms(/^\s+99%\s+(\S+)/m.exec(out)[1]) };
}

async function startAll() {
  mkdirSync(join(dir, 'files'));
  writeFileSync(join(dir, 'files/64k'), Buffer.alloc(64 << 10, 'a'));
  writeFileSync(join(dir, 'files/1m'), Buffer.alloc(1 << 20, 'a'));
  start('nginx', ['-c', config('origin.conf', 0)]);
  start(process.execPath, [join(here, 'streams.mjs'), String(ports.STREAMS)]);
  await answers(ports.ORIGIN);
  await answers(ports.STREAMS, '/stream').catch(() => {});
  const nginx = start('nginx', ['-c', config('nginx.conf', ports.nginx)]);
  const haproxy = start('haproxy', ['-f', config('haproxy.cfg', ports.haproxy)]);
  await answers(ports.nginx);
  await answers(ports.haproxy);
  return [
    { name: 'nginx', pid: childrenOf(nginx.pid)[0] ?? nginx.pid, port: ports.nginx },
    { name: 'haproxy', pid: haproxy.pid, port: ports.haproxy },
  ];
}
// Deadlines, ids and events are on, as they are for a user.
async function startSim(port, upstream, extra = []) {
  const child = start(bin, ['run', '--profile', 'hobby-fluid', '--port', String(port), '--upstream', `http://127.0.0.1:${upstream}`, '--events', join(dir, `events-${port}.jsonl`), ...extra],
    { stdio: ['ignore', openSync(join(dir, `terminal-${port}.txt`), 'w'), 'inherit'] });
  await answers(port, '/_vercel-sim/health');
  return { name: 'vercel-sim', pid: child.pid, port };
}
// What --record adds, one process beside the other.
async function record() {
  console.log('\n## --record, small keep-alive requests, 32 connections');
  const recording = await startSim(ports.record, ports.ORIGIN, ['--record', join(dir, 'recording.jsonl')]);
  const plain = proxies.at(-1);
  const used = new Map([[plain, []], [recording, []]]);
  for (let round = 0; round < Math.min(rounds, 5); round++) {
    for (const [proxy, costs] of used) {
      const before = cpu(proxy.pid);
      const { requests } = await wrk(proxy.port, '/small', 32);
      costs.push((cpu(proxy.pid) - before) / requests * 1e6);
    }
  }
  const [without, with_] = [...used.values()].map(median);
  console.log(`CPU µs/request: ${without.toFixed(2)} without, ${with_.toFixed(2)} with --record: x ${(with_ / without).toFixed(2)}`);
  process.kill(recording.pid, 'SIGTERM');
}

async function load(title, path, connections) {
  console.log(`\n## ${title}`);
  const rows = new Map([['direct', []]].concat(proxies.map((p) => [p.name, []])));
  for (let round = 0; round < rounds; round++) {
    rows.get('direct').push(await wrk(ports.ORIGIN, path, connections));
    for (const proxy of proxies) {
      const before = cpu(proxy.pid);
      const result = await wrk(proxy.port, path, connections);
      rows.get(proxy.name).push({ ...result, cpu: (cpu(proxy.pid) - before) / result.requests * 1e6 });
    }
  }
  const direct = rows.get('direct');
  console.log('| proxy | CPU µs/request: median (min to max) | requests/s | added p50 ms | added p99 ms |\n|---|---|---|---|---|');
  const cpus = {};
  for (const proxy of proxies) {
    const r = rows.get(proxy.name);
    const c = r.map((x) => x.cpu);
    cpus[proxy.name] = median(c);
    console.log(`| ${proxy.name} | ${median(c).toFixed(2)} (${Math.min(...c).toFixed(2)} to ${Math.max(...c).toFixed(2)}) | ${Math.round(median(r.map((x) => x.rate)))} | ${(median(r.map((x) => x.p50)) - median(direct.map((x) => x.p50))).toFixed(3)} | ${(median(r.map((x) => x.p99)) - median(direct.map((x) => x.p99))).toFixed(3)} |`);
  }
  const best = Math.min(cpus.nginx, cpus.haproxy);
  console.log(`vercel-sim / best peer: ${(cpus['vercel-sim'] / best).toFixed(3)}`);
}

// The live page's stream of events, read as fast as they come, as a page does.
async function readEvents(port) {
  const read = {bytes: 0, dropped: 0, stop: () => request.destroy()};
  const {request, response} = await open(port, '/_vercel-sim/events', 'localhost');
  response.setEncoding('latin1').on('data', (text) => {
    read.bytes += text.length;
    for (const [, n] of text.matchAll(/event: dropped\ndata: {"events":(\d+)/g)) read.dropped += Number(n);
  }).on('error', () => {});
  return read;
}

function open(port, path, host = '127.0.0.1') {
  return new Promise((done, fail) => {
    const request = http.get({ port, host: '127.0.0.1', path, agent, headers: { host: `${host}:${port}` } }, (response) => done({ request, response }));
    request.on('error', fail);
  });
}
async function idle(count = 1000) {
  console.log(`\n## ${count} idle event streams`);
  const results = {};
  for (const proxy of proxies) {
    // Warm first: buffers that a peer keeps anyway are not the streams'.
    const before = memory(proxy.pid);
    const streams = [];
    for (let i = 0; i < count; i += 100) streams.push(...await Promise.all(Array.from({ length: 100 }, () => open(proxy.port, '/stream'))));
    await pause(1000);
    const bytes = (memory(proxy.pid) - before) / count;
    const s = switches(proxy.pid), c = cpu(proxy.pid);
    await pause(5000);
    results[proxy.name] = bytes;
    console.log(`${proxy.name}: ${Math.round(bytes)} bytes a stream, ${((switches(proxy.pid) - s) / 5).toFixed(1)} wake-ups/s, ${((cpu(proxy.pid) - c) / 5 * 1e3).toFixed(2)} ms CPU/s`);
    for (const { request } of streams) request.destroy();
    await pause(300);
  }
  console.log(`vercel-sim / nginx: ${(results['vercel-sim'] / results.nginx).toFixed(3)}`);
}
async function ticks(count = 100) {
  console.log(`\n## event latency, ${count} streams with an event every 50 ms`);
  for (const proxy of [{ name: 'direct', port: ports.STREAMS }, ...proxies]) {
    const late = [];
    const streams = await Promise.all(Array.from({ length: count }, () => open(proxy.port, '/stream?tick=50')));
    for (const { response } of streams) response.setEncoding('utf8').on('data', (text) => {
      const now = performance.timeOrigin + performance.now();
      for (const [, sent] of text.matchAll(/data: ([\d.]+)/g)) late.push(now - sent);
    }).on('error', () => {});
    await pause(4000);
    console.log(`${proxy.name}: p50 ${median(late).toFixed(2)} ms, p99 ${quantile(late, 0.99).toFixed(2)} ms, ${late.length} events`);
    for (const { request } of streams) request.destroy();
  }
}
async function deadline(count = 1000) {
  console.log(`\n## deadline, ${count} open streams, limit 5 s`);
  await startSim(ports.deadline, ports.STREAMS, ['--set', 'duration.default=5s']);
  const client = join(dir, 'cut_client');
  execFileSync('g++', ['-std=c++20', '-O2', join(here, 'cut_client.cpp'), '-o', client]);
  const ended = execFileSync(client, [String(ports.deadline), String(count), '20'], { encoding: 'utf8' }).trim().split('\n').map((l) => Number(l.split(' ')[1]));
  if (ended.includes(0)) throw new Error(`${ended.filter((x) => x === 0).length} streams were never cut`);
  // The limit runs from the moment the edge has the request head, which is what its event says (to the millisecond).
  await pause(200);
  const started = new Map(readFileSync(join(dir, `events-${ports.deadline}.jsonl`), 'utf8').split('\n').filter(Boolean).map((l) => JSON.parse(l))
    .filter((e) => e.t === 'invocation_started').map((e) => [e.target, Date.parse(e.time)]));
  const late = ended.map((at, i) => at - started.get(`/stream?n=${i}`) - 5000);
  console.log(`from the limit to the client's end of stream: min ${Math.min(...late).toFixed(1)} ms, p50 ${median(late).toFixed(1)} ms, p99 ${quantile(late, 0.99).toFixed(1)} ms, max ${Math.max(...late).toFixed(1)} ms`);
  if (Math.min(...late) < -1) console.log('BEFORE THE LIMIT: this must never be');
}

let proxies = [];
try {
  proxies = await startAll();
  proxies.push(await startSim(ports['vercel-sim'], ports.ORIGIN));
  if (only.includes('small')) await load('small keep-alive requests, 32 connections', '/small', 32);
  if (only.includes('page')) {
    const page = await readEvents(proxies.at(-1).port);
    await load('the same with a live page open, which reads every event', '/small', 32);
    console.log(`the page: ${(page.bytes / 1e6).toFixed(1)} MB read, ${page.dropped} events dropped`);
    page.stop();
  }
  if (only.includes('64k')) await load('64 KiB bodies, 32 connections', '/file/64k', 32);
  if (only.includes('1m')) await load('1 MiB bodies, 8 connections', '/file/1m', 8);
  if (only.includes('record')) await record();
  if (only.includes('idle') || only.includes('tick')) {
    const files = proxies.pop();
    process.kill(files.pid, 'SIGTERM');
    proxies.push(await startSim(ports['vercel-sim'] + 10, ports.STREAMS));
    if (only.includes('idle')) await idle();
    if (only.includes('idle') && only.includes('page')) {
      console.log('\n# with a live page open');
      const page = await readEvents(proxies.at(-1).port);
      await idle();
      page.stop();
    }
    if (only.includes('tick')) await ticks();
  }
  if (only.includes('deadline')) await deadline();
} finally {
  for (const child of children) child.kill('SIGTERM');
  await pause(500);
  rmSync(dir, { recursive: true, force: true });
  agent.destroy();
}
