// The ways of `run` to an app, as the README tells them: --app, --host, --upstream, two runs side by side, and under Playwright.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import os from 'node:os';
import {describe, test} from 'node:test';
import {eventually, freePort, get, kServer, listens, nextProject, portsOf, program, run, tempDir, write} from './program.mjs';
import {kSanitized} from './world.mjs';

const project = (t, files = {'server.cjs': kServer}) => write(tempDir(t), files);
const health = (port, options) => get(port, '/_vercel-sim/health', options);
const json = (response) => JSON.parse(response.text ?? assert.fail(`no answer: ${response.error}`));

// What is promised; a busy machine may take longer to run those who clean up.
const kSecond = process.env.CI || kSanitized ? 5000 : 1000;

describe('--app', {concurrency: 4}, () => {
  test('the command is a line for the shell, with PORT in its environment, and all it writes is passed on', async (t) => {
    const sim = await run(t, ['--app', 'GREETING="hello there"; export GREETING; echo "told $PORT" && exec node server.cjs | cat'], {cwd: project(t)});
    const seen = json(await get(sim.port, '/some?where'));
    assert.equal(seen.greeting, 'hello there');
    assert.equal(seen.url, '/some?where');
    assert.notEqual(Number(seen.port), sim.port, 'the app has a port of its own');
    assert.equal(seen.headers.host, `127.0.0.1:${sim.port}`, 'as the client named it');
    await sim.says(new RegExp(`^told ${seen.port}$`, 'm'));
    await sim.says(/^hello on stdout$/m);
    await sim.says(/^hello on stderr$/m);
    assert.equal((await sim.stop()).code, 0);
    assert.deepEqual(sim.alive(), []);
  });

  test('before the app listens requests get 503, and so says the health URL; then 200', async (t) => {
    const gate = net.createServer();
    await new Promise((resolve) => gate.listen(0, '127.0.0.1', resolve));
    t.after(() => gate.close());
    const started = new Promise((resolve) => gate.once('connection', resolve));
    const sim = program(t, ['run', '--port', '0', '--app', `node server.cjs gate=${gate.address().port}`], {cwd: project(t)});
    const app = await started;
    const [port] = portsOf(sim.child.pid);
    const starting = await health(port);
    assert.equal(starting.status, 503);
    assert.deepEqual(json(starting), {status: 'starting'});
    const early = await get(port, '/page');
    assert.equal(early.status, 503);
    assert.equal(early.headers['x-vercel-sim'], 'SIM_NOT_READY');
    assert.equal(early.headers['x-vercel-error'], undefined, 'not a word of Vercel');
    assert.equal(early.headers['retry-after'], '1');
    assert.doesNotMatch(sim.text, /vercel-sim ready/);
    app.end('go');
    await sim.ready();
    assert.equal(sim.port, port);
    assert.deepEqual(json(await health(port)), {status: 'ready'});
    assert.equal((await get(port, '/page')).status, 200);
  });

  test('an app that ignores SIGTERM is ended all the same, with what it started', async (t) => {
    const sim = await run(t, ['--app', 'sleep 1000 & node server.cjs stubborn & wait'], {cwd: project(t)});
    const {pid} = json(await get(sim.port));
    await eventually('the mark finds the app', () => sim.alive().some((p) => p.pid === pid));
    await eventually('the mark finds what its shell started too', () => sim.alive().some((p) => p.command === 'sleep 1000'));
    const {code, signal} = await sim.stop();
    assert.deepEqual({code, signal}, {code: 0, signal: null});
    assert.match(sim.text, /not now: SIGTERM/, 'it was asked first');
    await eventually('nothing is left', () => sim.alive().length === 0, 2000);
    assert.equal(await listens(sim.port), false);
  });

  test('an app that crashes is said to have stopped, is started again and answers again', async (t) => {
    const sim = await run(t, ['--app', 'exec node server.cjs'], {cwd: project(t)});
    const first = json(await get(sim.port));
    const from = sim.text.length;
    const last = await get(sim.port, '/exit?3');
    assert.equal(last.status, 502, 'the request that it died of');
    assert.equal(last.headers['x-vercel-error'], 'NO_RESPONSE_FROM_FUNCTION');
    await sim.says(/^the app stopped: exited with code 3$[^]*^restarting the app/m, {from});
    const again = await eventually('an answer of the new one', async () => {
      const response = await get(sim.port);
      if (response.status !== 200) assert.ok([502, 503].includes(response.status), `${response.status} ${response.error}`);
      return response.status === 200 && json(response);
    });
    assert.notEqual(again.pid, first.pid);
    assert.equal(again.port, first.port);
    assert.equal((await health(sim.port)).status, 200);
    assert.equal(sim.text.match(/vercel-sim ready/g).length, 1, 'one ready line');
    assert.equal((await sim.stop()).code, 0);
  });
});

describe('--host', {concurrency: 4}, () => {
  const origin = async (t) => {
    const server = http.createServer((request, response) => response.end(request.headers.host));
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    t.after(() => server.close());
    return `http://127.0.0.1:${server.address().port}`;
  };
  const others = Object.values(os.networkInterfaces()).flat().filter((a) => a.family === 'IPv4' && !a.internal).map((a) => a.address);

  test('without it nobody but loopback is answered', async (t) => {
    const sim = await run(t, ['--upstream', await origin(t)]);
    assert.equal((await get(sim.port)).status, 200);
    for (const host of ['127.0.0.2', ...others]) assert.equal((await get(sim.port, '/', {host})).error?.code, 'ECONNREFUSED', host);
  });

  test('alone it opens all addresses', async (t) => {
    const sim = await run(t, ['--upstream', await origin(t), '--host']);
    for (const host of ['127.0.0.1', '127.0.0.2', ...others]) {
      const response = await get(sim.port, '/', {host});
      assert.equal(response.text, `${host}:${sim.port}`, `${host}: ${response.error}`);
    }
  });

  test('with an address it opens that one', async (t) => {
    const sim = await run(t, ['--upstream', await origin(t), '--host', '127.0.0.2']);
    assert.equal((await get(sim.port, '/', {host: '127.0.0.2'})).status, 200);
    assert.equal((await get(sim.port, '/', {host: '127.0.0.3'})).error?.code, 'ECONNREFUSED');
    for (const host of others) assert.equal((await get(sim.port, '/', {host})).error?.code, 'ECONNREFUSED', host);
  });
});

test('--upstream: a server that is not there yet is told and gives 502; when it comes up, it is served', async (t) => {
  const port = await freePort();
  const sim = await run(t, ['--upstream', `http://127.0.0.1:${port}`]);
  await sim.says(new RegExp(`^warning: nothing answers at http://127\\.0\\.0\\.1:${port} yet`, 'm'));
  const refused = await get(sim.port);
  assert.equal(refused.status, 502);
  assert.equal(refused.headers['x-vercel-error'], 'ROUTER_EXTERNAL_TARGET_CONNECTION_ERROR');
  const server = http.createServer((request, response) => response.end('here I am'));
  await new Promise((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve));
  t.after(() => server.close());
  assert.equal((await get(sim.port)).text, 'here I am');
});

describe('The project', {concurrency: 4}, () => {
  test('two runs at once have two run directories, and the end of one does not disturb the other', async (t) => {
    const runtime = tempDir(t);
    const start = () => run(t, [], {cwd: project(t, nextProject()), env: {XDG_RUNTIME_DIR: runtime}});
    const [one, two] = await Promise.all([start(), start()]);
    const dirs = () => fs.readdirSync(`${runtime}/vercel-sim`);
    const mine = (sim) => dirs().filter((name) => name.startsWith(`${sim.child.pid}-`));
    assert.equal(dirs().length, 2, String(dirs()));
    assert.equal(mine(one).length, 1);
    const pids = await Promise.all([one, two].map(async (sim) => json(await get(sim.port)).pid));
    assert.notEqual(one.port, two.port);
    assert.notEqual(pids[0], pids[1]);
    one.signal('SIGKILL');
    await one.end();
    await eventually('the directory of the killed one is gone', () => mine(one).length === 0, kSecond);
    assert.equal(mine(two).length, 1);
    assert.equal(json(await get(two.port)).pid, pids[1], 'the same app answers as before');
    // A start cleans up after those that died; it must know who lives.
    const three = await start();
    assert.equal(mine(two).length, 1);
    assert.equal(json(await get(two.port)).pid, pids[1]);
    assert.equal((await two.stop()).code, 0);
    assert.deepEqual(mine(two), []);
    assert.equal((await get(three.port)).status, 200);
    assert.equal((await three.stop()).code, 0);
    assert.deepEqual(dirs(), []);
  });

  test('kill -9 leaves no process, no run directory and no port, within a second', async (t) => {
    const sim = await run(t, [], {cwd: project(t, nextProject(['stubborn']))});
    const {pid} = json(await get(sim.port));
    assert.ok(sim.alive().some((p) => p.pid === pid));
    assert.ok(sim.alive().some((p) => p.command.includes('__guardian')), 'the guardian is among them');
    assert.equal(sim.runDirs().length, 1);
    sim.signal('SIGKILL');
    await eventually('nothing of it is left', async () => sim.alive().length === 0 && sim.runDirs().length === 0 && !(await listens(sim.port)), kSecond);
  });
});

describe("Playwright's webServer", {concurrency: 4}, () => {
  // As its web server plugin does: the command through a shell as the leader of a group, the URL asked until it answers with less than 400,
  // then the group gets the signal, and SIGKILL after the timeout.
  for (const signal of ['SIGTERM', 'SIGKILL']) {
    test(`the URL answers 503 and then 200; ${signal} to the group leaves nothing`, async (t) => {
      const port = await freePort();
      const sim = program(t, ['run', '--profile', 'hobby', '--port', String(port)], {cwd: project(t, nextProject())});
      const seen = new Set();
      await eventually('the URL answers', async () => {
        const {status, error} = await health(port, {host: 'localhost'});
        seen.add(status ?? error.code);
        return status === 200;
      });
      assert.deepEqual([...seen].filter((s) => ![200, 503, 'ECONNREFUSED'].includes(s)), []);
      assert.ok(seen.has(503), [...seen].join());
      assert.equal((await get(port, '/')).status, 200, 'ready means ready');
      process.kill(-sim.child.pid, signal);
      const end = await sim.end(5000);
      if (signal === 'SIGTERM') assert.equal(end.code, 0);
      await eventually('nothing is left', () => sim.alive().length === 0 && sim.runDirs().length === 0, kSecond);
      assert.equal(await listens(port), false);
    });
  }
});
