// Upgrades (point 7): refused in three ways on the serverless profiles, tunnelled and closed at the limit on the Fluid ones; the dev server's own socket
// always passes.
import assert from 'node:assert/strict';
import {test} from 'node:test';
import {answer, get, sleep, world} from './world.mjs';

const kHandshake = ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='];
const upgrade = (target = '/ws', ...more) => get(target, ...kHandshake, ...more);
const kSwitch = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n';

// Accepts upgrades and echoes; answers anything else.
const echo = async (ex) => {
  if (!ex.head.has('upgrade')) return ex.write(answer('plain'));
  ex.write(kSwitch);
  ex.takeover();
  let done = 0;
  while (await ex.until(() => ex.tunnel.length > done)) {
    ex.write(ex.tunnel.slice(done));
    done = ex.tunnel.length;
  }
};

for (const profile of ['hobby', 'pro', 'enterprise']) {
  test(`${profile}: an upgrade is refused at once, and the app never sees it`, async (t) => {
    const w = await world(t, {profile, origin: echo});
    const response = await w.fetch(upgrade());
    assert.equal(response.status, 400);
    assert.equal(response.head.get('x-vercel-sim'), 'SIM_WEBSOCKET_REFUSED');
    assert.equal(response.head.get('upgrade'), undefined);
    await sleep(30);
    assert.equal(w.record.requests.length, 0);
  });
}

test('websocket.refusal_status is the status of a refusal', async (t) => {
  const w = await world(t, {origin: echo, args: ['--set', 'websocket.refusal_status=426']});
  assert.equal((await w.fetch(upgrade())).status, 426);
});

test('after a refused upgrade the connection serves plain requests', async (t) => {
  const w = await world(t, {origin: echo});
  const client = w.connect(upgrade());
  await client.until(() => client.complete() || client.closed);
  assert.ok(!client.closed, 'the connection stays open');
  client.write(get());
  await client.until(() => client.complete() > 1 || client.closed);
  assert.equal(client.responses[1].body, 'plain');
});

test('deliver-as-get: the route runs as a plain GET', async (t) => {
  const w = await world(t, {origin: echo, args: ['--set', 'websocket.refusal=deliver-as-get']});
  const response = await w.fetch(upgrade('/ws', 'Sec-WebSocket-Protocol: chat', 'Cookie: a=b'));
  assert.equal(response.status, 200);
  assert.equal(response.body, 'plain');
  const {head} = w.record.requests[0];
  assert.equal(head.get('upgrade'), undefined);
  assert.ok(!head.list('connection').includes('upgrade'));
  assert.equal(head.get('cookie'), 'a=b');
});

test('drop: never answered, until the client gives up', async (t) => {
  const w = await world(t, {origin: echo, args: ['--set', 'websocket.refusal=drop', '--set', 'duration.default=1s']});
  const client = w.connect(upgrade());
  await sleep(1800);
  assert.equal(client.text, '');
  assert.equal(client.closed, null);
  assert.equal(w.record.requests.length, 0);
  client.end();
  await client.until(() => client.closed, 3000);
  assert.ok(client.closed, 'the connection ends when the client ends it');
  assert.equal((await w.fetch(get())).status, 200, 'others are served');
});

for (const profile of ['hobby-fluid', 'pro-fluid', 'enterprise-fluid']) {
  test(`${profile}: an upgrade is tunnelled`, async (t) => {
    const w = await world(t, {profile, origin: echo});
    const client = w.connect(upgrade());
    await client.until(() => client.text.includes('\r\n\r\n'));
    assert.equal(client.responses[0].status, 101);
    client.write('\x81\x05hello');
    await client.until(() => client.text.endsWith('\x81\x05hello'), 3000);
    assert.ok(client.text.endsWith('\x81\x05hello'));
  });
}

test('a tunnel is closed at the maximum duration, not before, and both sides see it', async (t) => {
  const w = await world(t, {profile: 'hobby-fluid', origin: echo, args: ['--set', 'duration.default=1s']});
  const started = performance.now();
  const client = w.connect(upgrade());
  await client.until(() => client.text.includes('\r\n\r\n'));
  const beat = setInterval(() => client.write('x'), 50);
  t.after(() => clearInterval(beat));
  await client.until(() => client.closed);
  const took = performance.now() - started;
  assert.ok(took >= 1000 && took < 1900, `closed after ${took} ms`);
  await w.eventually(() => w.record.requests[0].closed || w.record.requests[0].socket.destroyed || w.record.requests[0].sawEnd, 'the app’s side to end');
});

test('websocket.close_code sends a close frame at the limit', async (t) => {
  const w = await world(t, {profile: 'hobby-fluid', origin: echo, args: ['--set', 'duration.default=1s', '--set', 'websocket.close_code=1001']});
  const client = w.connect(upgrade());
  await client.until(() => client.closed);
  assert.ok(client.text.endsWith('\x88\x02\x03\xe9'), JSON.stringify(client.text.slice(-8)));
});

test('a tunnel holds back a side that does not read, in flat memory', async (t) => {
  const w = await world(t, {profile: 'hobby-fluid', origin: async (ex) => {
    ex.write(kSwitch);
    ex.takeover();
    ex.socket.pause();
    await ex.until(() => ex.closed);
  }});
  const before = w.rss();
  const client = w.connect(upgrade());
  await client.until(() => client.text.includes('\r\n\r\n'));
  for (let i = 0; i < 64; i++) client.socket.write(Buffer.alloc(1 << 20));
  for (let last = -1; last !== client.socket.bytesWritten - client.socket.writableLength;) {
    last = client.socket.bytesWritten - client.socket.writableLength;
    await sleep(300);
  }
  assert.ok(client.socket.writableLength > 16 << 20, 'the client was not held back');
  assert.ok(w.rss() - before < 60, `memory grew by ${w.rss() - before} MB`);
});

test('half-close of a tunnel goes through: the other direction stays open', async (t) => {
  const w = await world(t, {profile: 'hobby-fluid', origin: async (ex) => {
    ex.write(kSwitch);
    ex.takeover();
    ex.socket.removeAllListeners('end');
    ex.socket.on('end', async () => {
      await sleep(50);
      ex.write('after your end');
      ex.end();
    });
    await ex.until(() => ex.closed);
  }});
  const client = w.connect(upgrade());
  await client.until(() => client.text.includes('\r\n\r\n'));
  client.end();
  await client.until(() => client.closed);
  assert.ok(client.text.endsWith('after your end'), client.text.slice(-40));
});

for (const path of ['/_next/webpack-hmr', '/_next/hmr?id=1', '/docs/_next/hmr']) {
  test(`the dev server’s own socket ${path} passes on hobby, beyond any limit`, async (t) => {
    const w = await world(t, {origin: echo, args: ['--set', 'duration.default=1s']});
    const client = w.connect(upgrade(path));
    await client.until(() => client.text.includes('\r\n\r\n'));
    assert.equal(client.responses[0].status, 101);
    await sleep(1500);
    client.write('still here');
    await client.until(() => client.text.endsWith('still here'), 3000);
    assert.ok(client.text.endsWith('still here'));
    assert.equal(client.closed, null);
  });
}

test('an upgrade that is no websocket is an ordinary request', async (t) => {
  const w = await world(t, {origin: echo});
  const response = await w.fetch(get('/', 'Connection: Upgrade', 'Upgrade: h2c'));
  assert.equal(response.status, 200);
  assert.equal(w.record.requests[0].head.get('upgrade'), undefined);
});

test('an app that refuses a tunnelled upgrade is heard', async (t) => {
  const w = await world(t, {profile: 'hobby-fluid', origin: 'HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno'});
  const response = await w.fetch(upgrade());
  assert.equal(response.status, 403);
  assert.equal(response.body, 'no');
});

test('an app that ends the socket without a word gives the platform’s 502', async (t) => {
  const w = await world(t, {profile: 'hobby-fluid', origin: [{end: true}]});
  assert.equal((await w.fetch(upgrade())).status, 502);
});

