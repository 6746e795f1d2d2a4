'use strict';
// What is compiled, for which invocation and how long.

module.exports = function (sim) {
  const { hello, invocations, round, tell } = sim;

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

  return { bracketed };
};
