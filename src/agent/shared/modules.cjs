'use strict';
// Replaces exports of Next's modules as they are loaded.

const Module = require('node:module');

module.exports = function (sim) {
  const { guard } = sim;

  // `hooks`: [what the module is asked for by, (real, parent) → what is given instead, or nothing].
  function hookModules(hooks) {
    const loader = /** @type {any} */ (Module);
    const load = loader._load;
    const done = new WeakMap();  // real exports → what we give instead
    loader._load = function (request, parent, ...rest) {
      const real = load.call(this, request, parent, ...rest);
      if (real === null || typeof real !== 'object') return real;
      const known = done.get(real);
      if (known !== undefined) return known;
      for (const [pattern, hook] of hooks) {
        if (!pattern.test(request)) continue;
        const replaced = guard(`module ${request}`, () => hook(real, parent)) ?? undefined;
        if (replaced !== undefined) done.set(real, replaced);
        return replaced ?? real;
      }
      return real;
    };
  }

  return { hookModules };
};
