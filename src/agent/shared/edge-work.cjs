'use strict';
// What code of the edge runtime leaves behind. Its timers and fetches go through Next's sandbox, which is what hanging.cjs would see: here they get the
// place of the caller. (The realm's timers are Node's, its fetch is an undici of its own.)

const diagnostics = require('node:diagnostics_channel');
const { AsyncLocalStorage } = require('node:async_hooks');

module.exports = function (sim) {
  const { hanging, invocations } = sim;
  const kWatched = Symbol('vsim.watched');
  const calls = new AsyncLocalStorage();  // of a fetch: its trace
  const open = new WeakMap();  // undici's request → its entry
  let isListening = false;

  function watchEdgeWork(context) {
    if (context[kWatched]) return;
    Object.defineProperty(context, kWatched, { value: true });
    for (const name of ['setTimeout', 'setInterval']) {
      const real = context[name];
      if (typeof real !== 'function') continue;
      context[name] = function timed(...args) {
        const invocation = invocations.getStore();
        const before = invocation?.left?.at(-1);
        const timer = Reflect.apply(real, this, args);
        const made = invocation?.left?.at(-1);
        if (made && made !== before) made.trace = hanging.traceBelow(timed);
        return timer;
      };
    }
    const { fetch } = context;
    if (typeof fetch !== 'function') return;
    context.fetch = function fetched(...args) {
      const invocation = invocations.getStore();
      if (!hanging.isOpenTo(invocation) || calls.getStore()) return Reflect.apply(fetch, this, args);
      return calls.run({ invocation, trace: hanging.traceBelow(fetched) }, () => Reflect.apply(fetch, this, args));
    };
    if (!isListening) listen();
    isListening = true;
  }

  function listen() {
    diagnostics.channel('undici:request:create').subscribe(({ request }) => {
      const call = calls.getStore();
      if (!call || !hanging.isOpenTo(call.invocation)) return;
      const entry = { kind: 'fetch', handle: { destroyed: false, request }, trace: call.trace };
      open.set(request, entry.handle);
      hanging.add(call.invocation, entry);
    });
    for (const end of ['undici:request:headers', 'undici:request:error']) {
      diagnostics.channel(end).subscribe(({ request }) => {
        const handle = open.get(request);
        if (handle) handle.destroyed = true;
      });
    }
  }

  return { watchEdgeWork };
};
