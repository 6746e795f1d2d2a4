'use strict';
// What `next dev` alone asks of Next: its router and render server, its bundlers, its middleware.

const fs = require('node:fs');
const path = require('node:path');
const withExports = require('./exports.cjs');
const writeWhole = require('./whole-files.cjs');

const kAhead = Symbol('vsim.ahead');
const kNobody = '/vercel-sim/no-such-page';

module.exports = function (next) {
  // ---- Router and render server -------------------------------------------------------------------------------------------------------

  // [pattern, hook]. start-server.js answers nothing before initialize() of router-server.js has resolved. That hands every request that a page or route
  // answers to requestHandler of render-server.js, after middleware and rewrites; middleware itself runs there too.
  function hooksOfServer(on) {
    const kHooked = Symbol('vsim.hooked');
    let isFirst = true;

    function hookRouter(real) {
      if (typeof real.initialize !== 'function') return undefined;
      on.routerFound();
      return withExports(real, {
        async initialize(given, ...rest) {
          // Fast refresh of the server (16.4) patches modules in this process only; instances are replaced instead.
          const result = await real.initialize(on.isIsolated() ? { ...given, serverFastRefresh: false } : given, ...rest);
          on.ready();
          return result;
        },
      });
    }

    function hookRenderServer(real) {
      if (typeof real.initialize !== 'function') return undefined;
      on.renderServerFound();
      return withExports(real, {
        async initialize(options) {
          if (isFirst) on.rendering(options);
          isFirst = false;
          const handlers = await real.initialize(options);
          if (handlers && !handlers[kHooked]) {
            handlers[kHooked] = true;
            on.rendered(next.serverOf(handlers));
            const { requestHandler } = handlers;
            handlers.requestHandler = function (...args) {
              return on.request(args[0], args[1], () => requestHandler.apply(this, args), args[2]);
            };
          }
          return handlers;
        },
        // The bundler tells the render server of new routes, matchers and .env files: (dir, field, value).
        async propagateServerField(...args) {
          await real.propagateServerField(...args);
          on.field(...args);
        },
      });
    }

    return [
      [/(^|[\\/])router-server(\.js)?$/, hookRouter],
      [/(^|[\\/])render-server(\.js)?$/, hookRenderServer],
      [/(^|[\\/])get-network-host(\.js)?$/, (real) => withExports(real, { getNetworkHost: () => null })],
    ];
  }

  // Fields that are methods of the server are called with the value.
  const isMethod = (server, field) => typeof server?.[field] === 'function';
  const isEnvironment = (field) => field === 'loadEnvConfig';

  const edgePages = (server) => server.getEdgeFunctionsPages();

  // An instance that compiles functions through each other's compiles stays good for all of them.
  const runsGroups = () => false;

  // ---- Which function it is -----------------------------------------------------------------------------------------------------------

  // Of a request of the render server; {page, kind, filename, pathname, isError?}. From 16 on the router has matched the request (request meta `match`);
  // before, base-server.js does it from `invokePath`, and so do we, as its renderToResponseImpl does. Matching compiles there. `errorOf(page)`: why it does
  // not compile, a promise; `pathOf(url)`.
  async function findFunction(req, { meta, server, errorOf, pathOf }) {
    // Of a request that goes to an error page, `match` is that of the page which did not have its path; with `invokeError` the page itself is to
    // show why it does not compile.
    if (meta.match?.definition && (meta.invokeStatus === undefined || meta.invokeError)) return meta.match.definition;
    const { matchers } = server;
    if (matchers && meta.invokeStatus === undefined) {
      const pathname = (meta.invokePath ?? req.url.split('?', 1)[0]).replace(/\/+$/, '') || '/';
      const asked = { i18n: next.localeOf(server, req, meta, pathname) };
      try {
        const found = await firstOf(matchers.matchAll(pathname, asked), meta);
        if (found) return found;
      } catch {
        return uncompiled(server, pathname, asked, meta);
      }
    }
    return (matchers && (await uncompiledBefore(server, req, meta, errorOf, pathOf))) ?? errorFunction(meta);
  }

  async function firstOf(matches, { invokeOutput }) {
    for await (const { definition } of matches) {
      if (typeof invokeOutput === 'string' && invokeOutput.includes('[') && invokeOutput !== definition.pathname) continue;
      return definition;
    }
    return undefined;
  }

  // It does not compile: the instance meets that too, and renders the error. It is still the function that it is.
  async function uncompiled(server, pathname, asked, meta) {
    const found = await matched(server, pathname, asked, meta);
    if (found) return found;
    const page = meta.invokeOutput ?? pathname;
    return { page, kind: /^\/api(\/|$)/.test(page) ? 'PAGES_API' : 'PAGES' };
  }

  // The same, when Next's router has met it while it looked for the route: it asks for the page of errors instead (router-server.js, the last `catch` of
  // handleRequest).
  async function uncompiledBefore(server, req, meta, errorOf, pathOf) {
    if (meta.invokeStatus !== 500 || meta.invokePath !== '/500') return undefined;
    const pathname = pathOf(req.url);
    const found = await matched(server, pathname, { i18n: next.localeOf(server, req, meta, pathname) }, meta);
    if (!found) return undefined;
    const error = await errorOf(found.page).catch((failure) => failure);
    return error === undefined ? undefined : found;  // middleware has failed, or Next
  }

  // DevRouteMatcherManager compiles what its base class DefaultRouteMatcherManager has matched.
  async function matched(server, pathname, asked, meta) {
    const { matchers } = server;
    try {
      const { matchAll, reload } = Object.getPrototypeOf(Object.getPrototypeOf(matchers));
      await reload.call(matchers);
      return await firstOf(matchAll.call(matchers, pathname, asked), meta);
    } catch {
      return undefined;  // this Next matches otherwise
    }
  }

  // i18n-provider.js: in the request's meta.
  function localeOf(server, req, meta, pathname) {
    const asked = { headers: req.headers };
    next.giveMeta(asked, meta);
    return server.i18nProvider?.fromRequest(asked, pathname);
  }

  // Pages that no route has: 404 and the like.
  function errorFunction({ invokePath }) {
    if (invokePath === next.kNotFound) return { page: '/_not-found/page', kind: 'APP_PAGE', isError: true };
    return { page: invokePath === '/404' ? '/404' : '/_error', kind: 'PAGES', isError: true };
  }

  // Up to 15 the render server matches the request itself, which compiles the route first.
  function watchMatches(server, met) {
    const { matchers } = server;
    if (!matchers) return;
    const { matchAll } = matchers;
    matchers.matchAll = async function* (...args) {
      for await (const match of matchAll.apply(this, args)) {
        if (match?.definition) met(match.definition);
        yield match;
      }
      return null;
    };
  }

  // All that an instance needs of it.
  function plainMeta({ clonableBody, onCacheEntry, onCacheEntryV2, ...plain }) {
    return plain;
  }

  const noFallback = () => next.loadFirst('shared/lib/no-fallback-error.external.js')?.NoFallbackError;

  // ---- Compiling ----------------------------------------------------------------------------------------------------------------------

  // The bundler service of `options`, which the render server was given (dev-bundler-service.js).
  function bundlerOf({ bundlerService: service }) {
    const hotReloader = service?.bundler?.hotReloader;
    return {
      service,
      canEnsure: typeof service?.ensurePage === 'function',
      hotReloader,
      isWhole: typeof service?.ensurePage === 'function' && typeof hotReloader?.getCompilationErrors === 'function',
    };
  }

  // Whether the function compiles. If not, the instance asks again, as Next does, and renders the error.
  async function compileFunction(service, server, definition, url) {
    const { isError, page } = definition;
    const asked = isError
      ? { page: page === '/_not-found/page' ? next.kNotFound : page, clientOnly: false, definition: undefined, url }
      : { page, clientOnly: false, definition, url };
    if (!server.matchers || isError) await service.ensurePage(asked);  // else matching has compiled it
    return !isError && (await service.getCompilationError(page)) === undefined;
  }

  // Every compile on demand goes through hotReloader.ensurePage (hot-reloader-turbopack.js, hot-reloader-webpack.js), lazy chunks of Turbopack through
  // globalThis.__turbopack_ensure_chunk__. `around(page, compile)`.
  function watchCompiles(hotReloader, around) {
    const { ensurePage } = hotReloader;
    hotReloader.ensurePage = function (...args) {
      return around(pageOf(args[0]), () => ensurePage.apply(this, args));
    };
    let ensureChunk = globalThis.__turbopack_ensure_chunk__;
    Object.defineProperty(globalThis, '__turbopack_ensure_chunk__', {
      configurable: true,
      enumerable: false,
      get: () => ensureChunk,
      set(value) {
        ensureChunk = typeof value === 'function' ? (...args) => around(undefined, () => value(...args)) : value;
      },
    });
  }

  const pageOf = (asked) => asked?.definition?.page ?? asked?.page;
  const errorsOf = async (hotReloader, page) => (await hotReloader.getCompilationErrors(page).catch(() => [])) ?? [];

  // What Next shows of pages that do not compile: `asked(page)` when somebody other than compileAhead() asks for it, `filter(page, errors, all)` where it asks
  // for a page's errors, with `all` for those that it shows in the place of any page.
  function watchErrors(hotReloader, { asked: wasAsked, isNeeded, filter }) {
    const { ensurePage, getCompilationErrors } = hotReloader;
    const all = () => getCompilationErrors.call(hotReloader, kNobody);
    hotReloader.getCompilationErrors = async function (page) {
      const errors = await getCompilationErrors.call(this, page);
      return isNeeded() && errors?.length > 0 ? filter(page, errors, all) : errors;
    };
    hotReloader.ensurePage = function (asked, ...rest) {
      if (isNeeded() && !asked?.[kAhead]) wasAsked(pageOf(asked));
      return ensurePage.call(this, asked, ...rest);
    };
  }

  // Without a definition the bundler finds the page's file by its name. False: it would have to be told of what files the page consists.
  async function compileAhead(service, server, page, kind) {
    const definition = await definitionOf(server, page, kind);
    if (!definition && !next.isTurbopack() && kind === 'APP_PAGE' && hasSlots(server)) return false;
    await service.ensurePage({ page, clientOnly: false, definition, ...(!definition && kind === 'APP_PAGE' && { appPaths: [page] }), [kAhead]: true });
    return true;
  }

  // Up to 15 the render server has a list of all routes.
  async function definitionOf({ matchers }, page, kind) {
    if (!matchers) return undefined;
    await matchers.waitTillReady?.();
    const all = [...(matchers.matchers?.static ?? []), ...(matchers.matchers?.dynamic ?? [])];
    return all.find(({ definition }) => definition.page === page && definition.kind === kind)?.definition;
  }

  // `app/x/@slot/…`: such a page is made of several files, which the bundler would have to be told.
  let slots;
  function hasSlots({ appDir }) {
    slots ??= Boolean(appDir) && fs.readdirSync(appDir, { recursive: true }).some((name) => /(^|[\\/])@[^\\/]+([\\/]|$)/.test(name));
    return slots;
  }

  // False: there is none.
  async function compileMiddleware(server, page) {
    if (!server.actualMiddlewareFile) return false;
    await server.ensureMiddleware(page);
    return true;
  }

  // ensurePageImpl of on-demand-entry-handler.js makes the entry of instrumentation anew each time it is asked, and so would compile it again for every
  // instance.
  const instrumentationOf = (server) => server.actualInstrumentationHookFile;
  const isInstrumentation = (server, asked) => !next.isTurbopack() && asked?.page === instrumentationOf(server);
  const askFor = (page) => ({ page, clientOnly: false, definition: undefined });

  // The server is prepared, and its instrumentation is not to run here.
  async function skipInstrumentation() {}

  // webpack forgets what nobody has asked for within a minute: on-demand-entry-handler.js, disposeInactiveEntries.
  function keepEntries(hotReloader) {
    if (next.isTurbopack()) return;
    const { getEntries } = next.load('server/dev/on-demand-entry-handler.js');
    const { outputPath } = hotReloader.multiCompiler;
    for (const entry of Object.values(getEntries(outputPath))) if (entry.lastActiveTime) entry.lastActiveTime = Infinity;
  }

  const isMissingPage = (error) => error?.code === 'ENOENT' && /^Cannot find module for page|^route not found/.test(error.message ?? '');

  // ---- What was compiled anew ---------------------------------------------------------------------------------------------------------

  // [pattern, hook]. clearManifestCache of load-manifest(.external).js is called for every compiled file that is to be forgotten, by both bundlers of all
  // versions; files of edge functions go through clearModuleContext.
  function hooksOfForgotten({ found, file, edgeFile }) {
    const before = (name, told) => (real) => {
      if (typeof real[name] !== 'function') return undefined;
      if (told === file) found?.();
      return withExports(real, {
        [name](...args) {
          told(args[0]);
          return real[name](...args);
        },
      });
    };
    const hooks = [[/(^|[\\/])load-manifest(\.external)?(\.js)?$/, before('clearManifestCache', file)]];
    if (edgeFile) hooks.push([/[\\/]web[\\/]sandbox([\\/]context|[\\/]index)?(\.js)?$/, before('clearModuleContext', edgeFile)]);
    return hooks;
  }

  const isOfServer = (file) => typeof file === 'string' && !file.endsWith('.map') && !/(^|[\\/])static[\\/]/.test(file);

  // vendor-chunks (webpack) hold what all live pages need of packages: they grow and shrink with every page that is compiled or forgotten, while
  // the modules in them, which nobody edits, stay what they are.
  function isBookkeeping(file) {
    return /manifest|webpack-(api-)?runtime\.js$|\[turbopack\]_runtime\.js$/.test(path.basename(file)) || /[\\/]vendor-chunks[\\/]/.test(file);
  }

  // ---- For instances ------------------------------------------------------------------------------------------------------------------

  // The calls of Next's bundler service that take plain arguments and give a plain answer, and what stands beside it, by the names that an instance's bundler
  // service calls them by (instance.cjs).
  function methodsOf(serviceOf, server) {
    const plain = ['getCompilationError', 'getCompilationErrors', 'getFallbackErrorComponents', 'setIsrStatus', 'sendHmrMessage'];
    return {
      ...Object.fromEntries(plain.map((name) => [name, (...args) => serviceOf()[name]?.(...args)])),
      // Next's own errors tell by their class what they are, which does not travel.
      logErrorWithOriginalStack: (error, type) => serviceOf().logErrorWithOriginalStack(error, type),
      setCacheStatus: (status, htmlRequestId) => serviceOf().setCacheStatus?.(status, htmlRequestId),
      getStaticPaths: (asked) => server().getStaticPaths(asked),
      ensureChunk: (chunk) => globalThis.__turbopack_ensure_chunk__?.(chunk),
    };
  }

  // What an instance's answer must name so that the browser's client takes it.
  const clientVersionOf = (service) => service.getClientHmrVersion?.();
  const refreshHashOf = (service) => service.getServerComponentsHmrRefreshHash?.();

  // ---- Middleware ---------------------------------------------------------------------------------------------------------------------

  // The file of the project that has it, by its name there.
  function middlewareFile({ dir, nextConfig }) {
    for (const name of ['proxy', 'src/proxy', 'middleware', 'src/middleware'])
      for (const extension of nextConfig?.pageExtensions ?? []) if (fs.existsSync(path.join(dir, `${name}.${extension}`))) return `${name}.${extension}`;
    return undefined;
  }

  return {
    hooksOfServer, isMethod, isEnvironment, edgePages, runsGroups, findFunction, localeOf, watchMatches, plainMeta, noFallback, bundlerOf, compileFunction, watchCompiles,
    errorsOf, watchErrors, compileAhead, compileMiddleware, instrumentationOf, isInstrumentation, askFor, skipInstrumentation, keepEntries, isMissingPage,
    hooksOfForgotten, isOfServer, isBookkeeping, methodsOf, clientVersionOf, refreshHashOf, middlewareFile, writeWhole,
    kNotFound: '/_not-found',
  };
};
