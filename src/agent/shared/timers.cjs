'use strict';
// The time scale. Timers of user code run faster, those of Next, React, bundlers and ourselves do not. Who calls is told by the file of the calling
// frame: what was compiled from the project, or a package while an invocation runs.

const Module = require('node:module');
const path = require('node:path');
const { isEvaluated } = require('../next/chunks.cjs');
const { isOfNext } = require('../next/names.cjs');

module.exports = function (sim) {
  const { invocations, kInvocation, options } = sim;

  function isUserCode(file) {
    if (!file || file.startsWith('node:') || file.startsWith(path.dirname(__dirname) + path.sep)) return false;
    if (isOfNext(file)) return false;
    if (isEvaluated(file) || isCompiled(file)) return true;
    return /[\\/]node_modules[\\/]/.test(file) && invocations.getStore() !== undefined;
  }

  function isCompiled(file) {
    const distDir = sim.server ? path.resolve(sim.server.dir ?? process.cwd(), sim.server.distDir ?? '.next') : undefined;
    return (distDir !== undefined && file.replace(/^file:\/\//, '').startsWith(distDir + path.sep)) || /[\\/]\.next[\\/]/.test(file);
  }

  function callerFile(below) {
    const { prepareStackTrace, stackTraceLimit } = Error;
    try {
      Error.stackTraceLimit = 1;
      Error.prepareStackTrace = (_, sites) => sites[0]?.getScriptNameOrSourceURL() ?? '';
      const holder = {};
      Error.captureStackTrace(holder, below);
      return String(holder.stack);
    } finally {
      Error.stackTraceLimit = stackTraceLimit;
      Error.prepareStackTrace = prepareStackTrace;
    }
  }

  function hookTimers() {
    const timers = require('node:timers');
    const promises = require('node:timers/promises');
    const { promisify } = require('node:util');
    // `at` is the place of the delay among the arguments.
    /** @template T @param {T & Function} real @param {number} at @param {any} [custom] @returns {T} */
    const scaled = (real, at, custom) => {
      const fast = function (...args) {
        if (args[at] > 0 && isUserCode(callerFile(fast))) args[at] = Math.max(1, args[at] / options.timeScale);
        return Reflect.apply(real, this, args);
      };
      Object.defineProperty(fast, 'name', { value: real.name });
      if (custom) Object.defineProperty(fast, promisify.custom, { value: custom, configurable: true });
      return /** @type {any} */ (fast);
    };
    promises.setTimeout = scaled(promises.setTimeout, 0);
    promises.setInterval = scaled(promises.setInterval, 0);
    promises.scheduler.wait = scaled(promises.scheduler.wait, 0);
    globalThis.setTimeout = timers.setTimeout = scaled(timers.setTimeout, 1, promises.setTimeout);
    globalThis.setInterval = timers.setInterval = scaled(timers.setInterval, 1);
    AbortSignal.timeout = scaled(AbortSignal.timeout, 0);
    Module.syncBuiltinESMExports();
  }

  // Edge functions see the globals of their own context, where only user code and what is bundled with it runs.
  function scaleEdgeTimers(context) {
    if (context[kInvocation]) return;
    context[kInvocation] = true;
    const scale = (real, at) =>
      function (...args) {
        if (args[at] > 0) args[at] = Math.max(1, args[at] / options.timeScale);
        return Reflect.apply(real, this, args);
      };
    context.setTimeout = scale(context.setTimeout, 1);
    context.setInterval = scale(context.setInterval, 1);
    if (context.AbortSignal?.timeout) context.AbortSignal.timeout = scale(context.AbortSignal.timeout, 0);
  }

  return { hookTimers, scaleEdgeTimers, isUserCode };
};
