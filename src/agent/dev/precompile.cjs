'use strict';
// Compiles a route before anybody asks for it, when vercel-sim says so (`test --warm`). Nothing that the user has written runs: the bundler is asked
// and not the router.

const fs = require('node:fs');
const path = require('node:path');

const kMostText = 4000;  // of an error
const kAhead = Symbol('vsim.ahead');
const kNobody = '/vercel-sim/no-such-page';

module.exports = function (sim) {
  const { nextDist, round, tell } = sim;
  const isTurbopack = Boolean(process.env.TURBOPACK);
  const known = new Map();  // text of an error → the page that met it first
  let last = Promise.resolve();
  let service;
  let allErrors;
  let prepared;
  let instrumentation;
  let hasSlots;

  // Next internals: dev-bundler-service.js, given to the render server.
  function takeBundler(bundlerService) {
    if (typeof bundlerService?.ensurePage !== 'function' || typeof bundlerService.bundler?.hotReloader?.getCompilationErrors !== 'function') return;
    service = bundlerService;
    sim.hello.compile = true;
    const { hotReloader } = service.bundler;
    const { ensurePage, getCompilationErrors } = hotReloader;
    allErrors = () => getCompilationErrors.call(hotReloader, kNobody);
    hotReloader.getCompilationErrors = async function (page) {
      const errors = await getCompilationErrors.call(this, page);
      return known.size > 0 && errors?.length > 0 ? ownOf(page, errors) : errors;
    };
    hotReloader.ensurePage = function (asked, ...rest) {
      if (known.size > 0 && !asked?.[kAhead]) forget(asked?.definition?.page ?? asked?.page);
      return ensurePage.call(this, asked, ...rest);
    };
  }

  // Somebody asks for that page: from now on Next does with its error what it does.
  function forget(page) {
    for (const [text, owner] of known) if (owner === page) known.delete(text);
  }

  // Where one page does not compile, Next shows its error in the place of every other that has none of its own. After a developer has opened it that
  // is a service; a test which never asks for that page must not fail because it was tried ahead.
  async function ownOf(page, errors) {
    if (errors.length < (await allErrors()).length) return errors;
    return errors.filter((error) => (known.get(textOf(error)) ?? page) === page);
  }

  // One after the other: whose an error is, is seen by its being new. The bundlers use all processors for one.
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
      await service.ensurePage({ page, clientOnly: false, definition, ...(!definition && kind === 'APP_PAGE' && { appPaths: [page] }), [kAhead]: true });
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
    const texts = errors.map(textOf);
    for (const text of texts) if (!known.has(text)) known.set(text, page);
    return texts.length === 0 ? { status: 'ok' } : { status: 'failed', error: texts[0] };
  }

  function textOf(error) {
    const { stripVTControlCharacters } = require('node:util');
    return stripVTControlCharacters(String(error?.message ?? error)).trim().slice(0, kMostText);
  }

  return { takeBundler, precompile, ensureOnce };
};
