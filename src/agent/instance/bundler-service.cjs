'use strict';
// An instance's render server: Next's own, with next dev as its bundler.

const http = require('node:http');

const kMaxHead = 1024 * 1024;  // the client's fields, and Next's own notes besides

module.exports = function (sim) {
  const { boot, bracketed, guard, invocations, next, options } = sim;
  const fields = {};
  let renderServer;

  // What stands for Next's bundler.
  const own = {
    ensureChunk,
    compile: (page, name, ...args) => bracketed(page, () => sim.peer.call(name, ...args)),
    ask: (name, ...args) => sim.peer.call(name, ...args),
    tell(name, ...args) {
      if (!invocations.getStore()?.isWarming) sim.peer.tell(name, ...args);
    },
    // next dev has compiled the function of the request before it dispatched it.
    isKnown(page) {
      const invocation = invocations.getStore();
      return invocation?.isCompiled === true && invocation.page === page;
    },
    sync: () => invocations.getStore()?.sync,
    logError,
    revalidate,
  };

  async function startRenderServer() {
    next.prepareRenderServer(boot.config);
    deferInstrumentation();
    sim.prepareSourceMaps();
    const server = http.createServer({ maxHeaderSize: kMaxHead });
    // A frozen instance must not close its connections when it goes on: vercel-sim closes them.
    Object.assign(server, { keepAliveTimeout: 0, requestTimeout: 0, headersTimeout: 0 });
    sim.prepareServer(server);
    renderServer = await next.startRenderServer({ options: boot.options, server, fields, own });
    sim.server = renderServer.server;
    for (const [field, value] of Object.entries(fields)) fieldChanged(undefined, field, value);
    guard('preview', () => next.takePreview(sim.server, boot.preview));
    // In a process of its own, which next dev has and keeps the answers of.
    next.completeServer(sim.server, { revalidate, getStaticPaths: (asked) => sim.peer.call('getStaticPaths', asked) });
    guard('static paths', sim.hookStaticPaths);
    guard('node middleware', sim.hookMiddleware);
    guard('router context', renderServer.provideContext);
    sim.httpServer = server;
  }

  // Asked before each chunk that is loaded lazily. Once is enough: when it changes, this instance is replaced.
  const chunks = new Map();

  function ensureChunk(chunk) {
    if (!chunks.has(chunk)) chunks.set(chunk, own.compile(undefined, 'ensureChunk', chunk));
    return chunks.get(chunk);
  }

  // The user's instrumentation is user code: it runs with the first function and not in a spare.
  let register = async () => {};
  let registered;

  function deferInstrumentation() {
    const deferred = next.deferInstrumentation(async () => {});
    register = async () => {
      await next.loadInstrumentation(sim.server);
      return deferred?.(sim.server);
    };
  }

  // Once. What it throws is told as Next tells it, and the request goes on, as in `next dev`.
  function registerInstrumentation() {
    registered ??= { done: false, promise: register().catch((error) => logError(error)) };
    registered.promise.then(() => (registered.done = true));
    return registered.done ? undefined : registered.promise;
  }

  // ---- What Next asks of its server --------------------------------------------------------------------------------------------------------

  function logError(error, type) {
    if (invocations.getStore()?.isWarming) return;
    guard('refused', () => sim.lookAtError?.(error));
    return next.logError(error, type, (...args) => sim.peer.call('logErrorWithOriginalStack', ...args).catch(() => {}));
  }

  // A page is to be made anew (res.revalidate): by the platform, which asks for it as anyone does, with a secret of the deployment.
  /** @param {{ urlPath: string, headers?: object, revalidateHeaders?: object, opts?: { unstable_onlyGenerated?: boolean } }} asked */
  async function revalidate({ urlPath, headers = {}, revalidateHeaders, opts = {} }) {
    sim.tellRevalidated?.();
    /** @type {RequestInit} */
    const asked = {
      method: 'HEAD',
      redirect: 'manual',
      headers: Object.fromEntries(Object.entries(revalidateHeaders ?? headers).map(([name, value]) => [name, String(value)])),
    };
    const answer = await (sim.unjudged ?? ((ask) => ask()))(() => fetch(`http://localhost:${options.publicPort}${urlPath}`, asked));
    const isNew = answer.headers.get('x-nextjs-cache')?.toUpperCase() === 'REVALIDATED' || answer.status === 200;
    if (!isNew && !(answer.status === 404 && opts.unstable_onlyGenerated)) throw new Error(`Invalid response ${answer.status}`);
    return {};
  }

  // Before the render server is there the fields are kept for it.
  function fieldChanged(dir, field, value) {
    fields[field] = value;
    if (sim.server) renderServer.setField(dir, field, value);
  }

  return { startRenderServer, registerInstrumentation, fieldChanged, answer: (req, res, url) => renderServer.answer(req, res, url) };
};
