'use strict';
// What an instance alone asks of Next: a render server of its own, with `next dev` as its bundler.

const asyncHooks = require('node:async_hooks');
const Module = require('node:module');
const path = require('node:path');
const caches = require('./caches.cjs');
const withExports = require('./exports.cjs');

module.exports = function (next, { dist }) {
  const kConfig = '__NEXT_PRIVATE_STANDALONE_CONFIG';

  // ---- Its environment ------------------------------------------------------------------------------------------------------------------

  // The name of a trace that the command has drawn, which Next keeps for its own notes.
  const isOfTraces = (name) => name === 'NEXT_PRIVATE_TRACE_ID';

  // By which Next's processes talk to each other.
  const kVariables = /^(__NEXT_|NEXT_(PRIVATE_|RUNTIME$|DEPLOYMENT_ID$|MANUAL_SIG_HANDLE$|OTEL_|TELEMETRY_DISABLED$|EXIT_TIMEOUT_MS$)|TURBOPACK|RUST_|NODE_ENV$|PORT$|HOSTNAME$|npm_config_user_agent$)/;
  const isOwnVariable = (name) => kVariables.test(name);

  // @next/env, the same since 9.4. `files`: [{path, contents, env: {}}]; what is set already stays.
  const readEnvironment = (files) => Module.createRequire(path.join(dist, 'server/lib/start-server.js'))('@next/env').processEnv(files, '', { error: console.error, info() {} }, true);

  // [pattern, hook]. Next's server reads all .env files of the disk when it begins: here it reads none.
  function hooksOfNoEnvironment() {
    const nothing = () => ({ combinedEnv: process.env, parsedEnv: {}, loadedEnvFiles: [] });
    return [[/^@next\/env$/, (real) => withExports(real, { loadEnvConfig: nothing })]];
  }

  // ---- The render server ----------------------------------------------------------------------------------------------------------------

  // As start-server.js and router-server.js do it, without what finds routes, compiles and watches. `config`: Next's, without functions.
  function prepareRenderServer(config) {
    next.giveConfig(config);
    next.loadRenderServer();
  }

  function giveConfig(config) {
    process.env[kConfig] = JSON.stringify(next.configOf(config));
  }

  // The modules alone, those that it would load when it begins among them.
  function loadRenderServer() {
    for (const name of ['server/node-environment', 'server/require-hook']) {
      try {
        next.load(name);
      } catch (error) {
        if (error.code !== 'MODULE_NOT_FOUND') throw error;
      }
    }
    next.load('server/lib/render-server');
    preloadRuntimes();
    next.loadFirst('server/dev/next-dev-server');
  }

  const configOf = (config) => config;

  // User code finds nothing of it.
  const forgetConfig = () => void delete process.env[kConfig];

  const waiting = [];  // hooks of React's

  // The bundles in which Next keeps its kinds of routes: every function needs one, and they take long to load. That of pages brings React's development build
  // along, which from then on follows every promise and takes a stack for every timer and socket (createHook), for what it renders alone.
  function preloadRuntimes() {
    const turbo = next.isTurbopack() ? '-turbo' : '';
    const { createHook } = asyncHooks;
    asyncHooks.createHook = (callbacks) => {
      const hook = createHook(callbacks);
      Object.defineProperty(hook, 'enable', { value: () => (waiting.push(hook), hook), configurable: true });
      return hook;
    };
    try {
      for (const kind of ['app-route', 'app-page', 'pages-api', 'pages']) next.loadFirst(`compiled/next-server/${kind}${turbo}.runtime.dev.js`);
    } finally {
      asyncHooks.createHook = createHook;
    }
  }

  // Before a page of `app/` is evaluated or rendered.
  function beginRendering() {
    for (const hook of waiting.splice(0)) {
      delete hook.enable;
      hook.enable();
    }
  }

  // `options`: what next dev's render server was given; `fields`: what its bundler has told it since; `own`: what stands for the bundler (interface.d.ts).
  async function startRenderServer({ options, server, fields, own }) {
    const renderServer = next.load('server/lib/render-server');
    const service = bundlerService(own);
    if (next.isTurbopack()) globalThis.__turbopack_ensure_chunk__ = own.ensureChunk;
    const handlers = await renderServer.initialize({
      ...options,
      server,
      bundlerService: service,
      serverFields: { ...fields, setIsrStatus: service.setIsrStatus },
    });
    const nextServer = next.serverOf(handlers);
    const setField = (dir, field, value) => void renderServer.propagateServerField(dir ?? options.dir, field, value).catch(() => {});
    return { server: nextServer, setField, answer: (req, res, url) => handlers.requestHandler(req, res, url), provideContext: () => provideContext(handlers.server, nextServer, options, service, own) };
  }

  // After its begin: what next dev has in processes of its own.
  function completeServer(server, { revalidate, getStaticPaths }) {
    server.revalidate = revalidate;
    if (server.getStaticPaths) server.getStaticPaths = getStaticPaths;
  }

  function takePreview(server, given) {
    const preview = next.previewOf(server);
    if (given && preview.previewModeId !== given.previewModeId) Object.assign(preview, given);
  }

  // dev-bundler-service.js. What only decorates the browser's devtools is left out: setReactDebugChannel, sendErrorsToBrowser.
  function bundlerService({ compile, ask, tell, isKnown, sync, logError, revalidate }) {
    const pageOf = (asked) => asked?.definition?.page ?? asked?.page;
    const compiling = (name) => (asked, ...rest) => compile(pageOf(asked) ?? asked, name, asked, ...rest);
    const asking = (name) => (...args) => ask(name, ...args);
    const telling = (name) => (...args) => tell(name, ...args);
    const ensurePage = compiling('ensurePage');
    const getCompilationError = asking('getCompilationError');
    return {
      ensurePage: async (asked) => (isKnown(pageOf(asked)) ? undefined : ensurePage(asked)),
      getCompilationError: async (page) => (isKnown(page) ? undefined : getCompilationError(page)),
      getCompilationErrors: asking('getCompilationErrors'),
      getFallbackErrorComponents: compiling('getFallbackErrorComponents'),
      logErrorWithOriginalStack: logError,
      revalidate,
      getClientHmrVersion: () => sync()?.hmr,
      getServerComponentsHmrRefreshHash: () => sync()?.refresh,
      setIsrStatus: telling('setIsrStatus'),
      setCacheStatus: (status, htmlRequestId) => tell('setCacheStatus', status, htmlRequestId),
      sendHmrMessage: telling('sendHmrMessage'),
      setReactDebugChannel() {},
      sendErrorsToBrowser() {},
      close() {},
      appIsrManifest: {},
    };
  }

  // router-server-context.js (15, 16): what route modules ask of the server that they run in.
  function provideContext(handlersServer, { nextConfig }, options, service, { logError, revalidate }) {
    const context = next.loadFirst('server/lib/router-utils/router-server-context');
    if (!context) return;
    const { routerServerGlobal, RouterServerContextSymbol } = context;
    routerServerGlobal[RouterServerContextSymbol] ??= {};
    routerServerGlobal[RouterServerContextSymbol][path.relative(process.cwd(), options.dir)] = {
      nextConfig: runtimeConfig(nextConfig),
      getAssetPrefix: () => handlersServer.getAssetPrefix?.(),
      hostname: handlersServer.hostname,
      revalidate,
      render404: handlersServer.render404.bind(handlersServer),
      experimentalTestProxy: options.experimentalTestProxy,
      logErrorWithOriginalStack: logError,
      setIsrStatus: service.setIsrStatus,
      setCacheStatus: nextConfig.cacheComponents ? service.setCacheStatus : undefined,
    };
  }

  function runtimeConfig(config) {
    try {
      return next.load('server/config-shared').getNextConfigRuntime(config);
    } catch {
      return config;
    }
  }

  // prepare() of 15 and 16 loads it; a template has nobody to ask for it then. onRequestError is read from it too.
  async function loadInstrumentation(server) {
    if (!server.instrumentation && server.loadInstrumentationModule) server.instrumentation = await server.loadInstrumentationModule();
  }

  // The folders of routes, which next dev tells of by a call of this name.
  const kRoutesChanged = 'reloadMatchers';
  const seeRoutesAnew = (server) => server.reloadMatchers?.();

  // ---- Errors ---------------------------------------------------------------------------------------------------------------------------

  // patch-error-inspect.js (15, 16) asks the bundler of its process, in 15.0 not yet. `find(url)`: the map of a compiled file. False: it asks nobody.
  function answerSourceMaps(find) {
    const { setBundlerFindSourceMapImplementation: set } = next.loadFirst('server/patch-error-inspect') ?? {};
    set?.(find);
    return set !== undefined;
  }

  // logErrorWithOriginalStack of setup-dev-bundler.js: only prints, with frames that the error itself maps. `ask`: next dev's does it.
  function logError(error, type, _ask) {
    const log = next.load('build/output/log');
    if (error?.name === 'ModuleBuildError') log.error(error.message);
    else if (error?.name === 'TurbopackInternalError') return;
    else if (type === 'warning') log.warn(error);
    else if (type && type !== 'app-dir') log.error(`${type}:`, error);
    else log.error(error);
  }

  // process-error-handlers.js (16) adds the listener it finds here when a page is loaded, else its own, which prints the error once more.
  function leaveRejections() {
    globalThis[Symbol.for('next.unhandledRejectionListener')] = () => {};
  }

  // ---- What is compiled anew ------------------------------------------------------------------------------------------------------------

  // deleteCache of dev/require-cache.js: one file or several.
  function forget(files) {
    const { deleteCache } = next.loadFirst(next.kRequireCache) ?? {};
    if (!deleteCache) return;
    if (/^[^)]*filePaths/.test(Function.prototype.toString.call(deleteCache))) deleteCache(files);
    else files.forEach((file) => deleteCache(file));
  }

  // [pattern, hook]. load-manifest(.external).js keeps what it has read, or, in development, reads it for each request. `reads(file, key, read)`: `key` is
  // undefined where it keeps it.
  function hooksOfManifests(reads) {
    const hook = (real) => {
      const replaced = {};
      for (const name of ['loadManifest', 'evalManifest', 'loadManifestFromRelativePath', 'evalManifestFromRelativePath']) {
        if (typeof real[name] !== 'function') continue;
        replaced[name] = (...args) => {
          const [given, shouldCache, , skipParse] = args;
          const asked = typeof given === 'string' ? { file: given, shouldCache, skipParse } : { ...given, file: path.join(given.projectDir ?? '', given.distDir ?? '', given.manifest) };
          return reads(asked.file, asked.shouldCache === false ? `${name} ${asked.skipParse ?? false} ${asked.file}` : undefined, () => real[name](...args));
        };
      }
      return withExports(real, replaced);
    };
    return [[/(^|[\\/])load-manifest(\.external)?(\.js)?$/, hook]];
  }

  // ---- Ahead of a request ---------------------------------------------------------------------------------------------------------------

  // Evaluates a page's modules: load-components.js, which the render server uses too, requires what it consists of. The segments of an app page, outermost
  // first: [{name, exports, file}]; undefined for others.
  async function evaluate(server, page, isAppPath, dir) {
    const { loadComponents } = next.load('server/load-components');
    const components = await loadComponents({ distDir: server.distDir, page, isAppPath, isDev: true, sriEnabled: false });
    const routeModule = components.ComponentMod?.routeModule;
    // From 16 on the user's modules are evaluated when a request asks for them.
    if (routeModule?.ensureUserland) {
      provideManifests(routeModule, dir);
      await routeModule.ensureUserland();
    }
    const tree = routeModule?.userland?.loaderTree ?? routeModule?._userland?.loaderTree;
    if (!Array.isArray(tree)) return undefined;
    const segments = [];
    await loadTree(tree, segments);
    const loadClient = () => loadClientComponents(components, () => routeModule.loadManifests?.(page, dir)?.clientReferenceManifest);
    return { segments, loadClient };
  }

  // The page's client components, as react-server-dom's client loads them for the render on the server: of each {id, chunks} by the manifest. One that cannot be evaluated here is met
  // again where it is rendered, if it ever is. How many there are.
  async function loadClientComponents({ ComponentMod, clientReferenceManifest }, findManifest) {
    const { require: load, loadChunk } = ComponentMod.__next_app__ ?? {};
    const { ssrModuleMapping = {} } = clientReferenceManifest ?? findManifest() ?? {};
    const all = Object.values(ssrModuleMapping);
    for (const names of all) {
      const { id, chunks = [] } = names['*'] ?? {};
      try {
        if (next.isTurbopack()) await Promise.all(chunks.map((chunk) => loadChunk(chunk)));
        await load(id);
      } catch {
        // it is rendered only for some requests
      }
    }
    return all.length;
  }

  // manifests-singleton.js (16), which the modules of app pages ask when they are evaluated.
  function provideManifests(routeModule, dir) {
    const { page } = routeModule.definition;
    const { clientReferenceManifest, serverActionsManifest } = routeModule.loadManifests?.(page, dir) ?? {};
    if (!clientReferenceManifest || !serverActionsManifest) return;
    next.load('server/app-render/manifests-singleton').setManifestsSingleton?.({ page, clientReferenceManifest, serverActionsManifest });
  }

  /** @param {any[]} tree */
  async function loadTree([, parallel = {}, modules = {}], segments) {
    for (const [name, module] of Object.entries(modules)) {
      if (!Array.isArray(module) || typeof module[0] !== 'function') continue;
      const exports = await Promise.resolve(module[0]()).catch(() => {});
      if (exports && (name === 'page' || name === 'layout')) segments.push({ name, exports, file: module[1] });
    }
    for (const child of Object.values(parallel)) await loadTree(child, segments);
  }

  const kOwnSegment = /[\\/]next[\\/]dist[\\/]|^\[next\]|__next_builtin__/;
  const isOwnSegment = (file) => kOwnSegment.test(file ?? '');

  // The JSX that server components are rendered by; null: it is not found.
  let jsx;
  function serverJsx() {
    if (jsx === undefined) jsx = next.loadFirst(`server/${next.kRouteModules}/app-page/vendored/rsc/react-jsx-runtime`) ?? null;
    return jsx;
  }

  // ---- The build ------------------------------------------------------------------------------------------------------------------------

  // Whether pages may be both: what is cached, and what is rendered for each request.
  const isPartlyStatic = (config) => Boolean(config.cacheComponents || ['dynamicIO', 'cacheComponents', 'useCache', 'ppr'].some((name) => config.experimental?.[name]));

  return {
    isOwnVariable, isOfTraces, readEnvironment, hooksOfNoEnvironment, prepareRenderServer, giveConfig, loadRenderServer, beginRendering, configOf, forgetConfig, startRenderServer, completeServer, takePreview, loadInstrumentation, kRoutesChanged,
    seeRoutesAnew, answerSourceMaps, logError, leaveRejections, forget, hooksOfManifests, evaluate, isOwnSegment, serverJsx, isPartlyStatic,
    caches: (on) => caches(next, on), kRequireCache: 'server/dev/require-cache',
  };
};
