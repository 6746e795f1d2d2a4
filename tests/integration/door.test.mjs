// Who may talk to the app: a page of another site, by its own name after a DNS rebinding or straight at localhost, gets 403 that names the key.
import assert from 'node:assert/strict';
import {test} from 'node:test';
import {answer, world} from './world.mjs';

const kUpgrade = 'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';
const ask = (host, target = '/', headers = '') => `GET ${target} HTTP/1.1\r\nHost: ${host}\r\n${headers}Connection: close\r\n\r\n`;

const kAllowed = ['--allowed-hosts', 'app.test,.example.dev'];

test('a host that is not this machine’s is refused, also in absolute form and for our own pages', async (t) => {
  const w = await world(t, {origin: answer('secret'), args: kAllowed});
  for (const text of [ask('evil.test:3000'), ask('evil.test', '/_next/static/chunks/main.js.map'), ask('evil.test', '/_vercel-sim/health'),
    'GET http://evil.test/ HTTP/1.1\r\nHost: localhost\r\n\r\n', ask('localhost.evil.test'), ask('127.0.0.1.evil.test')]) {
    const response = await w.fetch(text);
    assert.deepEqual([response.status, response.head.get('x-vercel-sim')], [403, 'SIM_HOST_NOT_ALLOWED'], text);
    assert.match(response.body.toString(), /allowed-hosts/);
  }
  assert.equal(w.record.requests.length, 0, 'the app is not asked');
  await w.eventually(() => /SIM_HOST_NOT_ALLOWED/.test(w.sim.child.said), 'the terminal says so');
});

test('localhost, what is below it, addresses and allowed names are served', async (t) => {
  const w = await world(t, {origin: answer('page'), args: kAllowed});
  for (const host of ['localhost', `localhost:${w.port}`, 'LOCALHOST', 'app.localhost:80', '127.0.0.1', '[::1]:3000', '192.168.1.20:3000', 'app.test', 'example.dev', 'a.b.example.dev:8080']) {
    const response = await w.fetch(ask(host));
    assert.equal(response.status, 200, host);
  }
});

test('sockets and files of the dev server are not for pages of other sites', async (t) => {
  const w = await world(t, {origin: answer('chunk'), args: kAllowed});
  const chunk = '/_next/static/chunks/main.js';
  for (const [target, headers] of [['/_next/webpack-hmr', `${kUpgrade}Origin: https://evil.test\r\n`], ['/_next/hmr', `${kUpgrade}Origin: null\r\n`], ['/api/socket', `${kUpgrade}Origin: https://evil.test\r\n`],
    [chunk, 'Origin: https://evil.test\r\n'], [chunk, 'Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: no-cors\r\n'], ['/docs/__nextjs_source-map?x', 'Origin: http://203.0.113.9\r\n']]) {
    const response = await w.fetch(`GET ${target} HTTP/1.1\r\nHost: localhost:${w.port}\r\n${headers}\r\n`);
    assert.deepEqual([response.status, response.head.get('x-vercel-sim')], [403, 'SIM_ORIGIN_NOT_ALLOWED'], target);
  }
  assert.equal(w.record.requests.length, 0);
  for (const [target, headers] of [[chunk, ''], [chunk, 'Origin: http://localhost:5173\r\n'], [chunk, 'Origin: https://a.example.dev\r\n'], ['/api/open', 'Origin: https://other.test\r\n'],
    [chunk, 'Sec-Fetch-Site: same-origin\r\nSec-Fetch-Mode: no-cors\r\n']]) {
    const response = await w.fetch(ask('localhost', target, headers));
    assert.equal(response.status, 200, `${target} ${headers}`);
  }
});
