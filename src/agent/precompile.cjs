'use strict';
// Compiles a route before anybody asks for it, when vercel-sim says so (`test --warm`). Nothing that the user has written runs: the bundler is asked
// and not the router.

const fs = require('node:fs');
const path = require('node:path');

const kMostText = 4000;  // of an error

module.exports = function (sim) {
  const { nextDist, round, tell } = sim;
  const isTurbopack = Boolean(process.env.TURBOPACK);
  const known = new Map();  // text of an error → the page that met it first
  let last = Promise.resolve();
  let service;
  let prepared;
  let instrumentation;
  let hasSlots;

  // Next internals: dev-bundler-service.js, given to the render server.
  function takeBundler(bundlerService) {
    if (typeof bundlerService?.ensurePage !== 'function' || typeof bundlerService.bundler?.hotReloader?.getCompilationErrors !== 'function') return;
    service = bundlerService;
    sim.hello.compile = true;
  }

  // One after the other: both bundlers tell of all errors that there are, and which are this page's is seen by their being new. They use all
  // processors for one.
  function precompile({ page, kind }) {
    if (!service || !sim.server || typeof page !== 'string') return;
    last = last.then(() => compileOne(page, kind));
  }

  async function compileOne(page, kind) {
    const from = performance.now();
    let outcome;
    try {
      outcome = await sim.invocations.exit(() => ensure(page, kind));
    } catch (error) {
      outcome = isMissing(error) ? { status: 'missing' } : failed(page, [error, ...(await errorsOf(page))]);
    }
    tell({ t: 'precompiled', page, kind, ms: round(performance.now() - from), ...outcome });
  }

  async function ensure(page, kind) {
    prepared ??= ensureInstrumentation();
    await prepared;
    if (kind === 'MIDDLEWARE') {
      if (!sim.server.actualMiddlewareFile) return { status: 'missing' };
      await sim.server.ensureMiddleware(page);
    } else {
      const definition = await definitionOf(page, kind);
      if (!definition && !isTurbopack && kind === 'APP_PAGE' && appHasSlots())
        return { status: 'left', error: 'with webpack, the parts of a page with parallel routes are known at its first request' };
      await service.ensurePage({ page, clientOnly: false, definition, url: definition?.pathname });
    }
    if (!isTurbopack) keepEntries();
    return failed(page, await errorsOf(page));
  }

  // The first function of an instance runs it.
  async function ensureInstrumentation() {
    const page = sim.server.actualInstrumentationHookFile;
    if (page) await ensureOnce({ page, clientOnly: false, definition: undefined }).catch(() => {});
  }

  // Next internals: ensurePageImpl of on-demand-entry-handler.js makes the entry of instrumentation anew each time it is asked, and so would compile
  // it again for every instance. Like any entry it is watched once it is there.
  function ensureOnce(asked) {
    if (isTurbopack || asked?.page !== sim.server.actualInstrumentationHookFile) return service.ensurePage(asked);
    instrumentation ??= service.ensurePage(asked).catch((error) => {
      instrumentation = undefined;
      throw error;
    });
    return instrumentation;
  }

  async function errorsOf(page) {
    return (await service.bundler.hotReloader.getCompilationErrors(page).catch(() => [])) ?? [];
  }

  // Next internals: up to 15 the render server has a list of all routes. Without one the bundler finds the page's file by its name.
  async function definitionOf(page, kind) {
    const { matchers } = sim.server;
    if (!matchers) return undefined;
    await matchers.waitTillReady?.();
    const all = [...(matchers.matchers?.static ?? []), ...(matchers.matchers?.dynamic ?? [])];
    return all.find(({ definition }) => definition.page === page && definition.kind === kind)?.definition;
  }

  // `app/x/@slot/…`: such a page is made of several files, which the bundler would have to be told.
  function appHasSlots() {
    const { appDir } = sim.server;
    hasSlots ??= Boolean(appDir) && fs.readdirSync(appDir, { recursive: true }).some((name) => /(^|[\\/])@[^\\/]+([\\/]|$)/.test(name));
    return hasSlots;
  }

  // webpack forgets what nobody has asked for within a minute.
  // Next internals: on-demand-entry-handler.js, disposeInactiveEntries.
  function keepEntries() {
    sim.guard('kept entries', () => {
      const { getEntries } = require(path.join(nextDist, 'server/dev/on-demand-entry-handler.js'));
      const { outputPath } = service.bundler.hotReloader.multiCompiler;
      for (const entry of Object.values(getEntries(outputPath))) if (entry.lastActiveTime) entry.lastActiveTime = Infinity;
    });
  }

  function isMissing(error) {
    return error?.code === 'ENOENT' && /^Cannot find module for page|^route not found/.test(error.message ?? '');
  }

  function failed(page, errors) {
    const texts = errors.map((error) => textOf(error).slice(0, kMostText));
    const own = texts.find((text) => (known.get(text) ?? page) === page);
    for (const text of texts) if (!known.has(text)) known.set(text, page);
    return own === undefined ? { status: 'ok' } : { status: 'failed', error: own };
  }

  function textOf(error) {
    const { stripVTControlCharacters } = require('node:util');
    return stripVTControlCharacters(String(error?.message ?? error)).trim();
  }

  return { takeBundler, precompile, ensureOnce };
};
