// The program: where it listens, its health URL, how it stops, what it writes.
import assert from 'node:assert/strict';
import {spawnSync} from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import {test} from 'node:test';
import {kServer, listens, run, write} from './program.mjs';
import {answer, chunk, get, kBin, kChunked, request, sleep, tempDir, world} from './world.mjs';

test('127.0.0.1 and ::1 are both served at the port of the ready line', async (t) => {
  const w = await world(t);
  for (const host of ['127.0.0.1', '::1']) {
    const response = await w.fetch(get(), {host});
    assert.equal(response.body, 'ok', host);
  }
  assert.equal(w.record.requests[1].head.get('x-forwarded-for'), '::1');
});

test('the ready line is one stable line', async (t) => {
  const w = await world(t, {profile: 'pro'});
  assert.match(w.sim.child.said, /^vercel-sim ready on http:\/\/localhost:\d+ \(profile pro, as of \d{4}-\d\d-\d\d\)$/m);
});

test('GET and HEAD /_vercel-sim/health', async (t) => {
  const w = await world(t);
  const response = await w.fetch(get('/_vercel-sim/health'));
  assert.equal(response.status, 200);
  assert.match(response.head.get('content-type'), /json/);
  assert.equal(JSON.parse(response.body).status, 'ready');
  const client = w.connect(request('HEAD', '/_vercel-sim/health'), {methods: ['HEAD']});
  await client.until(() => client.complete());
  assert.equal(client.responses[0].status, 200);
  assert.ok(client.text.endsWith('\r\n\r\n'));
  assert.equal((await w.fetch(get('/_vercel-sim/nothing'))).status, 404);
  assert.equal(w.record.requests.length, 0, 'the app sees none of it');
});

for (const signal of ['SIGINT', 'SIGTERM']) {
  test(`${signal}: stops within two seconds, also with open streams, and frees the port`, async (t) => {
    const w = await world(t, {profile: 'hobby-fluid', origin: async (ex) => {
      ex.write(kChunked + chunk('x'));
      await ex.until(() => ex.closed);
    }});
    w.mayFail = true;
    const client = w.connect(get());
    await client.until(() => client.text.endsWith('x\r\n'));
    const idle = w.connect();
    await sleep(20);
    const started = performance.now();
    const code = await w.stop(signal);
    const took = performance.now() - started;
    assert.ok(took < 4000, `took ${took} ms`);
    assert.ok(code === 0 || (signal === 'SIGINT' && code === 130), `exit code ${code}`);
    await client.until(() => client.closed, 1000);
    assert.equal(client.responses[0].complete, false, 'an open stream does not end cleanly');
    await idle.until(() => idle.closed, 1000);
    await new Promise((resolve, reject) => net.createServer().once('error', reject).listen(w.port, '127.0.0.1', function listening() {
      this.close(resolve);
    }));
  });
}

test('Ctrl-C again and again: the code of Ctrl-C whenever it comes, the end of the run is told, and nothing is left', async (t) => {
  // Neither it nor its child goes when it is asked to.
  const stubborn = "process.on('SIGTERM', () => {}).on('SIGINT', () => {});\nrequire('child_process').spawn('sleep', ['1000']);\n";
  for (const pause of [300, 5]) {
    const cwd = write(tempDir(t), {'server.cjs': stubborn + kServer});
    const sim = await run(t, ['--events', 'events.jsonl', '--app', 'exec node server.cjs'], {cwd});
    for (let i = 0; sim.child.exitCode === null && sim.child.signalCode === null && i < 400; i++) {
      sim.child.kill('SIGINT');
      await sleep(pause);
    }
    assert.equal((await sim.end()).code, 130, sim.text);
    assert.match(fs.readFileSync(path.join(cwd, 'events.jsonl'), 'utf8'), /"t":"run_stopped"[^\n]*\n$/);
    assert.equal(await listens(sim.port), false);
  }
});

test('a port in use: one clear line, exit code 64 or 70', async (t) => {
  const w = await world(t);
  const {status, stderr, stdout} = spawnSync(kBin, ['run', '--upstream', `http://127.0.0.1:${w.originPort}`, '--port', String(w.port)], {timeout: 10000, encoding: 'utf8'});
  assert.ok(status === 64 || status === 70, `exit code ${status}`);
  assert.match(stderr + stdout, new RegExp(`port ${w.port} is already in use`));
});

test('mistakes of the command line are told at once', () => {
  const {status, stderr} = spawnSync(kBin, ['run', '--upstream', 'http://127.0.0.1:1', '--set', 'duration.defualt=5s', '--port', '0'], {timeout: 10000, encoding: 'utf8'});
  assert.equal(status, 64);
  assert.match(stderr, /duration\.defualt/);
  assert.match(stderr, /duration\.default/, 'the nearest key is named');
});

test('--events: one JSON object a line, one end for every start, no secrets', async (t) => {
  const file = path.join(tempDir(t), 'events.jsonl');
  const w = await world(t, {args: ['--events', file, '--set', 'duration.default=1s'], origin: async (ex) => {
    if (ex.target.startsWith('/slow')) return ex.until(() => ex.closed);
    if (ex.target.startsWith('/die')) return ex.reset();
    if (ex.target.startsWith('/cut')) {
      ex.write(kChunked + chunk('x'));
      await ex.until(() => ex.closed);
      return;
    }
    await ex.body();
    ex.write(answer('fine', 'Set-Cookie: session=SECRET3'));
  }});
  const secret = ['Authorization: Bearer SECRET1', 'Cookie: session=SECRET2'];
  await Promise.all([
    w.fetch(get('/ok', ...secret)), w.fetch(get('/quote"s\\and%22', ...secret)), w.fetch(get('/slow', ...secret)), w.fetch(get('/die', ...secret)),
    w.fetch(request('POST', '/big', ['Content-Length: 99999999', ...secret])),
    w.fetch(get('/ws', 'Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==', ...secret)),
    w.fetch('BROKEN\r\n\r\n'),
    (async () => {
      const cut = w.connect(get('/cut'));
      await cut.until(() => cut.closed);
    })(),
    (async () => {
      const gone = w.connect(get('/slow-gone'));
      await w.eventually(() => w.record.requests.some(({target}) => target === '/slow-gone'), 'the request at the origin');
      gone.reset();
    })(),
    (async () => {
      const half = w.connect(request('POST', '/half', ['Content-Length: 10'], 'abc'));
      await w.eventually(() => w.record.requests.some(({target}) => target === '/half'), 'the half at the origin');
      half.reset();
    })(),
  ]);
  const open = w.connect(get('/cut'));  // still open when we stop
  await open.until(() => open.text.includes('x\r\n'));
  await w.stop('SIGTERM');
  const text = fs.readFileSync(file, 'utf8');
  assert.ok(text.endsWith('\n'));
  assert.ok(!/SECRET[123]/.test(text), 'a secret was written');
  const events = text.trimEnd().split('\n').map((l) => JSON.parse(l));
  assert.ok(events.every((e) => typeof e.t === 'string'), `events have a name: ${text.split('\n')[0]}`);
  const seqs = events.map((e) => e.seq);
  assert.deepEqual(seqs, [...seqs].sort((a, b) => a - b), 'in sequence');
  // What is refused at the door ends without having started.
  const starts = events.filter((e) => e.t === 'invocation_started');
  const ends = events.filter((e) => e.t === 'invocation_ended');
  for (const [what, list] of [['start', starts], ['end', ends]]) assert.equal(new Set(list.map((e) => e.request_id)).size, list.length, `a ${what} twice`);
  assert.deepEqual(starts.filter(({id}) => ends.filter((e) => e.id === id).length !== 1), [], 'a start without its one end');
  assert.ok(ends.length >= 11, `${ends.length} ends`);
  assert.match(text, /FUNCTION_INVOCATION_TIMEOUT/);
  assert.match(text, /FUNCTION_PAYLOAD_TOO_LARGE/);
  assert.match(text, /SIM_WEBSOCKET_REFUSED/);
  assert.ok(events.at(-1).t === 'run_stopped', 'the last word is that it stopped');
});

test('what the stop cuts is told as cut by the emulator: a stream, a request without an answer, a tunnel', async (t) => {
  const file = path.join(tempDir(t), 'events.jsonl');
  const w = await world(t, {profile: 'pro-fluid', args: ['--events', file], origin: async (ex) => {
    if (ex.target === '/ended') return ex.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    if (ex.target === '/stream') ex.write(kChunked + chunk('x'));
    if (ex.target === '/tunnel') ex.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    await ex.until(() => ex.closed);
  }});
  w.mayFail = true;
  await w.fetch(get('/ended'));
  const stream = w.connect(get('/stream'));
  await stream.until(() => stream.text.endsWith('x\r\n'));
  const socket = ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='];
  const tunnel = w.connect(request('GET', '/tunnel', socket));
  await tunnel.until(() => tunnel.text.includes('101'));
  w.connect(get('/waits'));
  await w.eventually(() => w.record.requests.some(({target}) => target === '/waits'), 'the request at the origin');
  await w.stop('SIGTERM');
  const ends = fs.readFileSync(file, 'utf8').trimEnd().split('\n').map((l) => JSON.parse(l)).filter((e) => e.t === 'invocation_ended');
  assert.deepEqual(Object.fromEntries(ends.map((e) => [e.target, [e.ended_by, e.code]])), {
    '/ended': ['function', undefined], '/stream': ['emulator', undefined], '/tunnel': ['emulator', undefined], '/waits': ['emulator', undefined],
  });
});

test('--events -: JSON lines on standard output', async (t) => {
  const w = await world(t, {args: ['--events', '-']});
  await w.fetch(get('/one'));
  await w.eventually(() => w.sim.child.said.split('\n').some((l) => l.startsWith('{') && l.includes('"/one"') && JSON.parse(l)), 'a JSON line');
});
