'use strict';
// The preload inside an unmodified `next dev` (docs/agent-protocol.md). It moves Next's listening socket to a private unix socket while
// Next goes on believing in the public port, and tells vercel-sim what no proxy can see: which function a request reached, when its route
// was compiled, and when the user's own code starts. It changes no answer of Next. Loaded by NODE_OPTIONS into every Node process below
// `next dev`; only Next's server process does anything.
const isServer = /[\\/]next[\\/]dist[\\/]server[\\/]lib[\\/]start-server(\.js)?$/.test(process.argv[1] || '');
if (isServer && process.env.VSIM_APP_SOCKET && require('worker_threads').isMainThread) install();

function install() {
  const Module = require('module');
  const net = require('net');
  const path = require('path');
  const { AsyncLocalStorage } = require('async_hooks');

  const token = process.env.VSIM_TOKEN || '';
  const publicPort = Number(process.env.VSIM_PUBLIC_PORT);
  const appSocket = process.env.VSIM_APP_SOCKET;
  const timeScale = Number(process.env.VSIM_TIME_SCALE || 1);
  const controlSocket = process.env.VSIM_AGENT_SOCKET;
  // Nothing of ours shows in the app's environment, nor in its children's.
  for (const name of Object.keys(process.env)) if (name.startsWith('VSIM_')) delete process.env[name];

  const current = new AsyncLocalStorage();  // the invocation that the running code belongs to
  const META = Symbol.for('NextInternalRequestMeta');
  const OURS = /^x-vsim-/i;

  // --- control channel ---------------------------------------------------------------------------------------------
  const control = openControl();
  function openControl() {
    const socket = net.connect(controlSocket);
    socket.unref();
    socket.write(`${token}\n`);
    let warned = false;
    const gone = () => {
      // vercel-sim is no more: do not stay behind without a door.
      if (warned) return;
      warned = true;
      process.stderr.write('vercel-sim is gone; next dev ends\n');
      setTimeout(() => process.exit(1), 300).unref();
      process.kill(process.pid, 'SIGTERM');
    };
    socket.on('error', gone).on('close', gone);
    return socket;
  }
  const send = (message) => { if (control.writable) control.write(`${JSON.stringify(message)}\n`); };

  // --- the private listening socket --------------------------------------------------------------------------------
  const servers = new Set();
  const listen = net.Server.prototype.listen;
  net.Server.prototype.listen = function (...args) {
    const options = args[0] !== null && typeof args[0] === 'object' ? args[0] : { port: args[0], host: typeof args[1] === 'string' ? args[1] : undefined };
    if (options.port === undefined || Number(options.port) !== publicPort || options.path !== undefined) return listen.apply(this, args);
    net.Server.prototype.listen = listen;  // once: what user code listens on is its own
    try { require('fs').unlinkSync(appSocket); } catch { /* there was none */ }
    const host = options.host || '::';
    this.address = () => ({ address: host, family: host.includes(':') ? 'IPv6' : 'IPv4', port: publicPort });
    adopt(this);
    const callback = args.find((a) => typeof a === 'function');
    return listen.call(this, { path: appSocket }, callback);
  };

  // Requests lose our headers before anyone sees them, and run in the context of their invocation.
  function adopt(server) {
    servers.add(server);
    server.keepAliveTimeout = 0;  // vercel-sim closes idle connections itself, before Node's five seconds
    const emit = server.emit;
    server.emit = function (event, request, second, third) {
      if (event !== 'request' && event !== 'upgrade' && event !== 'checkContinue') return emit.apply(this, arguments);
      const invocation = takeInvocation(request);
      if (event === 'upgrade') sockets.add(second.once('close', () => sockets.delete(second)));
      if (!invocation) return emit.call(this, event, request, second, third);
      if (event !== 'upgrade') markResponse(second, invocation);
      return current.run(invocation, () => emit.call(this, event, request, second, third));
    };
  }
  const sockets = new Set();

  function takeInvocation(request) {
    let id;
    const raw = request.rawHeaders;
    for (let i = raw.length - 2; i >= 0; i -= 2) {
      if (!OURS.test(raw[i])) continue;
      const value = raw[i + 1];
      if (raw[i].toLowerCase() === 'x-vsim-id' && value.startsWith(`${token}.`)) id = value.slice(token.length + 1);
      raw.splice(i, 2);
    }
    for (const name of Object.keys(request.headers)) if (OURS.test(name)) delete request.headers[name];
    return id && { id, page: undefined, kind: '', runtime: 'nodejs', static: false, started: false, ended: false };
  }

  // A fast answer may overtake the control channel, so its head says the same.
  function markResponse(response, invocation) {
    const writeHead = response.writeHead;
    response.writeHead = function (...args) {
      if (invocation.page !== undefined && !this.headersSent) {
        const i = invocation;
        this.setHeader('x-vsim-meta', `${token} page=${encodeURIComponent(i.page)};kind=${i.kind};runtime=${i.runtime};static=${i.static ? 1 : 0}`);
      }
      return writeHead.apply(this, args);
    };
    response.once('close', () => { invocation.ended = true; });
  }

  // --- what Next does with a request -------------------------------------------------------------------------------
  const tellDispatch = (i) => send({ t: 'dispatch', id: i.id, page: i.page, kind: i.kind, runtime: i.runtime, static: i.static });
  function handlerStarts(invocation) {
    if (!invocation || invocation.started || invocation.page === undefined) return;
    invocation.started = true;
    send({ t: 'handler', id: invocation.id });
  }
  // Brackets work that is Next's and not the function's.
  async function compiling(invocation, work) {
    if (!invocation || invocation.ended) return work();
    invocation.compiles = (invocation.compiles || 0) + 1;
    const outermost = invocation.compiles === 1;
    if (outermost) send({ t: 'compile', id: invocation.id, phase: 'start' });
    try {
      return await work();
    } finally {
      invocation.compiles--;
      if (outermost) send({ t: 'compile', id: invocation.id, phase: 'end' });
    }
  }

  const hooks = { renderServer: false, ensurePage: false };
  const load = Module._load;
  Module._load = function (request, parent, isMain) {
    const loaded = load.call(this, request, parent, isMain);
    if (typeof request !== 'string' || !loaded) return loaded;
    if (request === './render-server' && parent && /[\\/]router-server\.js$/.test(parent.filename || '')) return wrapRenderServer(loaded, parent.filename);
    if (/[\\/]server[\\/](app|pages)[\\/].*\.js$/.test(request)) wrapEntry(loaded);
    return loaded;
  };

  let wrapped;
  function wrapRenderServer(real, routerFile) {
    if (wrapped) return wrapped;
    hooks.renderServer = true;
    const nextDist = path.resolve(routerFile, '../../..');
    let handlers;
    wrapped = Object.create(real, {
      initialize: {
        enumerable: true,
        value: async (options) => {
          if (handlers) return handlers;
          wrapBundler(options.bundlerService);
          const inner = await real.initialize(options);
          const context = { bundler: options.bundlerService, inner };
          handlers = { ...inner, requestHandler: (req, res, parsed) => handleRequest(context, req, res, parsed) };
          hello(nextDist, inner);
          return handlers;
        },
      },
    });
    return wrapped;
  }

  function hello(nextDist, inner) {
    let version = '';
    try { version = require(path.join(nextDist, '../package.json')).version; } catch { /* told without it */ }
    const server = inner.server && (inner.server.server || inner.server);
    const config = server && server.nextConfig;
    if (config) send({ t: 'config', basePath: config.basePath || '', pageExtensions: config.pageExtensions });
    const missing = Object.keys(hooks).filter((name) => !hooks[name]);
    send({ t: 'hello', pid: process.pid, next: version, bundler: process.env.TURBOPACK ? 'turbopack' : 'webpack', missing });
    send({ t: 'listening' });
  }

  // Compiles that happen while the function already runs (a dynamic import; Next 15 with Turbopack) are not charged either.
  function wrapBundler(bundler) {
    if (!bundler) return;
    const ensurePage = bundler.ensurePage;
    if (typeof ensurePage === 'function') {
      hooks.ensurePage = true;
      bundler.ensurePage = function (definition) {
        const invocation = current.getStore();
        return compiling(invocation, () => ensurePage.call(this, definition));
      };
    }
    const setIsrStatus = bundler.setIsrStatus;
    if (typeof setIsrStatus === 'function') {
      bundler.setIsrStatus = function (key, isStatic) {
        const invocation = current.getStore();
        if (invocation && invocation.page !== undefined && isStatic !== undefined) {
          staticPages.set(invocation.page, isStatic);
          if (invocation.static !== isStatic && !invocation.action) {
            invocation.static = isStatic;
            tellDispatch(invocation);
          }
        }
        return setIsrStatus.apply(this, arguments);
      };
    }
  }
  const staticPages = new Map();  // what Next said of a page at its last render

  const KINDS = { PAGES: 'PAGES', PAGES_API: 'PAGES_API', APP_PAGE: 'APP_PAGE', APP_ROUTE: 'APP_ROUTE' };
  async function handleRequest(context, req, res, parsed) {
    const invocation = current.getStore();
    const meta = req[META] || {};
    if (!invocation || meta.middlewareInvoke) return context.inner.requestHandler(req, res, parsed);
    const definition = meta.match && meta.match.definition;
    const page = String((definition && definition.page) || meta.invokeOutput || meta.invokePath || '');
    // The image optimizer and Next's own pages are no functions of the app.
    if (!page || page.startsWith('/_next/') || page.startsWith('/__next')) return context.inner.requestHandler(req, res, parsed);

    invocation.page = page;
    invocation.kind = KINDS[definition && definition.kind] || (page.startsWith('/api/') || page === '/api' ? '' : '');
    invocation.action = req.method === 'POST' && invocation.kind === 'APP_PAGE';
    invocation.static = !invocation.action && staticPages.get(page) === true;
    tellDispatch(invocation);

    const startedAt = Date.now();
    await compiling(invocation, () => compile(context, req, meta, definition));
    const took = Date.now() - startedAt;
    if (took >= 50) send({ t: 'compiled', page, ms: took });

    watchInternalsEnd(req, invocation);
    if (!wrapsHandler(invocation)) handlerStarts(invocation);
    return context.inner.requestHandler(req, res, parsed);
  }

  async function compile({ bundler, inner }, req, meta, definition) {
    try {
      if (definition && bundler && bundler.ensurePage) {
        await bundler.ensurePage({ page: definition.page, clientOnly: false, definition, url: req.url });
      } else {
        const matchers = inner.server && inner.server.server && inner.server.server.matchers;
        if (matchers) await matchers.match(meta.invokePath || meta.invokeOutput, {});  // Next 15 and 14: the match compiles
      }
    } catch { /* a build error: Next says it again, in its own way, when it renders */ }
  }

  // --- the first call of the user's code ---------------------------------------------------------------------------
  // Route handlers and API routes: the handler itself is wrapped when its module is loaded. Pages: Next 16 notes the moment at which its own
  // work ends in the request's meta. Where neither is to be had, the end of the compile stands for it.
  const wrapsHandler = (invocation) => invocation.kind === 'APP_ROUTE' || invocation.kind === 'PAGES_API' || notesInternalsEnd;
  let notesInternalsEnd = false;
  function watchInternalsEnd(req, invocation) {
    const meta = req[META];
    if (!meta || Object.getOwnPropertyDescriptor(meta, 'devRequestTimingInternalsEnd')) return;
    let value;
    Object.defineProperty(meta, 'devRequestTimingInternalsEnd', {
      configurable: true,
      enumerable: true,
      get: () => value,
      set: (v) => {
        value = v;
        if (invocation.kind === 'APP_PAGE' || invocation.kind === 'PAGES' || invocation.kind === '') handlerStarts(invocation);
      },
    });
  }

  const seen = new WeakSet();
  function wrapEntry(exports) {
    if (typeof exports !== 'object' || exports === null) return;
    if (typeof exports.then === 'function') {
      exports.then(wrapEntry, () => {});
      return;
    }
    const module = exports.routeModule;
    if (!module || seen.has(module)) return;
    seen.add(module);
    try {
      const kind = module.definition && module.definition.kind;
      if (kind === 'APP_ROUTE') wrapRoute(module);
      else if (kind === 'PAGES_API') wrapApi(module);
    } catch { /* a frozen module: the fallback stands */ }
  }
  const counted = (handler) => typeof handler !== 'function' ? handler : function (...args) {
    handlerStarts(current.getStore());
    return handler.apply(this, args);
  };
  function wrapRoute(module) {
    for (const name of ['resolveHandler', 'resolveHandlerFromUserland', 'resolve']) {
      const original = module[name];
      if (typeof original !== 'function') continue;
      module[name] = function (...args) { return counted(original.apply(this, args)); };
    }
  }
  function wrapApi(module) {
    const userland = module.userland;
    if (!userland || typeof userland.default !== 'function') return;
    const handler = counted(userland.default);
    module.userland = new Proxy(userland, { get: (target, key) => (key === 'default' ? handler : target[key]) });
  }

  // --- time scale --------------------------------------------------------------------------------------------------
  // Timers that code of an invocation sets run faster by the factor that limits are divided by. Next's own run outside of one, or with
  // delays of a few milliseconds that no test waits for.
  if (timeScale > 1) {
    const scaled = (delay) => (current.getStore() ? Number(delay) / timeScale : delay);
    const { setTimeout: timeout, setInterval: interval } = globalThis;
    const promises = require('timers/promises');
    const wrap = (original) => Object.assign(function (callback, delay, ...args) { return original(callback, scaled(delay), ...args); },
      { [require('util').promisify.custom]: (delay, value, options) => promises.setTimeout(delay, value, options) });
    const timers = require('timers');
    globalThis.setTimeout = timers.setTimeout = wrap(timeout);
    globalThis.setInterval = timers.setInterval = wrap(interval);
    const promiseTimeout = promises.setTimeout;
    const promiseInterval = promises.setInterval;
    promises.setTimeout = (delay, value, options) => promiseTimeout(scaled(delay), value, options);
    promises.setInterval = (delay, value, options) => promiseInterval(scaled(delay), value, options);
    const abortTimeout = AbortSignal.timeout;
    AbortSignal.timeout = (delay) => abortTimeout.call(AbortSignal, Math.ceil(scaled(delay)));
    Module.syncBuiltinESMExports();
  }

  // --- the end -----------------------------------------------------------------------------------------------------
  // Upgraded and hung connections would keep Next from ending.
  for (const signal of ['SIGTERM', 'SIGINT']) {
    process.prependListener(signal, () => {
      for (const socket of sockets) socket.destroy();
      for (const server of servers) if (server.closeAllConnections) server.closeAllConnections();
    });
  }
}
