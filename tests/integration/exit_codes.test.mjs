// The table "Exit codes" of the README, each row provoked as a user would, and what is said with it.
import assert from 'node:assert/strict';
import {spawnSync} from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import {describe, test} from 'node:test';
import {command, eventually, get, kServer, nextProject, program, run, tempDir, write} from './program.mjs';
import {kBin} from './world.mjs';

async function ends(t, args, expected, said, options) {
  const sim = program(t, args, options);
  const {code, signal} = await sim.end();
  assert.deepEqual({code, signal}, {code: expected, signal: null}, sim.text);
  for (const pattern of [said].flat()) assert.match(sim.text, pattern);
  assert.deepEqual(sim.alive(), []);
  assert.deepEqual(sim.runDirs(), []);
  return sim;
}

describe('0 and 130', {concurrency: 4}, () => {
  for (const [signal, expected] of [['SIGTERM', 0], ['SIGHUP', 0], ['SIGINT', 130]]) {
    test(`${signal} to the group, as a terminal sends it: ${expected}, whatever the app makes of it`, async (t) => {
      const dir = write(tempDir(t), {'server.cjs': kServer + "for (const s of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(s, () => process.exit(9));"});
      const sim = await run(t, ['--app', 'exec node server.cjs'], {cwd: dir});
      process.kill(-sim.child.pid, signal);
      assert.equal((await sim.end()).code, expected, sim.text);
      assert.doesNotMatch(sim.text, /the app stopped/, 'it was us who ended it');
      assert.deepEqual(sim.alive(), []);
    });
  }

  test('Ctrl-C before the app is ready: 130', async (t) => {
    const sim = program(t, ['run', '--port', '0', '--app', 'echo started; sleep 1000']);
    await sim.says(/^started$/m);
    assert.equal((await sim.stop('SIGINT')).code, 130);
    assert.deepEqual(sim.alive(), []);
  });

  test('what only tells something: 0, on standard output', () => {
    for (const args of [[], ['--help'], ['run', '--help'], ['--version'], ['profiles'], ['profiles', 'show', 'pro-fluid'], ['profiles', 'diff', 'hobby', 'hobby-fluid'], ['explain', 'FUNCTION_INVOCATION_TIMEOUT']]) {
      const {status, stdout, stderr} = spawnSync(kBin, args, {encoding: 'utf8', timeout: 10000});
      assert.equal(status, 0, args.join(' '));
      assert.ok(stdout.length > 10 && stderr === '', args.join(' '));
    }
  });
});

describe('64', {concurrency: 4}, () => {
  for (const [what, args, said] of [
    ['an option that does not exist', ['run', '--nope'], /unknown option --nope/],
    ['a command that does not exist', ['rnu'], /unknown command rnu[^]*run/],
    ['a lesson that is none', ['learn', 'nosuch'], /no lesson is called "nosuch"; there are 1 the-empty-map/],
    ['two apps', ['run', '--app', 'true', '--upstream', 'http://127.0.0.1:1'], /--app.*--upstream|--upstream.*--app/],
    ['a directory for a profile', ['profiles', 'show', '/proc'], /cannot read the file "\/proc"/],
    ['a profile that does not exist', ['run', '--profile', 'hoby', '--app', 'true'], /"hoby".*hobby/],
    ['a value out of its range', ['run', '--set', 'duration.default=soon', '--app', 'true'], /duration\.default/],
    ['a folder that does not exist', ['run', '--cwd', '/does/not/exist', '--app', 'true'], /--cwd \/does\/not\/exist: no such directory/],
    ['no project', ['run'], [/package\.json/, /--upstream|--app/]],
    ['a program that does not exist', ['run', '--port', '0', '--', 'no-such-program'], /cannot start no-such-program: no such program in PATH\n {2}fix: /],
    ['an events file that cannot be', ['run', '--port', '0', '--events', '/does/not/exist.jsonl', '--app', 'true'], /--events \/does\/not\/exist\.jsonl: the directory does not exist\n {2}fix: /],
    ['a code that does not exist', ['explain', 'FUNCTION_INVOCATION_TIMEOUTS'], /did you mean FUNCTION_INVOCATION_TIMEOUT/],
  ]) {
    test(what, (t) => ends(t, args, 64, said));
  }

  test('a profile of one’s own with a mistake: file, line and column', async (t) => {
    const dir = write(tempDir(t), {'mine.yaml': 'extends: hobby\nas_of: 2026-11-01\nduration:\n  default: 10 parsecs\n'});
    await ends(t, ['run', '--profile', './mine.yaml', '--app', 'true'], 64, /mine\.yaml:4:\d+: /, {cwd: dir});
  });

  test('a port in use: it is named, with a way out', async (t) => {
    const server = http.createServer();
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    t.after(() => server.close());
    const {port} = server.address();
    await ends(t, ['run', '--port', String(port), '--app', 'true'], 64, [new RegExp(`port ${port} is already in use`), new RegExp(`--port ${port + 1}`)]);
  });
});

describe('70', {concurrency: 4}, () => {
  for (const [what, line, how] of [
    ['was killed', 'kill -9 $$', 'killed by SIGKILL'], ['ended itself with SIGTERM', 'kill $$', 'killed by SIGTERM'], ['gave up without a code', 'exit 0', 'exited with code 0'],
  ]) {
    test(`an app that ${what} before it was ready`, (t) => ends(t, ['run', '--port', '0', '--app', line], 70, new RegExp(`^error: the app ${how} before it was ready$`, 'm')));
  }

  test('events that could not be written: the loss is told', async (t) => {
    const server = http.createServer((request, response) => response.end('fine'));
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    t.after(() => server.close());
    const sim = await run(t, ['--upstream', `http://127.0.0.1:${server.address().port}`, '--events', '/dev/full']);
    assert.equal((await get(sim.port)).text, 'fine', 'the disk is full, the proxy is not');
    await sim.says(/^error: --events \/dev\/full: No space left on device$/m, {where: 'stderr'});
    assert.equal((await sim.stop()).code, 70);
    assert.equal(sim.stderr.match(/No space left/g).length, 1, 'once, when it happens');
  });

  test('events that nobody reads: who is waited for is said, and what was lost', async (t) => {
    const cwd = tempDir(t);
    const pipe = path.join(cwd, 'events');
    assert.equal(spawnSync('mkfifo', [pipe]).status, 0);
    const server = http.createServer((request, response) => response.end('fine'));
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    t.after(() => server.close());
    const sim = program(t, ['run', '--port', '0', '--upstream', `http://127.0.0.1:${server.address().port}`, '--events', pipe]);
    await sim.says(/^--events .*events: waiting for somebody to read this pipe$/m, {where: 'stderr'});
    const reader = fs.openSync(pipe, fs.constants.O_RDONLY);  // and reads nothing
    await sim.ready();
    const path_of = `/${'x'.repeat(4000)}`;
    for (let i = 0; i < 30; i++) assert.equal((await get(sim.port, path_of)).status, 200);
    assert.equal((await sim.stop()).code, 70);
    fs.closeSync(reader);
    assert.match(sim.stderr, /^error: --events .*events: up to \d+ events are lost, nobody read them within a second of the end$/m);
  });

  // In a mount namespace of its own, where nothing can be written below these folders; XDG_RUNTIME_DIR names one that is not there.
  const readOnly = (folders, line) => {
    const mounts = folders.map((folder) => `mount --bind ${folder} ${folder} && mount -o remount,bind,ro ${folder}`).join(' && ');
    return ['unshare', '--user', '--map-root-user', '--mount', 'sh', '-c', `${mounts} && ${line}`];
  };
  const [unshare, ...tried] = readOnly(['/tmp'], 'true');
  const skip = spawnSync(unshare, tried).status !== 0 && 'this machine allows no mount namespace';
  const env = {XDG_RUNTIME_DIR: '/does/not/exist', TMPDIR: '/does/not/exist/either'};
  test('no directory for the run: said with all that were tried, and the app is never started', {skip}, async (t) => {
    const dir = write(tempDir(t), nextProject());
    const sim = command(t, [...readOnly(['/tmp', '/var/tmp'], 'exec "$0" run --port 0'), kBin], {cwd: dir, env});
    assert.equal((await sim.end()).code, 70, sim.text);
    assert.match(sim.stderr, /^error: no directory for the sockets of this run: .*\/does\/not\/exist\/vercel-sim.*\/var\/tmp\/vercel-sim-\d+: Read-only file system.*\/tmp\/vercel-sim-\d+: Read-only file system$/m);
    assert.match(sim.stderr, /fix: set XDG_RUNTIME_DIR or TMPDIR/);
    assert.doesNotMatch(sim.text, /hello on/);
    assert.deepEqual(sim.alive(), []);
  });

  test('what empties /tmp, or cannot write there, does not end a run: its directory is in /var/tmp', {skip}, async (t) => {
    const dir = write(tempDir(t), nextProject());
    const line = 'exec "$0" run --port 0';
    const sim = await command(t, [...readOnly(['/tmp'], line), kBin], {cwd: dir, env}).ready();
    assert.equal((await get(sim.port)).status, 200);
    const [pid] = sim.alive().filter((p) => p.command.startsWith(`${kBin} run`)).map((p) => p.pid);
    assert.ok(fs.readdirSync('/var/tmp/vercel-sim-0').some((name) => name.startsWith(`${pid}-`)));
    assert.equal((await sim.stop()).code, 0);
  });
});

test('the directory of the run is removed: that is said, once, and it ends as always', async (t) => {
  const dir = write(tempDir(t), nextProject());
  const sim = await run(t, [], {cwd: dir});
  assert.equal((await get(sim.port)).status, 200);
  fs.rmSync(path.join(sim.runtime, 'vercel-sim'), {recursive: true});
  const said = sim.says(/the directory of this run's sockets is gone, something has removed it: (\S+)/);
  await eventually('a request that meets no socket', async () => (await Promise.all([1, 2, 3, 4].map(() => get(sim.port)))).some(({status}) => status === 502));
  assert.ok((await said)[1].startsWith(sim.runtime));
  await get(sim.port);
  assert.equal((await sim.stop()).code, 0);
  assert.equal(sim.text.match(/sockets is gone/g).length, 1);
});

describe('The code of the app', {concurrency: 4}, () => {
  for (const code of [1, 7, 127, 255]) {
    test(`${code}, when it ends with that before it is ready`, async (t) => {
      const sim = await ends(t, ['run', '--port', '0', '--app', `echo no database >&2; exit ${code}`], code, [new RegExp(`^error: the app exited with code ${code} before it was ready$`, 'm'), /^no database$/m]);
      assert.doesNotMatch(sim.text, /restarting|vercel-sim ready/);
    });
  }

  test('when it keeps stopping and is given up', async (t) => {
    // It ends as soon as it is found to listen.
    const dir = write(tempDir(t), {'server.cjs': kServer + "server.on('connection', () => process.exit(5));"});
    const sim = await run(t, ['--app', 'exec node server.cjs'], {cwd: dir});
    assert.equal((await sim.end()).code, 5);
    assert.match(sim.text, /^error: the app keeps stopping \(exited with code 5\); giving up$/m);
    assert.equal(sim.text.match(/^the app stopped: exited with code 5$/gm).length, 5);
    assert.equal(sim.text.match(/^restarting the app/gm).length, 4);
    assert.deepEqual(sim.alive(), []);
  });
});
