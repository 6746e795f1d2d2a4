// What is left when a response is done (hanging.cjs, connections.cjs, protocols.cjs): work of packages, what waits behind a connection, a database that is full.
import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { createRequire } from 'node:module';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';

const require = createRequire(import.meta.url);

describe('what a package is about to do when the response is done', () => {
  const invocations = new AsyncLocalStorage();
  const kept = { setTimeout, setInterval, listen: net.Server.prototype.listen, fetch: Object.getOwnPropertyDescriptor(globalThis, 'fetch') };
  const folder = mkdtempSync(path.join(tmpdir(), 'vs-'));
  let sim;
  let app;
  let server;

  before(async () => {
    const shared = { guard: (_, action) => action(), invocations, lacks() {}, options: { timeScale: 1 }, plain: { setTimeout, setImmediate }, tell() {} };
    sim = { ...shared, isUserCode: (file) => file.startsWith(folder), originalPosition: () => undefined, hookConnections() {} };
    Object.assign(sim, require('../../src/agent/shared/hanging.cjs')(sim));
    const { decide, forgetConnections, openedAt, unansweredOf } = require('../../src/agent/shared/connections.cjs')(sim);
    Object.assign(sim, { decide, forgetConnections, openedAt, unansweredOf });
    sim.hookHanging();
    const client = path.join(folder, 'node_modules/client');
    mkdirSync(client, { recursive: true });
    writeFileSync(path.join(client, 'index.js'), 'exports.send = (url) => { setTimeout(() => fetch(url).catch(() => {}), 1); };\nexports.gather = () => { setTimeout(() => {}, 1); };\n');
    writeFileSync(
      path.join(folder, 'app.cjs'),
      "const client = require('client');\nexports.send = client.send;\nexports.both = () => { client.gather(); setTimeout(() => {}, 2); };\nexports.cleared = () => { client.gather(); const timer = setTimeout(() => {}, 2000); setTimeout(() => clearTimeout(timer), 0); };\n",
    );
    app = require(path.join(folder, 'app.cjs'));
    server = http.createServer(() => {});
    await new Promise((done) => server.listen(0, '127.0.0.1', done));
  });
  after(() => {
    Object.assign(globalThis, { setTimeout: kept.setTimeout, setInterval: kept.setInterval });
    Object.assign(require('node:timers'), { setTimeout: kept.setTimeout, setInterval: kept.setInterval });
    Object.defineProperty(globalThis, 'fetch', kept.fetch);
    net.Server.prototype.listen = kept.listen;
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true });
  });

  const leftBy = async (action) => {
    const invocation = { req: {} };
    invocations.run(invocation, action);
    await new Promise((done) => sim.decide(invocation, done) || done());
    return sim.hangingOf(invocation).map(({ kind, at }) => `${kind} ${path.relative(folder, at).replace(/:.*/, '')}`);
  };

  test('is waited for, and what it asks for then is told', { timeout: 20_000 }, async () => {
    assert.deepEqual(await leftBy(() => app.send(`http://127.0.0.1:${server.address().port}/`)), ['fetch node_modules/client/index.js']);
  });

  test('makes no timer of the app itself unseen that fires in the meantime', { timeout: 20_000 }, async () => {
    assert.deepEqual(await leftBy(app.both), ['timeout app.cjs']);
  });

  test('nor one told of that was taken back', { timeout: 20_000 }, async () => {
    assert.deepEqual((await leftBy(app.cleared)).length, 1, 'the one that cleared it');
  });
});

describe('what waits behind a connection that is being made', () => {
  const invocations = new AsyncLocalStorage();
  const told = [];
  const runs = new Map();
  const sim = {
    guard: (_, action) => action(), invocations, lacks: (what) => assert.fail(what), options: {}, plain: { setTimeout, setImmediate }, tell: (message) => told.push(message),
    isFetching: () => false, appPlace: () => undefined, isSoonSeen: () => false, noteLeft() {}, running: runs,
  };
  const { decide, hookConnections, unansweredOf } = require('../../src/agent/shared/connections.cjs')(sim);
  const kept = { connect: net.Socket.prototype.connect, _writeGeneric: net.Socket.prototype._writeGeneric, push: net.Socket.prototype.push };
  const { addRequest } = http.Agent.prototype;
  let server;
  const clients = [];

  // A database that greets after a while, and answers what a client says of itself in two pieces, the second of them late.
  before(async () => {
    hookConnections();
    server = net.createServer((socket) => {
      setTimeout(() => socket.write('hello'), 20);
      socket.on('error', () => {}).on('data', (data) => {
        if (!/info/.test(data)) return;
        socket.write('+OK');
        setTimeout(() => socket.write('ready'), 40);
      });
    });
    await new Promise((done) => server.listen(0, '127.0.0.1', done));
  });
  after(() => {
    Object.assign(net.Socket.prototype, kept);
    http.Agent.prototype.addRequest = addRequest;
    for (const client of clients) client.destroy();
    server.close();
  });

  // Says who it is when it was greeted, and asks what it was given when the other side is ready.
  function client(command) {
    const socket = net.connect(server.address().port, '127.0.0.1');
    clients.push(socket);
    let text = '';
    socket.on('data', (data) => {
      text += data;
      if (text === 'hello') socket.write('*1\r\n$4\r\ninfo\r\n');
      else if (text.endsWith('ready') && command) socket.write(`*2\r\n$3\r\n${command}\r\n$1\r\na\r\n`);
    });
  }
  const ends = (invocation, isAlone) => new Promise((done) => decide(invocation, done, isAlone) || done()).then(() => unansweredOf(invocation).map(({ kind }) => kind));

  test('is seen, however the other side takes its time with each step', { timeout: 20_000 }, async () => {
    const invocation = { req: {} };
    invocations.run(invocation, () => client('get'));
    assert.deepEqual(await ends(invocation), ['Redis command']);
  });

  test('is the work of the only one who runs, when a module opened it ahead of him; of several nobody is accused', { timeout: 20_000 }, async () => {
    client('get');
    const [alone, other] = [{ req: {} }, { req: {} }];
    assert.deepEqual(await ends(other, false), []);
    assert.deepEqual(await ends(alone, true), ['Redis command']);
  });

  test('is nobody\'s where the response is over and another one runs, whose it may be', { timeout: 20_000 }, async (t) => {
    runs.set('1').set('2');
    t.after(() => runs.clear());
    const [over, running] = [{ req: {}, isDeciding: true }, { req: {} }];
    invocations.run(over, () => client('get'));
    assert.deepEqual(await ends(over), []);
    invocations.run(running, () => client('get'));
    assert.deepEqual(await ends(running), ['Redis command']);
  });

  test('is nobody\'s on a socket on disk, as our own channels are: the end of an invocation does not wait for them', { timeout: 20_000 }, async (t) => {
    const folder = mkdtempSync(path.join(tmpdir(), 'vs-'));
    t.after(() => rmSync(folder, { recursive: true }));
    const file = path.join(folder, 's');
    const silent = net.createServer(() => {});
    t.after(() => silent.close());
    await new Promise((done) => silent.listen(file, done));
    const socket = net.connect(file, () => socket.write('a word'));
    clients.push(socket);
    await new Promise((done) => socket.once('connect', done));
    assert.equal(decide({ req: {} }, () => assert.fail('not to be waited for'), true), false);
  });

  test('may be nothing: then nobody is accused, and the end waits for a moment only', { timeout: 20_000 }, async () => {
    const invocation = { req: {} };
    invocations.run(invocation, () => client());
    const from = performance.now();
    assert.deepEqual(await ends(invocation), []);
    assert.ok(performance.now() - from < 2_000);
    assert.deepEqual(await ends(invocation), [], 'and not again');
  });
});

describe('a database that takes no more connections', () => {
  const { refusalIn } = require('../../src/agent/shared/protocols.cjs');
  const message = (type, body) => {
    const head = Buffer.alloc(5);
    head.write(type);
    head.writeUInt32BE(Buffer.byteLength(body) + 4, 1);
    return Buffer.concat([head, Buffer.from(body)]);
  };
  const mysql = (code) => Buffer.concat([Buffer.from([7, 0, 0, 0, 0xff, code & 255, code >> 8]), Buffer.from('full')]);
  const full = message('E', 'SFATAL\0VFATAL\0C53300\0Msorry, too many clients already\0\0');

  test('Postgres, MySQL and Redis say so, before or behind the password', () => {
    assert.equal(refusalIn(full), '53300 sorry, too many clients already');
    assert.equal(refusalIn(Buffer.concat([message('R', '\0\0\0\x0c'), message('R', '\0\0\0\0'), full])), '53300 sorry, too many clients already');
    assert.equal(refusalIn(mysql(1040)), '1040 Too many connections');
    assert.equal(refusalIn(mysql(1203)), '1203 max_user_connections');
    assert.equal(refusalIn(Buffer.from('-ERR max number of clients reached\r\n')), 'max number of clients reached');
  });

  test('poolers say so in words', () => {
    for (const said of ['no more connections allowed (max_client_conn)', 'Max client connections reached', 'MaxClientsInSessionMode: max clients reached'])
      assert.equal(refusalIn(message('E', `SFATAL\0C08P01\0M${said}\0\0`)), said);
  });

  for (const [name, bytes] of [
    ['a wrong password of MySQL', mysql(1045)],
    ['a cut message of MySQL', mysql(1040).subarray(0, 9)],
    ['a wrong password', message('E', 'SFATAL\0C28P01\0Mpassword authentication failed (53300)\0\0')],
    ['rows that have the word', Buffer.concat([message('T', '\0\x01a'), message('D', 'C53300\0'), full])],
    ['a cut message', full.subarray(0, 12)],
    ['an answer of HTTP', Buffer.from('HTTP/1.1 503 max number of clients reached\r\n')],
    ['a greeting of MySQL', Buffer.from('\x4a\0\0\0\x0a8.0.30\0', 'latin1')],
  ])
    test(`${name} is none`, () => assert.equal(refusalIn(bytes), undefined));
});
