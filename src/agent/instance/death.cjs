'use strict';
// How an instance dies of user code: as on the platform, and with its cause told first. `next dev` would go on.

module.exports = function (sim) {
  const { invocations, next, options, plain, plainExit, tell } = sim;
  // Exit statuses of the platform's launcher.
  const kStatus = { uncaughtException: 129, unhandledRejection: 128 };
  // What the code that failed may still have to say: an answer that does not depend on it.
  const kArrivalMs = 100;
  // Requests that were given to this instance before vercel-sim has heard that it dies are on their way: it says which, and they are waited for,
  // but not for ever. In turns of the event loop, since one that is busy (with rejections that are printed) has not looked whether they are here.
  const kLastMs = 100;
  const kLastTurns = 20;
  const kLongest = 4096;  // of a frame
  const expected = new Set();
  let isLastKnown = false;
  let status = 0;

  function dieAsThePlatformDoes() {
    for (const why of Object.keys(kStatus)) {
      process.removeAllListeners(why);
      process.on(why, (error) => fatal(why, error));
    }
    next.leaveRejections();
    process.exit = function (code = process.exitCode) {
      announce('exit', new Error(`process.exit(${code ?? ''})`), Number(code ?? 0));
      return /** @type {never} */ (plainExit(code));
    };
  }

  // On fluid compute the other requests that are running may finish first; no more come. The one whose code it was gets no answer any more, so
  // it is not waited for.
  function fatal(why, error) {
    if (next.isHarmless(error)) return;
    const culprit = invocations.getStore() ?? (sim.thrown?.error === error ? sim.thrown.by : undefined);
    if (culprit) culprit.isLost = true;
    const title = why === 'uncaughtException' ? 'Uncaught Exception' : 'Unhandled Rejection';
    console.error(`${title}:`, error);
    announce(why, error, kStatus[why]);
    const go = () => {
      sim.isDying = true;
      dieWhenDone();
      // Others go on. Its client shall not wait for their end: what it gets is what it would get if it had been alone here.
      if (culprit && sim.running.has(culprit.id)) tell({ t: 'crashed', id: culprit.id, code: kStatus[why] });
    };
    if (!options.isFluid) return go();
    plain.setTimeout(go, kArrivalMs);
    waitNoLonger(kLastTurns);
  }

  function waitNoLonger(turns) {
    if (turns > 0) return plain.setTimeout(waitNoLonger, kLastMs, turns - 1);
    expected.clear();
    isLastKnown = true;
    dieWhenDone();
  }

  // vercel-sim has heard of it: nothing comes any more but what it had placed here.
  function expect(ids) {
    isLastKnown = true;
    for (const id of ids) if (!sim.hasCome(id)) expected.add(id);
    dieWhenDone();
  }

  function announce(why, error, code) {
    status = code;
    const stack = String(error?.stack ?? '');
    tell({ t: 'dying', why, message: String(error?.message ?? error), stack, source: sim.guard('source', () => sourceOf(stack)), code });
  }

  // The first frame of the user's code in a stack, as the project knows it. Turbopack's file names have spaces, and folders of people.
  function sourceOf(stack) {
    for (const line of stack.split('\n').slice(1)) {
      if (line.length > kLongest) continue;  // a message, which may be anything
      const [, at] = / \((.*:\d+:\d+)\)$/.exec(line) ?? /^\s+at (?:async )?(.*:\d+:\d+)$/.exec(line) ?? [];
      const source = at && sim.isUserCode(at.replace(/:\d+:\d+$/, '')) ? sim.originalPosition(at) : undefined;
      if (source && !/(^|[\\/])node_modules[\\/]/.test(source)) return source;
    }
    return undefined;
  }

  function dieWhenDone() {
    if (!sim.isDying) return;
    if (options.isFluid) {
      for (const id of expected) if (sim.hasCome(id)) expected.delete(id);
      if (!isLastKnown || expected.size > 0 || [...sim.running.values()].some(({ isLost }) => !isLost)) return;
    }
    plainExit(status);
  }

  return { dieAsThePlatformDoes, dieWhenDone, expect, sourceOf };
};
