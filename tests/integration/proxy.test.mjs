// What the app gets to see of a request and the client of a response: forwarding fields, internal fields, Location, upstream connections.
import assert from 'node:assert/strict';
import {test} from 'node:test';
import {answer, get, request, sleep, world} from './world.mjs';

test('X-Forwarded-* say who asked, whatever the client claims', async (t) => {
  const w = await world(t);
  await w.fetch(get('/', 'X-Forwarded-For: 6.6.6.6', 'X-Forwarded-Host: evil.test', 'X-Forwarded-Proto: https', 'X-Forwarded-Port: 1', 'X-Real-IP: 6.6.6.6', 'Forwarded: for=6.6.6.6', 'X-Vercel-Forwarded-For: 6.6.6.6', 'X-Vercel-Id: forged'));
  const {head} = w.record.requests[0];
  assert.deepEqual(head.all('x-forwarded-for'), ['127.0.0.1']);
  assert.deepEqual(head.all('x-forwarded-host'), ['localhost']);
  assert.deepEqual(head.all('x-forwarded-proto'), ['http']);
  assert.deepEqual(head.all('x-real-ip'), ['127.0.0.1']);
  assert.deepEqual(head.all('x-vercel-forwarded-for'), ['127.0.0.1']);
  assert.equal(head.all('x-vercel-id').length, 1);
  assert.ok(!/6\.6\.6\.6|evil|forged/.test(head.raw), head.raw);
});

test('x-vercel-id is the same for app and client', async (t) => {
  const w = await world(t);
  const response = await w.fetch(get());
  const tail = (id) => id.split('::').pop();
  assert.equal(tail(response.head.get('x-vercel-id')), tail(w.record.requests[0].head.get('x-vercel-id')));
});

test('internal fields are stripped from requests and from the app’s responses', async (t) => {
  const w = await world(t, {origin: answer('ok', 'X-Vsim-Dispatch: forged', 'x-vsim-id: forged', 'X-Vercel-Sim: forged', 'X-Kept: yes')});
  const response = await w.fetch(get('/', 'X-Vsim-Id: forged', 'x-vsim-anything: forged', 'X-VSIM-Token: forged', 'X-Vercel-Sim: forged', 'X-Kept: yes'));
  const {head} = w.record.requests[0];
  assert.ok(!/forged/.test(head.raw), head.raw);
  assert.ok(!/x-vsim/i.test(head.raw), 'no agent: no internal field of ours either');
  assert.equal(head.get('x-kept'), 'yes');
  assert.ok(!/forged|x-vsim/i.test(response.head.raw), response.head.raw);
  assert.equal(response.head.get('x-kept'), 'yes');
});

test('internal fields cannot be forged in trailers, nor in another case', async (t) => {
  const w = await world(t);
  await w.fetch(request('POST', '/', ['Transfer-Encoding: chunked'], '1\r\na\r\n0\r\nX-Vsim-Id: forged\r\n\r\n'));
  assert.ok(!w.record.requests[0].trailers.some(([n]) => /vsim/i.test(n)));
  for (const name of ['X-VsIm-iD', 'X-VSIM-DISPATCH']) {
    await w.fetch(get('/', `${name}: forged`));
    assert.ok(!/forged/.test(w.record.requests.at(-1).head.raw), name);
  }
});

test('platform fields of a response', async (t) => {
  const w = await world(t, {origin: answer('ok', 'Server: my-app', 'X-Powered-By: Next.js')});
  const {head} = await w.fetch(get());
  assert.deepEqual(head.all('server'), ['Vercel']);
  assert.equal(head.get('x-powered-by'), 'Next.js');
  assert.equal(head.get('x-vercel-cache'), 'MISS');
  assert.match(head.get('x-vercel-id'), /^\w+::\w+::[a-z0-9]{5}-\d{13}-[0-9a-f]{12}$/);
});

test('a Location of the upstream’s own origin names the public one; others stay', async (t) => {
  let location;
  const w = await world(t, {origin: (ex) => ex.write(`HTTP/1.1 302 Found\r\nLocation: ${location}\r\nContent-Length: 0\r\n\r\n`)});
  const own = `http://127.0.0.1:${w.originPort}`;
  for (const [sent, want] of [
    [`${own}/a?b#c`, `http://localhost:${w.port}/a?b#c`], [own, `http://localhost:${w.port}`], [`${own}?q`, `http://localhost:${w.port}?q`],
    ['/relative', '/relative'], ['https://other.test/', 'https://other.test/'], [`${own}0/x`, `${own}0/x`], [`http://127.0.0.1:1/`, 'http://127.0.0.1:1/'],
  ]) {
    location = sent;
    const response = await w.fetch(`GET / HTTP/1.1\r\nHost: localhost:${w.port}\r\n\r\n`);
    assert.equal(response.head.get('location'), want);
  }
});

test('Host, Origin, cookies and unknown fields reach the app as they came', async (t) => {
  const w = await world(t);
  await w.fetch('POST /x HTTP/1.1\r\nHost: localhost:3000\r\nOrigin: http://localhost:3000\r\nCookie: a=1; b=2\r\nNext-Action: abc\r\nContent-Length: 0\r\n\r\n');
  const {head} = w.record.requests[0];
  assert.equal(head.get('host'), 'localhost:3000');
  assert.equal(head.get('origin'), 'http://localhost:3000');
  assert.equal(head.get('x-forwarded-host'), 'localhost:3000');
  assert.equal(head.get('cookie'), 'a=1; b=2');
  assert.equal(head.get('next-action'), 'abc');
});

test('the Origin of a visitor on 127.0.0.1 is rewritten for dev-internal requests only', async (t) => {
  const w = await world(t);
  const ask = (target) => w.fetch(`GET ${target} HTTP/1.1\r\nHost: 127.0.0.1:${w.port}\r\nOrigin: http://127.0.0.1:${w.port}\r\n\r\n`);
  await ask('/_next/static/x.js');
  await ask('/api/x');
  assert.equal(w.record.requests[0].head.get('origin'), `http://localhost:${w.port}`);
  assert.equal(w.record.requests[1].head.get('origin'), `http://127.0.0.1:${w.port}`);
  await w.fetch(`GET /_next/static/x.js HTTP/1.1\r\nHost: 127.0.0.1:${w.port}\r\nOrigin: http://evil.test\r\n\r\n`);
  assert.equal(w.record.requests[2].head.get('origin'), 'http://evil.test', 'a foreign origin stays foreign');
});

test('upstream connections are used again, also for other clients', async (t) => {
  const w = await world(t);
  for (let i = 0; i < 5; i++) await w.fetch(get());
  assert.equal(new Set(w.record.requests.map((ex) => ex.connectionId)).size, 1);
});

test('an idle upstream connection is dropped before Node’s five seconds', async (t) => {
  const w = await world(t);
  await w.fetch(get());
  const ex = w.record.requests[0];
  const idle = performance.now();
  await w.eventually(() => ex.sawEnd || ex.socket.destroyed || ex.connection.ended, 'the idle connection to be closed', 5500);
  assert.ok(performance.now() - idle < 5000, 'closed too late');
  await w.fetch(get());
  assert.equal(w.record.requests.length, 2);
});

test('an upstream that closed its idle connection is not noticed by the next client', async (t) => {
  const w = await world(t, {origin: async (ex) => {
    await ex.body();
    ex.write(answer('ok'));
    await sleep(5);
    ex.end();
  }});
  for (let i = 0; i < 30; i++) {
    const response = await w.fetch(request('POST', `/${i}`, ['Content-Length: 1'], 'x'));
    assert.equal(response.status, 200);
    await sleep(i % 2 ? 30 : 12);
  }
  assert.equal(w.record.requests.length, 30, 'none was sent twice');
});

test('pipelined requests are served one after the other, in order', async (t) => {
  let running = 0;
  let most = 0;
  const w = await world(t, {origin: async (ex) => {
    most = Math.max(most, ++running);
    await sleep(ex.target === '/0' ? 60 : 5);
    running--;
    ex.write(answer(ex.target));
  }});
  const client = w.connect(Array.from({length: 10}, (_, i) => get(`/${i}`)).join(''));
  await client.until(() => client.complete() >= 10 || client.closed);
  assert.deepEqual(client.responses.map((r) => r.body), Array.from({length: 10}, (_, i) => `/${i}`));
  assert.equal(most, 1);
});

test('100-continue: the body is sent only when the app asks for it', async (t) => {
  const w = await world(t, {origin: async (ex) => {
    await sleep(150);
    ex.write('HTTP/1.1 100 Continue\r\n\r\n');
    if (await ex.body()) ex.write(answer(`got ${ex.bodyText}`));
  }});
  const client = w.connect(request('POST', '/', ['Content-Length: 5', 'Expect: 100-continue']));
  await sleep(80);
  assert.equal(client.text, '', 'no 100 before the app says so');
  await client.until(() => client.text.startsWith('HTTP/1.1 100 '));
  client.write('hello');
  await client.until(() => client.complete());
  assert.equal(client.responses[0].body, 'got hello');
});

test('50 clients at once, each with its own answers', async (t) => {
  const w = await world(t, {profile: 'hobby-fluid', origin: async (ex) => {
    await sleep(Math.random() * 10);
    ex.write(answer(`${ex.target}:${ex.head.get('x-n')}`));
  }});
  await Promise.all(Array.from({length: 50}, async (_, c) => {
    const client = w.connect();
    for (let i = 0; i < 20; i++) {
      client.write(get(`/${c}/${i}`, `X-N: ${c}-${i}`));
      await client.until(() => client.complete() > i || client.closed);
      assert.equal(client.responses[i]?.body, `/${c}/${i}:${c}-${i}`);
    }
  }));
});
