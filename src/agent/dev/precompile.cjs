'use strict';
// Compiles a route before anybody asks for it, when vercel-sim says so (`test --warm`). Nothing that the user has written runs: the bundler is asked
// and not the router.

const kMostText = 4000;  // of an error

module.exports = function (sim) {
  const { next, round, tell } = sim;
  const known = new Map();  // text of an error → the page that met it first
  let last = Promise.resolve();
  let service;
  let hotReloader;
  let prepared;
  let instrumentation;

  function takeBundler(bundler) {
    if (!bundler.isWhole) return;
    ({ service, hotReloader } = bundler);
    sim.hello.compile = true;
    next.watchErrors(hotReloader, { asked: forget, isNeeded: () => known.size > 0, filter: ownOf });
  }

  // Somebody asks for that page: from now on Next does with its error what it does.
  function forget(page) {
    for (const [text, owner] of known) if (owner === page) known.delete(text);
  }

  // Where one page does not compile, Next shows its error in the place of every other that has none of its own. After a developer has opened it that
  // is a service; a test which never asks for that page must not fail because it was tried ahead.
  async function ownOf(page, errors, all) {
    if (errors.length < (await all()).length) return errors;
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
      outcome = next.isMissingPage(error) ? { status: 'missing' } : failed(page, [error, ...(await errorsOf(page))]);
    }
    tell({ t: 'precompiled', page, kind, ms: round(performance.now() - from), ...outcome });
  }

  async function ensure(page, kind) {
    prepared ??= ensureInstrumentation();
    await prepared;
    if (kind === 'MIDDLEWARE') {
      if (!(await next.compileMiddleware(sim.server, page))) return { status: 'missing' };
    } else if (!(await next.compileAhead(service, sim.server, page, kind))) {
      return { status: 'left', error: 'with webpack, the parts of a page with parallel routes are known at its first request' };
    }
    sim.guard('kept entries', () => next.keepEntries(hotReloader));
    return failed(page, await errorsOf(page));
  }

  // The first function of an instance runs it.
  async function ensureInstrumentation() {
    const page = next.instrumentationOf(sim.server);
    if (page) await ensureOnce(next.askFor(page)).catch(() => {});
  }

  // Like any entry it is watched once it is there.
  function ensureOnce(asked) {
    if (!next.isInstrumentation(sim.server, asked)) return service.ensurePage(asked);
    instrumentation ??= service.ensurePage(asked).catch((error) => {
      instrumentation = undefined;
      throw error;
    });
    return instrumentation;
  }

  const errorsOf = (page) => next.errorsOf(hotReloader, page);

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
