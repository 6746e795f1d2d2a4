'use strict';
// Where a large answer of pages/api is sent: the app's own line that gave it to the response. vercel-sim judges its size; this only finds the place.
// Such an answer of a known length says so in its head, which carries the place (`at` of x-vsim-meta); of another one it is told when so much has been
// written.

const kLarge = 256 * 1024;  // bytes; below it nobody asks

module.exports = function (sim) {
  const { guard, hanging, invocations, tell } = sim;

  function watchAnswer(res, invocation) {
    if (invocation.kind !== 'PAGES_API' || invocation.runtime === 'edge' || invocation.isWarming) return;
    let bytes = 0;
    let trace;  // of the first call that gave something
    const { write, end, emit } = res;
    const note = (below) => (trace ??= hanging.traceBelow(below));
    const count = (chunk, encoding) => {
      if (invocation.answerAt !== undefined || !(typeof chunk === 'string' || chunk instanceof Uint8Array)) return;
      bytes += Buffer.byteLength(chunk, typeof encoding === 'string' ? /** @type {BufferEncoding} */ (encoding) : undefined);
      if (bytes < kLarge) return;
      const frame = invocations.run(invocation, () => hanging.userFrame({ trace }));
      invocation.answerAt = frame?.source ?? '';
      if (invocation.answerAt) tell({ t: 'answer', id: invocation.id, source: invocation.answerAt });
    };
    res.write = function written(...args) {
      guard('answer', () => (note(written), count(args[0], args[1])));
      return Reflect.apply(write, this, args);
    };
    res.end = function ended(...args) {
      guard('answer', () => (note(ended), count(args[0], args[1])));
      return Reflect.apply(end, this, args);
    };
    // What is piped is written by the stream later, with nothing of the app above it.
    res.emit = function piped(event, ...args) {
      if (event === 'pipe') guard('answer', () => note(piped));
      return Reflect.apply(emit, this, [event, ...args]);
    };
  }

  return { watchAnswer };
};
