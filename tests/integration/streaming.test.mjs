// Bytes go through at once, in both directions, at the speed of whoever is slower.
import assert from 'node:assert/strict';
import net from 'node:net';
import {test} from 'node:test';
import {answer, chunk, get, kChunked, kSanitized, request, sleep, world} from './world.mjs';

// What buffers may hold: kernel socket buffers are not ours, ours are bounded.
const kFlat = kSanitized ? 60 : 12;  // MB of growth

test('event n reaches the client before the origin writes event n+1', async (t) => {
  let client;
  const w = await world(t, {origin: async (ex) => {
    ex.write(kChunked);
    for (let i = 0; i < 20; i++) {
      ex.write(chunk(`data: ${i}\n\n`));
      assert.ok(await client.until(() => client.text.includes(`data: ${i}\n\n`), 3000), `event ${i} did not arrive`);
    }
    ex.write('0\r\n\r\n');
  }});
  client = w.connect(get());
  await client.until(() => client.complete());
  assert.equal(w.record.requests[0].scriptError, undefined);
  assert.equal(client.responses[0].body, Array.from({length: 20}, (_, i) => `data: ${i}\n\n`).join(''));
});

test('event n reaches a client of a close-delimited or length-delimited response at once too', async (t) => {
  for (const head of ['HTTP/1.1 200 OK\r\n\r\n', 'HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\n']) {
    let client;
    const w = await world(t, {origin: async (ex) => {
      ex.write(head);
      for (let i = 0; i < 10; i++) {
        ex.write(`e${i};`);
        assert.ok(await client.until(() => client.text.includes(`e${i};`), 3000), `event ${i} did not arrive`);
      }
      ex.end();
    }});
    client = w.connect(get());
    await client.until(() => client.complete());
    assert.equal(w.record.requests[0].scriptError, undefined);
  }
});

test('the head reaches the client before the body begins', async (t) => {
  const w = await world(t, {origin: async (ex) => {
    ex.write(kChunked);
    await ex.until(() => ex.closed);
  }});
  const client = w.connect(get());
  assert.ok(await client.until(() => client.text.includes('\r\n\r\n'), 3000));
});

test('part n of an upload reaches the origin before the client sends part n+1', async (t) => {
  const w = await world(t);
  for (const framing of ['chunked', 'length']) {
    const client = w.connect(request('POST', '/', [framing === 'chunked' ? 'Transfer-Encoding: chunked' : 'Content-Length: 50']));
    const ex = await w.request(framing === 'chunked' ? 0 : 1);
    for (let i = 0; i < 10; i++) {
      client.write(framing === 'chunked' ? chunk(`part${i}`) : `part${i}`);
      assert.ok(await Promise.race([ex.until(() => ex.bodyText.endsWith(`part${i}`)), sleep(3000)]), `part ${i} did not arrive`);
    }
    if (framing === 'chunked') client.write('0\r\n\r\n');
    await client.until(() => client.complete());
    assert.equal(client.responses[0].status, 200);
  }
});

test('both directions at once: an echo of what has been sent so far', async (t) => {
  const w = await world(t, {origin: async (ex) => {
    ex.write(kChunked);
    for (let i = 0; i < 10; i++) {
      await ex.until(() => ex.bodyText.includes(`q${i}.`));
      ex.write(chunk(`a${i}.`));
    }
    await ex.body();
    ex.write('0\r\n\r\n');
  }});
  const client = w.connect(request('POST', '/', ['Transfer-Encoding: chunked']));
  for (let i = 0; i < 10; i++) {
    client.write(chunk(`q${i}.`));
    assert.ok(await client.until(() => client.text.includes(`a${i}.`), 3000), `answer ${i}`);
  }
  client.write('0\r\n\r\n');
  await client.until(() => client.complete());
  assert.ok(client.responses[0].complete);
});

// A server that writes `total` bytes as fast as it can, and counts what went into the socket.
async function flood(t, total, head) {
  const state = {written: 0, done: false};
  const block = Buffer.alloc(1 << 18, 'x');
  const server = net.createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => {
      socket.write(head);
      const more = () => {
        while (state.written < total) {
          state.written += block.length;
          if (!socket.write(block)) return socket.once('drain', more);
        }
        state.done = true;
        socket.end();
      };
      more();
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  return {port: server.address().port, state};
}

test('a client that does not read holds the origin back, in flat memory, and gets everything when it reads', async (t) => {
  const total = 256 << 20;
  const {port, state} = await flood(t, total, `HTTP/1.1 200 OK\r\nContent-Length: ${total}\r\n\r\n`);
  const w = await world(t, {originPort: port, profile: 'hobby-fluid'});
  const before = w.rss();
  const socket = net.connect(w.port, '127.0.0.1');
  t.after(() => socket.destroy());
  socket.pause();
  socket.write(get());
  // Until the origin stands still.
  for (let last = -1; last !== state.written || state.written === 0;) {
    last = state.written;
    await sleep(400);
  }
  assert.ok(state.written < 64 << 20, `the origin could write ${state.written >> 20} MB to a client that does not read`);
  assert.ok(w.rss() - before < kFlat, `memory grew by ${w.rss() - before} MB while the client did not read`);
  const idle = w.cpu();
  await sleep(500);
  assert.ok(w.cpu() - idle < 100, 'it burns CPU while nothing moves');
  let got = 0;
  let peak = 0;
  socket.on('data', (data) => {
    got += data.length;
    if ((got & 0xffffff) < data.length) peak = Math.max(peak, w.rss());
  });
  socket.resume();
  await w.eventually(() => got >= total, `all bytes (got ${got})`, 40000);
  assert.ok(Math.max(peak, w.rss()) - before < kFlat, `memory grew by ${peak - before} MB while it drained`);
});

test('an origin that does not read holds the client back, in flat memory, and gets everything when it reads', async (t) => {
  const total = 256 << 20;
  let upstream;
  let got = 0;
  const server = net.createServer((socket) => {
    upstream = socket;
    socket.on('error', () => {});
    socket.pause();
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const w = await world(t, {originPort: server.address().port, profile: 'hobby-fluid', args: ['--set', 'request.body_mode=off']});
  const before = w.rss();
  const client = net.connect(w.port, '127.0.0.1');
  t.after(() => client.destroy());
  client.on('error', () => {});
  client.write(request('POST', '/', [`Content-Length: ${total}`]));
  const block = Buffer.alloc(1 << 18, 'y');
  let written = 0;
  const more = () => {
    while (written < total) {
      written += block.length;
      if (!client.write(block)) return client.once('drain', more);
    }
  };
  more();
  await w.eventually(() => upstream, 'a connection to the origin');
  for (let last = -1; last !== written || written === 0;) {
    last = written;
    await sleep(400);
  }
  assert.ok(written < 64 << 20, `the client could write ${written >> 20} MB to an origin that does not read`);
  assert.ok(w.rss() - before < kFlat, `memory grew by ${w.rss() - before} MB while the origin did not read`);
  upstream.on('data', (data) => {
    got += data.length;
    if (got >= total) upstream.write(answer('ok'));
  });
  upstream.resume();
  let text = '';
  client.on('data', (data) => (text += data));
  await w.eventually(() => text.includes('\r\n\r\nok'), `the answer (origin got ${got} bytes)`, 40000);
  assert.ok(w.rss() - before < kFlat, `memory grew by ${w.rss() - before} MB`);
});

test('1,000 chunks written apart arrive as they were, none lost and none twice', async (t) => {
  const w = await world(t, {origin: async (ex) => {
    ex.write(kChunked);
    for (let i = 0; i < 1000; i++) {
      ex.write(chunk(`${i},`));
      if (i % 50 === 0) await sleep(1);
    }
    ex.write('0\r\n\r\n');
  }});
  const response = await w.fetch(get());
  assert.equal(response.body, Array.from({length: 1000}, (_, i) => `${i},`).join(''));
});
