// vercel-sim as a process, in front of a scripted origin, for one test. Everything is stopped when the test ends, and a sim that crashed (or that a
// sanitizer stopped) fails the test whatever it asserted. VSIM_BIN names the program.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {fileURLToPath} from 'node:url';
import {RawClient} from '../conformance/lib/client.mjs';
import {Origin} from '../conformance/lib/origin.mjs';
import {startVercelSim} from '../conformance/lib/proxies.mjs';

export const kBin = process.env.VSIM_BIN ?? fileURLToPath(new URL('../../build/vercel-sim', import.meta.url));
export const kHead = 'Host: localhost\r\n';
export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
export const request = (method, target, headers = [], body = '') => `${method} ${target} HTTP/1.1\r\n${kHead}${headers.map((h) => h + '\r\n').join('')}\r\n${body}`;
export const get = (target = '/', ...headers) => request('GET', target, headers);
export const answer = (body, ...headers) => `HTTP/1.1 200 OK\r\nContent-Length: ${Buffer.byteLength(body, 'latin1')}\r\n${headers.map((h) => h + '\r\n').join('')}\r\n${body}`;
export const kChunked = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: text/event-stream\r\n\r\n';
export const chunk = (text) => `${text.length.toString(16)}\r\n${text}\r\n`;

// Sanitizers keep freed memory back, which tests of flat memory must not see.
const kEnv = {ASAN_OPTIONS: `${process.env.ASAN_OPTIONS ?? ''}:quarantine_size_mb=1:malloc_context_size=2`};

export function tempDir(t) {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'vsim-int-'));
  t.after(() => fs.rmSync(dir, {recursive: true, force: true}));
  return dir;
}

// `origin`: a script for every request, or a port where something listens already.
export async function world(t, {origin: script, originPort, profile = 'hobby', args = []} = {}) {
  let origin = null;
  let record = null;
  if (originPort === undefined) {
    origin = new Origin();
    record = origin.answerAll(script);
    originPort = await origin.listen();
  }
  const sim = await startVercelSim(originPort, {bin: kBin, profile, args, env: kEnv});
  const clients = [];
  const w = {
    origin, originPort, record, sim, port: sim.port,
    // A raw client with some bytes sent.
    connect(text = '', options = {}) {
      const client = new RawClient(sim.port, {deadline: 15000, ...options});
      clients.push(client);
      if (text) client.write(text);
      return client;
    },
    // One request on a connection of its own: the final response.
    async fetch(text, options = {}) {
      const client = w.connect(text, options);
      await client.until(() => client.closed || client.complete() > 0);
      const [response] = client.responses;
      assert.ok(response, `no response to ${JSON.stringify(text.slice(0, 60))}, connection ${client.closed ?? 'open'}`);
      client.destroy();
      return response;
    },
    // Waits for test() to hold, looking now and then.
    async eventually(test, what, ms = 5000) {
      const end = Date.now() + ms;
      for (;;) {
        const got = await test();
        if (got) return got;
        if (Date.now() > end) assert.fail(`not within ${ms} ms: ${what}`);
        await sleep(10);
      }
    },
    request: (i = 0) => w.eventually(() => record.requests[i], `request ${i + 1} at the origin`),
    rss() {
      return Number(/VmRSS:\s+(\d+)/.exec(fs.readFileSync(`/proc/${sim.child.pid}/status`, 'utf8'))[1]) / 1024;
    },
    cpu() {
      const fields = fs.readFileSync(`/proc/${sim.child.pid}/stat`, 'utf8').split(') ')[1].split(' ');
      return (Number(fields[11]) + Number(fields[12])) * 10;  // ms at 100 ticks a second
    },
    fds: () => fs.readdirSync(`/proc/${sim.child.pid}/fd`).length,
    // All connections closed that should be, and nothing that spins.
    async settles(fds) {
      for (const c of clients) c.destroy();
      await w.eventually(() => w.fds() <= fds, `descriptors back to ${fds} (now ${w.fds()})`, 9000);
      const before = w.cpu();
      await sleep(400);
      assert.ok(w.cpu() - before <= 60, `${w.cpu() - before} ms of CPU in 400 ms of nothing`);
    },
    async stop(signal = 'SIGTERM') {
      await sim.stop(signal);
      return sim.child.exitCode ?? sim.child.signalCode;
    },
  };
  t.after(async () => {
    for (const c of clients) c.destroy();
    const crashed = sim.child.exitCode !== null ? sim.child.exitCode !== 0 && !w.mayFail : sim.child.signalCode !== null;
    await sim.stop();
    await origin?.close();
    const said = sim.child.said;
    assert.ok(!crashed && !/\w+Sanitizer: |runtime error:|terminate called/.test(said), `vercel-sim crashed: ${said.slice(-4000)}`);
  });
  return w;
}

// Whether the program under test is instrumented (memory bounds are then wider).
export const kSanitized = /__[at]san_init|lib[at]san/.test(fs.existsSync(kBin) ? fs.readFileSync(kBin, 'latin1') : '');
