'use strict';
// What all versions of Next have in common, in both processes (interface.d.ts says what each answer is for). `differs` has what a major does otherwise, and
// comes last: what is here asks `next` and not itself.

const path = require('node:path');
const middleware = require('./middleware.cjs');
const routeModules = require('./route-modules.cjs');
const sandbox = require('./sandbox.cjs');
const stores = require('./stores.cjs');

const kMeta = Symbol.for('NextInternalRequestMeta');
// app-router-headers.js
const kPartial = ['next-router-state-tree', 'next-router-prefetch', 'next-router-segment-prefetch'];

function common({ dist, version }, next) {
  const load = (name) => require(path.join(dist, name));

  // Of the first of these modules that this version has.
  function loadFirst(...names) {
    for (const name of names) {
      try {
        return load(name);
      } catch {
        // elsewhere in this version
      }
    }
    return undefined;
  }

  const isTurbopack = () => Boolean(process.env.TURBOPACK);

  // ---- A request ------------------------------------------------------------------------------------------------------------------------

  const isPartial = (headers) => kPartial.some((name) => name in headers);

  // What Next's router asks of its render server, in the request's meta: middleware and rewrites are done. Undefined: this is none of its requests.
  const metaOf = (req) => req[kMeta];

  function askedOf(req) {
    const meta = next.metaOf(req);
    return meta && { meta, isMiddleware: Boolean(meta.middlewareInvoke), isErrorPage: meta.invokeStatus !== undefined, definition: meta.match?.definition };
  }

  function giveMeta(req, meta) {
    req[kMeta] = { ...req[kMeta], ...meta };
  }

  function askForErrorPage(req) {
    const { match, invokeOutput, ...meta } = req[kMeta];
    req[kMeta] = { ...meta, invokePath: '/500', invokeQuery: {}, invokeStatus: 500 };
  }

  // The router goes on to the next match.
  const isNoFallback = (error) => error?.constructor?.name === 'NoFallbackError';

  // A client that left, React's way to postpone.
  const isHarmless = (error) => error?.name === 'ResponseAborted' || error?.$$typeof === Symbol.for('react.postpone');
  const isAborted = (error) => error?.name === 'AbortError' || error?.name === 'ResponseAborted';

  // ---- The server -------------------------------------------------------------------------------------------------------------------------

  // Of what the render server's initialize() gives.
  const serverOf = (handlers) => handlers.server?.server;

  // The user's register(), called by prepare(): `instead` in its place. Undefined: this Next has no such thing.
  function deferInstrumentation(instead) {
    const { default: DevServer } = load('server/dev/next-dev-server.js');
    const original = DevServer.prototype.runInstrumentationHookIfAvailable;
    if (typeof original !== 'function') return undefined;
    DevServer.prototype.runInstrumentationHookIfAvailable = async function () {
      await instead(this);
    };
    return (server) => original.call(server);
  }

  // The keys of draft mode: one client's cookie is good for all. Later versions keep them in a file; each server of 14 makes its own.
  const previewOf = (server) => server.getPrerenderManifest().preview;

  // Runs generateStaticParams and getStaticPaths in a worker, before the render. `around(ask)` may answer itself, `told` gets the paths.
  function watchStaticPaths(server, around, told) {
    const { getStaticPaths } = server;
    if (typeof getStaticPaths !== 'function') return;
    server.getStaticPaths = async function (asked) {
      const result = await around(() => getStaticPaths.call(this, asked));
      told(result?.staticPaths ?? result?.prerenderedRoutes?.map((route) => route.path ?? route.pathname) ?? []);
      return result;
    };
  }

  // ---- Static or not ------------------------------------------------------------------------------------------------------------------------

  // A route handler that says nothing of itself: is-static-gen-enabled.js and AppRouteRouteModule.
  const isStaticByDefault = () => false;

  return {
    version, dist, load, loadFirst, isTurbopack, isPartial, metaOf, askedOf, giveMeta, askForErrorPage, isNoFallback, isHarmless, isAborted, serverOf,
    deferInstrumentation, previewOf, watchStaticPaths, isStaticByDefault,
  };
}

/** @param {{ dist: string, role: 'dev' | 'instance', version: string }} given @param {(next: any, given: any) => object} differs */
module.exports = function (given, differs) {
  const next = /** @type {any} */ ({});
  const ofRole = given.role === 'dev' ? require('./dev.cjs') : require('./instance.cjs');
  Object.assign(next, common(given, next), stores(next), routeModules(next), sandbox(next), middleware(), ofRole(next, given), differs(next, given));
  return next;
};
