'use strict';
// An instance's render server: Next's own, with next dev as its bundler.

const http = require('node:http');
const path = require('node:path');

const kMaxHead = 1024 * 1024;  // the client's fields, and Next's own notes besides

module.exports = function (sim) {
  const { boot, bracketed, guard, invocations, requireNext } = sim;
  const fields = {};
  let renderServer;

  // Next internals: dev-bundler-service.js. What only decorates the browser's devtools is left out: setReactDebugChannel, sendErrorsToBrowser.
  function bundlerService() {
    const compiling = (name) => (definition, ...rest) =>
      bracketed(definition?.definition?.page ?? definition?.page ?? definition, () => sim.peer.call(name, definition, ...rest));
    const asking = (name) => (...args) => sim.peer.call(name, ...args);
    const telling = (name) => (...args) => {
      if (!invocations.getStore()?.isWarming) sim.peer.tell(name, ...args);
    };
    // next dev has compiled the function of the request before it dispatched it.
    const isKnown = (page) => {
      const invocation = invocations.getStore();
      return invocation?.isCompiled === true && invocation.page === page;
    };
    const ensurePage = compiling('ensurePage');
    const getCompilationError = asking('getCompilationError');
    return {
      ensurePage: async (asked) => (isKnown(asked?.definition?.page ?? asked?.page) ? undefined : ensurePage(asked)),
      getCompilationError: async (page) => (isKnown(page) ? undefined : getCompilationError(page)),
      getCompilationErrors: asking('getCompilationErrors'),
      getFallbackErrorComponents: compiling('getFallbackErrorComponents'),
      logErrorWithOriginalStack: (error, type) => sim.logError(error, type),
      revalidate: (asked) => sim.revalidate(asked),
      getClientHmrVersion: () => invocations.getStore()?.sync?.hmr,
      getServerComponentsHmrRefreshHash: () => invocations.getStore()?.sync?.refresh,
      setIsrStatus: telling('setIsrStatus'),
      setCacheStatus: (status, htmlRequestId) => telling('setCacheStatus')(status, htmlRequestId),
      sendHmrMessage: telling('sendHmrMessage'),
      setReactDebugChannel() {},
      sendErrorsToBrowser() {},
      close() {},
      appIsrManifest: {},
    };
  }

  // Next internals: as start-server.js and router-server.js do it, without what finds routes, compiles and watches.
  async function startRenderServer() {
    process.env.__NEXT_PRIVATE_STANDALONE_CONFIG = JSON.stringify(configOfInstance());
    for (const name of ['../node-environment', '../require-hook']) {
      try {
        requireNext(name);
      } catch (error) {
        if (error.code !== 'MODULE_NOT_FOUND') throw error;
      }
    }
    renderServer = requireNext('./render-server');
    preloadRuntimes();
    deferInstrumentation();
    sim.prepareSourceMaps();
    const service = bundlerService();
    if (boot.turbopack) globalThis.__turbopack_ensure_chunk__ = ensureChunk;
    const server = http.createServer({ maxHeaderSize: kMaxHead });
    // A frozen instance must not close its connections when it goes on: vercel-sim closes them.
    Object.assign(server, { keepAliveTimeout: 0, requestTimeout: 0, headersTimeout: 0 });
    sim.prepareServer(server);
    sim.handlers = await renderServer.initialize({
      ...boot.options,
      server,
      bundlerService: service,
      serverFields: { ...fields, setIsrStatus: service.setIsrStatus },
    });
    sim.server = (sim.handlers.server ?? sim.handlers.app)?.server;  // 14: app
    for (const [field, value] of Object.entries(fields)) fieldChanged(undefined, field, value);
    sim.server.revalidate = (asked) => sim.revalidate(asked);
    guard('preview', takePreview);
    // In a process of its own, which next dev has and keeps the answers of.
    if (sim.server.getStaticPaths) sim.server.getStaticPaths = (asked) => sim.peer.call('getStaticPaths', asked);
    guard('static paths', sim.hookStaticPaths);
    guard('node middleware', sim.hookNodeMiddleware);
    guard('router context', () => provideRouterContext(service));
    sim.httpServer = server;
  }

  // Asked before each chunk that is loaded lazily. Once is enough: when it changes, this instance is replaced.
  const chunks = new Map();

  function ensureChunk(chunk) {
    if (!chunks.has(chunk)) chunks.set(chunk, bracketed(undefined, () => sim.peer.call('ensureChunk', chunk)));
    return chunks.get(chunk);
  }

  // 14 keeps what it has read of the data cache for ever, whoever writes it anew.
  function configOfInstance() {
    const { config } = boot;
    return boot.next.startsWith('14.') ? { ...config, cacheMaxMemorySize: 0 } : config;
  }

  // The bundles in which Next keeps its kinds of routes: every function needs one, and they take long to load.
  function preloadRuntimes() {
    for (const kind of ['app-route', 'app-page', 'pages-api', 'pages']) {
      try {
        require(path.join(boot.nextDist, `compiled/next-server/${kind}${boot.turbopack ? '-turbo' : ''}.runtime.dev.js`));
      } catch {
        // it is loaded when it is needed
      }
    }
  }

  // The user's instrumentation is user code: it runs with the first function and not in a spare.
  // Next internals: prepare() calls DevServer.runInstrumentationHookIfAvailable.
  let register = async () => {};
  let registered;

  function deferInstrumentation() {
    const { default: DevServer } = require(path.join(boot.nextDist, 'server/dev/next-dev-server.js'));
    const original = DevServer.prototype.runInstrumentationHookIfAvailable;
    DevServer.prototype.runInstrumentationHookIfAvailable = async () => {};
    register = async () => {
      const { server } = sim;
      // Next internals: prepare() of 15 and 16 loads it; a template has nobody to ask for it then. onRequestError is read from it too.
      if (!server.instrumentation && server.loadInstrumentationModule) server.instrumentation = await server.loadInstrumentationModule();
      return original?.call(server);
    };
  }

  // Once. What it throws is told as Next tells it, and the request goes on, as in `next dev`.
  function registerInstrumentation() {
    registered ??= { done: false, promise: register().catch((error) => sim.logError(error)) };
    registered.promise.then(() => (registered.done = true));
    return registered.done ? undefined : registered.promise;
  }

  // Next internals: router-server-context.js (15, 16), what route modules ask of the server that they run in.
  function provideRouterContext(service) {
    let context;
    try {
      context = requireNext('./router-utils/router-server-context');
    } catch {
      return;  // 14
    }
    const { routerServerGlobal, RouterServerContextSymbol } = context;
    const { server } = sim.handlers;
    routerServerGlobal[RouterServerContextSymbol] ??= {};
    routerServerGlobal[RouterServerContextSymbol][path.relative(process.cwd(), boot.options.dir)] = {
      nextConfig: runtimeConfig(sim.server.nextConfig),
      getAssetPrefix: () => server.getAssetPrefix?.(),
      hostname: server.hostname,
      revalidate: (asked) => sim.revalidate(asked),
      render404: server.render404.bind(server),
      experimentalTestProxy: boot.options.experimentalTestProxy,
      logErrorWithOriginalStack: (error, type) => sim.logError(error, type),
      setIsrStatus: service.setIsrStatus,
      setCacheStatus: boot.config.cacheComponents ? service.setCacheStatus : undefined,
    };
  }

  function runtimeConfig(config) {
    try {
      return requireNext('../config-shared').getNextConfigRuntime(config);
    } catch {
      return config;
    }
  }

  // The keys of draft mode: one client's cookie is good for all. Later versions keep them in a file; each server of 14 makes its own.
  function takePreview() {
    const { preview } = sim.server.getPrerenderManifest();
    if (boot.preview && preview.previewModeId !== boot.preview.previewModeId) Object.assign(preview, boot.preview);
  }

  // Before the render server is there the fields are kept for it.
  function fieldChanged(dir, field, value) {
    fields[field] = value;
    if (sim.server) renderServer.propagateServerField(dir ?? boot.options.dir, field, value).catch(() => {});
  }

  return { startRenderServer, registerInstrumentation, fieldChanged };
};
