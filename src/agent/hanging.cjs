'use strict';
// What an invocation leaves behind when it is over: timers that have yet to fire, sockets and servers that are open. Recorded when it is made and
// cheaply: its stack is taken but not written out; who made it is looked up when it is told. (async_hooks would see more, promises
// too, and make everything slow.)

const net = require('node:net');

const kMost = 10;  // told of one invocation
const kNext = /(^|[\\/])node_modules[\\/](\.pnpm[\\/][^\\/]+[\\/]node_modules[\\/])?(next|react|react-dom|scheduler)[\\/]/;

module.exports = function (sim) {
  const { invocations, isUserCode } = sim;

  // Wrapped beneath the time scale, whose check of the caller sees the frames above it.
  function hookHanging() {
    const timers = require('node:timers');
    for (const [name, kind] of [['setTimeout', 'timeout'], ['setInterval', 'interval']]) {
      const real = globalThis[name];
      const watched = function (...args) {
        const handle = Reflect.apply(real, this, args);
        const invocation = invocations.getStore();
        if (invocation?.req) note(invocation, kind, handle, watched);
        return handle;
      };
      Object.defineProperties(watched, Object.getOwnPropertyDescriptors(real));
      globalThis[name] = timers[name] = watched;
    }
    const { connect } = net.Socket.prototype;
    net.Socket.prototype.connect = function noted(...args) {
      const invocation = invocations.getStore();
      if (invocation?.req) note(invocation, 'socket', this, noted);
      return Reflect.apply(connect, this, args);
    };
    const { listen } = net.Server.prototype;
    net.Server.prototype.listen = function noted(...args) {
      const invocation = invocations.getStore();
      if (invocation?.req) note(invocation, 'server', this, noted);
      return Reflect.apply(listen, this, args);
    };
    require('node:module').syncBuiltinESMExports();
  }

  function note(invocation, kind, handle, below) {
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 12;
    const trace = {};
    Error.captureStackTrace(trace, below);
    Error.stackTraceLimit = stackTraceLimit;
    (invocation.left ??= []).push({ kind, handle, trace, from: performance.now() });
    if (invocation.left.length >= 256) invocation.left = invocation.left.filter(isOpen);
  }

  function isOpen({ kind, handle }) {
    if (kind === 'timeout' || kind === 'interval') return !handle._destroyed;
    if (kind === 'server') return handle.listening;
    // Node internals: null in a connection that waits in its agent for a next request. It hangs, but nobody waits for it.
    return !handle.destroyed && handle._httpMessage !== null;
  }

  // [{kind, at, source, ms}] of what is still open.
  function hangingOf(invocation) {
    const { left } = invocation;
    invocation.left = undefined;
    if (!left) return [];
    const told = [];
    for (const one of left) {
      if (told.length >= kMost) break;
      if (!isOpen(one)) continue;
      const found = invocations.run(invocation, () => userFrame(one.trace));
      if (found) told.push({ kind: one.kind, ...found, ms: Math.round(performance.now() - one.from) });
    }
    return told;
  }

  // The first frame of the user's code: {at: place in what was compiled, source: where it was written}; undefined if Next alone made it, whose
  // code is also bundled with the user's.
  function userFrame(trace) {
    const { prepareStackTrace } = Error;
    let sites = [];
    try {
      Error.prepareStackTrace = (_, given) => {
        sites = given;
        return '';
      };
      void trace.stack;
    } finally {
      Error.prepareStackTrace = prepareStackTrace;
    }
    for (const site of sites) {
      const file = site.getScriptNameOrSourceURL?.() ?? site.getFileName();
      if (!isUserCode(file)) continue;
      const at = `${file}:${site.getLineNumber()}:${site.getColumnNumber()}`;
      const source = sim.originalPosition(at);
      if (!kNext.test(source ?? '')) return { at, source };
    }
    return undefined;
  }

  return { hookHanging, hangingOf };
};
