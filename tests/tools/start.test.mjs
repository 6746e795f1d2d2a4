// `import { start } from 'vercel-sim'` as a global set-up uses it, with the program under test instead of the package's.
import assert from 'node:assert/strict';
import {spawnSync} from 'node:child_process';
import path from 'node:path';
import {test} from 'node:test';
import {CannotRun, start} from '../../packaging/npm/vercel-sim/lib/index.js';
import {kBin} from '../integration/world.mjs';

const kApp = ['node', '-e', "require('node:http').createServer((q, r) => r.end('app ' + process.env.GREETING)).listen(process.env.PORT)"];
const begin = async (t, options) => {
  const sim = await start({program: kBin, command: kApp, profile: 'hobby', ...options});
  t.after(() => sim.stop());
  return sim;
};
const isGone = async (url) => assert.rejects(fetch(url), 'nothing listens there any more');

test('it is ready, has seen what a request met once the answer is here, and is gone after stop()', async (t) => {
  const sim = await begin(t, {env: {GREETING: 'hello'}, set: {'duration.default': '7s'}});
  assert.match(sim.url, /^http:\/\/localhost:\d+$/);
  assert.equal(await (await fetch(sim.url)).text(), 'app hello');
  assert.deepEqual(await sim.verdicts(), []);
  assert.equal((await fetch(`${sim.url}/?${'x'.repeat(20_000)}`)).status, 414);
  const [verdict, ...more] = await sim.verdicts();
  assert.deepEqual(more, []);
  assert.deepEqual([verdict.code, verdict.enforced, verdict.event.status], ['URL_TOO_LONG', true, 414]);
  assert.deepEqual(sim.events.map((e) => e.seq), sim.events.map((_, i) => i + 1));
  await sim.stop();
  await sim.stop();
  await isGone(sim.url);
  assert.equal(sim.events.at(-1).t, 'run_stopped');
  assert.equal((await sim.verdicts()).length, 1, 'also afterwards');
});

test('with --https', async (t) => {
  const sim = await begin(t, {args: ['--https']});
  assert.match(sim.url, /^https:/);
  assert.deepEqual(await sim.verdicts(), []);
});

test('what does not start says why: the command line, the app, the program', async () => {
  await assert.rejects(start({program: kBin, command: kApp, profile: 'gold'}), /ended \(64\)[^]*no profile is called "gold"/);
  await assert.rejects(start({program: kBin, command: ['node', '-e', "console.error('no luck'); process.exit(3)"]}), /ended[^]*no luck/);
  await assert.rejects(start({program: '/nowhere/vercel-sim', command: kApp}), (error) => error instanceof CannotRun && /ENOENT/.test(error.message));
  await assert.rejects(start({program: kBin, command: ['node', '-e', 'setInterval(() => {}, 1000)'], timeout: 500}), /not within 500 ms/);
});

test('it ends with the process that has started it', async () => {
  const text = `import { start } from ${JSON.stringify(path.resolve(import.meta.dirname, '../../packaging/npm/vercel-sim/lib/index.js'))};
    const sim = await start(${JSON.stringify({program: kBin, command: kApp})});
    console.log(sim.url);
    process.exit(0);`;
  const {stdout, stderr} = spawnSync(process.execPath, ['--input-type=module', '-e', text], {encoding: 'utf8', timeout: 60_000});
  assert.match(stdout, /^http/, stderr);
  // It is on its way: the port is closed before the app is stopped.
  for (const end = Date.now() + 10_000; Date.now() < end;) {
    if (await fetch(stdout.trim()).then(() => false, () => true)) return;
  }
  await isGone(stdout.trim());
});

test('the types hold for who uses them', () => {
  const tsc = path.resolve(import.meta.dirname, '../../fixtures/apps/chat/node_modules/typescript/bin/tsc');
  const {stdout, status} = spawnSync(process.execPath, [tsc, '--noEmit', '--strict', '--skipLibCheck', '--target', 'es2022', '--module', 'nodenext', path.resolve(import.meta.dirname, 'uses.mts')], {encoding: 'utf8'});
  assert.equal(status, 0, stdout);
});
