// Parts of the agent that need no Next: values between processes, and calls over a socket.
import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import Module, { createRequire } from 'node:module';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';

const require = createRequire(import.meta.url);
const { pack, unpack } = require('../../src/agent/shared/values.cjs');
const { createPeer } = require('../../src/agent/shared/rpc.cjs');
const nextOf = (version) => require('../../src/agent/next/index.cjs').createNext({ dist: '/nowhere', role: 'instance', version });
const sent = (value) => unpack(JSON.parse(JSON.stringify({ value: pack(value) })).value);

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

describe('requests of the app to itself', () => {
  test('one in any mode goes to the plain port whole, though fetch refuses to copy one of a navigation', async () => {
    const real = globalThis.fetch;
    const asked = [];
    globalThis.fetch = async (input) => asked.push(input);
    try {
      const sim = { invocations: new AsyncLocalStorage(), options: { publicPort: 3000, isHttps: false } };
      require('../../src/agent/instance/own-requests.cjs')(sim).hookOwnRequests();
      for (const mode of ['cors', 'navigate']) {
        const request = new Request('https://localhost:3000/api/a?b=c', { method: 'POST', headers: { 'x-a': '1' }, body: 'text', redirect: 'manual' });
        Object.defineProperty(request, 'mode', { value: mode });
        await fetch(request);
        const got = asked.at(-1);
        assert.deepEqual([got.url, got.method, got.headers.get('x-a'), got.redirect, await got.text()], ['http://localhost:3000/api/a?b=c', 'POST', '1', 'manual', 'text']);
      }
    } finally {
      globalThis.fetch = real;
    }
  });
});

describe('answers whose begin nobody saw', () => {
  const { isUnseen, noteHandled } = require('../../src/agent/shared/unseen.cjs')();
  const html = { _header: 'HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n' };
  const flight = { _header: 'HTTP/1.1 200 OK\r\ncontent-type: text/x-component\r\n\r\n' };
  const json = { _header: 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n' };
  const unseen = (kind, invocation = {}, res = {}) =>
    isUnseen({ kind, page: '/a', runtime: 'nodejs', began: false, isWarming: false, isServed: true, isHandled: false, loading: 0, ...invocation }, { statusCode: 200, req: { method: 'GET' }, ...html, ...res });
  const handled = { isHandled: true };

  test('what only user code answers is unseen', () => {
    for (const kind of ['APP_ROUTE', 'PAGES_API', 'APP_PAGE', 'PAGES']) assert.ok(unseen(kind, handled), kind);
    for (const kind of ['APP_ROUTE', 'PAGES_API']) {
      for (const statusCode of [200, 201, 204, 302, 307]) assert.ok(unseen(kind, handled, { statusCode, ...json }), `${kind} ${statusCode}`);
      assert.ok(unseen(kind, handled, { req: { method: 'POST' }, ...json }), kind);
    }
    for (const kind of ['APP_ROUTE', 'PAGES_API', 'APP_PAGE']) assert.ok(unseen(kind, { runtime: 'edge' }), `edge ${kind}`);
  });

  test('no route module has ever got a request of the kind: that way is not known either', () => {
    assert.ok(unseen('APP_ROUTE', {}, json));
    noteHandled({ kind: 'APP_ROUTE' });
    assert.ok(!unseen('APP_ROUTE', {}, json), 'one answer for several requests');
    assert.ok(unseen('PAGES', {}));
    assert.ok(!unseen('PAGES_API', {}, { statusCode: 307 }));
  });

  test('what began, and what Next answers alone, is not', () => {
    const innocent = [
      ['APP_ROUTE', { ...handled, began: true }],
      ['APP_ROUTE', { ...handled, isWarming: true }],
      ['PAGES_API', { isServed: false }],
      ['APP_PAGE', { ...handled, loading: 1 }],
      ['PAGES', { ...handled, errorPage: true }],
      ...[304, 400, 404, 405, 413, 500].map((statusCode) => ['APP_ROUTE', handled, { statusCode }]),
      ...['/404', '/500', '/_error', '/_not-found/page', '/_not-found'].map((page) => ['PAGES', { ...handled, page }]),
      ['APP_PAGE', handled, flight],
      ['APP_PAGE', handled, { statusCode: 307 }],
      ['APP_PAGE', handled, { req: { method: 'HEAD' } }],
      ['PAGES', handled, json],
      ['APP_PAGE', { runtime: 'edge' }, flight],
      ['IMAGE', {}],
    ];
    for (const one of innocent) assert.equal(unseen(...one), false, JSON.stringify(one));
  });
});

describe('static or not', () => {
  const sim = { guard: (_, action) => action(), next: nextOf('15.5.0'), invocations: new AsyncLocalStorage(), options: { timeScale: 1 }, noteHandled() {}, dispatchTo() {}, lacks() {} };
  const statics = require('../../src/agent/shared/statics.cjs')(sim);
  const { isErrorPage } = require('../../src/agent/shared/unseen.cjs')();
  Object.assign(sim, statics, { isErrorPage });
  const guessed = (page) => statics.looksStatic({ readOnly: true, path: page }, `${page}/page`, 'APP_PAGE');

  test('modules that were loaded ahead say it of a page that nobody has asked for whole', () => {
    const ahead = {
      '/forced': [{ name: 'layout', exports: {} }, { name: 'page', exports: { dynamic: 'force-dynamic' } }],
      '/layout': [{ name: 'layout', exports: { revalidate: 0 } }, { name: 'page', exports: {} }],
      '/asks': [{ name: 'page', exports: { default: async ({ searchParams }) => searchParams } }],
      '/still': [{ name: 'layout', exports: {} }, { name: 'page', exports: { default: () => 'still', revalidate: 60 } }],
      '/kept': [{ name: 'page', exports: { dynamic: 'force-static', default: ({ searchParams }) => searchParams } }],
      '/broken': [{ name: 'page', exports: undefined }],
    };
    for (const [page, segments] of Object.entries(ahead)) {
      assert.equal(guessed(page), true, page);
      statics.loadedAhead(`${page}/page`, segments);
    }
    assert.deepEqual(Object.keys(ahead).filter((page) => !guessed(page)), ['/forced', '/layout', '/asks']);
  });

  test('the page of errors of a function that failed says nothing of the function, and all of itself', () => {
    const { handlerHooks } = require('../../src/agent/shared/handlers.cjs')(sim);
    class PagesRouteModule {
      constructor(page) {
        Object.assign(this, { definition: { page }, userland: {} });
      }
      render() {}
    }
    handlerHooks[0][1]({ PagesRouteModule });
    const told = (dispatched, rendered) => {
      const invocation = { page: dispatched, readOnly: true, begun: 0, isStatic: undefined, begin: () => (invocation.begun += 1), setStatic: (isStatic) => (invocation.isStatic = isStatic) };
      sim.invocations.run(invocation, () => new PagesRouteModule(rendered).render(0, 0, { renderOpts: {} }));
      assert.equal(invocation.begun, 1, 'its code runs in the time of the function');
      return invocation.isStatic;
    };
    assert.deepEqual([told('/api/a/route', '/500'), told('/users', '/_error'), told('/users', '/users'), told('/404', '/_error')], [undefined, undefined, true, true]);
  });
});

describe('an upgrade that is answered as the request that it is', () => {
  // As Next pipes a page: piece by piece, and none before the one before it is taken.
  const write = (res, piece) => new Promise((done) => (res.write(piece) ? done() : res.once('drain', done)));

  test('an answer larger than the socket takes at once comes whole, and the connection ends', { timeout: 20_000 }, async () => {
    const sim = { options: { token: '' }, next: nextOf('16.4.6') };
    const { responseFor } = require('../../src/agent/shared/requests.cjs')(sim);
    const piece = 'x'.repeat(64 * 1024);
    const closed = [];
    const server = http.createServer().on('upgrade', async (req, socket) => {
      const res = responseFor(req, socket);
      res.on('close', () => closed.push(res.writableNeedDrain));
      res.writeHead(404, { 'content-type': 'text/html' });
      for (let i = 0; i < 32; i++) await write(res, piece);
      res.end('end');
    });
    await new Promise((done) => server.listen(0, '127.0.0.1', done));
    try {
      const client = net.connect(server.address().port, '127.0.0.1');
      client.write('GET /nope HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
      let text = '';
      for await (const chunk of client) text += chunk.toString('latin1');
      assert.match(text, /^HTTP\/1\.1 404 /);
      assert.equal(text.split('x'.repeat(1024)).length - 1, 32 * 64);
      assert.match(text, /end\r\n0\r\n\r\n$/);
      assert.deepEqual(closed, [false]);
    } finally {
      server.close();
    }
  });
});

describe('what reads the memory of modules and fails', () => {
  const guarded = (missing) => (hook, action) => {
    try {
      return action();
    } catch {
      missing.push(hook);
    }
  };

  test('pieces of a body that cannot be copied reach the request all the same', () => {
    const missing = [];
    const sim = { boot: { options: { dir: '/' } }, guard: guarded(missing), options: {}, plain: { setTimeout }, tell() {} };
    const { stateBegins, watchBody } = require('../../src/agent/shared/module-state.cjs')(sim);
    const got = [];
    const req = { push: (...args) => got.push(args) > 0 };
    const text = watchBody(req);
    const odd = new Proxy({}, { get() { throw new Error('nobody looks into this'); } });
    for (const args of [[Buffer.from('one')], ['two', 'utf8'], [odd], [{ three: 3 }], [null]]) assert.equal(req.push(...args), true);
    assert.deepEqual(got.map(([one]) => (Buffer.isBuffer(one) ? 'one' : one)), ['one', 'two', odd, { three: 3 }, null]);
    assert.equal(text(), 'onetwo');
    stateBegins({ id: '1', req }, [odd]);
    assert.deepEqual([...new Set(missing)], ['module state']);
  });

  // serve.cjs with `parts` for those that it calls; the body of the answer to one request.
  async function serve(parts) {
    const sim = {
      options: {}, plain: { setImmediate }, tell() {}, guard: (_, action) => action(), invocations: new AsyncLocalStorage(), kInvocation: Symbol(), next: nextOf('16.4.6'),
      dressSocket() {}, publicAddress: () => ({ port: 3000 }), takeFields: () => ({ id: '7', meta: Buffer.from('{"meta":{},"resHeaders":{},"status":200}').toString('base64') }),
      makeInvocation: (req, id) => (req[sim.kInvocation] = { id, began: false, begin() {} }), watchResponse() {}, watchAnswer() {}, caughtUp() {}, registerInstrumentation() {}, decide() {},
      newFiles() {}, hangingOf: () => [], dieWhenDone() {}, watchBody() {}, stateEnds() {}, tellConnections() {}, watchMade() {}, tellMade() {}, tellReads() {}, tellTmp() {}, tellPlan() {},
      ...parts,
    };
    const server = http.createServer();
    require('../../src/agent/instance/serve.cjs')(sim).prepareServer(server);
    await new Promise((done) => net.Server.prototype.listen.call(server, 0, '127.0.0.1', done));
    try {
      const answer = await new Promise((done, fail) => http.request({ port: portOf(server), host: '127.0.0.1', method: 'POST', agent: false }, done).on('error', fail).end('the body'));
      let text = '';
      for await (const chunk of answer) text += chunk;
      return text;
    } finally {
      server.close();
    }
  }

  test('is no part of the answer: the response is whole and its end is told', { timeout: 20_000 }, async () => {
    const missing = [];
    const fails = () => {
      throw new Error('of ours');
    };
    const done = new Promise((told) => {
      const tell = (message) => message.t === 'done' && told(message);
      const answer = (req, res) => req.pipe(res);
      serve({ tell, guard: guarded(missing), watchBody: fails, stateEnds: fails, answer }).then((text) => assert.equal(text, 'the body'));
    });
    assert.deepEqual(await done, { t: 'done', id: '7' });
    assert.deepEqual([...new Set(missing)], ['module state']);
  });

  test('what is put off to the next turn when the response is over is done before anybody looks at what is left', { timeout: 20_000 }, async () => {
    const order = [];
    const answer = (_, res) =>
      new Promise((served) => {
        res.on('close', () => {
          setImmediate(() => order.push('written'));
          served();
        });
        res.end('x');
      });
    await new Promise((looked) => serve({ answer, decide: () => looked(order.push('looked')) }));
    assert.deepEqual(order, ['written', 'looked']);
  });

  function portOf(server) {
    const out = {};
    server._handle.getsockname(out);
    return out.port;
  }
});

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

describe('where an instance died', () => {
  const sim = { isUserCode: (file) => file.includes('/.next/') || file.startsWith('webpack-internal:'), originalPosition: (at) => at };
  const { sourceOf } = require('../../src/agent/instance/death.cjs')(sim);

  for (const [frame, expected] of [
    ['at GET (/home/a/My Apps (old)/.next/server/chunks/[root of the server]__5827._.js:54:11)', '/home/a/My Apps (old)/.next/server/chunks/[root of the server]__5827._.js:54:11'],
    ['at async /home/a/My Apps/.next/server/x.js:5:1', '/home/a/My Apps/.next/server/x.js:5:1'],
    ['at Object.<anonymous> (webpack-internal:///(rsc)/./app/api/x/route.js:8:11)', 'webpack-internal:///(rsc)/./app/api/x/route.js:8:11'],
    ['at new Room [as made] (file:///home/a/.next/server/x.js:5:1)', 'file:///home/a/.next/server/x.js:5:1'],
  ]) {
    test(frame, () => assert.equal(sourceOf(`Error: no\n    at Socket.emit (node:events:518:28)\n    ${frame}\n    at run (/home/a/node_modules/next/x.js:1:1)`), expected));
  }

  test('nowhere in the user\'s code', () => assert.equal(sourceOf('Error: no\n    at run (/home/a/node_modules/next/x.js:1:1)\n    at <anonymous>'), undefined));
});

describe('what a handler reaches in the memory of modules', () => {
  // Of the shape of a database's client: a class of a package that Node loads itself, which leads to hundreds of functions and holds a large buffer.
  const kClient = `const table = new Map();
${Array.from({ length: 200 }, (_, i) => `function f${i}() { table.set(${i}, 1); return f${(i + 1) % 200}(); }`).join('\n')}
class Client { constructor() { this.bytes = Buffer.alloc(20 << 20); this.run = () => f0(); } connect() { return f0(); } }
module.exports = { Client };
`;
  const kChunk = `const { Client } = require('client');
module.exports = ['[project]/app/api/a/route.js', (__turbopack_context__) => {
  const client = new Client();
  const rooms = new Map();
  class Counter { add() { seen.push(1); } }
  const seen = [];
  const counter = new Counter();
  return async function GET() { rooms.set(1, 2); counter.add(); return client.connect(); };
}];
`;

  // As Turbopack puts a package and the modules that import it into one file.
  const kBundled = `module.exports = [
"[project]/node_modules/kit/index.js [app-route] (ecmascript)", ((context) => {
const warned = new Set();
class Kit { warn(text) { warned.add(text); } }
context.Kit = Kit;
}),
"[project]/lib/carts.ts [app-route] (ecmascript)", ((context) => {
var __TURBOPACK__imported__module__$5b$project$5d2f$node_modules$2f$kit$2f$index$2e$js__$5b$app$2d$route$5d$__$28$ecmascript$29$__ = context;
const totals = new Map();
class Carts {
  kit = new __TURBOPACK__imported__module__$5b$project$5d2f$node_modules$2f$kit$2f$index$2e$js__$5b$app$2d$route$5d$__$28$ecmascript$29$__["Kit"]();
  add(id) { totals.set(id, 1); }
}
context.carts = new Carts();
context.kit = new __TURBOPACK__imported__module__$5b$project$5d2f$node_modules$2f$kit$2f$index$2e$js__$5b$app$2d$route$5d$__$28$ecmascript$29$__["Kit"]();
}),
"[project]/app/api/a/route.ts [app-route] (ecmascript)", ((context) => {
var __TURBOPACK__imported__module__$5b$project$5d2f$lib$2f$carts$2e$ts__$5b$app$2d$route$5d$__$28$ecmascript$29$__ = context;
context.GET = function GET() {
  __TURBOPACK__imported__module__$5b$project$5d2f$lib$2f$carts$2e$ts__$5b$app$2d$route$5d$__$28$ecmascript$29$__["carts"].add(1);
  __TURBOPACK__imported__module__$5b$project$5d2f$lib$2f$carts$2e$ts__$5b$app$2d$route$5d$__$28$ecmascript$29$__["kit"].warn("no");
};
})];
`;
  // And webpack: each module a text that is evaluated, with its require around it.
  const kWebpack = `const modules = {
"(rsc)/./node_modules/kit/index.js": (module, exports, __webpack_require__) => { eval(${JSON.stringify('const warned = new Set();\nclass Kit { warn(text) { warned.add(text); __webpack_require__; } }\nexports.Kit = Kit;')}); },
"(rsc)/./lib/carts.ts": (module, exports, __webpack_require__) => { eval(${JSON.stringify('const kit__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__("(rsc)/./node_modules/kit/index.js");\nconst totals = new Map();\nclass Carts { kit = new kit__WEBPACK_IMPORTED_MODULE_0__.Kit(); add(id) { totals.set(id, 1); __webpack_require__; } }\nexports.carts = new Carts();\nexports.kit = new kit__WEBPACK_IMPORTED_MODULE_0__.Kit();')}); },
"(rsc)/./app/api/a/route.ts": (module, exports, __webpack_require__) => { eval(${JSON.stringify('var _lib_carts__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(/*! @/lib/carts */ "(rsc)/./lib/carts.ts");\nexports.GET = function GET() { _lib_carts__WEBPACK_IMPORTED_MODULE_0__.carts.add(1); _lib_carts__WEBPACK_IMPORTED_MODULE_0__.kit.warn("no"); __webpack_require__; };')}); },
};
const made = {};
function __webpack_require__(id) {
  if (!made[id]) modules[id]({}, (made[id] = {}), __webpack_require__);
  return made[id];
}
__webpack_require__.m = modules;
module.exports = { GET: __webpack_require__("(rsc)/./app/api/a/route.ts").GET };
`;

  const inChunk = async (text, files, look) => {
    const dir = mkdtempSync(path.join(tmpdir(), 'vs-reach-'));
    const { _compile } = Module.prototype;
    try {
      for (const [name, content] of Object.entries({ ...files, '.next/server/a.js': text })) {
        mkdirSync(path.dirname(path.join(dir, name)), { recursive: true });
        writeFileSync(path.join(dir, name), content);
      }
      const sim = { boot: { options: { dir }, config: { distDir: '.next' } } };
      Object.assign(sim, require('../../src/agent/shared/loaded.cjs')(sim));
      sim.hookLoaded();
      await look(require('../../src/agent/shared/scopes.cjs')(sim), require(path.join(dir, '.next/server/a.js')));
    } finally {
      Module.prototype._compile = _compile;
      rmSync(dir, { recursive: true, force: true });
    }
  };

  test('its own variables, those of its classes, and no code of packages', () =>
    inChunk(kChunk, { 'node_modules/client/index.js': kClient }, ({ reach, read }, chunk) => {
      const bindings = reach(chunk[1](), 'app/api/a/route.js');
      assert.deepEqual(bindings.map(({ name }) => name).sort(), ['client', 'counter', 'rooms', 'seen']);
      const [rooms] = read(bindings.filter(({ name }) => name === 'rooms'));
      assert.equal(rooms instanceof Map, true);
    }));

  test('a class of the user\'s whose module imports a package, with Turbopack: its own, and not the package\'s', () =>
    inChunk(kBundled, {}, ({ reach }, chunk) => {
      const context = {};
      for (const factory of chunk.filter((one) => typeof one === 'function')) factory(context);
      const bindings = reach(context.GET, 'app/api/a/route.ts');
      assert.deepEqual(bindings.map(({ name, key, file }) => `${key ?? name} in ${file}`).sort(), ['carts in lib/carts.ts', 'kit in lib/carts.ts', 'totals in lib/carts.ts']);
    }));

  test('and with webpack', () =>
    inChunk(kWebpack, {}, ({ reach }, { GET }) => {
      const bindings = reach(GET, 'app/api/a/route.ts');
      assert.deepEqual(bindings.map(({ name, key, file }) => `${key ?? name} in ${file}`).sort(), ['carts in lib/carts.ts', 'kit in lib/carts.ts', 'totals in lib/carts.ts']);
    }));

  // In webpack's functions stands their source map, one word of a hundred thousand letters: a pattern that begins anew at each of them takes minutes.
  test('a static field that only the class itself makes: also while it is not there yet', () => {
    const { reach, read } = require('../../src/agent/shared/scopes.cjs')({ takeCompiled: () => [] });
    const make = new Function('__webpack_require__', `
      class Orders { static name = { a: 1 }; static get() { return Orders.one ??= new Orders(); } is(other) { return Orders.two === other && Orders.three <= 1; } }
      return function GET() { __webpack_require__; return Orders.get(); };`);
    const GET = make(() => {});
    const bindings = reach(GET, 'app/api/a/route.ts').filter(({ owner }) => owner);
    assert.deepEqual(bindings.map(({ name }) => name), ['Orders.one']);
    assert.deepEqual(read(bindings), [undefined]);
    const made = GET();
    assert.equal(read(bindings)[0], made);
  });

  test('a function with a source map in its text is read at once, and one that is a whole bundle is not read', { timeout: 20_000 }, () => {
    const { reach } = require('../../src/agent/shared/scopes.cjs')({});
    const seen = new Map();
    const made = (size) => new Function('seen', `const hidden = new Set(); return function (request) { /* ${'A'.repeat(size)} */ return seen.size + hidden.size; };`)(seen);
    const namesOf = (fn) => reach(fn, 'app/api/a/route.ts').map(({ name }) => name).sort();
    assert.deepEqual(namesOf(made(190_000)), ['hidden', 'seen']);
    const bundle = made(2_000_000);
    assert.deepEqual(namesOf(() => bundle() + seen.size), ['seen']);
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

  test('the user\'s function of middleware, as the adapter of each Next names it', () => {
    const { handlerIn, reach } = require('../../src/agent/shared/scopes.cjs')({});
    const seen = new Map();
    const middleware = () => seen.size;
    const adapter = (given) => given;
    const page = '/middleware';
    const made = {
      14: ((handler) => function nHandler(opts) { return adapter({ ...opts, page, handler }); })(middleware),
      15: ((handler, errorHandledHandler) => function nHandler(opts) { return adapter({ ...opts, page, handler: errorHandledHandler(handler) }); })(middleware, (fn) => fn),
      16: ((handlerUserland, errorHandledHandler) => async (opts) => adapter({ ...opts, page, handler: errorHandledHandler(handlerUserland) }))(middleware, (fn) => fn),
      another: () => adapter({ page }),
    };
    for (const next of [14, 15, 16]) assert.equal(handlerIn(made[next]), middleware, next);
    assert.equal(handlerIn(made.another), undefined);
    assert.deepEqual(reach(middleware, 'proxy.ts').map(({ name, file }) => `${name} in ${file}`), ['seen in proxy.ts']);
  });
});

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

describe('what cannot be looked at', () => {
  const { linkStatOf, realOf, statOf } = require('../../src/agent/shared/paths.cjs');

  test('is as what is not there: names that are too long or no path, links that lead to themselves', () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'vs-'));
    const loop = path.join(folder, 'loop');
    symlinkSync(loop, loop);
    try {
      for (const file of [`/tmp/${'x'.repeat(400)}`, '/tmp/a\0b', path.join(loop, 'a'), '/dev/null/a', path.join(folder, 'none')])
        for (const look of [linkStatOf, realOf, statOf]) assert.equal(look(file), undefined, file.slice(0, 20));
      assert.ok(linkStatOf(loop).isSymbolicLink());
      assert.equal(statOf(loop), undefined);
      assert.ok(statOf(folder).isDirectory());
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('nobody is told of a name in /tmp that no file can have', () => {
    const { namesInTmp } = require('../../src/agent/dev/tmp-names.cjs');
    assert.deepEqual(namesInTmp({ A: `/tmp/.X-${'9'.repeat(400)}` }, []), { entries: [], standIns: [], shared: undefined });
  });
});
