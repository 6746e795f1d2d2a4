// What of our JavaScript reads bytes that a client, a package, a compiled file or the app's own code has a say in. Each holds more than that nothing is
// thrown: whatever is thrown within the agent's guard() would be told as a hook that this Next lacks, which is a false word.
import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PassThrough } from 'node:stream';

const require = createRequire(import.meta.url);
const agent = (name) => require(`../../../src/agent/${name}.cjs`);

const folder = mkdtempSync(path.join(tmpdir(), 'vsim-fuzz-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

const guard = (hook, action) => {
  try {
    return action();
  } catch (error) {
    throw new Error(`in guard(${hook}): ${error?.stack ?? error}`);
  }
};
const isClean = () => {
  assert.deepEqual([Object.keys(Object.prototype), Object.keys(Array.prototype)], [[], []], 'a prototype was written to');
  assert.equal({}.polluted, undefined);
};
// The rest of the bytes behind the first line, which has a few numbers.
const parts = (bytes) => bytes.toString('latin1').split('\u0000');

class Wire extends EventEmitter {
  writable = true;
  said = [];
  write(text) {
    this.said.push(text);
  }
  setEncoding() {
    return this;
  }
  destroy() {
    if (!this.writable) return;
    this.writable = false;
    this.emit('close');
  }
  // As a socket gives it: in pieces anywhere, none behind its end.
  give(bytes) {
    const text = bytes.toString('utf8');
    const third = Math.floor(text.length / 3);
    for (const piece of [text.slice(0, third), text.slice(third)]) if (this.writable) this.emit('data', piece);
  }
}

const kJson = ['{', '}', '[', ']', ':', ',', '"', 'null', 'true', '1e999', '-0', '"__proto__"', '"constructor"', '"$bigint"', '"$regexp"', '"$error"', '"\\u0000"', '\\', '{"__proto__":{"polluted":1}}'];

// ---- Messages ------------------------------------------------------------------------------------------------------------------------------

const { pack, unpack } = agent('shared/values');
const { createPeer } = agent('shared/rpc');

function values(bytes) {
  let value;
  try {
    value = JSON.parse(bytes.toString('utf8'), (_, one) => (one === 0 ? 0 : one));  // JSON reads a -0 and writes none
  } catch {
    return;
  }
  const packed = pack(value);
  const back = unpack(JSON.parse(JSON.stringify({ value: packed })).value);
  isClean();
  // What is deeper than is carried is left out, and stays so.
  assert.deepEqual(pack(back), packed);
}

async function calls(bytes) {
  const wire = new Wire();
  const peer = createPeer(wire, { welcome: () => 1, evict: (files) => files.length, none: () => Promise.reject(new Error('no')) });
  const asked = peer.call('x').catch(() => {});
  wire.give(bytes);
  isClean();
  peer.end();
  wire.destroy();
  await asked;
}

function control(bytes) {
  const wire = new Wire();
  const { connect } = net;
  net.connect = () => wire;
  try {
    const got = [];
    agent('shared/control').openControl({ socketPath: 'x', first: '{}', closed() {}, failed() {}, received: (message) => got.push(message) });
    wire.give(bytes);
    for (const message of got) assert.equal(typeof message === 'object' && message !== null, true, 'a message that is none');
  } finally {
    net.connect = connect;
  }
  isClean();
}

// ---- What is compiled, rendered, built -------------------------------------------------------------------------------------------------------

const { keptOf } = agent('next/flight');

function flight(bytes) {
  const text = bytes.toString('utf8');
  for (const html of [text, `<script>self.__next_f.push([1,${JSON.stringify(text)}])</script>`]) {
    const kept = keptOf(html);
    assert.ok(kept === undefined || /^[\w+/]{27}=$/.test(kept), String(kept));
    assert.equal(keptOf(html), kept, 'read otherwise when it is read again');
  }
}

let count = 0;
const boot = { options: { dir: folder }, config: { distDir: '.next' } };
const next = agent('next/index').createNext({ dist: folder, role: 'instance', version: '16.0.0' });
const guarded = (more) => ({ boot, guard, options: {}, next, tell() {}, plain: { setTimeout: () => ({ unref() {} }) }, ...more });

function maps(bytes) {
  const [map, place = '1:1'] = parts(bytes);
  const file = path.join(folder, `chunk${count++ % 8}.js`);
  writeFileSync(`${file}.map`, map, 'latin1');
  const { originalPosition } = agent('shared/source-maps')(guarded());
  for (const at of [`${file}:1:1`, `${file}:${place}`, place]) {
    const found = originalPosition(at);
    assert.ok(found === undefined || /:\d+:\d+$/.test(found), String(found));
  }
}

function stacks(bytes) {
  const told = [];
  const sim = guarded({ invocations: { getStore: () => undefined }, running: new Map(), isUserCode: () => true, originalPosition: (at) => at, plainExit() {}, tell: (message) => told.push(message) });
  const { dieAsThePlatformDoes } = agent('instance/death')(sim);
  const before = Object.fromEntries(['uncaughtException', 'unhandledRejection'].map((name) => [name, process.listeners(name)]));
  const { error: print } = console;
  const { exit } = process;
  console.error = () => {};
  try {
    dieAsThePlatformDoes();
    const error = Object.assign(new Error('x'), { stack: bytes.toString('utf8') });
    process.listeners('uncaughtException')[0](error);
  } finally {
    console.error = print;
    process.exit = exit;
    for (const [name, listeners] of Object.entries(before)) {
      process.removeAllListeners(name);
      for (const one of listeners) process.on(name, one);
    }
  }
  assert.equal(told[0]?.t, 'dying');
  assert.equal(told[0].stack, bytes.toString('utf8'));
}

const { readBuilt } = agent('shared/trace');

function built(bytes) {
  writeFileSync(path.join(folder, 'x.js.nft.json'), bytes);
  const files = readBuilt({ dir: folder, distDir: '.', page: '../../x', kind: 'PAGES' });
  assert.ok(files instanceof Set);
  for (const file of files) assert.ok(path.isAbsolute(file));
}

const { fileIn, fileOfId } = agent('next/chunks');
const { isRead, readsIn } = agent('shared/state-reads');

function compiled(bytes) {
  const [text, name = 'x'] = parts(bytes);
  for (const found of [fileIn(text), fileOfId(text)]) assert.ok(found === undefined || typeof found === 'string');
  const escaped = name.replace(/[^\w]/g, '') || 'x';
  for (const value of [undefined, [], new Map(), new (class Own { add() { return this.all; } })()]) assert.equal(typeof isRead(readsIn(text, escaped, value)), 'boolean');
}

// ---- What a client sends, and what a server of the app's answers -----------------------------------------------------------------------------

const seenByAll = new Map([['a', 1]]);
const handler = function handler() {
  return seenByAll.size;
};

function requests(bytes) {
  const [url = '/', cookie = '', type = '', body = ''] = parts(bytes);
  const told = [];
  const sim = guarded({ tell: (message) => told.push(message) });
  const { stateBegins, stateEnds } = agent('shared/module-state')(sim);
  const req = { url: `/${url}`, method: 'POST', headers: { cookie, 'content-type': type } };
  const invocation = { id: '1', file: 'app/api/a/route.ts', page: '/api/a/route', req, bodyText: () => body };
  stateBegins(invocation, handler);
  seenByAll.set(url.slice(0, 8), cookie);
  stateEnds(invocation);
  seenByAll.clear();
  for (const message of told) JSON.parse(JSON.stringify(message));
  isClean();
}

const { pathOf } = agent('shared/statics')(guarded({ invocations: { getStore: () => undefined } }));
const { takeFields } = agent('shared/requests')({ options: { token: 'secret' }, next, kInvocation: Symbol('a') });

function fields(bytes) {
  const [url, ...raw] = parts(bytes);
  assert.equal(typeof pathOf(url), 'string');
  if (raw.length % 2 === 1) raw.pop();
  const headers = {};
  for (let i = 0; i < raw.length; i += 2) headers[raw[i].toLowerCase()] = raw[i + 1];
  const taken = takeFields({ headers, rawHeaders: raw });
  for (const name of Object.keys(headers)) assert.ok(!name.startsWith('x-vsim-'), 'a field of ours is left');
  assert.ok(!raw.some((one, i) => i % 2 === 0 && /^x-vsim-/i.test(one)));
  assert.ok(taken === undefined || /^\d{1,20}$/.test(taken.id), 'a number that is none');
  isClean();
}

const { beginOf, refusalIn, requestIn } = agent('shared/protocols');

function protocols(bytes) {
  for (const found of [requestIn(bytes), requestIn(bytes, bytes.length * 2), refusalIn(bytes)]) assert.ok(found === undefined || typeof found === 'string');
  const text = bytes.toString('latin1');
  for (const given of [[false, bytes], [false, new Uint8Array(bytes)], [false, text, 'latin1'], [false, text, 'base64'], [true, [{ chunk: bytes }, { chunk: text, encoding: 'utf8' }]]]) {
    const { bytes: begin, total } = beginOf(...given);
    assert.ok(Buffer.isBuffer(begin) && total >= 0);
    requestIn(begin, total);
  }
}

const { namesInTmp } = agent('dev/tmp-names');

function environment(bytes) {
  const list = parts(bytes);
  const env = Object.fromEntries(list.map((one, i) => [i % 2 ? `A${i}` : one.slice(0, 40), one]));
  const { entries } = namesInTmp(env, [list[0].replaceAll('\u0000', '')]);
  for (const entry of entries) assert.match(entry, /^\/tmp\/[^/]+$/);
}

// ---- Tools ---------------------------------------------------------------------------------------------------------------------------------

async function mcp(bytes) {
  const { main } = require('../../../src/mcp/main.cjs');
  const { exit } = process;
  const input = new PassThrough();
  const output = new PassThrough();
  let said = '';
  output.on('data', (data) => (said += data));
  const over = new Promise((resolve) => {
    process.exit = resolve;
  });
  try {
    // Nothing is started, and nobody is asked.
    await main({ program: path.join(folder, 'none'), words: ['--url=http://localhost:1'], input, output });
    input.end(bytes);
    await over;
  } finally {
    process.exit = exit;
  }
  for (const line of said.split('\n').filter(Boolean)) assert.equal(JSON.parse(line).jsonrpc, '2.0');
  isClean();
}

const isList = (value) => Array.isArray(value) && value.every((one) => one !== null && typeof one === 'object');
const { apply, createModel } = await import('../../../src/page/fold.mjs');

function page(bytes) {
  const model = createModel({});
  for (const line of bytes.toString('utf8').split('\n')) {
    let event;
    try {
      event = JSON.parse(line);
    } catch {
      continue;
    }
    // The page of a report is given what the program has read as events: objects with the types that docs/events.md says.
    if (event === null || typeof event !== 'object' || typeof event.t !== 'string') continue;
    if (!Object.entries(event).every(([name, value]) => (name === 'verdicts' ? isList(value) : typeof value !== 'object'))) continue;
    apply(model, event);
  }
  isClean();
}

const kFlight = ['self.__next_f.push([1,"', '"])', '0:', '1:', 'T5,hello', '["$","div",null,{}]', '"$1"', '"$L1"', '"$0:a"', '"$1:props:children"', 'I["x",[],"default"]', 'E{"digest":"1"}', '\\n', 'ffffffff', '\\q', '"$$', '{"b":', '"children":'];

export const kReaders = {
  agent_values: { run: values, words: kJson, sources: ['/values.cjs'] },
  agent_calls: { run: calls, words: [...kJson, '\n', '"call"', '"tell"', '"answer"', '"args"', '"error"', '"evict"'], sources: ['/rpc.cjs', '/values.cjs'] },
  agent_control: { run: control, words: [...kJson, '\n'], sources: ['/control.cjs'] },
  agent_flight: { run: flight, words: [...kFlight, ...kJson], sources: ['/flight.cjs'] },
  agent_maps: { run: maps, words: [...kJson, '"version":3', '"sources"', '"sections"', '"mappings"', 'AAAA', ';', '\u0000', '%', '%zz', 'turbopack:///[project]/', ':1:1'], sources: ['/source-maps.cjs'] },
  agent_stacks: { run: stacks, words: ['\n    at ', ' (', ')', ':1:1', 'file://', 'async ', 'node_modules/', 'webpack-internal:///'], sources: ['/death.cjs'] },
  agent_built: { run: built, words: [...kJson, '"files"', '"version"', '../'], sources: ['/trace.cjs'] },
  agent_compiled: { run: compiled, words: ['__TURBOPACK__imported__module__', '$5b$project$5d2f$', '__WEBPACK_IMPORTED_MODULE_', '(rsc)/./', 'x.push(', 'x = ', 'x.length = 0', 'return ', '.ts__', '\u0000', 'this.'], sources: ['/chunks.cjs', '/state-reads.cjs'] },
  agent_requests: { run: requests, words: [...kJson, '\u0000', '%', '%zz', '%41', '=', '&', ';', 'application/x-www-form-urlencoded', 'multipart/form-data', 'name="a"\r\n\r\n', '\r\n'], sources: ['/module-state.cjs', '/state-looks.cjs', '/state-told.cjs'] },
  agent_fields: { run: fields, words: ['\u0000', 'x-vsim-id', 'X-VSIM-', 'secret.1', '__proto__', '.', '%', '?', '/_next/data/x/', '.json'], sources: ['/requests.cjs', '/statics.cjs'] },
  agent_protocols: { run: protocols, words: ['*1\r\n$4\r\nPING\r\n', 'Q\u0000\u0000\u0000\u0005', 'GET / HTTP/1.1\r\n', 'E\u0000\u0000\u0000', 'C53300', '\u00ff\u0010\u0004', '\u00dd\u0007\u0000\u0000', 'find\u0000'], sources: ['/protocols.cjs'] },
  agent_environment: { run: environment, words: ['/tmp/', '/tmp//', '/tmp/..', 'PATH', 'TMPDIR', 'file:', ':', '\u0000', '.db', '~'], sources: ['/tmp-names.cjs'] },
  mcp_messages: { run: mcp, words: [...kJson, '\n', '"jsonrpc":"2.0"', '"id":1', '"method":"tools/list"', '"method":"tools/call"', '"params"', '"name":"explain"', '"arguments"', '"initialize"', '"notifications/cancelled"'], sources: ['/mcp/main.cjs', '/mcp/tools.cjs'] },
  page_events: { run: page, words: [...kJson, '\n', '"t":"invocation_started"', '"t":"invocation_ended"', '"t":"instance_changed"', '"t":"notice"', '"id":1', '"instance":"i1"', '"route":"__proto__"', '"verdicts":[{"code":"X"}]', '"at_ms":1', '"to":"dead"'], sources: ['/page/fold.mjs'] },
};
