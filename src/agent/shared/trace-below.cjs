'use strict';
// Who called: an object whose `stack` has at most `frames` frames below a function of ours.
module.exports = function traceBelow(below, frames = 24) {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = frames;
  const trace = {};
  Error.captureStackTrace(trace, below);
  Error.stackTraceLimit = stackTraceLimit;
  return trace;
};
