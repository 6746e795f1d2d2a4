// From the start to the first answer: plain `next dev`, `vercel-sim run --isolation none` and `vercel-sim run`, each started anew in interleaved rounds, without a .next folder.
//   node bench/start.mjs [--bin build/vercel-sim] [--also OTHER_BIN] [--rounds 10] [--paths /,/api/counter] [--app fixtures/apps/chat] [--larger] [--args '--set a=b'] [--pause 0] [--json FILE] [--check]
// For each path of --paths: the server is started, asked for that path every 10 ms until it answers with 200, and stopped. Told are the medians (lower and upper quartile) of the time
// from the start to that answer, to `ready` (plain: its port takes a connection; else /_vercel-sim/health says so), of the CPU of all processes up to the answer, and what each is
// beyond plain `next dev` of the same round. --also is a second program, to compare two states of it. The bar is 0.5 s beyond plain `next dev`, its compile included; --check makes a missed
// one the exit code 1. On a busy machine times say little; the load is printed.
import { spawn } from 'node:child_process';
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { cpus, loadavg, tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { copyApp, cpuOf, freePort, option, pause, quantile } from './common.mjs';
import { makeLarger } from './larger/make.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const rounds = Number(option('rounds', 10));
const paths = option('paths', '/,/api/counter').split(',');
const args = option('args', '').split(' ').filter(Boolean);
const kBar = 500;
const kPatience = 120_000;

const dir = mkdtempSync(join(tmpdir(), 'vs-bench-'));
const app = process.argv.includes('--larger') ? makeLarger(join(dir, 'app')) : resolve(option('app', join(here, '../fixtures/apps/chat')));
const now = () => performance.now();

const bin = resolve(option('bin', join(here, '../build/vercel-sim')));
const also = option('also');
const sim = (program, ...more) => (cwd, port) => [program, ['run', '--profile', 'hobby', '--port', String(port), '--no-color', ...args, ...more]];
const kinds = {
  'plain next dev': (cwd, port) => [process.execPath, [join(cwd, 'node_modules/next/dist/bin/next'), 'dev', '-H', '127.0.0.1', '-p', String(port)]],
  'not isolated': sim(bin, '--isolation', 'none'),
  isolated: sim(bin),
  ...(also && { 'isolated, the other program': sim(resolve(also)) }),
};
const [plain] = Object.keys(kinds);


function ask(port, path) {
  return new Promise((done, fail) => {
    http.get({ host: '127.0.0.1', port, path, agent: false, headers: { Accept: 'text/html,*/*' } }, (response) => {
      response.on('error', fail).on('end', () => done(response.statusCode)).resume();
    }).on('error', fail);
  });
}

const connects = (port) => new Promise((done) => {
  const socket = net.connect(port, '127.0.0.1');
  socket.on('connect', () => done(true)).on('error', () => done(false)).on('connect', () => socket.destroy());
});


let running;
async function stop(child, exited) {
  child.kill('SIGINT');
  await Promise.race([exited, pause(10_000)]);
  child.kill('SIGKILL');
  running = undefined;
}

async function start(name, cwd, path) {
  rmSync(join(cwd, '.next'), { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  const port = await freePort();
  const log = join(dir, 'output.log');
  const env = { ...process.env, NEXT_TELEMETRY_DISABLED: '1' };
  for (const one of ['PORT', 'NODE_OPTIONS', 'NODE_ENV']) delete env[one];
  const [command, words] = kinds[name](cwd, port);
  const begin = now();
  const out = openSync(log, 'w');
  const child = spawn(command, words, { cwd, env, stdio: ['ignore', out, out] });
  const exited = new Promise((done) => { child.once('exit', done); child.once('error', done); });
  running = { child, exited };
  try {
    let ready;
    for (;; await pause(10)) {
      if (child.exitCode !== null || now() - begin > kPatience) throw new Error(`${name} does not answer ${path}:\n${readFileSync(log, 'utf8').slice(-3000)}`);
      if (ready === undefined) {
        const is = name === plain ? await connects(port) : (await ask(port, '/_vercel-sim/health').catch(() => 0)) === 200;
        if (!is) continue;
        ready = now() - begin;
      }
      if ((await ask(port, path).catch(() => 0)) === 200) break;
    }
    return { answer: now() - begin, ready, cpu: cpuOf(child.pid) };
  } finally {
    await stop(child, exited);
  }
}

const seen = new Map();  // path → kind → [{answer, ready, cpu}]
let missed = 0;

function report() {
  console.log(`\n${rounds} rounds, ${cpus().length} × ${cpus()[0].model.trim()}, Node ${process.version}, load ${loadavg().map((x) => x.toFixed(1)).join(' ')}; ms, median (quartiles)\n`);
  for (const [path, byKind] of seen) console.log(`${path}: ${Math.min(...[...byKind.values()].map((one) => one.length))} whole rounds`);
  console.log('\n| path | | ready | first answer | beyond plain | CPU up to it |\n|---|---|--:|--:|--:|--:|');
  const cell = (xs) => `${quantile(xs, 0.5).toFixed(0)} (${quantile(xs, 0.25).toFixed(0)} to ${quantile(xs, 0.75).toFixed(0)})`;
  for (const [path, byKind] of seen) {
    const whole = Math.min(...[...byKind.values()].map((one) => one.length));  // rounds, if it was ended before
    if (whole < 1) continue;
    const all = byKind.get(plain);
    for (const [name, every] of byKind) {
      const one = every.slice(0, whole);
      const beyond = one.map((each, i) => each.answer - all[i].answer);
      if (name === 'isolated' && quantile(beyond, 0.5) > kBar) missed++;
      console.log(`| ${path} | ${name} | ${cell(one.map((x) => x.ready))} | ${cell(one.map((x) => x.answer))} | ${name === plain ? '' : cell(beyond)} | ${cell(one.map((x) => x.cpu))} |`);
    }
  }
}

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    if (running) await stop(running.child, running.exited);
    rmSync(dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
    report();
    process.exit(130);
  });
}
try {
  const names = Object.keys(kinds);
  const folders = Object.fromEntries(names.map((name) => [name, copyApp(app, join(dir, name.replaceAll(/\W+/g, '-')))]));
  for (const path of paths) {
    seen.set(path, new Map(names.map((name) => [name, []])));
    // The first of each reads what the disk has not read yet: it does not count.
    for (let round = -1; round < rounds; round++) {
      for (let i = 0; i < names.length; i++) {
        const name = names[(i + round + names.length) % names.length];
        const one = await start(name, folders[name], path);
        await pause(Number(option('pause', 0)));  // for others, whose machine it is too
        if (round >= 0) seen.get(path).get(name)[round] = one;
      }
    }
  }
  report();
  if (option('json')) writeFileSync(option('json'), JSON.stringify(Object.fromEntries([...seen].map(([path, byKind]) => [path, Object.fromEntries(byKind)])), null, 1));
} finally {
  rmSync(dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
}
if (missed && process.argv.includes('--check')) process.exitCode = 1;
