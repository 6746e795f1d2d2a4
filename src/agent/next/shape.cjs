'use strict';
// Whether the methods of Next's route modules call each other as in the versions that this agent was tried with. A hook that is there and is
// passed by is worse than none: 16.2 with Turbopack asked for route handlers by a method of its own, and none was seen to begin.

// What the entry of a route module reaches by `this.name(…)`, over all versions from 14.0 to 16.4 and both bundlers.
const kShapes = {
  AppRouteRouteModule: { entry: 'handle', needs: /^resolve(?!Pending)/, known: `
    resolve resolveWithGetter resolveHandler resolveHandlerFromUserland resolvePendingRevalidations ensureUserland prepareExecution
    do execute executeRequest staticGenerationBailout renderToResponse finalizeResponse handleHandlerError validateExecutionResponse` },
  AppPageRouteModule: { entry: 'render', known: '' },
  PagesRouteModule: { entry: 'render', known: '' },
  PagesAPIRouteModule: { entry: 'render', known: '' },
};

function methodOf(prototype, name) {
  for (let at = prototype; at && at !== Object.prototype; at = Object.getPrototypeOf(at)) {
    const found = Object.getOwnPropertyDescriptor(at, name);
    if (found) return typeof found.value === 'function' ? found.value : undefined;
  }
  return undefined;
}

// The names of the methods that are called from `entry` on, itself left out, in alphabetical order.
function reachedFrom(prototype, entry) {
  const reached = new Set();
  const open = [entry];
  while (open.length > 0) {
    const method = methodOf(prototype, open.pop());
    if (!method) continue;
    for (const [, name] of Function.prototype.toString.call(method).matchAll(/\bthis\.([\w$]+)\(/g)) {
      if (reached.has(name) || name === entry) continue;
      reached.add(name);
      open.push(name);
    }
  }
  return [...reached].sort();
}

// What of the class `name` is not as it is known; undefined when all is. To be asked before the methods are hooked.
function strangeness(name, prototype) {
  const shape = kShapes[name];
  if (!shape) return undefined;
  if (!methodOf(prototype, shape.entry)) return `no ${shape.entry}()`;
  const reached = reachedFrom(prototype, shape.entry);
  if (shape.needs && !reached.some((method) => shape.needs.test(method))) return `${shape.entry}() asks for no handler as it is known`;
  const strange = reached.filter((method) => !shape.known.split(/\s+/).includes(method));
  return strange.length > 0 ? `${shape.entry}() calls ${strange.join(', ')}` : undefined;
}

// Own methods that give the user's handler of an app route.
function resolversOf(prototype) {
  const { needs } = kShapes.AppRouteRouteModule;
  return Object.getOwnPropertyNames(prototype).filter((name) => needs.test(name) && typeof methodOf(prototype, name) === 'function');
}

module.exports = { kShapes, reachedFrom, resolversOf, strangeness };
