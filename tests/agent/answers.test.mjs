// What is made of answers without Next: whose begin nobody saw (unseen.cjs), what is static (statics.cjs), of an upgrade (requests.cjs), while ours fails (serve.cjs).
import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import http from 'node:http';
import { createRequire } from 'node:module';
import net from 'node:net';
import { describe, test } from 'node:test';

const require = createRequire(import.meta.url);
const nextOf = (version) => require('../../src/agent/next/index.cjs').createNext({ dist: '/nowhere', role: 'instance', version });

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
