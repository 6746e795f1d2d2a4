// The wall time of a Playwright run of 30 tests (bench/playwright/example.spec.mjs, Chromium) of the example app: its server plain `next dev`, started by Playwright, and `vercel-sim test
// --profile hobby -- playwright test`; each started anew in interleaved rounds, without a .next folder, so that each compiles all that it is asked for.
//   node bench/playwright.mjs [--bin build/vercel-sim] [--rounds 3] [--args '--set a=b'] [--json FILE] [--check]
// Needs the packages of fixtures/apps/chat and tests/e2e, and Chromium (CHROMIUM, else /usr/bin/chromium). Told are the medians of the whole command, from its start to its end, and of what
// Playwright says that its tests took; the bar is 1.3 × plain for the whole. --check makes a missed one the exit code 1. A run in which not all 30 pass is an error. The load is printed.
import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { copyApp, freePort, option, quantile } from './common.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const bin = resolve(option('bin', join(here, '../build/vercel-sim')));
const app = resolve(here, '../fixtures/apps/chat');
const packages = resolve(here, '../tests/e2e/node_modules');
const rounds = Number(option('rounds', 3));
const args = option('args', '').split(' ').filter(Boolean);
const kTests = 30;
const kBar = 1.3;

const dir = mkdtempSync(join(tmpdir(), 'vs-bench-'));
const cli = join(packages, '@playwright/test/cli.js');

function prepare(name) {
  if (!existsSync(cli)) throw new Error(`${cli} is not there: run "npm ci" in tests/e2e first`);
  const to = copyApp(app, join(dir, name));
  symlinkSync(join(packages, '@playwright'), join(to, 'node_modules/@playwright'));
  cpSync(join(here, 'playwright/example.spec.mjs'), join(to, 'specs/example.spec.mjs'));
  return to;
}

function writeConfig(cwd, port, isPlain) {
  const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
  const config = {
    testDir: 'specs', workers: 1, retries: 0, timeout: 60_000, reporter: [['json', { outputFile: 'results.json' }]],
    use: { ...(isPlain && { baseURL: `http://localhost:${port}` }), browserName: 'chromium', launchOptions: { executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage'] } },
    ...(isPlain && { webServer: { command: `node node_modules/next/dist/bin/next dev -p ${port}`, url: `http://localhost:${port}/about`, timeout: 120_000, gracefulShutdown: { signal: 'SIGINT', timeout: 5000 } } }),
  };
  // vercel-sim says where the app is.
  writeFileSync(join(cwd, 'playwright.config.mjs'), `const config = ${JSON.stringify(config)};\nif (!config.use.baseURL) config.use.baseURL = process.env.BASE_URL;\nexport default config;\n`);
}

let running;
async function run(name, cwd) {
  const isPlain = name === 'plain';
  const port = await freePort();
  rmSync(join(cwd, '.next'), { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  rmSync(join(cwd, 'results.json'), { force: true });
  writeConfig(cwd, port, isPlain);
  const env = { ...process.env, NEXT_TELEMETRY_DISABLED: '1', CI: '1' };
  for (const one of ['PORT', 'NODE_OPTIONS', 'NODE_ENV', 'BASE_URL']) delete env[one];
  const tests = [process.execPath, cli, 'test'];
  const [command, ...words] = isPlain ? tests : [bin, 'test', '--profile', 'hobby', '--port', String(port), ...args, '--', ...tests];
  const log = join(dir, `${name}.log`);
  const out = openSync(log, 'w');
  const begin = performance.now();
  const child = running = spawn(command, words, { cwd, env, stdio: ['ignore', out, out] });
  const code = await new Promise((done, fail) => { child.once('exit', done); child.once('error', fail); });
  const whole = performance.now() - begin;
  running = undefined;
  const results = existsSync(join(cwd, 'results.json')) ? JSON.parse(readFileSync(join(cwd, 'results.json'), 'utf8')) : {};
  // A limit may have struck (2); the tests themselves all pass.
  if (results.stats?.expected !== kTests || ![0, 2].includes(code)) {
    const failed = JSON.stringify(results.suites ?? [], (key, value) => (key === 'error' ? value?.message : value)).match(/"message":"[^"]{0,400}/g);
    throw new Error(`${name}: code ${code}, ${JSON.stringify(results.stats)}\n${failed?.join('\n') ?? ''}\n${readFileSync(log, 'utf8').slice(-3000)}`);
  }
  return { whole, tests: results.stats.duration };
}

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => { running?.kill('SIGTERM'); rmSync(dir, { recursive: true, force: true }); process.exit(130); });
let missed = false;
try {
  const names = ['plain', 'vercel-sim'];
  const folders = Object.fromEntries(names.map((name) => [name, prepare(name)]));
  const seen = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) for (let i = 0; i < names.length; i++) {
    const name = names[(i + round) % names.length];
    seen[name].push(await run(name, folders[name]));
  }
  console.log(`\n${rounds} rounds, ${kTests} tests, ${cpus().length} × ${cpus()[0].model.trim()}, Node ${process.version}, load ${loadavg().map((x) => x.toFixed(1)).join(' ')}; s, median (least to most)\n`);
  console.log('| | whole command | the tests |\n|---|--:|--:|');
  const cell = (xs) => `${(quantile(xs, 0.5) / 1000).toFixed(1)} (${(Math.min(...xs) / 1000).toFixed(1)} to ${(Math.max(...xs) / 1000).toFixed(1)})`;
  for (const name of names) console.log(`| ${name} | ${cell(seen[name].map((x) => x.whole))} | ${cell(seen[name].map((x) => x.tests))} |`);
  const ratio = (what) => quantile(seen['vercel-sim'].map((x) => x[what]), 0.5) / quantile(seen.plain.map((x) => x[what]), 0.5);
  missed = ratio('whole') > kBar;
  console.log(`| × plain | ${ratio('whole').toFixed(2)} | ${ratio('tests').toFixed(2)} |`);
  if (option('json')) writeFileSync(option('json'), JSON.stringify(seen, null, 1));
} finally {
  rmSync(dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
}
if (missed && process.argv.includes('--check')) process.exitCode = 1;
