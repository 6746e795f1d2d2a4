'use strict';
// Middleware (proxy.ts, middleware.ts) runs in next dev. On the platform it is a function: when its answer and what waitUntil and after() were given are
// done, nobody waits for the rest. That is told, and where functions freeze it is stopped here: timers of the app's own code do not fire, and its requests that
// are not yet on their way are never sent. What has been sent cannot be taken back; sockets of packages are left alone.
// What it keeps in the memory of its modules is told too: here one process has it, there each of many instances has its own.

const diagnostics = require('node:diagnostics_channel');
const { bringsOf } = require('../shared/brings.cjs');

const kMost = 10;  // told of one request
const kContext = Symbol.for('@vercel/request-context');

module.exports = function (sim) {
  const { guard, hanging, invocations, next, options, plain, tell } = sim;

  // The request as middleware sees it is an invocation of its own, which is over before the function's begins.
  function makeRun(invocation, params) {
    const run = Object.create(invocation);
    return Object.assign(run, { req: params.request ?? {}, left: undefined, isOver: false, open: 0, requests: [], isStopped: false });
  }

  // `call` runs the entry with the parameters of Next's adapter: {request, handler?}. `entry`: the adapter.
  async function runMiddleware(params, call, entry) {
    const invocation = invocations.getStore();
    if (!invocation || !params?.request) return call(params);
    if (invocation.thrown) throw invocation.thrown;  // in its instance
    const run = makeRun(invocation, params);
    const state = sim.memory && guard('module state', () => stateOf(run, entry));
    const { waitUntil } = params.request;
    const given = { ...params, request: { ...params.request } };
    if (typeof waitUntil === 'function')
      given.request.waitUntil = (promise) => {
        hold(run, promise);
        return waitUntil(promise);
      };
    run.waitUntil = (promise) => {
      hold(run, promise);
      Promise.resolve(promise).catch((error) => console.error(error));
    };
    const done = holding(run);
    try {
      const result = await invocations.run(run, () => call(given));
      hold(run, result?.waitUntil);
      if (result?.response?.body && invocation.outgoing) hold(run, new Promise((closed) => invocation.outgoing.once('close', closed)));
      return result;
    } finally {
      // At once: a function that this request goes on to may look for what was put there.
      if (state) sim.memory.stateEnds(state);
      run.state = state;
      done();
    }
  }

  // ---- What it keeps ---------------------------------------------------------------------------------------------------------------

  const handlers = new WeakMap();  // an adapter → the user's function

  function stateOf({ id, req, outgoing }, entry) {
    if (!handlers.has(entry)) handlers.set(entry, sim.memory.handlerIn(entry));
    const handler = handlers.get(entry);
    const { pathname, search } = new URL(req.url, 'http://localhost');
    const headers = Object.fromEntries(req.headers instanceof Headers ? req.headers : Object.entries(req.headers ?? {}));
    const state = { id, req: { method: req.method ?? 'GET', url: pathname + search, headers, socket: outgoing?.socket }, brings: bringsOf(pathname, headers), isClosed: true };
    sim.memory.stateBegins(state, handler, sim.server && next.middlewareFile(sim.server));
    return state;
  }

  // ---- What it leaves behind -------------------------------------------------------------------------------------------------------

  function holding(run) {
    run.open++;
    return () => {
      // What the answer's own turn still begins belongs to it.
      if (--run.open === 0) plain.setImmediate(() => run.open === 0 && guard('middleware', () => ended(run)));
    };
  }

  function hold(run, promise) {
    if (typeof promise?.then !== 'function') return;
    const done = holding(run);
    run.isHeld = true;
    promise.then(done, done);
  }

  // A connection that is still being made may have a request behind it: that is seen in a moment.
  function ended(run) {
    if (run.isOver) return;
    if (run.state && run.isHeld) sim.memory.stateEnds(run.state);
    const open = (run.left ?? []).filter(hanging.isOpen).filter((one) => isOwn(run, one));
    if (options.stopsMiddleware) for (const { handle } of open) stopSending(handle);
    if (!sim.decide(run, () => guard('middleware', () => tellLeft(run, open)))) tellLeft(run, open);
  }

  function tellLeft(run, open) {
    const told = sim.hangingOf(run).filter(({ kind }) => kind !== 'server');
    const places = new Set(told.map(({ at }) => at));
    for (const one of options.stopsMiddleware ? open : []) {
      if (!places.has(hanging.userFrame(one)?.at)) continue;  // it is no work, or done
      run.isStopped = true;
      if (one.handle.hasRef) clearTimeout(one.handle);  // those of node:timers/promises wake, and what they then ask is not sent
    }
    if (told.length > 0) tell({ t: 'left', id: run.id, hanging: told.slice(0, kMost), stopped: run.isStopped });
  }

  function isOwn(run, one) {
    return invocations.run(run, () => hanging.userFrame(one))?.isOwn === true;
  }

  // Node internals: undici takes a request that is `aborted` out of its queue, and tells nobody.
  function stopSending({ request }) {
    if (request) request.aborted = true;
  }

  // What code asks that woke after its end.
  function hookRequests() {
    diagnostics.channel('undici:request:create').subscribe(({ request }) => {
      const run = invocations.getStore();
      if (run?.isStopped && run.isOver) request.aborted = true;
    });
  }

  function hookNodeMiddleware() {
    next.watchNodeMiddleware(sim.server, { guard, run: (adapter, params) => runMiddleware(params, adapter, adapter) });
  }

  // For waitUntil() of @vercel/functions.
  function provideMiddlewareContext(realm = globalThis) {
    if (Object.hasOwn(realm, kContext)) return;
    const get = () => {
      const run = invocations.getStore();
      return run?.waitUntil ? { waitUntil: run.waitUntil, headers: run.req.headers ?? {} } : undefined;
    };
    Object.defineProperty(realm, kContext, { value: { get }, configurable: true, enumerable: false, writable: true });
  }

  return { runMiddleware, hookRequests, hookNodeMiddleware, provideMiddlewareContext };
};
