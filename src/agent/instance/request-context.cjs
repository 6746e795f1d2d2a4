'use strict';
// The request context of the platform, for each invocation: what @vercel/functions, Next's after() and attachDatabasePool ask for.

const { kContexts } = require('../next/names.cjs');

module.exports = function (sim) {
  const { invocations } = sim;

  // Both symbols are looked up at each call; not enumerable, as the platform's own.
  function provideContext() {
    const provider = { get: () => contextOf(invocations.getStore()) };
    sim.provideMiddlewareContext = (realm) => Object.defineProperty(realm, Symbol.for(kContexts[0]), { value: provider, configurable: true, enumerable: false, writable: true });
    for (const name of kContexts)
      Object.defineProperty(globalThis, Symbol.for(name), { value: provider, configurable: true, enumerable: false, writable: true });
  }

  function contextOf(invocation) {
    if (!invocation?.req) return undefined;
    invocation.context ??= makeContext(invocation);
    return invocation.context;
  }

  function makeContext(invocation) {
    const { req } = invocation;
    const context = {
      waitUntil: (promise) => waitUntil(invocation, promise),
      headers: plainHeaders(req),
      url: `${req.headers['x-forwarded-proto'] === 'https' ? 'https' : 'http'}://${req.headers.host ?? 'localhost'}${req.url}`,
      method: req.method,
      get signal() {
        return signalOf(invocation);
      },
      // When vercel-sim has told how long this function may run: `new Date(deadline)` is the moment.
      get deadline() {
        return invocation.limitMs ? new Date((invocation.beganAt ?? Date.now()) + invocation.limitMs).toISOString() : undefined;
      },
      cache: runtimeCache,
      purge: purging,
      addCacheTag: async () => {},
    };
    if (invocation.socket) context.upgradeWebSocket = () => upgradeWebSocket(invocation);
    return context;
  }

  function plainHeaders({ headers }) {
    const out = {};
    for (const [name, value] of Object.entries(headers)) out[name] = Array.isArray(value) ? value.join(', ') : value;
    return out;
  }

  function signalOf(invocation) {
    if (!invocation.abort) {
      invocation.abort = new AbortController();
      invocation.onClosed(() => {
        if (!invocation.res.writableFinished) invocation.abort.abort();
      });
    }
    return invocation.abort.signal;
  }

  // The invocation lasts until these have settled. A rejection is the user's, and is told as the platform logs it. A promise, or a function that
  // makes one: @vercel/otel gives one that waits 50 ms for the end of the request's span, so it is called when the response is over, as that
  // expects. Anything else is nothing to wait for: only `waitUntil` of @vercel/functions insists on a promise, and says so itself.
  function waitUntil(invocation, work) {
    const logged = (promise) => promise.catch((error) => console.error(error));
    if (typeof work !== 'function') return hold(invocation, logged(Promise.resolve(work)));
    const called = new Promise((resolve) => {
      const call = () => resolve(logged(invocations.run(invocation, async () => work())));
      if (invocation.isClosed) call();
      else invocation.onClosed(call);
    });
    hold(invocation, called);
  }

  // The invocation lasts until this has settled, which never rejects.
  function hold(invocation, promise) {
    invocation.pending.add(promise);
    promise.then(() => {
      invocation.pending.delete(promise);
      invocation.settle();
    });
  }

  // ---- The runtime cache: shared by all instances, as the platform's is in a region; next dev keeps it (bundler-host.cjs) ------------------

  const runtimeCache = {
    async get(key) {
      sim.noteShared?.('it asked the runtime cache');
      const text = await sim.peer.call('cacheGet', String(key));
      return text === undefined ? null : JSON.parse(text);
    },
    async set(key, value, options) {
      const { ttl, tags } = options ?? {};
      const text = JSON.stringify(value ?? null) ?? 'null';
      await sim.peer.call('cacheSet', String(key), text, Number(ttl) > 0 ? Number(ttl) : undefined, tagList(tags));
    },
    async delete(key) {
      await sim.peer.call('cacheDelete', String(key));
    },
    async expireTag(tag) {
      await sim.peer.call('cacheExpire', tagList(tag));
    },
  };

  const tagList = (tags) => [tags ?? []].flat().map(String);

  // The CDN's cache: there is none here.
  const purging = {
    invalidateByTag: async () => {},
    dangerouslyDeleteByTag: async () => {},
    invalidateBySrcImage: async () => {},
    dangerouslyDeleteBySrcImage: async () => {},
  };

  // ---- WebSockets ----------------------------------------------------------------------------------------------------------------

  // Hands the socket over to the caller, who writes the 101 himself; the function's own response then goes nowhere. As the platform's runtime:
  // once for each request, events of the socket run in the context of the invocation.
  function upgradeWebSocket(invocation) {
    if (invocation.isUpgraded) throw new Error('ctx.upgradeWebSocket() can only be called once per request');
    invocation.isUpgraded = true;
    const { req, res, socket, head } = invocation;
    res.detachSocket(socket);
    const ended = () => {
      if (res.isGone) return;
      res.isGone = true;
      res.finished = true;
      res.emit('finish');
    };
    Object.assign(res, {
      writeHead: () => res,
      flushHeaders() {},
      write: () => true,
      end(...args) {
        args.find((arg) => typeof arg === 'function')?.();
        ended();
        return res;
      },
    });
    Object.defineProperty(res, 'headersSent', { value: true, configurable: true });
    const { emit } = socket;
    socket.emit = function (...args) {
      try {
        return invocations.run(invocation, () => Reflect.apply(emit, this, args));
      } catch (error) {
        sim.thrown = { error, by: invocation };  // the context is gone when nobody catches it
        throw error;
      }
    };
    socket.once('close', () => {
      req.emit('aborted');
      invocation.abort?.abort();
      sim.plain.setImmediate(() => res.emit('close'));  // after() of the close handlers still runs
    });
    return { req, socket, head };
  }

  return { provideContext, contextOf, hold };
};
