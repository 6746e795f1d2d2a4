'use strict';
// Next's router in next dev: when it is ready, and which function it hands a request to.

module.exports = function (sim) {
  const { guard, invocations, kInvocation, missing, tell, withExports, hookCompile, hookStaticPaths, invokeMeta, looksStatic } = sim;

  // Next internals: start-server.js answers nothing before router-server's initialize() has resolved.
  function hookRouterServer(real) {
    if (typeof real.initialize !== 'function') return undefined;
    sim.routerHooked = true;
    return withExports(real, {
      async initialize(routerOptions, ...rest) {
        // Fast refresh of the server (16.4) patches modules in this process only; instances are replaced instead.
        const result = await real.initialize(sim.isolation ? { ...routerOptions, serverFastRefresh: false } : routerOptions, ...rest);
        guard('ready', becomeReady);
        return result;
      },
    });
  }

  function becomeReady() {
    if (!renderServerHooked) missing.add('render-server');
    if (sim.isolation?.missing.size > 0) sim.giveIsolationUp();
    guard('shape', sim.lookAtShape);
    sim.sayHello();
    if (sim.server) guard('config', sayConfig);
    tell({ t: 'listening' });
  }

  // Next internals: router-server.js hands every request that a page or route answers to render-server's requestHandler, after
  // middleware and rewrites; middleware itself runs there too, marked by `middlewareInvoke`.
  let renderServerHooked = false;

  function hookRenderServer(real) {
    if (typeof real.initialize !== 'function') return undefined;
    renderServerHooked = true;
    let first;
    return withExports(real, {
      async initialize(renderOptions) {
        if (!first) {
          first = true;
          guard('precompile', () => sim.takeBundler(renderOptions.bundlerService));
          guard('compile', () => hookCompile(renderOptions.bundlerService?.bundler?.hotReloader));
          if (sim.isolation) guard('isolation', () => sim.takeRenderOptions(renderOptions));
        }
        const handlers = await real.initialize(renderOptions);
        if (handlers && !handlers[kInvocation]) {
          handlers[kInvocation] = true;
          sim.server = (handlers.server ?? handlers.app)?.server;  // 14: app
          guard('matchers', hookMatchers);
          guard('static paths', hookStaticPaths);
          guard('node middleware', sim.hookNodeMiddleware);
          if (sim.isolation) guard('isolation', sim.prepareIsolation);
          wrapRequestHandler(handlers);
        }
        return handlers;
      },
      async propagateServerField(...args) {
        await real.propagateServerField(...args);
        if (sim.isolation) guard('fields', () => sim.fieldChanged(...args));
      },
    });
  }

  function wrapRequestHandler(handlers) {
    const { requestHandler } = handlers;
    handlers.requestHandler = function (req, ...rest) {
      const invocation = invocations.getStore();
      const meta = invokeMeta(req);
      if (sim.isolation) {
        if (meta && sim.isDispatched(req, meta)) return sim.dispatch(req, rest[0], meta);
        const here = () => requestHandler.call(this, req, ...rest);
        return meta?.middlewareInvoke && sim.isAsked(req) ? sim.isApart().then((is) => (is ? sim.askMiddleware(req, rest[0], rest[1], here) : here())) : here();
      }
      if (invocation && meta && !meta.middlewareInvoke) {
        invocation.errorPage = meta.invokeStatus !== undefined;
        if (meta.match?.definition) guard('dispatch', () => dispatchTo(invocation, meta.match.definition));
      }
      return requestHandler.call(this, req, ...rest);
    };
  }

  function sayConfig() {
    const { basePath, assetPrefix, distDir, pageExtensions, trailingSlash } = sim.server.nextConfig;
    tell({ t: 'config', basePath, assetPrefix, distDir, pageExtensions, trailingSlash });
  }

  // Next internals: up to 15 the render server matches the request itself (DefaultRouteMatcherManager.matchAll, which compiles the
  // route first); from 16 on the router has matched it (request meta `match`).
  function hookMatchers() {
    const { matchers } = sim.server;
    if (!matchers) return;
    const { matchAll } = matchers;
    matchers.matchAll = async function* (...args) {
      for await (const match of matchAll.apply(this, args)) {
        const invocation = invocations.getStore();
        if (invocation && match?.definition && !sim.isolation) guard('dispatch', () => dispatchTo(invocation, match.definition));
        yield match;
      }
      return null;
    };
  }

  function dispatchTo(invocation, { page, kind, filename }) {
    const runtime = edgePages().includes(page) ? 'edge' : 'nodejs';
    const isStatic = runtime === 'nodejs' && looksStatic(invocation, page, kind);
    invocation.dispatched({ page, kind, runtime, isStatic, file: filename });
  }

  function edgePages() {
    return (sim.server && guard('edge pages', () => sim.server.getEdgeFunctionsPages())) || [];
  }

  return { hookRouterServer, hookRenderServer, becomeReady, dispatchTo, edgePages };
};
