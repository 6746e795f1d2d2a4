'use strict';
// What is compiled, and for which invocation.

module.exports = function (sim) {
  const { invocations } = sim;

  // Compilers run outside of the invocation's context: their timers are not the user's, and what they start is not its work.
  async function bracketed(page, compile) {
    const invocation = invocations.getStore();
    invocation?.compileStarted(page);
    try {
      return await invocations.exit(compile);
    } finally {
      invocation?.compileEnded(page);
    }
  }

  return { bracketed };
};
