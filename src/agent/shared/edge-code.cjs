'use strict';
// Code that is made while it runs, on the edge runtime: eval, new Function, WebAssembly from bytes. There the call throws; Next's sandbox allows it in
// development, with a warning. Here it throws as there, and is told when the function has answered: as what broke it, or as what it got over (libraries
// try it to see where they are). In instances for functions, in next dev for middleware.

const fs = require('node:fs');
const path = require('node:path');
const vm = require('node:vm');
const { evaluatedName } = require('../next/chunks.cjs');
const { isOfNext } = require('../next/names.cjs');

const kPackage = /(^|[\\/])node_modules[\\/]/;
const kMost = 10;  // told of one invocation
// What a library asks to see whether it may: nobody misses the code.
const kProbe = /^\s*(return this;?)?\s*$/;
const kRefused = /Code generation from strings disallowed|Wasm code generation disallowed/;

module.exports = function (sim) {
  const { hanging, invocations, next } = sim;
  const kRefuses = Symbol('vsim.refuses');
  const errors = new WeakMap();  // that were thrown → {what, at, source, isProbe}
  const install = fs.readFileSync(path.join(__dirname, 'edge-realm.cjs'), 'utf8');

  function refuseCode(context) {
    if (context[kRefuses]) return;
    Object.defineProperty(context, kRefuses, { value: true });
    const realm = vm.runInContext(install, context, { filename: path.join(__dirname, 'edge-realm.cjs') })(refusal, remember, !next.evaluatesModules());
    next.watchEval(context, (text, below) => realm.check('eval()', text, below));
  }

  // What is told of a call, or undefined: it is Next's or React's own, which production does not have.
  function refusal(what, text, below) {
    const frames = framesBelow(below);
    if (frames.length === 0 || frames[0].isNext) return undefined;
    const own = frames.find(({ isNext, source }) => !isNext && source && !kPackage.test(source)) ?? frames[0];
    return { what, at: own.at, source: own.source, isProbe: kProbe.test(text) };
  }

  function remember(error, entry) {
    errors.set(error, entry);
    const invocation = invocations.getStore();
    if (!invocation) return;
    invocation.refused ??= [];
    if (invocation.refused.length < kMost && !invocation.refused.some(({ at, what }) => at === entry.at && what === entry.what)) invocation.refused.push({ ...entry, error });
    if (invocation.hasAnswered) settle(invocation, () => false);  // a stream, or work that goes on
  }

  // Nothing maps webpack's evaluated text in next dev: the file is known.
  function framesBelow(below) {
    return hanging.framesOf(hanging.traceBelow(below)).map(({ file, at, source }) => {
      const written = source ?? evaluatedName(file);
      return { at, source: written, isNext: isOfNext(written ?? file) };
    });
  }

  // ---- What became of the function -------------------------------------------------------------------------------------------------

  // Its entry in the sandbox, called for one request.
  async function watchEdge(run) {
    const invocation = invocations.getStore();
    if (!invocation) return run();
    try {
      const result = await run();
      const isError = result?.response?.status >= 500;
      settle(invocation, ({ isProbe }) => isError && !isProbe);
      return result;
    } catch (error) {
      edgeFailed(error);
      throw error;
    } finally {
      invocation.hasAnswered = true;
    }
  }

  // Thrown by the entry, or by its modules when they were loaded, perhaps for a request before.
  function edgeFailed(error) {
    const invocation = invocations.getStore();
    if (!invocation) return;
    let known;
    for (let cause = error, depth = 0; cause && depth < 8; cause = cause.cause, depth++) known ??= typeof cause === 'object' ? errors.get(cause) : undefined;
    if (known) invocation.refused = [...(invocation.refused ?? []).filter(({ at }) => at !== known.at), { ...known, error }];
    const isOf = kRefused.test(String(error?.message ?? error));
    settle(invocation, (entry) => (known ? entry.at === known.at : isOf));
  }

  function settle(invocation, hasFailed) {
    const { refused } = invocation;
    if (!refused) return;
    invocation.refused = undefined;
    for (const entry of refused) {
      const failed = hasFailed(entry);
      if (entry.isProbe && !failed) continue;
      const { what, at, source } = entry;
      const key = `${what} ${at} ${failed}`;
      if (invocation.refusals?.has(key)) continue;
      (invocation.refusals ??= new Set()).add(key);
      invocation.tell({ t: 'refused', id: invocation.id, what, at, source, failed, ...(invocation.page === undefined && { middleware: true }) });
    }
  }

  return { refuseCode, watchEdge, edgeFailed };
};
