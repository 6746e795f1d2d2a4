// Sizes of the platform: body 413, URL 414, header 431, and --set.
import assert from 'node:assert/strict';
import {test} from 'node:test';
import {chunk, get, request, sleep, world} from './world.mjs';

const kBody = 4493823;

function assertPlatformError(response, status, code) {
  assert.equal(response.status, status);
  assert.equal(response.head.get('x-vercel-error'), code);
  assert.equal(response.head.get('server'), 'Vercel');
  assert.ok(response.body.includes(code) || response.head.get('content-type').includes('json'));
}

test('a body of exactly the limit passes, one byte more is 413, told before the app sees it', async (t) => {
  const w = await world(t);
  assert.equal((await w.fetch(request('POST', '/in', [`Content-Length: ${kBody}`], 'x'.repeat(kBody)))).status, 200);
  const seen = w.record.requests.length;
  const client = w.connect(request('POST', '/over', [`Content-Length: ${kBody + 1}`]));
  await client.until(() => client.complete() || client.closed);
  assertPlatformError(client.responses[0], 413, 'FUNCTION_PAYLOAD_TOO_LARGE');
  assert.equal(client.responses[0].head.line, 'HTTP/1.1 413 Request Entity Too Large');
  assert.equal(client.responses[0].body.split('\n')[0], 'Request Entity Too Large');
  await sleep(50);
  assert.equal(w.record.requests.length, seen, 'the app never saw it');
});

test('a client that sends all of a refused body before it reads still gets the 413', async (t) => {
  const w = await world(t);
  const response = await w.fetch(request('POST', '/', [`Content-Length: ${kBody + 1000000}`], 'x'.repeat(kBody + 1000000)));
  assertPlatformError(response, 413, 'FUNCTION_PAYLOAD_TOO_LARGE');
});

test('a chunked body is 413 when it passes the limit, and the app never gets it whole', async (t) => {
  const w = await world(t);
  const part = chunk('x'.repeat(1 << 20));
  const client = w.connect(request('POST', '/', ['Transfer-Encoding: chunked'], part));
  for (let i = 0; i < 5; i++) client.write(part);
  client.write('0\r\n\r\n');
  await client.until(() => client.complete() || client.closed);
  assertPlatformError(client.responses[0], 413, 'FUNCTION_PAYLOAD_TOO_LARGE');
  await sleep(50);
  assert.ok(!w.record.requests.some((ex) => ex.bodyDone), 'the app got a whole request');
});

test('a chunked body of exactly the limit passes', async (t) => {
  const w = await world(t);
  const response = await w.fetch(request('POST', '/', ['Transfer-Encoding: chunked'], chunk('x'.repeat(kBody)) + '0\r\n\r\n'));
  assert.equal(response.status, 200);
  assert.equal(w.record.requests[0].bodyText.length, kBody);
});

test('Expect: 100-continue of a body that is too large gets 413 and no 100', async (t) => {
  const w = await world(t);
  const response = await w.fetch(request('POST', '/', ['Content-Length: 9000000', 'Expect: 100-continue']));
  assertPlatformError(response, 413, 'FUNCTION_PAYLOAD_TOO_LARGE');
  assert.equal(response.interim.length, 0);
});

test('a URL of 14 KiB passes, a longer one is 414', async (t) => {
  const w = await world(t);
  const url = (n) => '/' + 'a'.repeat(n - 1);
  assert.equal((await w.fetch(get(url(14336)))).status, 200);
  assertPlatformError(await w.fetch(get(url(14337))), 414, 'URL_TOO_LONG');
  assertPlatformError(await w.fetch(get(url(100000))), 414, 'URL_TOO_LONG');
  assertPlatformError(await w.fetch(get('/?' + 'q'.repeat(15000))), 414, 'URL_TOO_LONG');
  assert.equal(w.record.requests.length, 1);
});

test('one header over 16 KiB, or all over 32 KiB, is 431', async (t) => {
  const w = await world(t);
  assert.equal((await w.fetch(get('/', `X-A: ${'v'.repeat(16000)}`))).status, 200);
  assertPlatformError(await w.fetch(get('/', `X-A: ${'v'.repeat(16384)}`)), 431, 'REQUEST_HEADER_TOO_LARGE');
  assert.equal((await w.fetch(get('/', `X-A: ${'v'.repeat(15000)}`, `X-B: ${'v'.repeat(15000)}`))).status, 200);
  assertPlatformError(await w.fetch(get('/', ...Array.from({length: 5}, (_, i) => `X-${i}: ${'v'.repeat(8000)}`))), 431, 'REQUEST_HEADER_TOO_LARGE');
  assertPlatformError(await w.fetch(get('/', `X-A: ${'v'.repeat(200000)}`)), 431, 'REQUEST_HEADER_TOO_LARGE');
  assert.equal(w.record.requests.length, 2);
});

test('a header value that is not UTF-8 is 400 MALFORMED_REQUEST_HEADER', async (t) => {
  const w = await world(t);
  assertPlatformError(await w.fetch(get('/', 'Cookie: a=\xff')), 400, 'MALFORMED_REQUEST_HEADER');
  assert.equal((await w.fetch(get('/', 'Cookie: a=\xc3\xa4'))).status, 200);
});

test('--set moves a limit', async (t) => {
  const w = await world(t, {args: ['--set', 'request.body_max=1000', '--set', 'request.url_max=100B', '--set', 'request.header_max=200B']});
  assert.equal((await w.fetch(request('POST', '/', ['Content-Length: 1000'], 'x'.repeat(1000)))).status, 200);
  assertPlatformError(await w.fetch(request('POST', '/', ['Content-Length: 1001'], 'x'.repeat(1001))), 413, 'FUNCTION_PAYLOAD_TOO_LARGE');
  assertPlatformError(await w.fetch(get('/' + 'a'.repeat(100))), 414, 'URL_TOO_LONG');
  assertPlatformError(await w.fetch(get('/', `X-A: ${'v'.repeat(300)}`)), 431, 'REQUEST_HEADER_TOO_LARGE');
});

test('request.body_mode=off lets any body through', async (t) => {
  const w = await world(t, {args: ['--set', 'request.body_mode=off']});
  const n = 6000000;
  assert.equal((await w.fetch(request('POST', '/', [`Content-Length: ${n}`], 'x'.repeat(n)))).status, 200);
});
