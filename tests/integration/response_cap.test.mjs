// The cap of 4.5 MB on responses: whom it meets (pages/ and pages/api, which Vercel buffers), that it is the platform's 500, and a violation
// also where it is known too late; --set response.body_mode=observe only reports it.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import {describe, test} from 'node:test';
import {eventually, get, kServer, run, tempDir, write} from './program.mjs';

const kMost = 4500000;
const kCode = 'FUNCTION_RESPONSE_PAYLOAD_TOO_LARGE';

// A project with a route of every kind, served by a plain server: without Next's word the routes are told by their files.
async function start(t, ...args) {
  const dir = write(tempDir(t), {
    'package.json': JSON.stringify({name: 'sizes', dependencies: {next: '16.4.6'}}),
    'node_modules/next/package.json': JSON.stringify({name: 'next', version: '16.4.6', bin: {next: './bin.js'}}),
    'node_modules/next/bin.js': '',
    'server.cjs': kServer,
    'pages/api/old/big.js': 'export default function handler(req, res) {}\n',
    'pages/api/old/big-chunked.js': 'export default function handler(req, res) {}\n',
    'pages/page/big.jsx': 'export async function getServerSideProps() { return {props: {}}; }\nexport default function Page() { return null; }\n',
    'app/route/big/route.js': 'export function GET() {}\n',
  });
  const file = path.join(dir, 'events.jsonl');
  const sim = await run(t, ['--events', file, ...args, '--app', 'exec node server.cjs'], {cwd: dir});
  // The event that ends the request of that target.
  sim.endOf = (target) => eventually(`the end of ${target}`, () => {
    const lines = fs.readFileSync(file, 'utf8').split('\n').slice(0, -1).map((line) => JSON.parse(line));
    return lines.find((e) => e.t === 'invocation_ended' && e.target === target);
  });
  return sim;
}

const verdicts = (end) => (end.verdicts ?? []).map(({code, enforced}) => ({code, enforced}));

describe('Responses above 4.5 MB', {concurrency: 4}, () => {
  test('pages/api and pages get the 500, route handlers of app/ stream', async (t) => {
    const sim = await start(t);
    for (const [base, file] of [['/api/old/big', 'pages/api/old/big.js'], ['/page/big', 'pages/page/big.jsx']]) {
      const most = await get(sim.port, `${base}?${kMost}`);
      assert.deepEqual([most.status, most.bytes], [200, kMost], base);
      const over = await get(sim.port, `${base}?${kMost + 1}`);
      assert.equal(over.status, 500, base);
      assert.equal(over.headers['x-vercel-error'], kCode);
      assert.equal(over.headers.server, 'Vercel');
      assert.ok(over.bytes < 1000 && over.text.includes(kCode), over.text);
      const end = await sim.endOf(`${base}?${kMost + 1}`);
      assert.deepEqual(verdicts(end), [{code: kCode, enforced: true}]);
      assert.deepEqual([end.status, end.code, end.ended_by, end.file], [500, kCode, 'platform', file]);
    }
    const streamed = await get(sim.port, `/route/big?${kMost + 1}`);
    assert.deepEqual([streamed.status, streamed.bytes], [200, kMost + 1]);
    assert.deepEqual(verdicts(await sim.endOf(`/route/big?${kMost + 1}`)), []);
    assert.equal((await get(sim.port, '/api/old/other')).status, 200, 'and goes on');
    await sim.says(new RegExp(`✗ ${kCode}[^]*seen +4500001 B, the limit is 4500000 B\n[^]*limit +response\\.body_max, profile hobby`));
  });

  test('a body whose length was not told has reached the client when it is known: a violation all the same', async (t) => {
    const sim = await start(t);
    const target = `/api/old/big-chunked?${kMost + 1}`;
    const over = await get(sim.port, target);
    assert.equal(over.headers['transfer-encoding'], 'chunked');
    assert.deepEqual([over.status, over.bytes], [200, kMost + 1]);
    assert.deepEqual(verdicts(await sim.endOf(target)), [{code: kCode, enforced: true}]);
  });

  test('observed, it is reported and passes whole', async (t) => {
    const sim = await start(t, '--set', 'response.body_mode=observe');
    const over = await get(sim.port, `/api/old/big?${kMost + 1}`);
    assert.deepEqual([over.status, over.bytes], [200, kMost + 1]);
    const end = await sim.endOf(`/api/old/big?${kMost + 1}`);
    assert.deepEqual(verdicts(end).map((v) => [v.code, v.enforced ?? false]), [[kCode, false]]);
    assert.equal(end.status, 200);
    await sim.says(new RegExp(`! ${kCode}`));
    assert.doesNotMatch(sim.text, /✗/);
  });

  test('off, not a word', async (t) => {
    const sim = await start(t, '--set', 'response.body_mode=off');
    assert.equal((await get(sim.port, `/api/old/big?${kMost + 1}`)).bytes, kMost + 1);
    assert.deepEqual(verdicts(await sim.endOf(`/api/old/big?${kMost + 1}`)), []);
  });

  test('--set response.body_max moves it', async (t) => {
    const sim = await start(t, '--set', 'response.body_max=1kB');
    assert.equal((await get(sim.port, '/api/old/big?1000')).status, 200);
    assert.equal((await get(sim.port, '/api/old/big?1001')).status, 500);
  });
});
