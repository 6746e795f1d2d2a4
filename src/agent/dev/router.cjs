'use strict';
// Next's router in next dev: when it is ready, and which function it hands a request to.

module.exports = function (sim) {
  const { guard, invocations, missing, next, tell, bracketed, hookStaticPaths, looksStatic } = sim;
  let routerHooked = false;
  let renderServerHooked = false;

  function becomeReady() {
    if (!renderServerHooked) missing.add('render-server');
    if (sim.isolation?.missing.size > 0) sim.giveIsolationUp();
    guard('shape', sim.lookAtShape);
    sim.sayHello();
    if (sim.server) guard('config', sayConfig);
    tell({ t: 'listening' });
  }

  const serverHooks = next.hooksOfServer({
    routerFound: () => (routerHooked = true),
    isIsolated: () => sim.isolation !== undefined,
    ready: () => guard('ready', becomeReady),
    renderServerFound: () => (renderServerHooked = true),
    rendering(options) {
      const bundler = next.bundlerOf(options);
      guard('precompile', () => sim.takeBundler(bundler));
      guard('compile', () => next.watchCompiles(bundler.hotReloader, bracketed));
      if (sim.isolation) guard('isolation', () => sim.takeRenderOptions(options, bundler));
    },
    rendered(server) {
      sim.server = server;
      guard('matchers', watchMatches);
      guard('static paths', hookStaticPaths);
      guard('node middleware', sim.hookNodeMiddleware);
      if (sim.isolation) guard('isolation', sim.prepareIsolation);
    },
    request,
    field: (...args) => sim.isolation && guard('fields', () => sim.fieldChanged(...args)),
  });

  // What a page or a route answers, and middleware.
  function request(req, res, pass, url) {
    const invocation = invocations.getStore();
    const asked = next.askedOf(req);
    if (sim.isolation) {
      if (asked?.isMiddleware && sim.isAsked(req)) return sim.askMiddleware(req, res, url, pass);
      return asked && sim.isDispatched(req, asked) ? sim.dispatch(req, res, asked) : pass();
    }
    if (invocation && asked && !asked.isMiddleware) {
      invocation.errorPage = asked.isErrorPage;
      if (asked.definition) guard('dispatch', () => dispatchTo(invocation, asked.definition));
    }
    return pass();
  }

  function sayConfig() {
    const { basePath, assetPrefix, distDir, pageExtensions, trailingSlash } = sim.server.nextConfig;
    tell({ t: 'config', basePath, assetPrefix, distDir, pageExtensions, trailingSlash });
  }

  function watchMatches() {
    next.watchMatches(sim.server, (definition) => {
      const invocation = invocations.getStore();
      if (invocation && !sim.isolation) guard('dispatch', () => dispatchTo(invocation, definition));
    });
  }

  function dispatchTo(invocation, { page, kind, filename }) {
    const runtime = edgePages().includes(page) ? 'edge' : 'nodejs';
    const isStatic = runtime === 'nodejs' && looksStatic(invocation, page, kind);
    invocation.dispatched({ page, kind, runtime, isStatic, file: filename });
  }

  function edgePages() {
    return (sim.server && guard('edge pages', () => next.edgePages(sim.server))) || [];
  }

  return { serverHooks, hasRouter: () => routerHooked, becomeReady, dispatchTo, edgePages };
};
