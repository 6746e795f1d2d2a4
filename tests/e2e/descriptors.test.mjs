// File descriptors: as many as the system allows, the app keeps what it had, and when none is left nobody else is accused. Here and not among the
// integration tests, which run the sanitized program: UBSan opens a pipe to look at an object, and calls it invalid where there is no descriptor.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import {test} from 'node:test';
import {command, eventually, get, tempDir} from '../integration/program.mjs';
import {kBin} from '../integration/world.mjs';

// Answers `/held` when release() is called, everything else at once.
async function origin(t) {
  const held = [];
  const server = http.createServer((request, response) => {
    if (request.url.startsWith('/held')) held.push(response);
    else response.end('fine');
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const release = () => held.splice(0).forEach((response) => response.end('fine'));
  t.after(() => {
    release();
    server.closeAllConnections();
    server.close();
  });
  return {port: server.address().port, held, release};
}

const start = (t, limit, args) => command(t, ['sh', '-c', `ulimit ${limit} && exec "$0" "$@"`, kBin, 'run', '--port', '0', ...args]).ready();

test('the soft limit is raised to the hard one, and what the app gets is what the shell had', async (t) => {
  const {port, held, release} = await origin(t);
  const sim = await start(t, '-S -n 64', ['--upstream', `http://127.0.0.1:${port}`, '--set', 'duration.default=60s']);
  const asked = Array.from({length: 100}, (_, i) => get(sim.port, `/held/${i}`));
  await eventually('a hundred at once', () => held.length === 100);
  release();
  assert.deepEqual([...new Set((await Promise.all(asked)).map(({status}) => status))], [200]);
  assert.equal((await sim.stop()).code, 0);

  const app = command(t, ['sh', '-c', 'ulimit -S -n 64 && exec "$0" run --port 0 --app "ulimit -S -n; exit 3"', kBin]);
  assert.equal((await app.end()).code, 3, app.text);
  assert.match(app.text, /^64$/m);
});

test('none is left: clients wait or get 503 of ours, told once, and no word against the app', async (t) => {
  let refused = 0;
  // Whether the last one goes to a client or to the app is the parity of what is open already.
  for (const limit of [64, 65]) {
    const {port, release} = await origin(t);
    const events = path.join(tempDir(t), 'events.jsonl');
    const sim = await start(t, `-n ${limit}`, ['--upstream', `http://127.0.0.1:${port}`, '--set', 'duration.default=60s', '--events', events]);
    assert.equal((await get(sim.port)).text, 'fine');
    const answers = [];
    const clients = [];
    for (let i = 0; i < 60; i++) {
      const client = net.connect(sim.port, '127.0.0.1', () => client.write(`GET /held/${i} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`));
      client.setEncoding('latin1').on('data', (text) => answers.push(text)).on('error', () => {});
      clients.push(client);
    }
    await sim.says(/no file descriptor is left/);
    await eventually('the proxy serves again', async () => {
      release();
      return (await get(sim.port)).status === 200;
    });
    for (const client of clients) client.destroy();
    assert.equal((await sim.stop()).code, 0);
    assert.equal(sim.text.match(/no file descriptor is left/g).length, 1);
    for (const text of answers) assert.match(text, /^HTTP\/1\.1 (200|503[^]*^x-vercel-sim: SIM_OUT_OF_DESCRIPTORS\r$)/im);
    const ends = fs.readFileSync(events, 'utf8').trimEnd().split('\n').map((line) => JSON.parse(line)).filter((e) => e.t === 'invocation_ended');
    const codes = new Set(ends.map((e) => e.code));
    assert.ok(!codes.has('ROUTER_EXTERNAL_TARGET_CONNECTION_ERROR') && !codes.has('NO_RESPONSE_FROM_FUNCTION'), [...codes].join());
    for (const e of ends.filter(({code}) => code === 'SIM_OUT_OF_DESCRIPTORS')) assert.equal(e.ended_by, 'emulator');
    refused += ends.filter(({code}) => code === 'SIM_OUT_OF_DESCRIPTORS').length;
  }
  assert.ok(refused > 0, 'the last descriptor went to a client, who was told');
});
