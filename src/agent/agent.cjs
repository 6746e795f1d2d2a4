'use strict';
// The agent: preloaded (`--require`) into the processes of an unmodified `next dev`. It works in one of them, the server, and there
//   - lets Next listen on a private unix socket while Next believes in the public port;
//   - tells vercel-sim which function a request was dispatched to, when it was compiled and when the user's own code began;
//   - takes our internal fields out of requests before anyone sees them, and writes the function into the response head;
//   - scales timers of user code (VSIM_TIME_SCALE); ends the process when vercel-sim ends.
// It decides nothing about limits. Whatever of Next it does not find, it reports and does without: it never throws into Next.
// The wire is docs/agent-protocol.md. "Next internals" comments name the files of next that a hook stands on (14, 15 and 16).

// NODE_OPTIONS reaches the CLI, the server that it forks, jest and loader workers and worker threads. Only the server is ours.
const kServerScript = /[\\/]next[\\/]dist[\\/]server[\\/]lib[\\/]start-server(\.js)?$/;
if (process.env.VSIM_AGENT_SOCKET && kServerScript.test(process.argv[1] ?? '') && require('node:worker_threads').isMainThread) start();

function start() {
  const fs = require('node:fs');
  const http = require('node:http');
  const Module = require('node:module');
  const net = require('node:net');
  const path = require('node:path');
  const { AsyncLocalStorage } = require('node:async_hooks');

  const options = takeOptions();
  const control = openControl();
  // The invocation in whose asynchronous context code runs; undefined outside of one, and inside a compile.
  const invocations = new AsyncLocalStorage();
  const kInvocation = Symbol('vsim.invocation');
  const kCompileWorthTelling = 5;  // ms
  const plain = { setTimeout, clearTimeout };  // before anybody patches them
  const kRequestMeta = Symbol.for('NextInternalRequestMeta');
  let kHeadersCount;
  const missing = new Set();  // hooks that this Next does not have
  const hello = { pid: process.pid, next: nextVersion(), said: false };

  guard('listen', hookListen);
  guard('modules', hookModules);
  guard('fetch', hookFetch);
  if (options.timeScale !== 1) guard('timers', hookTimers);

  // ---- What vercel-sim gave us -------------------------------------------------------------------------------------------------

  // Taken out of the environment, so that neither user code nor workers see it. The CLI keeps its copy: it starts the server again
  // when next.config changes.
  function takeOptions() {
    const env = process.env;
    const taken = {
      controlSocket: env.VSIM_AGENT_SOCKET,
      appSocket: env.VSIM_APP_SOCKET,
      publicPort: Number(env.VSIM_PUBLIC_PORT),
      token: env.VSIM_TOKEN ?? '',
      timeScale: Number(env.VSIM_TIME_SCALE) > 0 ? Number(env.VSIM_TIME_SCALE) : 1,
    };
    for (const name of ['AGENT_SOCKET', 'APP_SOCKET', 'PUBLIC_PORT', 'TOKEN', 'TIME_SCALE']) delete env[`VSIM_${name}`];
    const ours = new RegExp(`(^|\\s)"?--require[= ]"?${__filename.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}"?(?=\\s|$)`);
    if (env.NODE_OPTIONS) env.NODE_OPTIONS = env.NODE_OPTIONS.replace(ours, '').trim();
    return taken;
  }

  function nextVersion() {
    try {
      return require(path.join(nextDist(), '../package.json')).version;
    } catch {
      return '';
    }
  }

  function nextDist() {
    return path.resolve(path.dirname(process.argv[1]), '../..');
  }

  function guard(hook, action) {
    try {
      return action();
    } catch {
      lacks(hook);
    }
  }

  // A hook that is found missing after `hello` makes a second one.
  function lacks(hook) {
    if (missing.has(hook)) return;
    missing.add(hook);
    if (hello.said) sayHello();
  }

  function sayHello() {
    hello.said = true;
    tell({
      t: 'hello',
      pid: hello.pid,
      next: hello.next,
      bundler: process.env.TURBOPACK ? 'turbopack' : 'webpack',
      missing: [...missing],
    });
  }

  // ---- The control channel -----------------------------------------------------------------------------------------------------

  function openControl() {
    const socket = net.connect(options.controlSocket);
    let connected = false;
    socket.on('connect', () => (connected = true));
    socket.on('error', (error) => {
      if (connected) return;
      process.stderr.write(`vercel-sim: the agent cannot reach vercel-sim (${error.code ?? error.message}): no limits are enforced\n`);
    });
    // vercel-sim is gone: nobody serves the public port any more. As Next likes it first (it removes its lock), then for certain.
    socket.on('close', () => {
      if (!connected) return;
      process.kill(process.pid, 'SIGTERM');
      setTimeout(() => process.exit(143), 350);
    });
    socket.resume();
    socket.write(`${options.token}\n`);
    return socket;
  }

  // Written at once and not batched: libuv writes in the same call, so that `handler` leaves before a handler that never yields.
  function tell(message) {
    if (control.writable) control.write(`${JSON.stringify(message)}\n`);
  }

  // ---- An invocation: a request that the edge has numbered ---------------------------------------------------------------------

  class Invocation {
    constructor(id) {
      this.id = id;
      this.path = '';  // as the client asked
      this.page = undefined;  // once dispatched
      this.kind = '';
      this.runtime = 'nodejs';
      this.isStatic = false;
      this.began = false;  // the user's handler was called
      this.compiling = 0;
      this.compileMs = 0;
      this.compileFrom = 0;
      this.readOnly = true;  // GET or HEAD
      this.errorPage = false;  // the router now asks for an error page
      this.isForcedStatic = false;  // dynamic = 'force-static': dynamic APIs answer as at build time
      this.usedDynamic = false;
      this.loading = 0;  // modules of an app page that are being loaded
      this.pageLoaded = false;
      this.segments = [];  // of them the layouts and pages, outermost first
    }

    dispatched({ page, kind, runtime = 'nodejs', isStatic = false, file }) {
      if (this.errorPage && this.page !== undefined) return;  // stays what it was dispatched to first
      if (this.page === page && this.kind === kind && this.isStatic === isStatic) return;
      Object.assign(this, { page, kind, runtime, isStatic });
      tell({ t: 'dispatch', id: this.id, page, kind, runtime, static: isStatic, file: file || undefined });
    }

    setStatic(isStatic) {
      if (this.page === undefined || this.isStatic === isStatic) return;
      this.dispatched({ ...this, isStatic });
    }

    // Next ensures a page several times for each request, mostly in no time: before the handler runs, when no clock is to be paused,
    // only a compile that lasts is told.
    compileStarted(page) {
      if (this.compiling++ > 0) return;
      this.compileFrom = performance.now();
      this.compileTold = false;
      const start = () => {
        this.compileTold = true;
        tell({ t: 'compile', id: this.id, page, phase: 'start' });
      };
      if (this.began) start();
      else this.compileTimer = plain.setTimeout(start, kCompileWorthTelling);
    }

    compileEnded(page) {
      if (--this.compiling > 0) return;
      plain.clearTimeout(this.compileTimer);
      const ms = performance.now() - this.compileFrom;
      this.compileMs += ms;
      if (this.compileTold) tell({ t: 'compile', id: this.id, page, phase: 'end', ms: round(ms) });
    }

    // The user's own code starts. Only the first time counts.
    begin() {
      if (this.began) return;
      this.began = true;
      tell({ t: 'handler', id: this.id });
    }

    meta() {
      return (
        `${options.token} page=${encodeURIComponent(this.page)};kind=${this.kind};runtime=${this.runtime};` +
        `static=${this.isStatic ? 1 : 0};compile=${Math.round(this.compileMs)}`
      );
    }
  }

  function round(ms) {
    return Math.round(ms * 10) / 10;
  }

  // ---- Listening privately -----------------------------------------------------------------------------------------------------

  // Next internals: start-server.js listens on (port, hostname) and builds banner, PORT and its own origin from server.address().
  function hookListen() {
    const listen = net.Server.prototype.listen;
    let taken = false;
    net.Server.prototype.listen = function (...args) {
      if (taken || !(this instanceof http.Server) || !asksForPublicPort(args)) return listen.apply(this, args);
      taken = true;
      const host = typeof args[0] === 'object' ? args[0].host : typeof args[1] === 'string' ? args[1] : undefined;
      prepareServer(this, host);
      try {
        fs.unlinkSync(options.appSocket);
      } catch {
        // none there
      }
      return listen.call(this, { path: options.appSocket }, ...args.filter((arg) => typeof arg === 'function'));
    };
  }

  function asksForPublicPort([first]) {
    const port = first !== null && typeof first === 'object' ? first.port : first;
    return port !== undefined && port !== null && Number(port) === options.publicPort;
  }

  function prepareServer(server, host) {
    const sockets = new Set();
    let ending = false;
    const emit = server.emit;
    // On the instance's emit and not as listeners: Socket.IO and others remove and replace the listeners of this server.
    server.emit = function (event, ...args) {
      if (event === 'connection') {
        if (ending) return args[0].destroy(), true;
        sockets.add(args[0]);
        args[0].once('close', () => sockets.delete(args[0]));
        dressSocket(args[0]);
      } else if (args[0] instanceof http.IncomingMessage) {
        const invocation = guard('requests', () => takeRequest(args[0], args[1]));
        if (invocation) return invocations.run(invocation, () => emit.call(this, event, ...args));
      }
      return emit.call(this, event, ...args);
    };
    const address = publicAddress(host);
    server.address = () => (server.listening ? { ...address } : null);
    server.keepAliveTimeout = 0;  // vercel-sim closes idle connections itself: closing them here too would race with its next request
    server.once('listening', () => {
      // After Next's own listeners: before them a signal ends the process by default, and must go on to do so.
      setImmediate(() => {
        for (const signal of ['SIGTERM', 'SIGINT']) process.prependListener(signal, () => end(signal));
      });
      setTimeout(() => {
        if (!routerHooked) becomeReady();  // this Next has no router-server: listening must do
      }, 2000).unref();
    });

    // Next waits for open sockets, upgraded and hung ones for ever.
    function end(signal) {
      if (ending) return;
      ending = true;
      for (const socket of sockets) socket.destroy();
      const status = signal === 'SIGINT' ? 130 : 143;
      if (process.listenerCount(signal) <= 1) process.exit(status);  // Next does not handle it (NEXT_MANUAL_SIG_HANDLE)
      setTimeout(() => process.exit(status), 2000).unref();
    }
  }

  function publicAddress(host) {
    const port = options.publicPort;
    if (!host) return { address: '::', family: 'IPv6', port };
    const family = net.isIP(host);
    return { address: family ? host : '127.0.0.1', family: family === 6 ? 'IPv6' : 'IPv4', port };
  }

  // A unix socket has no addresses; code that reads them (rate limiters, loggers) finds those of a connection from this machine.
  function dressSocket(socket) {
    const addresses = { remoteAddress: '127.0.0.1', remoteFamily: 'IPv4', localAddress: '127.0.0.1', localPort: options.publicPort };
    for (const [name, value] of Object.entries(addresses)) Object.defineProperty(socket, name, { value, configurable: true });
  }

  // Removes our fields from the request and makes it an invocation if the edge says so. An upgrade never is one: its `res` is a socket.
  function takeRequest(req, res) {
    const raw = req.rawHeaders;
    let id = '';
    for (let i = raw.length - 2; i >= 0; i -= 2) {
      if (raw[i].length < 7 || raw[i].slice(0, 7).toLowerCase() !== 'x-vsim-') continue;
      const name = raw[i].toLowerCase();
      if (name === 'x-vsim-id') id = raw[i + 1];
      raw.splice(i, 2);
      delete req.headers[name];
    }
    // Node internals: `headersDistinct` is made of the raw fields at its first use, and counts as many as came.
    kHeadersCount ??= Object.getOwnPropertySymbols(req).find((symbol) => symbol.description === 'kHeadersCount');
    if (kHeadersCount && req[kHeadersCount] > raw.length) req[kHeadersCount] = raw.length;
    const dot = id.indexOf('.');
    if (!(res instanceof http.ServerResponse) || options.token === '' || dot < 0 || id.slice(0, dot) !== options.token) return undefined;
    const number = id.slice(dot + 1);
    if (!/^[0-9]{1,20}$/.test(number)) return undefined;
    const invocation = new Invocation(number);
    invocation.path = pathOf(req.url);
    invocation.readOnly = req.method === 'GET' || req.method === 'HEAD';
    req[kInvocation] = invocation;
    markHead(res, invocation);
    res.once('finish', () => finished(invocation, res.statusCode));
    return invocation;
  }

  // A fast answer can overtake the control channel, so that its head says too which function it comes from. Written into the text of
  // the head and not as a header field: user code that lists its own headers does not see it.
  function markHead(res, invocation) {
    const writeHead = res.writeHead;
    res.writeHead = function (...args) {
      const result = writeHead.apply(this, args);
      if (invocation.page !== undefined && typeof this._header === 'string' && this._header.endsWith('\r\n\r\n'))
        this._header = `${this._header.slice(0, -2)}x-vsim-meta: ${invocation.meta()}\r\n\r\n`;
      return result;
    };
  }

  // ---- Next's modules, as they are loaded --------------------------------------------------------------------------------------

  let routerHooked = false;

  function hookModules() {
    const load = Module._load;
    const hooks = [
      [/(^|[\\/])router-server(\.js)?$/, hookRouterServer],
      [/(^|[\\/])render-server(\.js)?$/, hookRenderServer],
      [/(^|[\\/])get-network-host(\.js)?$/, (real) => withExports(real, { getNetworkHost: () => null })],
      [/[\\/]compiled[\\/]next-server[\\/](app-route|app-page|pages-api|pages)[a-z-]*\.runtime\.dev\.js$/, hookRouteModules],
      [/(^|[\\/])work-unit-async-storage\.external(\.js)?$/, hookWorkUnitStorage],
      [/(^|[\\/])(work|static-generation)-async-storage\.external(\.js)?$/, hookWorkStorage],
      [/^\.\/context(\.js)?$/, hookEdgeContext],
    ];
    const done = new WeakMap();  // real exports → what we give instead
    Module._load = function (request, parent, ...rest) {
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

  // Next's exports are getters without setters; what is not replaced is inherited.
  function withExports(real, replaced) {
    const out = {};
    for (const [name, value] of Object.entries(replaced)) out[name] = { value, enumerable: true };
    return Object.create(real, out);
  }

  // Next internals: start-server.js answers nothing before router-server's initialize() has resolved.
  function hookRouterServer(real) {
    if (typeof real.initialize !== 'function') return undefined;
    routerHooked = true;
    return withExports(real, {
      async initialize(...args) {
        const result = await real.initialize(...args);
        guard('ready', becomeReady);
        return result;
      },
    });
  }

  function becomeReady() {
    if (!renderServerHooked) missing.add('render-server');
    sayHello();
    if (server) guard('config', sayConfig);
    tell({ t: 'listening' });
  }

  // Next internals: router-server.js hands every request that a page or route answers to render-server's requestHandler, after
  // middleware and rewrites; middleware itself runs there too, marked by `middlewareInvoke`.
  let renderServerHooked = false;
  let server;  // DevServer of next-dev-server.js

  function hookRenderServer(real) {
    if (typeof real.initialize !== 'function') return undefined;
    renderServerHooked = true;
    let first;
    return withExports(real, {
      async initialize(renderOptions) {
        first ??= guard('compile', () => hookCompile(renderOptions.bundlerService?.bundler?.hotReloader)) ?? true;
        const handlers = await real.initialize(renderOptions);
        if (handlers && !handlers[kInvocation]) {
          handlers[kInvocation] = true;
          server = (handlers.server ?? handlers.app)?.server;  // 14: app
          guard('matchers', hookMatchers);
          guard('static paths', hookStaticPaths);
          wrapRequestHandler(handlers);
        }
        return handlers;
      },
    });
  }

  function wrapRequestHandler(handlers) {
    const { requestHandler } = handlers;
    handlers.requestHandler = function (req, ...rest) {
      const invocation = invocations.getStore();
      const meta = req[kRequestMeta];
      if (invocation && meta && !meta.middlewareInvoke) {
        invocation.errorPage = meta.invokeStatus !== undefined;
        if (meta.match?.definition) guard('dispatch', () => dispatchTo(invocation, meta.match.definition));
      }
      return requestHandler.call(this, req, ...rest);
    };
  }

  function sayConfig() {
    const { basePath, assetPrefix, distDir, pageExtensions, trailingSlash } = server.nextConfig;
    tell({ t: 'config', basePath, assetPrefix, distDir, pageExtensions, trailingSlash });
  }

  // Next internals: up to 15 the render server matches the request itself (DefaultRouteMatcherManager.matchAll, which compiles the
  // route first); from 16 on the router has matched it (request meta `match`).
  function hookMatchers() {
    const matchers = server.matchers;
    if (!matchers) return;
    const { matchAll } = matchers;
    matchers.matchAll = async function* (...args) {
      for await (const match of matchAll.apply(this, args)) {
        const invocation = invocations.getStore();
        if (invocation && match?.definition) guard('dispatch', () => dispatchTo(invocation, match.definition));
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
    return (server && guard('edge pages', () => server.getEdgeFunctionsPages())) || [];
  }

  // ---- Compiling ---------------------------------------------------------------------------------------------------------------

  // Next internals: every compile on demand goes through hotReloader.ensurePage (hot-reloader-turbopack.js, hot-reloader-webpack.js),
  // lazy chunks of Turbopack through globalThis.__turbopack_ensure_chunk__.
  function hookCompile(hotReloader) {
    const { ensurePage } = hotReloader;
    hotReloader.ensurePage = function (...args) {
      return bracketed(args[0]?.definition?.page ?? args[0]?.page, () => ensurePage.apply(this, args));
    };
    let ensureChunk = globalThis.__turbopack_ensure_chunk__;
    Object.defineProperty(globalThis, '__turbopack_ensure_chunk__', {
      configurable: true,
      enumerable: false,
      get: () => ensureChunk,
      set(value) {
        ensureChunk = typeof value === 'function' ? (...args) => bracketed(undefined, () => value(...args)) : value;
      },
    });
    return true;
  }

  // Compilers run outside of the invocation's context: their timers are not the user's, and what they start is not its work.
  async function bracketed(page, compile) {
    const invocation = invocations.getStore();
    const from = performance.now();
    invocation?.compileStarted(page);
    try {
      return await invocations.exit(compile);
    } finally {
      const ms = performance.now() - from;
      if (invocation) invocation.compileEnded(page);
      else if (hello.said && page !== undefined && ms >= 50) tell({ t: 'compiled', page, ms: round(ms) });
    }
  }

  // ---- The user's code starts --------------------------------------------------------------------------------------------------

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
      if (!guard(name, () => hook(prototype))) lacks(name);
    }
    return undefined;
  }

  function current(routeModule) {
    const invocation = invocations.getStore();
    // Error and not-found pages are not matched: the module itself says what it is.
    if (invocation && invocation.page === undefined && routeModule.definition)
      guard('dispatch', () => dispatchTo(invocation, routeModule.definition));
    return invocation;
  }

  // 14, 15: resolve(method); 16: resolveHandler(method) and, Turbopack, resolveHandlerFromUserland(method, userland).
  function hookAppRoute(prototype) {
    let found = false;
    for (const name of ['resolve', 'resolveHandler', 'resolveHandlerFromUserland']) {
      const resolve = prototype[name];
      if (typeof resolve !== 'function') continue;
      found = true;
      prototype[name] = function (...args) {
        const handler = resolve.apply(this, args);
        const invocation = current(this);
        if (!invocation || typeof handler !== 'function') return handler;
        guard('static routes', () => invocation.setStatic(isStaticRoute(invocation, args[1] ?? this.userland)));
        return function (...handlerArgs) {
          invocation.begin();
          return Reflect.apply(handler, this, handlerArgs);
        };
      };
    }
    return found;
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

  function watchTree([, parallel = {}, modules = {}]) {
    for (const [role, module] of Object.entries(modules)) {
      if (!Array.isArray(module) || module.length !== 2 || typeof module[0] !== 'function' || watched.has(module)) continue;
      watched.add(module);
      const load = module[0];
      module[0] = function (...args) {
        const invocation = invocations.getStore();
        if (!invocation || invocation.began) return Reflect.apply(load, this, args);
        invocation.loading++;
        return whenThere(() => Reflect.apply(load, this, args), (exports) => guard('page modules', () => moduleLoaded(invocation, role, exports)));
      };
    }
    Object.values(parallel).forEach(watchTree);
  }

  function moduleLoaded(invocation, role, exports) {
    invocation.loading--;
    if (role === 'page' || role === 'defaultPage') invocation.pageLoaded = true;
    if (exports && (role === 'page' || role === 'layout')) invocation.segments.push({ name: role, exports });
    if (invocation.loading > 0 || !invocation.pageLoaded) return;
    guard('segments', () => readSegments(invocation, invocation.segments));
    invocation.begin();
  }

  function watchActions(app) {
    if (typeof app?.require !== 'function' || watched.has(app)) return;
    watched.add(app);
    const load = app.require;
    app.require = function (...args) {
      const invocation = invocations.getStore();
      if (!invocation || invocation.began || invocation.readOnly) return Reflect.apply(load, this, args);
      return whenThere(() => Reflect.apply(load, this, args), () => invocation.begin());
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
      guard('static pages', () => invocation.setStatic(isStaticPage(invocation, routeModule, context?.renderOpts)));
      invocation.begin();
    });
  }

  // The body is parsed before the handler is called: the handler itself is wrapped.
  function hookPagesApi(prototype) {
    return beforeRender(prototype, (_, routeModule) => {
      const { userland } = routeModule;
      if (userland[kInvocation] || typeof userland.default !== 'function') return;
      const handler = userland.default;
      const begun = function (...args) {
        invocations.getStore()?.begin();
        return Reflect.apply(handler, this, args);
      };
      const wrapped = Object.create(userland, {
        [kInvocation]: { value: true },
        default: { value: begun, enumerable: true },
      });
      Object.defineProperty(routeModule, 'userland', { value: wrapped, configurable: true });  // 16: a getter
    });
  }

  function beforeRender(prototype, action) {
    const { render } = prototype;
    if (typeof render !== 'function') return false;
    prototype.render = function (...args) {
      const invocation = current(this);
      if (invocation) guard('render', () => action(invocation, this, args));
      return render.apply(this, args);
    };
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
        return {
          ...module,
          evaluateInContext(...args) {
            const result = module.evaluateInContext(...args);
            guard('edge', () => wrapEdgeEntry(context._ENTRIES, `middleware_${contextOptions.moduleName}`));
            return result;
          },
        };
      },
    });
  }

  const wrappedEntries = new WeakSet();

  function wrapEdgeEntry(entries, name) {
    const entry = entries?.[name];  // a module or, Turbopack, a proxy of a promise of one
    if (!entry || wrappedEntries.has(entry)) return;
    const wrapped = Promise.resolve(entry).then((module) => {
      const run = module.default;
      const begun = (...args) => {
        const invocation = invocations.getStore();
        if (invocation?.page !== undefined) invocation.begin();  // middleware runs before the dispatch
        return run(...args);
      };
      return Object.create(module, { default: { value: begun, enumerable: true } });
    });
    wrapped.catch(() => {});  // awaited by Next, which reports it
    wrappedEntries.add(wrapped);
    entries[name] = wrapped;
  }

  // ---- Static or not -----------------------------------------------------------------------------------------------------------
  //
  // What `next build` would prerender is not an invocation on Vercel. Next decides it by running the page at build time and watching
  // whether a dynamic API is used; its dev server watches the same flags, and so do we: an app page is static until it turns out to be
  // dynamic. The answer of a page's last run is its first guess at the next.

  const lastRun = new Map();  // page → true: was dynamic
  const prerenderedPaths = new Map();  // page → paths of generateStaticParams or getStaticPaths

  function looksStatic(invocation, page, kind) {
    if (!invocation.readOnly || kind !== 'APP_PAGE') return false;
    return lastRun.get(page) !== true && (!page.includes('[') || isListed(invocation, page));
  }

  // Other paths of the same page are rendered when they are asked for: by the function.
  function isListed(invocation, page = invocation.page) {
    return prerenderedPaths.get(page)?.has(invocation.path) === true;
  }

  function becameDynamic(invocation = invocations.getStore()) {
    if (invocation?.page === undefined || invocation.isForcedStatic) return;
    invocation.usedDynamic = true;
    lastRun.set(invocation.page, true);
    invocation.setStatic(false);
  }

  function finished(invocation, status) {
    if (invocation.began && invocation.readOnly && status === 200 && !invocation.usedDynamic) lastRun.delete(invocation.page);
  }

  // What the segments of a page say of themselves. Next's dev server does not watch two things that make a page dynamic at build time:
  // `revalidate = 0`, and `searchParams`, which a server component must name to read.
  function readSegments(invocation, segments) {
    if (!invocation.readOnly) return;
    let dynamic = false;
    for (const { name, exports } of segments) {
      if (exports?.dynamic !== undefined) invocation.isForcedStatic = exports.dynamic === 'force-static';
      if (exports?.dynamic === 'force-dynamic' || exports?.revalidate === 0) dynamic = true;
      const component = name === 'page' ? exports?.default : undefined;
      if (typeof component === 'function' && /\bsearchParams\b/.test(Function.prototype.toString.call(component))) dynamic = true;
    }
    if (dynamic) becameDynamic(invocation);
    else if (invocation.isForcedStatic) invocation.setStatic(!invocation.page.includes('[') || isListed(invocation));
  }

  // Next internals: is-static-gen-enabled.js and AppRouteRouteModule: GET alone and, from 15 on, only if the route asks for it.
  function isStaticRoute(invocation, userland) {
    if (!invocation.readOnly || !userland || userland instanceof Promise || invocation.page.includes('[')) return false;
    if (['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'].some((method) => method in userland)) return false;
    const { dynamic, revalidate } = userland;
    invocation.isForcedStatic = dynamic === 'force-static';
    if (dynamic === 'force-static' || dynamic === 'error') return true;
    if (dynamic === 'force-dynamic' || revalidate === 0 || lastRun.get(invocation.page) === true) return false;
    return hello.next.startsWith('14.') || revalidate === false || revalidate > 0;
  }

  // Next internals: render.js, isSSG and isAutoExport.
  function isStaticPage(invocation, routeModule, renderOpts) {
    if (!invocation.readOnly || !renderOpts || renderOpts.getServerSideProps) return false;
    if (renderOpts.getStaticProps) return !invocation.page.includes('[') || isListed(invocation);
    const App = routeModule.components?.App;
    return !renderOpts.Component?.getInitialProps && (!App || App.getInitialProps === App.origGetInitialProps);
  }

  // Next internals: request stores get `usedDynamic` (15, 16), work stores `forceDynamic`, and in 14 `revalidate = 0`.
  let workUnits;

  function hookWorkUnitStorage(real) {
    workUnits = real.workUnitAsyncStorage;
    return watchStores(real.workUnitAsyncStorage, (store) => {
      if (store.type === 'request') watch(store, 'usedDynamic', (value) => value === true);
    });
  }

  function hookWorkStorage(real) {
    return watchStores(real.workAsyncStorage ?? real.staticGenerationAsyncStorage, (store) => {
      watch(store, 'forceDynamic', (value) => value === true);
      if (!real.workAsyncStorage) watch(store, 'revalidate', (value) => value === 0);
    });
  }

  function watchStores(storage, see) {
    if (Object.hasOwn(storage, 'run')) return undefined;
    const { run } = storage;
    storage.run = function (store, ...rest) {
      if (store && typeof store === 'object' && !store[kInvocation] && invocations.getStore()) {
        guard('static', () => {
          Object.defineProperty(store, kInvocation, { value: true });
          see(store);
        });
      }
      return run.call(this, store, ...rest);
    };
    return undefined;
  }

  function watch(store, name, isDynamic) {
    let value = store[name];
    if (isDynamic(value)) becameDynamic();
    Object.defineProperty(store, name, {
      configurable: true,
      enumerable: true,
      get: () => value,
      set(next) {
        value = next;
        if (isDynamic(next)) becameDynamic();
      },
    });
  }

  // Next internals: DevServer.getStaticPaths runs generateStaticParams and getStaticPaths in a worker, before the render.
  function hookStaticPaths() {
    const { getStaticPaths } = server;
    if (typeof getStaticPaths !== 'function') return;
    server.getStaticPaths = async function (asked) {
      const result = await getStaticPaths.call(this, asked);
      guard('static paths', () => {
        const invocation = invocations.getStore();
        if (invocation?.page === undefined) return;
        const paths = result?.staticPaths ?? result?.prerenderedRoutes?.map((route) => route.path ?? route.pathname) ?? [];
        prerenderedPaths.set(invocation.page, new Set(paths.map(decoded)));
        if (looksStatic(invocation, invocation.page, invocation.kind)) invocation.setStatic(true);
      });
      return result;
    };
  }

  // The path of a request as the lists have it: without base path, query and the dress of /_next/data.
  function pathOf(url) {
    let path = url.split('?', 1)[0];
    const basePath = server?.nextConfig?.basePath ?? '';
    if (basePath && path.startsWith(basePath)) path = path.slice(basePath.length) || '/';
    const data = /^\/_next\/data\/[^/]+(\/.*)\.json$/.exec(path);
    return decoded(data ? data[1] : path.length > 1 ? path.replace(/\/$/, '') : path);
  }

  function decoded(path) {
    try {
      return decodeURIComponent(path);
    } catch {
      return path;
    }
  }

  // Fetches that are not to be cached make a page dynamic at build time; the dev server of 15 and 16 does not watch them. Below Next's own
  // patch of fetch: inside of `unstable_cache` and the like they do no such thing.
  function hookFetch() {
    const { fetch } = globalThis;
    if (typeof fetch !== 'function') return;
    const watched = function (input, init) {
      if (init?.cache === 'no-store' || init?.next?.revalidate === 0) {
        const unit = workUnits?.getStore();
        if (unit?.type === 'request') becameDynamic();
      }
      return Reflect.apply(fetch, this, arguments);
    };
    Object.defineProperty(watched, 'name', { value: 'fetch' });
    Object.defineProperty(watched, 'length', { value: fetch.length });
    globalThis.fetch = watched;
  }

  // ---- Time --------------------------------------------------------------------------------------------------------------------
  //
  // Timers of user code run faster, those of Next, React, bundlers and ourselves do not. Who calls is told by the file of the calling
  // frame: what was compiled from the project, or a package while an invocation runs.

  function isUserCode(file) {
    if (!file || file.startsWith('node:') || file === __filename) return false;
    if (/[\\/]node_modules[\\/](\.pnpm[\\/][^\\/]+[\\/]node_modules[\\/])?(next|@next|react|react-dom|scheduler)[\\/]/.test(file)) return false;
    if (file.startsWith('webpack-internal:') || isCompiled(file)) return true;
    return /[\\/]node_modules[\\/]/.test(file) && invocations.getStore() !== undefined;
  }

  function isCompiled(file) {
    const distDir = server ? path.resolve(server.dir ?? process.cwd(), server.distDir ?? '.next') : undefined;
    return (distDir !== undefined && file.replace(/^file:\/\//, '').startsWith(distDir + path.sep)) || /[\\/]\.next[\\/]/.test(file);
  }

  function callerFile(below) {
    const { prepareStackTrace, stackTraceLimit } = Error;
    try {
      Error.stackTraceLimit = 1;
      Error.prepareStackTrace = (_, sites) => sites[0]?.getScriptNameOrSourceURL() ?? '';
      const holder = {};
      Error.captureStackTrace(holder, below);
      return String(holder.stack);
    } finally {
      Error.stackTraceLimit = stackTraceLimit;
      Error.prepareStackTrace = prepareStackTrace;
    }
  }

  function hookTimers() {
    const timers = require('node:timers');
    const promises = require('node:timers/promises');
    const { promisify } = require('node:util');
    // `at` is the place of the delay among the arguments.
    const scaled = (real, at, custom) => {
      const fast = function (...args) {
        if (args[at] > 0 && isUserCode(callerFile(fast))) args[at] = Math.max(1, args[at] / options.timeScale);
        return Reflect.apply(real, this, args);
      };
      Object.defineProperty(fast, 'name', { value: real.name });
      if (custom) Object.defineProperty(fast, promisify.custom, { value: custom, configurable: true });
      return fast;
    };
    promises.setTimeout = scaled(promises.setTimeout, 0);
    promises.setInterval = scaled(promises.setInterval, 0);
    promises.scheduler.wait = scaled(promises.scheduler.wait, 0);
    globalThis.setTimeout = timers.setTimeout = scaled(timers.setTimeout, 1, promises.setTimeout);
    globalThis.setInterval = timers.setInterval = scaled(timers.setInterval, 1);
    AbortSignal.timeout = scaled(AbortSignal.timeout, 0);
    Module.syncBuiltinESMExports();
  }

  // Edge functions see the globals of their own context, where only user code and what is bundled with it runs.
  function scaleEdgeTimers(context) {
    if (context[kInvocation]) return;
    context[kInvocation] = true;
    const scale = (real, at) =>
      function (...args) {
        if (args[at] > 0) args[at] = Math.max(1, args[at] / options.timeScale);
        return Reflect.apply(real, this, args);
      };
    context.setTimeout = scale(context.setTimeout, 1);
    context.setInterval = scale(context.setInterval, 1);
    if (context.AbortSignal?.timeout) context.AbortSignal.timeout = scale(context.AbortSignal.timeout, 0);
  }
}
