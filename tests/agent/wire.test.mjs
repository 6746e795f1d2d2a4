// What processes of the agent say to each other: values (values.cjs), and calls over a socket (rpc.cjs).
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import net from 'node:net';
import { after, before, describe, test } from 'node:test';

const require = createRequire(import.meta.url);
const { pack, unpack } = require('../../src/agent/shared/values.cjs');
const { createPeer } = require('../../src/agent/shared/rpc.cjs');
const sent = (value) => unpack(JSON.parse(JSON.stringify({ value: pack(value) })).value);

describe('values', () => {
  test('plain ones arrive as they are', () => {
    const value = { a: 1, b: 'two', c: [true, null, { d: 4.5 }], e: Object.assign(Object.create(null), { f: '' }) };
    assert.deepEqual(sent(value), { ...value, e: { f: '' } });
  });

  test('big integers, patterns and errors arrive as what they are', () => {
    assert.equal(sent({ n: 12345678901234567890n }).n, 12345678901234567890n);
    const { re } = sent({ re: /^a\/b$/gi });
    assert.deepEqual([re.source, re.flags], ['^a\\/b$', 'gi']);
    const given = Object.assign(new TypeError('no', { cause: new Error('deeper') }), { code: 'E1', digest: '42' });
    const { error } = sent({ error: given });
    assert.ok(error instanceof Error);
    assert.deepEqual([error.name, error.message, error.stack, error.code, error.digest], ['TypeError', 'no', given.stack, 'E1', '42']);
    assert.equal(error.cause.message, 'deeper');
    assert.deepEqual(Object.keys(error).sort(), ['code', 'digest']);
  });

  test('what belongs to a process is left out', () => {
    const value = { f() {}, s: Symbol('s'), u: undefined, m: new Map(), b: Buffer.from('x'), d: new Date(), nan: NaN, kept: 1 };
    assert.deepEqual(sent(value), { kept: 1 });
    assert.deepEqual(sent([undefined, () => {}, 1]), [null, null, 1]);
  });

  test('a ring ends', () => {
    const ring = { name: 'ring' };
    ring.self = ring;
    assert.equal(sent(ring).self.self.name, 'ring');
  });
});

describe('values between processes', () => {
  test('keys of others that look like ours come as they went: "?$bigint=x" is a query like any other', () => {
    for (const value of [{ $bigint: 'x' }, { $regexp: '(' }, { $error: '1' }, { query: { $bigint: 'x', $$: ['$'], $: 1 } }, { $$bigint: 5 }]) assert.deepEqual(sent(value), value);
    assert.deepEqual(sent({ $bigint: 5n }), { $bigint: 5n });
    assert.deepEqual(sent(Object.assign(new Error('no'), { $regexp: 'x' })).$regexp, 'x');
    assert.equal({}.polluted, undefined);
    const taken = sent(JSON.parse('{"__proto__": {"polluted": 1}, "a": 1}'));
    assert.equal({}.polluted, undefined);
    assert.equal(taken.polluted, undefined);
  });
});

describe('calls', () => {
  let server;
  let here;
  let there;
  const told = [];
  const opened = [];
  let release;

  before(async () => {
    server = net.createServer((socket) => {
      there = createPeer(socket, {
        add: (a, b) => a + b,
        fail: async () => {
          throw Object.assign(new RangeError('too far'), { code: 'FAR' });
        },
        wait: () => new Promise((done) => (release = done)),
      });
    });
    await new Promise((done) => server.listen(0, '127.0.0.1', done));
    const socket = net.connect(server.address().port, '127.0.0.1');
    await new Promise((done) => socket.once('connect', done));
    here = createPeer(socket, { note: (...args) => told.push(args) }, { open: (count) => opened.push(count) });
    assert.equal(await here.call('add', 1, 1), 2);
  });

  after(() => {
    here.end();
    server.close();
  });

  test('are answered, many at once, and what is thrown is thrown', async () => {
    assert.deepEqual(await Promise.all([1, 2, 3].map((n) => here.call('add', n, 10n.toString()))), ['110', '210', '310']);
    await assert.rejects(here.call('fail'), { name: 'RangeError', message: 'too far', code: 'FAR' });
    await assert.rejects(here.call('nothing of the kind'), /no method/);
  });

  test('say when the first opens and the last is answered', async () => {
    opened.length = 0;
    await Promise.all([here.call('add', 1, 1), here.call('add', 2, 2)]);
    assert.deepEqual(opened, [1, 0]);
  });

  test('news need no answer and keep their order', async () => {
    for (let i = 0; i < 100; i++) there.tell('note', i, { text: '\n"' });
    await here.call('add', 0, 0);
    assert.deepEqual(told, Array.from({ length: 100 }, (_, i) => [i, { text: '\n"' }]));
  });

  test('are given up when the other side goes', async () => {
    const waiting = here.call('wait');
    const given = assert.rejects(waiting, /gone/);
    while (!release) await here.call('add', 0, 0);
    there.end();
    await given;
    await assert.rejects(here.call('add', 1, 1), /gone/);
  });
});

describe('calls, from whoever has got hold of the socket', () => {
  for (const line of ['x', 'null', '5', '{}', '{"tell":"evict"}', '{"tell":"evict","args":[5]}', '{"tell":"constructor","args":[]}', '{"call":1,"name":"__proto__","args":[]}', '{"answer":1,"error":{"$bigint":"x"}}'])
    test(`${line}: at most the connection ends`, async () => {
      const server = net.createServer().listen(0);
      await new Promise((done) => server.once('listening', done));
      const theirs = net.connect(server.address().port);
      const ours = await new Promise((done) => server.once('connection', done));
      const closed = new Promise((done) => createPeer(ours, { evict: (files) => files.forEach(String) }, { closed: done }));
      theirs.on('error', () => {}).resume().end(`${line}\n`);
      await closed;
      server.close();
    });
});
