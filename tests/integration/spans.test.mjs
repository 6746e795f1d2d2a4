// --otlp-endpoint: invocations as spans to a collector while the run goes on. One that is away, slow or refuses costs spans, which are counted, and no request its
// time.
import assert from 'node:assert/strict';
import http from 'node:http';
import {describe, test} from 'node:test';
import {eventually, freePort, get, kServer, program, run, tempDir, write} from './program.mjs';

// A collector: what it got, and how it answers (`null`: never).
async function collector(t, {port = 0, answers = () => ({status: 200, text: '{}'})} = {}) {
  const got = [];
  const server = http.createServer(async (request, response) => {
    let text = '';
    for await (const part of request) text += part;
    const answer = answers(got.length);
    got.push({url: request.url, type: request.headers['content-type'], spans: JSON.parse(text).resourceSpans.flatMap((r) => r.scopeSpans.flatMap((s) => s.spans)), text});
    if (answer) response.writeHead(answer.status, {'content-type': 'application/json'}).end(answer.text ?? '{}');
  });
  await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
  t.after(() => (server.closeAllConnections(), server.close()));
  return {got, url: `http://127.0.0.1:${server.address().port}`, invocations: () => got.flatMap(({spans}) => spans.filter((s) => !s.parentSpanId))};
}
const start = (t, ...args) => run(t, [...args, '--app', 'node server.cjs'], {cwd: write(tempDir(t), {'server.cjs': kServer})});
const attribute = (span, key) => Object.values(span.attributes.find((a) => a.key === key)?.value ?? {})[0];

describe('Spans to a collector', {concurrency: 3}, () => {
  test('each invocation once; what was said of it is an event; no secrets', async (t) => {
    const to = await collector(t);
    const sim = await start(t, '--otlp-endpoint', `${to.url}/in/here/`);
    for (const target of ['/one', '/two?token=s3cret']) assert.equal((await get(sim.port, target)).status, 200);
    await eventually('two spans', () => to.invocations().length === 2);
    // What is refused later comes with a later batch.
    assert.equal((await get(sim.port, `/${'x'.repeat(15_000)}`)).status, 414);
    const {code} = await sim.stop('SIGINT');
    assert.equal(code, 130);
    assert.match(sim.stdout, new RegExp(`spans of 3 invocations were sent to ${to.url}/in/here/\\n`));
    assert.deepEqual([...new Set(to.got.map(({url, type}) => `${url} ${type}`))], ['/in/here/v1/traces application/json']);
    const [one, two, refused] = to.invocations();
    assert.equal(one.name, 'GET /one');
    assert.equal(attribute(two, 'url.path'), '/two');
    assert.ok(!to.got.some(({text}) => text.includes('s3cret')));
    assert.equal(attribute(refused, 'http.response.status_code'), '414');
    assert.equal(refused.events[0].name, 'URL_TOO_LONG');
    assert.equal(refused.status.code, 2);
    for (const span of [one, two]) {
      assert.ok(Math.abs(Number(BigInt(span.startTimeUnixNano) / 1_000_000n) - Date.now()) < 120_000);
      assert.ok(BigInt(span.endTimeUnixNano) >= BigInt(span.startTimeUnixNano));
    }
    assert.equal(new Set(to.invocations().map((s) => s.traceId)).size, 3);
  });

  test('a collector that comes later gets what was before it; said once when it is away, once when it is there', async (t) => {
    const port = await freePort();
    const sim = await start(t, '--otlp-endpoint', `http://127.0.0.1:${port}`);
    assert.equal((await get(sim.port, '/early')).status, 200);
    await sim.says(/note: the collector at http:\/\/127\.0\.0\.1:\d+ takes no spans: Connection refused; they wait for it, as many as fit into 4 MB, and the rest is dropped\n/);
    assert.equal((await get(sim.port, '/later')).status, 200);
    const to = await collector(t, {port});
    await eventually('both', () => to.invocations().length === 2);
    await sim.says(/takes spans again\n/);
    assert.deepEqual(to.invocations().map((s) => s.name), ['GET /early', 'GET /later']);
    await sim.stop('SIGINT');
    assert.equal(sim.stderr.match(/takes no spans/g).length, 1);
  });

  test('one that never answers holds up no request and no end; what does not fit is dropped and counted', async (t) => {
    const to = await collector(t, {answers: () => null});
    const sim = await start(t, '--otlp-endpoint', to.url);
    assert.equal((await get(sim.port, '/first')).status, 200);
    await eventually('it has asked', () => to.got.length === 1);
    // 5 MB of events, and then some.
    const n = 560;
    const begun = performance.now();
    for (let i = 0; i < n; i += 8) await Promise.all(Array.from({length: 8}, (_, j) => get(sim.port, `/${i + j}?${'x'.repeat(9000)}`)));
    const took = performance.now() - begun;
    const {ms, code} = await sim.stop('SIGINT');
    assert.equal(code, 130);
    assert.ok(ms < 20_000, `it ended after ${ms} ms; ${n} requests took ${took}`);
    assert.match(sim.stdout, new RegExp(`spans of 0 invocations were sent to ${to.url}; those of ${n + 1} invocations are lost\\n`));
  });

  test('what is refused for good is lost and counted, what was rejected is said', async (t) => {
    const to = await collector(t, {answers: (n) => (n === 0 ? {status: 400} : {status: 200, text: '{"partialSuccess":{"rejectedSpans":"2","errorMessage":"no"}}'})});
    const sim = await start(t, '--otlp-endpoint', to.url);
    assert.equal((await get(sim.port, '/refused')).status, 200);
    await sim.says(/takes no spans: it answers 400; what it refuses is lost\n/);
    assert.equal((await get(sim.port, '/rejected')).status, 200);
    await sim.says(/has rejected 2 spans\n/);
    await sim.stop('SIGINT');
    assert.match(sim.stdout, /spans of 1 invocation were sent to .*; those of 1 invocation are lost\n/);
  });

  test('an address that is none: said, 64', async (t) => {
    for (const [address, said] of [
      ['https://localhost:4318', /--otlp-endpoint expects the address of a collector on HTTP/],
      ['http://', /--otlp-endpoint expects/],
      ['http://localhost:4318/a?b', /--otlp-endpoint expects/],
      ['http://nobody.invalid:4318', /--otlp-endpoint http:\/\/nobody\.invalid:4318: .*not found/i],
    ]) {
      const sim = program(t, ['run', '--otlp-endpoint', address, '--app', 'true']);
      assert.equal((await sim.end()).code, 64, address);
      assert.match(sim.stderr, said);
    }
  });
});
