// The app or the client fails: what the other one sees.
import assert from 'node:assert/strict';
import net from 'node:net';
import {test} from 'node:test';
import {answer, chunk, get, kChunked, request, sleep, world} from './world.mjs';

async function closedPort() {
  const server = net.createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const {port} = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

test('nobody listens upstream: the platform’s 502 in three forms', async (t) => {
  const w = await world(t, {originPort: await closedPort()});
  const text = await w.fetch(get());
  assert.equal(text.status, 502);
  assert.equal(text.head.get('x-vercel-error'), 'ROUTER_EXTERNAL_TARGET_CONNECTION_ERROR');
  assert.equal(text.body, `An error occurred with this application.\n\nROUTER_EXTERNAL_TARGET_CONNECTION_ERROR\n\n${text.head.get('x-vercel-id')}\n`);
  const json = await w.fetch(get('/', 'Accept: application/json'));
  assert.equal(json.body, '{"error":{"code":"502","message":"An error occurred with this application."}}');
  const html = await w.fetch(get('/', 'Accept: text/html'));
  assert.match(html.body, /<title>502: BAD_GATEWAY<\/title>/);
});

for (const [what, script] of [
  ['closes without a word', [{end: true}]], ['resets', [{reset: true}]], ['closes in the head', ['HTTP/1.1 200 OK\r\nX-A', {end: true}]], ['answers garbage', ['garbage\r\n\r\n', {end: true}]],
]) {
  test(`an app that ${what}: the platform’s 502`, async (t) => {
    const w = await world(t, {origin: script});
    const response = await w.fetch(get());
    assert.equal(response.status, 502);
    assert.match(response.head.get('x-vercel-error'), /^[A-Z_]+$/);
    assert.equal(response.body.split('\n')[0], 'An error occurred with this application.');
    assert.equal(w.record.requests.length, 1, 'not tried twice');
  });
}

test('a connection that serves a 502 serves the next request', async (t) => {
  const w = await world(t, {origin: {each: [[{reset: true}], answer('back')]}});
  const client = w.connect(get());
  await client.until(() => client.complete());
  client.write(get());
  await client.until(() => client.complete() > 1 || client.closed);
  assert.equal(client.responses[1]?.body, 'back');
});

test('an app that comes back is used again at once', async (t) => {
  const port = await closedPort();
  const w = await world(t, {originPort: port});
  assert.equal((await w.fetch(get())).status, 502);
  const server = net.createServer((s) => s.on('error', () => {}).once('data', () => s.end(answer('up'))));
  await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
  t.after(() => server.close());
  assert.equal((await w.fetch(get())).body, 'up');
});

test('a stream the app cuts is cut for the client, at once', async (t) => {
  for (const end of [{end: true}, {reset: true}]) {
    const w = await world(t, {origin: [kChunked + chunk('part'), {pause: 50}, end]});
    const client = w.connect(get());
    await client.until(() => client.closed, 3000);
    assert.ok(client.closed);
    assert.equal(client.responses[0].status, 200);
    assert.equal(client.responses[0].body, 'part');
    assert.equal(client.responses[0].complete, false);
  }
});

test('an upload whose client leaves ends at the app as broken, not as whole', async (t) => {
  for (const framing of ['Content-Length: 1000', 'Transfer-Encoding: chunked']) {
    const w = await world(t);
    const client = w.connect(request('POST', '/', [framing], framing.startsWith('C') ? 'x'.repeat(10) : chunk('x')));
    const ex = await w.request();
    await ex.until(() => ex.bodyText.length > 0);
    client.reset();
    await w.eventually(() => ex.closed || ex.sawEnd, 'the app to be told');
    assert.equal(ex.bodyDone, false);
  }
});

test('a slow head is answered 408 or closed within a minute, and costs others nothing', {timeout: 60000}, async (t) => {
  const w = await world(t);
  const slow = w.connect('GET / HTTP/1.1\r\nHost: localhost\r\n', {deadline: 45000});
  const drip = setInterval(() => slow.write('X-A: b\r\n'), 1000);
  t.after(() => clearInterval(drip));
  const silent = w.connect('', {deadline: 45000});
  for (let i = 0; i < 20; i++) assert.equal((await w.fetch(get())).status, 200);
  await Promise.all([slow.until(() => slow.closed), silent.until(() => silent.closed)]);
  assert.ok(slow.closed, 'a head that drips is bounded');
  assert.ok(silent.closed, 'a connection that says nothing is bounded');
  if (slow.text) assert.match(slow.text, /^HTTP\/1\.1 408 /);
  assert.equal(silent.text, '');
  assert.equal(w.record.requests.length, 20);
});

test('200 clients that send half a head leave no mark once they are gone', async (t) => {
  const w = await world(t);
  const before = w.rss();
  const half = Array.from({length: 200}, () => w.connect('GET / HTTP/1.1\r\nHost: localhost\r\nX-A: ' + 'v'.repeat(4000)));
  await sleep(200);
  for (const c of half) c.reset();
  assert.equal((await w.fetch(get())).status, 200);
  assert.ok(w.rss() - before < 40, `memory grew by ${w.rss() - before} MB`);
});

test('clients that come and go at any moment of a request do no harm', async (t) => {
  const w = await world(t, {profile: 'hobby-fluid', origin: async (ex) => {
    await sleep(2);
    ex.write(kChunked);
    for (let i = 0; i < 5; i++) {
      ex.write(chunk('x'.repeat(3000)));
      await sleep(1);
    }
    if (await ex.body()) ex.write('0\r\n\r\n');
  }});
  const fds = w.fds();
  const text = request('POST', '/', ['Content-Length: 20'], 'y'.repeat(20));
  await Promise.all(Array.from({length: 300}, async (_, i) => {
    await sleep(i * 2);
    const client = w.connect(text.slice(0, (i * 7) % (text.length + 1)));
    await sleep(i % 13);
    if (i % 3 === 0) client.end();
    else client.reset();
  }));
  const response = await w.fetch(text);
  assert.equal(response.body.length, 15000);
  await w.settles(fds);
});

test('apps that come and go at any moment of a response do no harm', async (t) => {
  let n = 0;
  const full = kChunked + chunk('a'.repeat(50)) + '0\r\n\r\n';
  const w = await world(t, {origin: async (ex) => {
    const i = n++;
    if (i >= 200) return ex.write(answer('well'));
    ex.write(full.slice(0, (i * 5) % full.length));
    await sleep(i % 7);
    if (i % 2) ex.reset();
    else ex.end();
  }});
  const fds = w.fds();
  await Promise.all(Array.from({length: 200}, async (_, i) => {
    await sleep(i);
    const client = w.connect(get());
    await client.until(() => client.closed || client.complete());
    const [r] = client.responses;
    assert.ok(!r || r.status === 502 || !r.complete, `a broken response looks whole: ${r?.status}`);
    client.destroy();
  }));
  assert.equal((await w.fetch(get())).body, 'well');
  await w.settles(fds);
});

test('a client that pipelines without end while the app is busy is held back, in flat memory', async (t) => {
  let release;
  const held = new Promise((resolve) => (release = resolve));
  const w = await world(t, {profile: 'hobby-fluid', origin: async (ex) => {
    if (ex.target === '/first') await held;
    ex.write(answer('ok'));
  }});
  const before = w.rss();
  const client = w.connect(get('/first'), {deadline: 30000});
  await w.request();
  const many = get('/x').repeat(20000);
  let sent = 0;
  for (let i = 0; i < 32; i++) {
    client.socket.write(Buffer.from(many));
    sent += many.length;
  }
  for (let last = -1; last !== client.socket.writableLength;) {
    last = client.socket.writableLength;
    await sleep(300);
  }
  assert.ok(client.socket.writableLength > sent / 2, `it took ${(sent - client.socket.writableLength) >> 20} MB of requests nobody had answered`);
  assert.ok(w.rss() - before < 40, `memory grew by ${w.rss() - before} MB`);
  release();
  await w.eventually(() => w.record.requests.length > 100, 'the next ones to be served');
});

test('a client that asks and never reads is held back, in flat memory', async (t) => {
  const body = 'x'.repeat(100000);
  const w = await world(t, {profile: 'hobby-fluid', origin: answer(body)});
  const before = w.rss();
  const client = w.connect();
  client.socket.pause();
  client.socket.write(get('/x').repeat(5000));
  await w.eventually(() => w.record.requests.length > 5, 'some to be asked');
  for (let last = -1; last !== w.record.requests.length;) {
    last = w.record.requests.length;
    await sleep(300);
  }
  assert.ok(w.record.requests.length < 1000, `${w.record.requests.length} requests were run for a client that takes no answer`);
  assert.ok(w.rss() - before < 40, `memory grew by ${w.rss() - before} MB`);
});

test('a head that never ends, or a trailer, is refused within bounds', async (t) => {
  const w = await world(t);
  const before = w.rss();
  for (const [start, more] of [
    ['GET / HTTP/1.1\r\nHost: h\r\n', 'X-A: b\r\n'.repeat(1000)], ['GET /', 'a'.repeat(8000)], ['POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n', 'X-T: v\r\n'.repeat(1000)],
    ['POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5;', 'a'.repeat(8000)], ['\r\n', '\r\n'.repeat(4000)],
  ]) {
    const client = w.connect(start);
    for (let i = 0; i < 500 && !client.closed; i++) {
      client.write(more);
      if (i % 10 === 0) await sleep(1);
    }
    await client.until(() => client.closed, 5000);
    assert.ok(client.closed, `still open after 4 MB of ${JSON.stringify(start.slice(-20))}`);
  }
  assert.ok(w.rss() - before < 40, `memory grew by ${w.rss() - before} MB`);
});

test('tunnels that either side breaks off leave nothing behind', async (t) => {
  const w = await world(t, {profile: 'hobby-fluid', origin: async (ex) => {
    ex.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    ex.takeover();
    const i = ex.index;
    ex.write('x'.repeat(i * 100));
    await sleep(i % 17);
    if (i % 4 === 0) ex.reset();
    else if (i % 4 === 1) ex.end();
    else await ex.until(() => ex.closed);
  }});
  const fds = w.fds();
  await Promise.all(Array.from({length: 100}, async (_, i) => {
    const client = w.connect(get('/ws', 'Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='));
    await sleep(i % 23);
    client.write('y'.repeat(i * 50));
    await sleep(i % 11);
    if (i % 3 === 0) client.reset();
    else client.end();
  }));
  await w.settles(fds);
});

test('a flood of interim answers is cut off after 64, and the proxy goes on', async (t) => {
  const hint = 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n';
  const w = await world(t, {origin: [hint.repeat(1000), {end: true}]});
  const flooded = await w.fetch(get());
  assert.equal(flooded.status, 502);
  assert.equal(flooded.interim.length, 64);
});

// 64 heads of the size that is taken are 4 MB for each client.
test('interim answers wait for a client that does not read, in flat memory', async (t) => {
  const hint = `HTTP/1.1 103 Early Hints\r\nLink: ${'a'.repeat(60_000)}\r\n\r\n`;
  const w = await world(t, {origin: [hint.repeat(63), answer('at last')]});
  const before = w.rss();
  const deaf = Array.from({length: 40}, () => {
    const client = w.connect(get());
    client.socket.pause();
    return client;
  });
  await w.eventually(() => w.record.requests.length === deaf.length, 'all to be asked');
  await sleep(300);
  assert.ok(w.rss() - before < 40, `memory grew by ${w.rss() - before} MB`);
  for (const client of deaf) client.reset();
  assert.equal((await w.fetch(get())).body, 'at last');
});
