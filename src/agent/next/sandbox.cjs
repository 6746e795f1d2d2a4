'use strict';
// server/web/sandbox, in which Next runs edge functions and middleware: a vm context, whose timers are Node's and whose fetch is an undici of its own. The entry
// of a function stands in its _ENTRIES after the last of its files was evaluated.

const withExports = require('./exports.cjs');

module.exports = function (next) {
  // [pattern, hook]. `on`: context(realm) for each that a request gets, file(name) that is evaluated, failed(error) that evaluating threw, lacks(), and
  // entry(run, args): stands in for the entry.
  function hooksOfSandbox({ guard, ...on }) {
    const wrapped = new WeakSet();

    function hook(real, parent) {
      if (!/[\\/]web[\\/]sandbox[\\/]sandbox\.js$/.test(parent?.filename ?? '')) return undefined;
      if (typeof real.getModuleContext !== 'function') return on.lacks();
      return withExports(real, {
        async getModuleContext(options) {
          const module = await real.getModuleContext(options);
          const { context } = module.runtime;
          on.context(context);
          return {
            ...module,
            evaluateInContext(...args) {
              on.file(args[0]);
              const name = `middleware_${options.moduleName}`;
              try {
                const result = module.evaluateInContext(...args);
                guard('edge', () => wrapEntry(context._ENTRIES, name));
                const entry = context._ENTRIES?.[name];
                if (entry instanceof Promise) entry.catch(on.failed);  // of this request, whenever its modules have thrown
                return result;
              } catch (error) {
                on.failed(error);
                throw error;
              }
            },
          };
        },
      });
    }

    function wrapEntry(entries, name) {
      const entry = entries?.[name];  // a module or, Turbopack, a proxy of a promise of one; 14.0 and 14.1 do not wait for it
      if (!entry || wrapped.has(entry)) return;
      const begins = (module) => {
        const run = module.default;
        return Object.create(module, { default: { value: (...args) => on.entry(run, args), enumerable: true } });
      };
      const ours = typeof entry.then === 'function' ? Promise.resolve(entry).then(begins) : begins(entry);
      if (ours instanceof Promise) ours.catch(() => {});  // awaited by Next, which reports it
      wrapped.add(ours);
      entries[name] = ours;
    }

    return [[/^\.\/context(\.js)?$/, hook]];
  }

  // webpack's own modules are text that is evaluated, so `eval` of its realm stays; user code calls it through __next_eval__ there. `check(text, below)` may throw.
  function watchEval(context, check) {
    const real = context.__next_eval__;
    if (typeof real !== 'function') return;
    context.__next_eval__ = function evaluated(made) {
      const text = String(made);
      if (/\beval\s*\(/.test(text)) check(text, evaluated);
      return real(made);  // `Function` itself refuses
    };
  }

  return { hooksOfSandbox, watchEval, evaluatesModules: () => !next.isTurbopack() };
};
