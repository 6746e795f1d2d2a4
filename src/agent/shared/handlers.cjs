'use strict';
// When the user's own code starts: route modules of all kinds, and edge functions.

module.exports = function (sim) {
  const { guard, invocations, lacks, next, options, dispatchTo, isStaticPage, isStaticRoute, readSegments, scaleEdgeTimers } = sim;

  // In next dev, before `hello`: a shape that nobody has tried is told at start, and not by an instance that runs something already.
  function lookAtShape() {
    if (!next.hasMetRouteModules()) lacks('AppRouteRouteModule');
  }

  function invocationOf(definition) {
    const invocation = invocations.getStore();
    // Error and not-found pages are not matched: the module itself says what it is.
    if (invocation && invocation.page === undefined && definition) guard('dispatch', () => dispatchTo(invocation, definition));
    return invocation;
  }

  function handlerOf(invocation, handler, userlandOf) {
    if (typeof handler !== 'function') return handler;
    guard('static routes', () => {
      invocation.userland = userlandOf();
      invocation.setStatic(isStaticRoute(invocation, invocation.userland));
    });
    if (invocation.isWarming) {
      sim.prepareState?.(handler, invocation.file);
      return sim.standIns?.route;
    }
    return function (...handlerArgs) {
      sim.stateBegins?.(invocation, handler);
      invocation.begin();
      return watchSocket(invocation, () => Reflect.apply(handler, this, handlerArgs));
    };
  }

  // Of pages/api.
  function apiHandlerOf(handler) {
    return function (...args) {
      const invocation = invocations.getStore();
      if (invocation?.isWarming) {
        sim.prepareState?.(handler, invocation.file);
        return sim.standIns?.api(...args);
      }
      if (invocation) sim.stateBegins?.(invocation, handler);
      invocation?.begin();
      return watchSocket(invocation, () => Reflect.apply(handler, this, args));
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

  // A module of an app page is about to be loaded.
  function loadsSegment(role, file, load) {
    const invocation = invocations.getStore();
    if (invocation?.isWarming) return sim.standIns?.segment(role, file) ?? load();
    if (!invocation || invocation.began) return load();
    invocation.loading++;
    return whenThere(load, (exports) => guard('page modules', () => moduleLoaded(invocation, role, exports, file)));
  }

  function moduleLoaded(invocation, role, exports, file) {
    invocation.loading--;
    if (role === 'page' || role === 'defaultPage') invocation.pageLoaded = true;
    if (exports && (role === 'page' || role === 'layout')) invocation.segments.push({ name: role, exports, file });
    if (invocation.loading > 0 || !invocation.pageLoaded) return;
    guard('segments', () => readSegments(invocation, invocation.segments));
    guard('module state', () => sim.stateBegins?.(invocation, sim.pageEntries?.(invocation.segments)));
    invocation.begin();
  }

  // The module of a page's Server Actions.
  function loadsAction(id, loadById, load) {
    const invocation = invocations.getStore();
    if (!invocation || invocation.began || invocation.readOnly) return load();
    return whenThere(load, (module) => {
      const begins = (entries) => void (entries && guard('module state', () => sim.stateBegins?.(invocation, entries)));
      const entries = guard('module state', () => sim.actionEntries?.(module, invocation, loadById, id));
      if (typeof entries?.then === 'function') entries.then(begins);
      else begins(entries);
      invocation.begin();
    });
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

  // Of the pages router.
  function rendersPage(invocation, page) {
    // The page of errors of a function that failed says nothing of the function.
    const isOwn = sim.isErrorPage(invocation.page) || !sim.isErrorPage(page.page);
    if (isOwn) guard('static pages', () => invocation.setStatic(isStaticPage(invocation, page)));
    guard('made at build', () => sim.watchProps?.(invocation, page));
    const { file } = invocation;
    guard('module state', () => sim.stateBegins?.(invocation, page.functions.map((fn) => ({ fn, file }))));
    invocation.begin();
  }

  // The realm in which an edge function's code runs.
  function watchRealm(context) {
    if (options.timeScale !== 1) guard('edge timers', () => scaleEdgeTimers(context));
    guard('edge code', () => sim.refuseCode(context));
    guard('edge work', () => sim.watchEdgeWork(context));
    guard('edge context', () => sim.provideMiddlewareContext?.(context));
  }

  function entersEdge(run, args) {
    const invocation = invocations.getStore();
    const call = (...given) => sim.watchEdge(() => run(...given));
    if (sim.runHere && invocation?.kind === 'MIDDLEWARE') return sim.runHere?.(run, () => call(...args));
    if (invocation?.page === undefined) return sim.runMiddleware?.(args[0], call, run) ?? call(...args);  // middleware runs before the dispatch
    invocation.begin();
    return call(...args);
  }

  const handlerHooks = [
    ...next.hooksOfRouteModules({ guard, lacks, invocationOf, handled: (invocation) => sim.noteHandled(invocation), begins: (invocation) => invocation.begin(), handlerOf, apiHandlerOf, loadsSegment, loadsAction, rendersPage }),
    ...sim.storeHooks,
    ...next.hooksOfSandbox({ guard, lacks: () => lacks('edge'), context: watchRealm, file: (file) => sim.noteFile?.(file), failed: (error) => sim.edgeFailed(error), entry: entersEdge }),
  ];
  return { handlerHooks, lookAtShape };
};
