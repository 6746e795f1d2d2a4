// The function's maximum duration (point 6): never before the limit, what the client sees at it, and what the app sees.
import assert from 'node:assert/strict';
import {test} from 'node:test';
import {answer, chunk, get, kChunked, request, sleep, world} from './world.mjs';

const kLimit = 1000;
const kArgs = ['--set', `duration.default=${kLimit}ms`];
const kLate = 900;  // slack of a loaded machine
const silent = (ex) => ex.until(() => ex.closed);

test('no head by the deadline: 504, never before the limit, as text, JSON and HTML', async (t) => {
  const w = await world(t, {args: kArgs, origin: silent});
  const ask = async (...headers) => {
    const started = performance.now();
    const response = await w.fetch(get('/slow', ...headers));
    const took = performance.now() - started;
    assert.ok(took >= kLimit, `cut after ${took} ms`);
    assert.ok(took < kLimit + kLate, `cut only after ${took} ms`);
    assert.equal(response.status, 504);
    assert.equal(response.head.line, 'HTTP/1.1 504 Gateway Timeout');
    assert.equal(response.head.get('x-vercel-error'), 'FUNCTION_INVOCATION_TIMEOUT');
    assert.match(response.head.get('x-vercel-id'), /^[a-z]{3,4}\d::(?:[a-z]{3,4}\d::)?[a-z0-9]{5}-\d{13}-[0-9a-f]{12}$/);
    assert.equal(response.head.get('server'), 'Vercel');
    assert.equal(response.head.get('cache-control'), 'public, max-age=0, must-revalidate');
    assert.equal(response.head.get('strict-transport-security'), undefined);
    assert.match(response.head.get('date'), /GMT$/);
    return response;
  };
  const [plain, any, json, html, browser, head] = await Promise.all([
    ask(), ask('Accept: */*'), ask('Accept: application/json'), ask('Accept: text/html'),
    ask('Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8'), ask('Accept: text/plain'),
  ]);
  for (const r of [plain, any, head]) {
    assert.match(r.head.get('content-type'), /^text\/plain/);
    assert.equal(r.body, `An error occurred with your deployment\n\nFUNCTION_INVOCATION_TIMEOUT\n\n${r.head.get('x-vercel-id')}\n`);
  }
  assert.match(json.head.get('content-type'), /^application\/json/);
  assert.equal(json.body, '{"error":{"code":"504","message":"An error occurred with your deployment"}}');
  for (const r of [html, browser]) {
    assert.match(r.head.get('content-type'), /^text\/html/);
    assert.match(r.body, /<title>504: GATEWAY_TIMEOUT<\/title>/);
    assert.match(r.body, /This Serverless Function has timed out\./);
    assert.match(r.body, /FUNCTION_INVOCATION_TIMEOUT/);
    assert.ok(r.body.includes(r.head.get('x-vercel-id')));
  }
  assert.equal(new Set([plain, any, json, html, browser, head].map((r) => r.head.get('x-vercel-id'))).size, 6, 'ids are unique');
});

test('HEAD at the deadline has no body', async (t) => {
  const w = await world(t, {args: kArgs, origin: silent});
  const client = w.connect(request('HEAD', '/'), {methods: ['HEAD']});
  await client.until(() => client.complete());
  await sleep(50);
  assert.equal(client.responses[0].status, 504);
  assert.ok(client.text.endsWith('\r\n\r\n'));
});

test('after a 504 the connection serves the next request, and the app’s late answer reaches nobody', async (t) => {
  const w = await world(t, {args: kArgs, origin: async (ex) => {
    if (ex.target === '/slow') await sleep(kLimit + 300);
    ex.write(answer(ex.target));
  }});
  const client = w.connect(get('/slow'));
  await client.until(() => client.complete() >= 1);
  assert.equal(client.responses[0].status, 504);
  client.write(get('/fast'));
  await client.until(() => client.complete() >= 2 || client.closed);
  await sleep(500);
  assert.equal(client.responses[1]?.body, '/fast');
  assert.equal(client.responses.length, 2);
});

test('head sent: the stream is cut at the limit without its last chunk', async (t) => {
  const w = await world(t, {args: kArgs, origin: async (ex) => {
    ex.write(kChunked);
    for (let i = 0; !ex.closed; i++) {
      ex.write(chunk(`data: ${i}\n\n`));
      await sleep(20);
    }
  }});
  const started = performance.now();
  const client = w.connect(get());
  await client.until(() => client.closed);
  const took = performance.now() - started;
  assert.ok(took >= kLimit && took < kLimit + kLate, `cut after ${took} ms`);
  const [response] = client.responses;
  assert.equal(response.status, 200);
  assert.ok(response.body.includes('data: 3'), 'what was sent before arrived');
  assert.equal(response.complete, false);
  assert.ok(!client.text.endsWith('\r\n0\r\n\r\n'), 'no last chunk');
});

test('a stream with a length, or that ends with the connection, is cut so that the client can tell', async (t) => {
  for (const head of ['HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n', 'HTTP/1.0 200 OK\r\n\r\n']) {
    const w = await world(t, {args: kArgs, origin: async (ex) => {
      ex.write(head + 'some');
      await ex.until(() => ex.closed);
    }});
    const client = w.connect(get());
    await client.until(() => client.closed);
    assert.equal(client.responses[0].complete, false, head);
  }
});

test('duration.stream_cut=clean ends the stream with its last chunk', async (t) => {
  const w = await world(t, {args: [...kArgs, '--set', 'duration.stream_cut=clean'], origin: async (ex) => {
    ex.write(kChunked + chunk('x'));
    await ex.until(() => ex.closed);
  }});
  const response = await w.fetch(get());
  assert.equal(response.body, 'x');
  assert.ok(response.complete);
});

test('an answer just before the limit is not touched', async (t) => {
  const w = await world(t, {args: ['--set', 'duration.default=5s'], origin: async (ex) => {
    await sleep(3000);
    ex.write(answer('in time'));
  }});
  const response = await w.fetch(get());
  assert.equal(response.status, 200);
  assert.equal(response.body, 'in time');
});

test('a client that leaves does not stop the function: the app runs on until it is done', async (t) => {
  const w = await world(t, {args: kArgs, origin: async (ex) => {
    ex.write(kChunked);
    for (let i = 0; i < 8; i++) {
      await sleep(60);
      if (ex.closed) throw new Error('the app’s connection was closed');
      ex.write(chunk(`${i}`));
    }
    ex.write('0\r\n\r\n');
    ex.finished = true;
  }});
  const client = w.connect(get());
  await client.until(() => client.text.includes('0'));
  client.reset();
  await w.eventually(() => w.record.requests[0].finished || w.record.requests[0].scriptError, 'the function to finish');
  assert.equal(w.record.requests[0].scriptError, undefined);
});

test('a client that leaves before any answer does not stop the function before the deadline', async (t) => {
  const w = await world(t, {args: kArgs, origin: silent});
  const started = performance.now();
  const client = w.connect(get());
  const ex = await w.request();
  client.reset();
  await w.eventually(() => ex.closed || ex.sawEnd, 'the app’s connection to end');
  const took = performance.now() - started;
  assert.ok(took >= kLimit - 5 && took < kLimit + kLate, `the function was cut after ${took} ms`);
});

test('a client that left does not fill our memory: what the app still says is drained and discarded', async (t) => {
  const w = await world(t, {profile: 'hobby-fluid', origin: async (ex) => {
    ex.write(kChunked);
    const part = chunk('x'.repeat(1 << 20));
    for (let i = 0; i < 64; i++) {
      ex.write(part);
      if (ex.socket.writableLength > 4 << 20) await new Promise((resolve) => ex.socket.once('drain', resolve));
    }
    ex.write('0\r\n\r\n');
    ex.finished = true;
  }});
  const before = w.rss();
  const client = w.connect(get());
  await client.until(() => client.text.length > 0);
  client.reset();
  await w.eventually(() => w.record.requests[0]?.finished && w.record.requests[0].socket.writableLength === 0, 'all of it to be taken', 20000);
  assert.ok(w.rss() - before < 70);
});

test('a client that left before its answer is told from one that only closed its direction', async (t) => {
  let go;
  const told = new Promise((resolve) => { go = resolve; });
  const w = await world(t, {origin: async (ex) => {
    await told;
    ex.write(answer('there'));
  }});
  const gone = w.connect(get('/gone'));
  const waits = w.connect(get('/waits'));
  await w.request(1);
  gone.destroy();  // as a closed tab and an aborted fetch do: no reset, only an end
  waits.end();
  await w.fetch(get('/_vercel-sim/health'));  // whose answer comes behind what was read before
  go();
  await waits.until(() => waits.complete());
  const said = () => w.sim.child.said;
  await w.eventually(() => /\/gone.*\n/.test(said()) && /\/waits.*\n/.test(said()), 'both lines');
  assert.match(said(), /GET {2}\/gone 200 in .*\(client left\)/);
  assert.match(said(), /GET {2}\/waits 200 in /);
  assert.doesNotMatch(said(), /\/waits .*client left/);
});

test('the deadline also counts while the request body is still coming', async (t) => {
  const w = await world(t, {args: kArgs, origin: silent});
  const started = performance.now();
  const client = w.connect(request('POST', '/', ['Content-Length: 1000'], 'x'.repeat(10)));
  await client.until(() => client.complete() || client.closed);
  const took = performance.now() - started;
  assert.equal(client.responses[0]?.status, 504);
  assert.ok(took >= kLimit && took < kLimit + kLate, `cut after ${took} ms`);
});

test('a hundred open streams are all cut at their own deadline, none before', async (t) => {
  const w = await world(t, {args: kArgs, origin: async (ex) => {
    ex.write(kChunked + chunk('x'));
    await ex.until(() => ex.closed);
  }});
  const cuts = await Promise.all(Array.from({length: 100}, async (_, i) => {
    await sleep(i * 3);
    const client = w.connect();
    const started = performance.now();
    client.write(get());
    await client.until(() => client.closed);
    assert.equal(client.responses[0].complete, false);
    return performance.now() - started;
  }));
  assert.ok(Math.min(...cuts) >= kLimit, `one was cut after ${Math.min(...cuts)} ms`);
  assert.ok(Math.max(...cuts) < kLimit + kLate, `one was cut after ${Math.max(...cuts)} ms`);
});

test('--time-scale divides the limits, but none below a second', async (t) => {
  const w = await world(t, {args: ['--time-scale', '8x', '--set', 'duration.default=10s'], origin: silent});
  const started = performance.now();
  const response = await w.fetch(get());
  const took = performance.now() - started;
  assert.equal(response.status, 504);
  assert.ok(took >= 1250 && took < 1250 + kLate, `cut after ${took} ms`);

  const w2 = await world(t, {args: ['--time-scale', '1000x'], origin: silent});
  const started2 = performance.now();
  assert.equal((await w2.fetch(get())).status, 504);
  const took2 = performance.now() - started2;
  assert.ok(took2 >= 1000 && took2 < 1000 + kLate, `cut after ${took2} ms`);
});

test('--compile-grace moves the deadline', async (t) => {
  const w = await world(t, {args: [...kArgs, '--compile-grace', '700ms'], origin: silent});
  const started = performance.now();
  assert.equal((await w.fetch(get())).status, 504);
  const took = performance.now() - started;
  assert.ok(took >= kLimit + 700 && took < kLimit + 700 + kLate, `cut after ${took} ms`);
});

test('the dev server’s own traffic has no deadline', async (t) => {
  const w = await world(t, {args: kArgs, origin: async (ex) => {
    await sleep(kLimit + 400);
    ex.write(answer('late'));
  }});
  const paths = ['/_next/static/x.js', '/__nextjs_source-map', '/_next/image?url=x'];
  for (const r of await Promise.all(paths.map((p) => w.fetch(get(p))))) assert.equal(r.body, 'late');
  assert.equal((await w.fetch(get('/_next/data/x/y.json'))).status, 504, 'a data request is a function call');
});
