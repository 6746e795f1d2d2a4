// The live page and the stream of events behind it: whole and by itself, for this machine only, and no burden to the proxy.
import assert from 'node:assert/strict';
import {createHash} from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import {test} from 'node:test';
import {answer, get, kSanitized, request, tempDir, world} from './world.mjs';

const kPage = '/_vercel-sim/', kEvents = '/_vercel-sim/events';
const ask = (target, host, ...headers) => `GET ${target} HTTP/1.1\r\nHost: ${host}\r\n${headers.map((h) => `${h}\r\n`).join('')}Connection: close\r\n\r\n`;

// A reader of the stream: {name, data} of each message so far.
function reader(w, headers = '') {
  const client = w.connect(`GET ${kEvents} HTTP/1.1\r\nHost: localhost\r\n${headers}\r\n`);
  return {
    client,
    messages: () => client.text.split('\r\n\r\n').slice(1).join('\r\n\r\n').split('\n\n').slice(0, -1).map((block) => {
      const field = (name) => block.split('\n').find((l) => l.startsWith(`${name}: `))?.slice(name.length + 2);
      return {name: field('event') ?? 'message', data: JSON.parse(field('data'))};
    }),
  };
}
const eventsOf = (r) => r.messages().filter((m) => m.name === 'message').map((m) => m.data);

test('the page is one file with a policy that lets nothing in but its own script and style', async (t) => {
  const w = await world(t, {origin: answer('app')});
  const page = await w.fetch(get(kPage));
  assert.equal(page.status, 200);
  assert.match(page.head.get('content-type'), /^text\/html/);
  assert.equal(page.head.get('x-frame-options'), 'DENY');
  assert.match(page.head.get('content-security-policy'), /frame-ancestors 'none'/);
  const html = Buffer.from(page.body, 'latin1').toString();
  const policy = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(html)[1];
  assert.match(policy, /^default-src 'none'/);
  assert.doesNotMatch(policy, /unsafe/);
  for (const [element, pattern] of [['script', /<script type="module">([\s\S]*?)<\/script>/], ['style', /<style>([\s\S]*?)<\/style>/]]) {
    const hash = createHash('sha256').update(pattern.exec(html)[1]).digest('base64');
    assert.ok(policy.includes(`${element}-src 'sha256-${hash}'`), `${element} is not the one of the policy`);
  }
  assert.doesNotMatch(html, /(src|href)="(?!data:,)/, 'it names nothing to load');
  assert.ok(html.length < 110_000, `${html.length} bytes`);
  assert.ok(Object.keys(JSON.parse(/id="codes">(.*?)<\/script>/.exec(html)[1])).includes('FUNCTION_INVOCATION_TIMEOUT'));
  assert.equal((await w.fetch(get('/_vercel-sim'))).head.get('location'), kPage);
  assert.equal((await w.fetch(request('POST', kPage))).status, 405);
  assert.equal((await w.fetch(request('HEAD', kPage), {methods: ['HEAD']})).status, 200);
  assert.equal(w.record.requests.length, 0, 'the app is not asked');
});

test('the stream tells what has happened and then what happens, as --events does', async (t) => {
  const file = path.join(tempDir(t), 'events.jsonl');
  const w = await world(t, {origin: answer('app'), args: ['--events', file]});
  await w.fetch(get('/before?token=s3cret'));
  const r = reader(w);
  assert.ok(await r.client.until(() => eventsOf(r).some((e) => e.t === 'invocation_ended')));
  const [hello] = r.messages();
  assert.equal(hello.name, 'hello');
  assert.equal(hello.data.left_out, 0);
  assert.ok(hello.data.run.length > 8 && hello.data.at_ms >= 0);
  assert.match(r.client.text, /^HTTP\/1\.1 200 OK\r\nContent-Type: text\/event-stream\r\n/);
  assert.equal(eventsOf(r)[0].seq, 1, 'from the first event on');
  assert.doesNotMatch(r.client.text, /s3cret/);
  await w.fetch(get('/after'));
  assert.ok(await r.client.until(() => eventsOf(r).filter((e) => e.t === 'invocation_ended').length === 2));
  const told = eventsOf(r);
  told.forEach((e, i) => assert.equal(e.seq, i + 1, 'no gap'));
  const written = await w.eventually(() => {
    const lines = fs.readFileSync(file, 'utf8').trim().split('\n').map((line) => JSON.parse(line));
    return lines.length >= told.length && lines;
  }, 'the file');
  told.forEach((e, i) => assert.deepEqual({...e, at_ms: 0}, {...written[i], at_ms: 0}));
  const second = reader(w);
  assert.ok(await second.client.until(() => eventsOf(second).length >= told.length), 'a second reader gets them too');
});

test('pages of other sites, other hosts and frames get nothing', async (t) => {
  const w = await world(t, {origin: answer('app'), args: ['--allowed-hosts', 'app.test']});
  for (const [target, host, ...headers] of [
    [kPage, 'evil.test'], [kEvents, 'evil.test'], [kPage, 'app.test'], [kEvents, 'app.test'], [kEvents, '192.168.1.20:3000'],
    [kEvents, 'localhost', 'Origin: https://evil.test'], [kEvents, 'localhost', 'Origin: null'], [kEvents, 'localhost', 'Origin: http://localhost:1'],
    [kEvents, 'localhost', 'Sec-Fetch-Site: cross-site'], [kEvents, 'localhost', 'Sec-Fetch-Site: same-site'],
    [kEvents, 'localhost', 'Sec-Fetch-Site: cross-site', 'Sec-Fetch-Mode: navigate', 'Sec-Fetch-Dest: document'],
    [kPage, 'localhost', 'Sec-Fetch-Site: cross-site', 'Sec-Fetch-Mode: navigate', 'Sec-Fetch-Dest: iframe'], [kPage, 'localhost', 'Sec-Fetch-Site: cross-site', 'Sec-Fetch-Mode: no-cors'],
  ]) {
    const response = await w.fetch(ask(target, host, ...headers));
    assert.equal(response.status, 403, `${target} ${host} ${headers}`);
    assert.doesNotMatch(response.body.toString(), /run_started|<script/);
  }
  for (const [target, host, ...headers] of [[kPage, 'localhost'], [kPage, '127.0.0.1'], [kPage, 'app.localhost'], [kPage, `[::1]:${w.port}`],
    [kPage, 'localhost', 'Sec-Fetch-Site: cross-site', 'Sec-Fetch-Mode: navigate', 'Sec-Fetch-Dest: document'], [kPage, 'localhost', 'Sec-Fetch-Site: none']])
    assert.equal((await w.fetch(ask(target, host, ...headers))).status, 200, `${host} ${headers}`);
  const own = reader(w, 'Origin: http://localhost\r\nSec-Fetch-Site: same-origin\r\n');
  assert.ok(await own.client.until(() => own.messages().length > 0));
  assert.equal(w.record.requests.length, 0);
});

test('with --host, other machines do not see it', {skip: !ownAddress() && 'this machine has no address but loopback'}, async (t) => {
  const w = await world(t, {origin: answer('app'), args: ['--host', '0.0.0.0']});
  const from = (host, target) => w.fetch(ask(target, `${host}:${w.port}`), {host});
  assert.equal((await from(ownAddress(), '/')).status, 200);
  for (const target of [kPage, kEvents]) assert.equal((await from(ownAddress(), target)).status, 403, target);
  assert.equal((await from('127.0.0.1', kPage)).status, 200);
});

test('a reader that does not read holds no memory and stops nobody; when it reads on it is told what it lost', async (t) => {
  const w = await world(t, {origin: answer('app').replace('200 OK', '500 Broken')});
  const before = w.rss();
  const stalled = net.connect(w.port, '127.0.0.1');
  t.after(() => stalled.destroy());
  stalled.pause();
  stalled.write(`GET ${kEvents} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  const brisk = reader(w);
  assert.ok(await brisk.client.until(() => eventsOf(brisk).length > 0));
  brisk.client.destroy();
  // 8 kB of target are told for each request, whose end is, since it failed: at least 16 MB in all, of which 4 MB are kept.
  const long = 'x'.repeat(8000), kRounds = 40, kEach = 50;
  for (let round = 0; round < kRounds; round++) {
    const client = w.connect(get(`/${round}?${long}`).repeat(kEach), {methods: Array(kEach).fill('GET')});
    assert.ok(await client.until(() => client.closed || client.complete() === kEach), `round ${round}: the proxy serves on`);
    client.destroy();
  }
  const grown = w.rss() - before;
  assert.ok(grown < (kSanitized ? 120 : 24), `memory grew by ${grown} MB`);
  let text = '';
  stalled.setEncoding('latin1').on('data', (data) => (text += data));
  stalled.resume();
  const last = `/${kRounds - 1}?`;
  await w.eventually(() => text.includes('event: dropped') && text.lastIndexOf(last) > text.length - 20_000 && text.endsWith('\n\n'), 'the rest of the stream', 15_000);
  let at = 0, lost = 0, all = 0;
  for (const block of text.slice(text.indexOf('\r\n\r\n') + 4).split('\n\n')) {
    const data = block.split('\n').find((l) => l.startsWith('data: '))?.slice(6);
    if (!data || block.includes('event: hello')) continue;
    const told = JSON.parse(data);
    if (block.includes('event: left_out')) {
      at += told.events;
      continue;
    }
    if (block.includes('event: dropped')) {
      lost += told.events;
      assert.equal(told.all, lost);
      at += told.events;
      continue;
    }
    assert.equal(told.seq, ++at, 'every event is told or counted as dropped, and none twice');
    all++;
  }
  assert.ok(lost > 500 && all > 500, `${lost} dropped, ${all} told`);
});

test('of a flood of requests a second shows a thousand, whole; every other event is counted, here and by the API', async (t) => {
  const file = path.join(tempDir(t), 'events.jsonl');
  const w = await world(t, {origin: answer('app'), args: ['--events', file]});
  const r = reader(w);
  assert.ok(await r.client.until(() => eventsOf(r).length > 0));
  const kRounds = 40, kEach = 100;
  await Promise.all(Array.from({length: 4}, async () => {
    for (let round = 0; round < kRounds / 4; round++) {
      const client = w.connect(get('/flood').repeat(kEach), {methods: Array(kEach).fill('GET')});
      assert.ok(await client.until(() => client.closed || client.complete() === kEach), `round ${round}`);
      client.destroy();
    }
  }));
  const kAll = kRounds * kEach;
  const seen = () => {
    const out = {at: 0, leftOut: 0, open: new Set(), began: 0};
    for (const {name, data} of r.messages()) {
      if (name === 'left_out') {
        out.at += data.events;
        out.leftOut += data.events;
      } else if (name === 'message') {
        assert.equal(data.seq, ++out.at, 'every event is told or counted in its place');
        if (data.t === 'invocation_started') out.began += Boolean(out.open.add(data.id));
        if (data.t === 'invocation_ended') assert.ok(out.open.delete(data.id), 'an end of what was not shown');
      }
    }
    return out;
  };
  const ended = () => fs.readFileSync(file, 'utf8').split('\n').filter((l) => l.includes('"t":"invocation_ended"')).length;
  await w.eventually(() => ended() === kAll, 'the events of all', 15_000);
  const written = fs.readFileSync(file, 'utf8').trim().split('\n').map((l) => JSON.parse(l));
  await w.eventually(() => seen().at === written.at(-1).seq, 'the rest of the stream', 15_000);
  const {leftOut, open, began} = seen();
  assert.equal(open.size, 0, 'what is shown has its end');
  assert.equal(leftOut, 2 * (kAll - began));
  assert.ok(began >= 1000, `${began} shown`);
  // Whichever second of the program's it falls into: 3,000 within one lie in two of them.
  const starts = written.filter((e) => e.t === 'invocation_started').map((e) => e.at_ms);
  const quick = starts.some((at, i) => starts[i + 3000] - at < 1000);
  assert.ok(leftOut > 0 || !quick, 'a flood is left out');
  const {left_out: byApi} = JSON.parse((await w.fetch(get('/_vercel-sim/api/invocations'))).body);
  assert.ok(byApi >= leftOut, `${byApi} by the API, ${leftOut} by the stream`);
  t.diagnostic(`${began} of ${kAll} shown`);
});

test('late readers hear what was left out; too many are sent away; the end of the run ends the streams', async (t) => {
  const w = await world(t, {origin: answer('app')});
  const long = 'x'.repeat(8000);
  for (let round = 0; round < 12; round++) {
    const client = w.connect(get(`/?${long}`).repeat(40), {methods: Array(40).fill('GET')});
    assert.ok(await client.until(() => client.complete() === 40));
    client.destroy();
  }
  const late = reader(w);
  assert.ok(await late.client.until(() => late.messages().some((m) => m.name === 'message')));
  const [hello, ...rest] = late.messages();
  assert.ok(hello.data.left_out > 100, JSON.stringify(hello));
  assert.equal(rest.find((m) => m.name === 'message').data.seq, hello.data.left_out + 1);
  assert.deepEqual(rest.filter((m) => m.name === 'kept').map((m) => m.data.t), ['run_started', 'app_changed'], 'what is still true');
  const many = Array.from({length: 15}, () => reader(w));
  for (const r of many) assert.ok(await r.client.until(() => r.messages().length > 0));
  assert.equal((await w.fetch(get(kEvents))).status, 503);
  many[0].client.destroy();
  await w.eventually(async () => {
    const again = reader(w);
    await again.client.until(() => again.client.text.length > 0);
    return again.client.text.startsWith('HTTP/1.1 200');
  }, 'a place is free again');
  await w.stop();
  assert.ok(await late.client.until(() => late.client.closed));
});

function ownAddress() {
  return Object.values(os.networkInterfaces()).flat().find((a) => a.family === 'IPv4' && !a.internal)?.address;
}

test('when bytes pass on a stream: pages are told while it is open, the events at its end', async (t) => {
  const streams = [];
  const server = http.createServer((incoming, response) => {
    response.writeHead(200, {'content-type': 'text/event-stream'});
    response.write('data: first\n\n');
    streams.push(response);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => (server.closeAllConnections(), server.close()));
  const file = path.join(tempDir(t), 'events.jsonl');
  const w = await world(t, {originPort: server.address().port, args: ['--events', file]});
  const r = reader(w);
  const client = w.connect(get('/stream'));
  assert.ok(await client.until(() => client.text.includes('first')));
  const passing = () => r.messages().filter((m) => m.name === 'passing').map((m) => m.data);
  await w.eventually(() => {
    streams[0].write('data: more\n\n');
    return passing().length > 0;
  }, 'a word on it');
  const [{t: type, id, each_ms: each, spans}] = passing();
  assert.deepEqual([type, each], ['bytes_passed', 200]);
  assert.match(spans, /^[.o]*o$/);
  assert.equal(eventsOf(r).filter((e) => e.t === 'bytes_passed').length, 0, 'it is no event yet');
  // Who comes later is told all of it.
  const late = reader(w);
  await w.eventually(() => {
    streams[0].write('data: again\n\n');
    return late.messages().some((m) => m.name === 'passing' && m.data.id === id);
  }, 'a word to a second page');
  streams[0].end();
  const ended = await w.eventually(() => eventsOf(r).find((e) => e.t === 'bytes_passed'), 'the event');
  assert.equal(ended.id, id);
  assert.ok(ended.for_ms >= 200 && ended.spans.startsWith(spans), JSON.stringify(ended));
  assert.ok(ended.seq > eventsOf(r).find((e) => e.t === 'invocation_ended').seq);
  // What is short is told by nobody.
  const short = w.connect(get('/short'));
  assert.ok(await short.until(() => short.text.includes('first')));
  streams[1].end();
  await w.eventually(() => eventsOf(r).filter((e) => e.t === 'invocation_ended').length === 2, 'its end');
  assert.equal(eventsOf(r).filter((e) => e.t === 'bytes_passed').length, 1);
  await w.eventually(() => fs.readFileSync(file, 'utf8').includes('"bytes_passed"'), 'the same in the file');
});
