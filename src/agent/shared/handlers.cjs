'use strict';
// When the user's own code starts: route modules of all kinds, and edge functions.

const fs = require('node:fs');
const path = require('node:path');
const { resolversOf, strangeness } = require('../next/shape.cjs');

module.exports = function (sim) {
  const { guard, invocations, kInvocation, lacks, options, withExports, dispatchTo, isStaticPage, isStaticRoute, readSegments, scaleEdgeTimers } = sim;

  // Next internals: route modules come compiled, one bundle for each kind and bundler (next/dist/compiled/next-server). Their classes
  // keep the names of their methods. Bundles of other kinds that are loaded later are hooked when they are.
  function hookRouteModules(real) {
    const hooks = {
      AppRouteRouteModule: hookAppRoute,
      AppPageRouteModule: hookAppPage,
      PagesAPIRouteModule: hookPagesApi,
      PagesRouteModule: hookPages,
    };
    for (const [name, hook] of Object.entries(hooks)) {
      const prototype = real[name]?.prototype;
      if (!prototype || Object.hasOwn(prototype, kInvocation)) continue;
      prototype[kInvocation] = true;
      const strange = guard('shape', () => strangeness(name, prototype));
      if (strange) lacks(name);
      if (!guard(name, () => hook(prototype))) lacks(name);
    }
    return undefined;
  }

  // In next dev, before `hello`: a shape that nobody has tried is told at start, and not by an instance that runs something already.
  function lookAtShape() {
    for (const folder of ['route-modules', 'future/route-modules']) {
      const file = path.join(sim.nextDist, 'server', folder, 'app-route/module.compiled.js');
      if (!fs.existsSync(file)) continue;
      const { AppRouteRouteModule: found } = require(file);
      if (found && Object.hasOwn(found.prototype, kInvocation)) return;  // else no hook has met it
    }
    lacks('AppRouteRouteModule');
  }

  function current(routeModule) {
    const invocation = invocations.getStore();
    // Error and not-found pages are not matched: the module itself says what it is.
    if (invocation && invocation.page === undefined && routeModule.definition)
      guard('dispatch', () => dispatchTo(invocation, routeModule.definition));
    return invocation;
  }

  // 14, 15: resolve(method); 16: resolveHandler(method) and, Turbopack, resolveHandlerFromUserland(method, userland); 16.2 with Turbopack:
  // async resolveWithGetter(method, getUserland). Whatever resolves is taken for one of these: a name of its own gives a handler too.
  function hookAppRoute(prototype) {
    const names = resolversOf(prototype);
    for (const name of names) {
      const resolve = prototype[name];
      prototype[name] = function (...args) {
        const resolved = resolve.apply(this, args);
        const invocation = current(this);
        if (!invocation) return resolved;
        if (typeof resolved?.then !== 'function') return handlerOf(invocation, resolved, () => args[1] ?? this.userland);
        return resolved.then(async (handler) => {
          const userland = typeof args[1] === 'function' ? await args[1]() : args[1];  // there already: the handler is of it
          return handlerOf(invocation, handler, () => userland ?? this.userland);
        });
      };
    }
    for (const name of ['handle', 'execute']) noteCalls(prototype, name);  // 14: execute
    return names.length > 0;
  }

  function noteCalls(prototype, name) {
    const run = prototype[name];
    if (typeof run !== 'function') return;
    prototype[name] = function (...args) {
      const invocation = current(this);
      if (invocation) sim.noteHandled(invocation);
      return Reflect.apply(run, this, args);
    };
  }

  function handlerOf(invocation, handler, userlandOf) {
    if (typeof handler !== 'function') return handler;
    guard('static routes', () => {
      invocation.userland = userlandOf();
      invocation.setStatic(isStaticRoute(invocation, invocation.userland));
    });
    if (invocation.isWarming) {
      sim.prepareState?.(handler, invocation.file);
      return sim.warmRoute;
    }
    return function (...handlerArgs) {
      sim.stateBegins?.(invocation, handler);
      invocation.begin();
      return watchSocket(invocation, () => Reflect.apply(handler, this, handlerArgs));
    };
  }

  // A handler that throws after it has taken the socket: Next's answer to that goes nowhere, so vercel-sim says it.
  function watchSocket(invocation, run) {
    if (!invocation?.socket) return run();
    const failed = () => {
      if (invocation.isUpgraded) sim.tell({ t: 'socket_failed', id: invocation.id });
    };
    try {
      const result = run();
      if (typeof result?.then === 'function') result.then(undefined, failed);
      return result;
    } catch (error) {
      failed();
      throw error;
    }
  }

  // Next internals: a loader tree is [segment, parallel routes, {layout: [load, path], page: [load, path], …}]. The render loads its modules one
  // by one, the page last, and calls none of them before. A Server Action comes before all of it: it begins when its module is there.
  function hookAppPage(prototype) {
    return beforeRender(prototype, (invocation, routeModule, [, , context]) => {
      if (invocation.began) return;
      const tree = routeModule.userland?.loaderTree;
      if (!Array.isArray(tree)) return invocation.begin();
      watchTree(tree);
      if (!invocation.readOnly) watchActions(context?.renderOpts?.ComponentMod?.__next_app__);
    });
  }

  const watched = new WeakSet();

  function watchTree(tree) {
    const [, parallel = {}, modules = {}] = tree;
    for (const [role, module] of Object.entries(modules)) {
      if (!Array.isArray(module) || module.length !== 2 || typeof module[0] !== 'function' || watched.has(module)) continue;
      watched.add(module);
      const load = module[0];
      module[0] = function (...args) {
        const invocation = invocations.getStore();
        if (invocation?.isWarming) return sim.warmSegment(role, module, tree) ?? Reflect.apply(load, this, args);
        if (!invocation || invocation.began) return Reflect.apply(load, this, args);
        invocation.loading++;
        return whenThere(() => Reflect.apply(load, this, args), (exports) => guard('page modules', () => moduleLoaded(invocation, role, exports, module[1])));
      };
    }
    Object.values(parallel).forEach((child) => watchTree(child));
  }

  function moduleLoaded(invocation, role, exports, file) {
    invocation.loading--;
    if (role === 'page' || role === 'defaultPage') invocation.pageLoaded = true;
    if (exports && (role === 'page' || role === 'layout')) invocation.segments.push({ name: role, exports, file });
    if (invocation.loading > 0 || !invocation.pageLoaded) return;
    guard('segments', () => readSegments(invocation, invocation.segments));
    if (sim.stateBegins) guard('module state', () => sim.stateBegins(invocation, sim.pageEntries(invocation.segments)));
    invocation.begin();
  }

  function watchActions(app) {
    if (typeof app?.require !== 'function' || watched.has(app)) return;
    watched.add(app);
    const load = app.require;
    app.require = function (...args) {
      const invocation = invocations.getStore();
      if (!invocation || invocation.began || invocation.readOnly) return Reflect.apply(load, this, args);
      return whenThere(() => Reflect.apply(load, this, args), (module) => {
        const begins = (entries) => void (entries && guard('module state', () => sim.stateBegins(invocation, entries)));
        const entries = sim.actionEntries && guard('module state', () => sim.actionEntries(module, invocation, load, args[0]));
        if (typeof entries?.then === 'function') entries.then(begins);
        else begins(entries);
        invocation.begin();
      });
    };
  }

  // Calls `then` with the module, or with undefined when it cannot be loaded: the render meets that too, and reports it.
  function whenThere(load, then) {
    let loaded;
    try {
      loaded = load();
    } catch (error) {
      then(undefined);
      throw error;
    }
    if (typeof loaded?.then !== 'function') {
      then(loaded);
      return loaded;
    }
    return loaded.then(
      (module) => (then(module), module),
      (error) => {
        then(undefined);
        throw error;
      },
    );
  }

  function hookPages(prototype) {
    return beforeRender(prototype, (invocation, routeModule, [, , context]) => {
      // The page of errors of a function that failed says nothing of the function.
      const isOwn = sim.isErrorPage(invocation.page) || !sim.isErrorPage(routeModule.definition?.page);
      if (isOwn) guard('static pages', () => invocation.setStatic(isStaticPage(invocation, routeModule, context?.renderOpts)));
      guard('made at build', () => sim.watchProps?.(invocation, context?.renderOpts));
      const { default: fn, getServerSideProps } = routeModule.userland ?? {};
      const { file } = invocation;
      if (sim.stateBegins) guard('module state', () => sim.stateBegins(invocation, [getServerSideProps, fn?.getInitialProps, fn].map((one) => ({ fn: one, file }))));
      invocation.begin();
    }, (...args) => sim.warmPage(...args));
  }

  // The body is parsed before the handler is called: the handler itself is wrapped.
  function hookPagesApi(prototype) {
    return beforeRender(prototype, (_, routeModule) => {
      const { userland } = routeModule;
      if (userland[kInvocation] || typeof userland.default !== 'function') return;
      const handler = userland.default;
      const begun = function (...args) {
        const invocation = invocations.getStore();
        if (invocation?.isWarming) {
          sim.prepareState?.(handler, invocation.file);
          return sim.warmApi(...args);
        }
        if (invocation) sim.stateBegins?.(invocation, handler);
        invocation?.begin();
        return watchSocket(invocation, () => Reflect.apply(handler, this, args));
      };
      const wrapped = Object.create(userland, {
        [kInvocation]: { value: true },
        default: { value: begun, enumerable: true },
      });
      Object.defineProperty(routeModule, 'userland', { value: wrapped, configurable: true });  // 16: a getter
    });
  }

  function beforeRender(prototype, action, warm) {
    if (typeof prototype.render !== 'function') return false;
    // 16.4: an app page that is static by force is rendered by prerender().
    for (const name of ['render', 'prerender']) {
      const render = prototype[name];
      if (typeof render !== 'function') continue;
      prototype[name] = function (...args) {
        const invocation = current(this);
        if (invocation) sim.noteHandled(invocation);
        if (invocation) guard('render', () => action(invocation, this, args));
        if (invocation?.isWarming && warm) return warm(this, args, (routeModule, given) => render.apply(routeModule, given));
        return render.apply(this, args);
      };
    }
    return true;
  }

  // Next internals: server/web/sandbox. Edge functions run in a vm context; their entry stands in its _ENTRIES after the last of
  // their files was evaluated.
  function hookEdgeContext(real, parent) {
    if (!/[\\/]web[\\/]sandbox[\\/]sandbox\.js$/.test(parent?.filename ?? '')) return undefined;
    if (typeof real.getModuleContext !== 'function') return lacks('edge');
    return withExports(real, {
      async getModuleContext(contextOptions) {
        const module = await real.getModuleContext(contextOptions);
        const { context } = module.runtime;
        if (options.timeScale !== 1) guard('edge timers', () => scaleEdgeTimers(context));
        guard('edge code', () => sim.refuseCode(context));
        guard('edge work', () => sim.watchEdgeWork(context));
        guard('edge context', () => sim.provideMiddlewareContext?.(context));
        return {
          ...module,
          evaluateInContext(...args) {
            sim.noteFile?.(args[0]);
            const name = `middleware_${contextOptions.moduleName}`;
            try {
              const result = module.evaluateInContext(...args);
              guard('edge', () => wrapEdgeEntry(context._ENTRIES, name));
              const entry = context._ENTRIES?.[name];
              if (entry instanceof Promise) entry.catch(sim.edgeFailed);  // of this request, whenever its modules have thrown
              return result;
            } catch (error) {
              sim.edgeFailed(error);
              throw error;
            }
          },
        };
      },
    });
  }

  const wrappedEntries = new WeakSet();

  function wrapEdgeEntry(entries, name) {
    const entry = entries?.[name];  // a module or, Turbopack, a proxy of a promise of one; 14.0 and 14.1 do not wait for it
    if (!entry || wrappedEntries.has(entry)) return;
    const begins = (module) => {
      const run = module.default;
      const begun = (...args) => {
        const invocation = invocations.getStore();
        const call = (...given) => sim.watchEdge(() => run(...given));
        if (sim.runHere && invocation?.kind === 'MIDDLEWARE') return sim.runHere(run, () => call(...args));
        if (invocation?.page !== undefined) invocation.begin();  // middleware runs before the dispatch
        return invocation?.page === undefined && sim.runMiddleware ? sim.runMiddleware(args[0], call, run) : call(...args);
      };
      return Object.create(module, { default: { value: begun, enumerable: true } });
    };
    const wrapped = typeof entry.then === 'function' ? Promise.resolve(entry).then(begins) : begins(entry);
    if (wrapped instanceof Promise) wrapped.catch(() => {});  // awaited by Next, which reports it
    wrappedEntries.add(wrapped);
    entries[name] = wrapped;
  }

  const handlerHooks = [
    [/[\\/]compiled[\\/]next-server[\\/](app-route|app-page|pages-api|pages)[a-z-]*\.runtime\.dev\.js$/, hookRouteModules],
    [/(^|[\\/])work-unit-async-storage\.external(\.js)?$/, sim.hookWorkUnitStorage],
    [/(^|[\\/])(work|static-generation)-async-storage\.external(\.js)?$/, sim.hookWorkStorage],
    [/^\.\/context(\.js)?$/, hookEdgeContext],
  ];
  return { handlerHooks, lookAtShape };
};
