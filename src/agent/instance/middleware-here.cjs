'use strict';
// Middleware in an instance: when the user's function begins, and its answer, which Next's router in next dev is to have as it would have had it there.

const http = require('node:http');
const { pack, unpack } = require('../shared/values.cjs');

const kAnswer = 'vercel-sim-middleware';

module.exports = function (sim) {
  const { guard, invocations } = sim;
  const wrapped = new WeakMap();  // a module of middleware → ours

  const handlers = new WeakMap();  // an adapter → the user's function
  const isMiddleware = (invocation) => invocation?.kind === 'MIDDLEWARE';

  // The head was written without what belongs to a connection. While it is compiled anew Next has none for a moment, which may be told here when the request has
  // passed that place in next dev. Next internals: DevServer.middleware {page, match, matchers}; `match` is made of the others.
  function takeMiddleware(req, { hop, middleware }) {
    Object.assign(req.headers, hop);
    sim.server.middleware ??= { ...unpack(middleware), match: null };
  }

  // `entry`: the adapter of Next, which calls the user's function.
  function runHere(entry, call) {
    const invocation = invocations.getStore();
    if (!isMiddleware(invocation)) return call();
    if (!handlers.has(entry)) handlers.set(entry, guard('module state', () => sim.handlerIn(entry)));
    const handler = handlers.get(entry);
    if (invocation.isWarming) {
      sim.prepareState(handler, invocation.file);
      return Promise.resolve({ response: new Response(null, { headers: { 'x-middleware-next': '1' } }), waitUntil: Promise.resolve() });
    }
    sim.stateBegins(invocation, handler, invocation.file);
    invocation.begin();
    return call();
  }

  // Next internals: next-server.js calls the default export (the adapter) of what loadNodeMiddleware() gives.
  function hookNodeMiddleware() {
    const { server } = sim;
    hookErrors(Object.getPrototypeOf(Object.getPrototypeOf(server)));
    if (typeof server.loadNodeMiddleware !== 'function') return;
    const load = server.loadNodeMiddleware;
    server.loadNodeMiddleware = async function (...args) {
      const module = await load.apply(this, args);
      return guard('node middleware', () => wrapModule(module)) ?? module;
    };
  }

  // What it throws is shown by next dev, which has the page of errors: with webpack an instance that has loaded one function's code can load no other's.
  // Next internals: DevServer.runMiddleware calls that of next-server.js, and turns what that throws into a page.
  function hookErrors(base) {
    const run = base.runMiddleware;
    if (typeof run !== 'function') return sim.lacks('node middleware');
    base.runMiddleware = async function (...args) {
      try {
        return await Reflect.apply(run, this, args);
      } catch (error) {
        const invocation = invocations.getStore();
        if (!isMiddleware(invocation) || error?.constructor?.name === 'DecodeError') throw error;
        guard('refused', () => sim.lookAtError?.(error));
        invocation.thrown = pack(error instanceof Error ? error : new Error(String(error?.message ?? error)));
        return { response: new Response(null, { status: 500 }), waitUntil: Promise.resolve() };
      }
    };
  }

  function wrapModule(module) {
    const adapter = module?.default;
    if (typeof adapter !== 'function') return module;
    if (!wrapped.has(module)) {
      const value = (...args) => runHere(adapter, () => adapter(...args));
      wrapped.set(module, Object.create(module, { default: { value, enumerable: true } }));
    }
    return wrapped.get(module);
  }

  // What the render server throws where middleware has answered. False: that was no such thing.
  async function answerMiddleware(invocation, res, error) {
    const { response, waitUntil } = error?.result ?? {};
    if (!isMiddleware(invocation) || !response || res.headersSent) return false;
    if (waitUntil && !invocation.isWarming) sim.contextOf(invocation).waitUntil(Promise.resolve(waitUntil).catch(() => {}));
    const { body, headers, status } = response;
    const told = { status, headers: [...headers], hasBody: Boolean(body), thrown: invocation.thrown };
    for (const name of res.getHeaderNames()) res.removeHeader(name);
    res.writeHead(status, { [kAnswer]: Buffer.from(JSON.stringify(told)).toString('base64') });
    if (body) await pipe(body, res);
    else http.ServerResponse.prototype.end.call(res);
    return true;
  }

  async function pipe(body, res) {
    const reader = body.getReader();
    try {
      for (let { done, value } = await reader.read(); !done; { done, value } = await reader.read()) {
        if (!res.write(value)) await new Promise((drained) => ['drain', 'close'].forEach((event) => res.once(event, drained)));
        if (res.destroyed) return void reader.cancel().catch(() => {});  // nobody reads it any more
      }
      res.end();
    } catch (error) {
      res.destroy(error);
    }
  }

  return { takeMiddleware, runHere, hookNodeMiddleware, answerMiddleware };
};
