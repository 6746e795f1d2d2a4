// What middleware in instances costs (`middleware.instances`): plain `next dev`, `vercel-sim run` with middleware in `next dev`, and with it in instances that are fresh each time
// (--isolation invocation), used again (instance) and shared (fluid); one run, the same app, interleaved rounds.
//   node bench/middleware.mjs [--bin build/vercel-sim] [--rounds 20] [--json FILE] [--check]
// The app is fixtures/apps/chat with a proxy.ts. Two requests: one that middleware answers itself, and one for a file of public/ that it lets through: no function runs in either, so that what is
// measured is middleware. Each round asks each server once after a pause in which copies are made again, and ten times in a row. The bar is 5 ms more than plain `next dev` at the median;
// --check makes a missed one the exit code 1. On a busy machine the numbers say nothing; the load is printed.
import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { cpus, loadavg, tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { copyApp, freePort, option, pause, quantile } from './common.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const bin = resolve(option('bin', join(here, '../build/vercel-sim')));
const app = resolve(here, '../fixtures/apps/chat');
const rounds = Number(option('rounds', 20));
const kBar = 5;
const kPause = 700;
const kProxy = `import { NextResponse, type NextRequest } from "next/server";
export function proxy(request: NextRequest) {
  if (request.nextUrl.pathname === "/mw/answer") return NextResponse.json({ by: "middleware" });
  const headers = new Headers(request.headers);
  headers.set("x-user", request.cookies.get("user")?.value ?? "nobody");
  return NextResponse.next({ request: { headers } });
}
export const config = { matcher: ["/mw/:path*"] };
`;
const kPaths = { 'answers itself': '/mw/answer', 'lets through': '/mw/file.txt' };

const dir = mkdtempSync(join(tmpdir(), 'vs-bench-'));
const servers = [];

function prepare(name) {
  const to = copyApp(app, join(dir, name));
  writeFileSync(join(to, 'proxy.ts'), kProxy);
  cpSync(join(to, 'package.json'), join(to, 'public/mw/file.txt'));
  return to;
}

async function start(name, extra) {
  const cwd = prepare(name.replaceAll(/\W+/g, '-'));
  const port = await freePort();
  const [command, args] = extra === undefined
    ? [process.execPath, [join(cwd, 'node_modules/next/dist/bin/next'), 'dev', '-H', '127.0.0.1', '-p', String(port)]]
    : [bin, ['run', '--profile', 'hobby', '--port', String(port), '--no-color', ...extra]];
  const log = join(dir, `${name.replaceAll(/\W+/g, '-')}.log`);
  const out = openSync(log, 'w');
  const env = { ...process.env, NEXT_TELEMETRY_DISABLED: '1' };
  for (const one of ['PORT', 'NODE_OPTIONS', 'NODE_ENV']) delete env[one];
  const child = spawn(command, args, { cwd, env, stdio: ['ignore', out, out] });
  const server = { name, child, port, log, agent: new http.Agent({ keepAlive: true }), samples: {} };
  servers.push(server);
  for (const end = performance.now() + 120_000; ; await pause(50)) {
    if ((await get(server, '/mw/answer').catch(() => ({}))).status === 200) return server;
    if (child.exitCode !== null || performance.now() > end) throw new Error(`${name} does not answer:\n${readFileSync(log, 'utf8').slice(-2000)}`);
  }
}

function get({ port, agent }, path) {
  return new Promise((done, fail) => {
    const begin = performance.now();
    http.get({ host: '127.0.0.1', port, path, agent }, (response) => {
      response.on('error', fail).on('end', () => done({ ms: performance.now() - begin, status: response.statusCode })).resume();
    }).on('error', fail);
  });
}

async function measure(server, what, path, how) {
  const { ms, status } = await get(server, path);
  if (status !== 200) throw new Error(`${server.name} ${path}: ${status}`);
  (server.samples[`${what}, ${how}`] ??= []).push(ms);
}

function report() {
  const all = Object.keys(servers[0].samples);
  let missed = 0;
  console.log(`\n${rounds} rounds, ${cpus().length} × ${cpus()[0].model.trim()}, Node ${process.version}, load ${loadavg().map((x) => x.toFixed(1)).join(' ')}; ms, median (p95), and what it is more than plain\n`);
  console.log(`| middleware | ${all.join(' | ')} |\n|---|${all.map(() => '---|').join('')}`);
  for (const { name, samples } of servers) {
    const cells = all.map((key) => {
      const [p50, p95] = [0.5, 0.95].map((q) => quantile(samples[key], q));
      const more = p50 - quantile(servers[0].samples[key], 0.5);
      if (name.includes('instances') && more > kBar) missed++;
      return `${p50.toFixed(1)} (${p95.toFixed(1)})${name === servers[0].name ? '' : ` ${more > 0 ? '+' : ''}${more.toFixed(1)}`}`;
    });
    console.log(`| ${name} | ${cells.join(' | ')} |`);
  }
  return missed;
}

let missed = 1;
try {
  await start('plain next dev');
  await start('in next dev', ['--set', 'middleware.instances=off']);
  for (const policy of ['invocation', 'instance', 'fluid']) await start(`in instances, ${policy}`, ['--isolation', policy, '--set', 'middleware.instances=on']);
  for (const server of servers) for (const path of Object.values(kPaths)) for (let i = 0; i < 12; i++) await get(server, path);
  for (let round = 0; round < rounds; round++) {
    for (const [what, path] of Object.entries(kPaths)) {
      for (let i = 0; i < servers.length; i++) {
        const server = servers[(i + round) % servers.length];
        await pause(kPause);
        await measure(server, what, path, 'after a pause');
        for (let n = 0; n < 10; n++) await measure(server, what, path, 'in a row');
      }
    }
  }
  missed = report();
  if (option('json')) writeFileSync(option('json'), JSON.stringify(servers.map(({ name, samples }) => ({ name, samples })), null, 1));
} finally {
  for (const { child, agent } of servers) {
    agent.destroy();
    child.kill('SIGINT');
    await Promise.race([new Promise((done) => child.once('exit', done)), pause(10_000)]);
    child.kill('SIGKILL');
  }
  rmSync(dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
}
if (missed && process.argv.includes('--check')) process.exitCode = 1;
