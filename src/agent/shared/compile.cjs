'use strict';
// What is compiled, for which invocation and how long.

module.exports = function (sim) {
  const { hello, invocations, round, tell } = sim;

  // Next internals: every compile on demand goes through hotReloader.ensurePage (hot-reloader-turbopack.js, hot-reloader-webpack.js),
  // lazy chunks of Turbopack through globalThis.__turbopack_ensure_chunk__.
  function hookCompile(hotReloader) {
    const { ensurePage } = hotReloader;
    hotReloader.ensurePage = function (...args) {
      return bracketed(args[0]?.definition?.page ?? args[0]?.page, () => ensurePage.apply(this, args));
    };
    let ensureChunk = globalThis.__turbopack_ensure_chunk__;
    Object.defineProperty(globalThis, '__turbopack_ensure_chunk__', {
      configurable: true,
      enumerable: false,
      get: () => ensureChunk,
      set(value) {
        ensureChunk = typeof value === 'function' ? (...args) => bracketed(undefined, () => value(...args)) : value;
      },
    });
    return true;
  }

  // Compilers run outside of the invocation's context: their timers are not the user's, and what they start is not its work.
  async function bracketed(page, compile) {
    const invocation = invocations.getStore();
    const from = performance.now();
    invocation?.compileStarted(page);
    try {
      return await invocations.exit(compile);
    } finally {
      const ms = performance.now() - from;
      if (invocation) invocation.compileEnded(page);
      else if (hello.said && !sim.boot && page !== undefined && ms >= 50) tell({ t: 'compiled', page, ms: round(ms) });
    }
  }

  return { hookCompile, bracketed };
};
