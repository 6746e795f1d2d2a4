// Evaluated in the context of each edge function (edge-code.cjs), whose own errors are thrown. `refusal(what, text, below)` answers what is told of a
// call, or undefined if it may be. The words are V8's, where a context allows no code.
(function (refusal, remember, withEval) {
  'use strict';
  const { apply, construct } = Reflect;
  const kStrings = 'Code generation from strings disallowed for this context';
  const kWasm = 'Wasm code generation disallowed by embedder';

  function wasRefused(error, what, text, below) {
    const told = refusal(what, text, below);
    if (told === undefined) return false;
    remember(error, told);
    return true;
  }
  function check(what, text, below) {
    const error = new EvalError(kStrings);
    if (wasRefused(error, what, text, below)) throw error;
  }

  for (const sample of [function () {}, async function () {}, function* () {}, async function* () {}]) {
    const prototype = Object.getPrototypeOf(sample);
    const { constructor: real } = prototype;
    const what = `new ${real.name}()`;
    const body = (args) => (args.length === 0 ? '' : String(args[args.length - 1]));
    const guarded = new Proxy(real, {
      apply(target, self, args) {
        check(what, body(args), this.apply);
        return apply(target, self, args);
      },
      construct(target, args, made) {
        check(what, body(args), this.construct);
        return construct(target, args, made === guarded ? target : made);
      },
    });
    const { value: _, ...attributes } = Object.getOwnPropertyDescriptor(prototype, 'constructor');
    Object.defineProperty(prototype, 'constructor', { ...attributes, value: guarded });
    if (real.name === 'Function') Object.defineProperty(globalThis, 'Function', { value: guarded, writable: true, configurable: true });
  }

  if (withEval) {
    const real = globalThis.eval;
    const guarded = new Proxy(real, {
      apply(target, self, args) {
        if (typeof args[0] === 'string') check('eval()', args[0], this.apply);
        return apply(target, self, args);
      },
    });
    Object.defineProperty(globalThis, 'eval', { value: guarded, writable: true, configurable: true });
  }

  const { WebAssembly: wasm } = globalThis;
  if (wasm) {
    const isBytes = (given) => ArrayBuffer.isView(given) || /^\[object (Shared)?ArrayBuffer\]$/.test(Object.prototype.toString.call(given));
    const wrap = (name, isRefused) => {
      const real = wasm[name];
      if (typeof real !== 'function') return;
      wasm[name] = function compiled(...args) {
        const error = new wasm.CompileError(`WebAssembly.${name}(): ${kWasm}`);
        if (isRefused(args[0]) && wasRefused(error, `WebAssembly.${name}()`, name, compiled)) return Promise.reject(error);
        return apply(real, this, args);
      };
    };
    wrap('compile', () => true);
    wrap('compileStreaming', () => true);
    wrap('instantiateStreaming', () => true);
    wrap('instantiate', isBytes);
    const { Module } = wasm;
    wasm.Module = new Proxy(Module, {
      construct(target, args, made) {
        const error = new wasm.CompileError(`WebAssembly.Module(): ${kWasm}`);
        if (wasRefused(error, 'new WebAssembly.Module()', 'Module', this.construct)) throw error;
        return construct(target, args, made === wasm.Module ? target : made);
      },
    });
    Object.defineProperty(Module.prototype, 'constructor', { value: wasm.Module, writable: true, configurable: true });
  }
  return { check };
});
