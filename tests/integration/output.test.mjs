// What the program writes where: events apart from words for people, more and less of those, colours only on a terminal, and readers who leave.
import assert from 'node:assert/strict';
import {spawnSync} from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import {describe, test} from 'node:test';
import {command, eventually, get, kServer, listens, nextProject, portsOf, program, run, tempDir, write} from './program.mjs';
import {kBin} from './world.mjs';

const kApp = ['--app', 'exec node server.cjs'];
const kSlow = kServer.replace("if (path === '/exit')", "if (path === '/hang') return;\n  if (path === '/exit')");
const project = (t) => write(tempDir(t), {'server.cjs': kSlow});
const kLong = '/' + 'a'.repeat(15000);

describe('Output', {concurrency: 4}, () => {
  test('--events -: nothing but JSON lines on standard output, for people standard error', async (t) => {
    const sim = program(t, ['run', '--port', '0', '--events', '-', '--set', 'duration.default=1s', ...kApp], {cwd: project(t)});
    await sim.ready();
    await sim.says(/vercel-sim ready/, {where: 'stderr'});
    assert.equal((await get(sim.port, '/one?token=SECRET')).status, 200);
    assert.equal((await get(sim.port, kLong)).status, 414);
    assert.equal((await get(sim.port, '/hang')).status, 504);
    await get(sim.port, '/exit?3');
    await sim.says(/^restarting the app/m, {where: 'stderr'});
    await eventually('an answer of the new one', async () => (await get(sim.port)).status === 200);
    assert.equal((await sim.stop()).code, 0);
    const events = sim.stdout.split('\n').slice(0, -1).map((line) => JSON.parse(line));  // throws on anything else
    assert.ok(sim.stdout.endsWith('\n'));
    assert.deepEqual(events.map((e) => e.seq), events.map((e, i) => i + 1), '1, 2, 3, … without gaps');
    assert.equal(events.at(-1).t, 'run_stopped');
    assert.equal(events.at(-1).exit_code, 0);
    assert.deepEqual(events.filter((e) => e.t === 'invocation_ended').map((e) => e.status).slice(0, 3), [200, 414, 504]);
    assert.deepEqual(events.filter((e) => e.t === 'app_changed').map((e) => e.state), ['ready', 'crashed', 'restarting', 'ready']);
    for (const said of [/^hello on stdout$/m, /^hello on stderr$/m, /✗ FUNCTION_INVOCATION_TIMEOUT/, /URL_TOO_LONG/]) assert.match(sim.stderr, said);
    assert.ok(!sim.stdout.includes('SECRET'));
  });

  test('--quiet: only verdicts and errors, and the ready line that programs wait for', async (t) => {
    const sim = await run(t, ['--quiet', '--set', 'duration.default=1s', ...kApp], {cwd: project(t)});
    const port = sim.port;
    assert.equal((await get(port, '/fine')).status, 200);
    assert.equal((await get(port, '/hang')).status, 504);
    await sim.says(/✗ FUNCTION_INVOCATION_TIMEOUT/);
    await get(port, '/exit?3');
    await sim.says(/^the app stopped: exited with code 3$/m);
    assert.equal((await sim.stop()).code, 0);
    assert.doesNotMatch(sim.text, /hello on|in front of|note:|\/fine/);
    assert.match(sim.text.split('\n')[0], /^vercel-sim ready on /);
  });

  test('--verbose: also what next dev answered itself', async (t) => {
    const [plain, verbose] = await Promise.all([[], ['--verbose']].map((more) => run(t, more, {cwd: write(tempDir(t), nextProject())})));
    for (const sim of [plain, verbose]) assert.equal((await get(sim.port, '/asset.svg')).status, 200);
    await verbose.says(/^ GET {2}\/asset\.svg 200 in .*\(answered by next dev, no function\)$/m);
    await verbose.says(/^the app is ready$/m);
    assert.equal((await plain.stop()).code, 0);
    assert.doesNotMatch(plain.text, /asset\.svg|the app is ready/);
  });

  test('into a pipe everything is plain', async (t) => {
    const sim = await run(t, ['--set', 'duration.default=1s', ...kApp], {cwd: project(t)});
    await get(sim.port, '/fine');
    await get(sim.port, '/hang');
    await get(sim.port, '/exit?3');
    await sim.says(/^restarting the app/m);
    await sim.stop();
    assert.match(sim.text, /✗ FUNCTION_INVOCATION_TIMEOUT/);
    assert.doesNotMatch(sim.text, /[\x1b\r]/);
  });

  const script = spawnSync('script', ['-qec', 'true', '/dev/null']).status === 0;
  test('on a terminal in colour, unless NO_COLOR or --no-color', {skip: !script && 'no script(1) to make a terminal'}, async (t) => {
    const line = `exec '${kBin}' run --port 0 --app 'exec node server.cjs'`;
    const start = async (text, env) => {
      const sim = command(t, ['script', '-qec', text, '/dev/null'], {cwd: project(t), env: {TERM: 'xterm', ...env}, stdio: ['pipe', 'pipe', 'pipe']});
      const [, port] = await sim.says(/vercel-sim ready on (?:\x1b\[\d*m)*http:\/\/localhost:(\d+)/);
      await get(Number(port), '/fine');
      await sim.says(/\/fine/);
      await sim.says(/in \d.*ms/);
      return sim.text;
    };
    const [colour, noColour, option, empty] = await Promise.all([start(line), start(line, {NO_COLOR: '1'}), start(`${line} --no-color`), start(line, {NO_COLOR: ''})]);
    assert.match(colour, /\x1b\[32m/);
    assert.match(empty, /\x1b\[32m/, 'empty is as if it were not set');
    for (const text of [noColour, option]) assert.doesNotMatch(text.replace(/hello[^\n]*/g, ''), /\x1b\[\d*m/);
  });

  for (const [what, more, where] of [['its words', '', ''], ['its events', '--events -', ''], ['both', '--events -', '2>&1']]) {
    test(`the proxy outlives a reader of ${what} who leaves after one line, and ends with 0`, async (t) => {
      const line = `"$0" run --port 0 ${more} --app 'exec node server.cjs' ${where} | { head -n 1 >&2; exec <&-; : > left; }; echo "codes \${PIPESTATUS[*]}"`;
      const cwd = project(t);
      const sim = command(t, ['bash', '-c', line, kBin], {cwd});
      const pid = await eventually('vercel-sim', () => sim.alive().find((p) => p.command.startsWith(`${kBin} run`))?.pid);
      const [port] = await eventually('its port', () => portsOf(pid).length > 0 && portsOf(pid));
      await eventually('the reader is gone', () => fs.existsSync(path.join(cwd, 'left')));
      await eventually('ready', async () => (await get(port, '/_vercel-sim/health')).status === 200);
      for (let i = 0; i < 20; i++) assert.equal((await get(port, `/${i}`)).status, 200);
      process.kill(pid, 'SIGTERM');
      await sim.says(/^codes 0 0$/m);
      assert.equal((await sim.end()).code, 0);
      assert.deepEqual(sim.alive(), []);
      assert.equal(await listens(port), false);
    });
  }
});
