'use strict';
// Isolation, in next dev: when Next's router hands a request to its render server, the route is compiled and the request is answered with
// where it is to be run and everything that an instance needs to run it (docs/agent-protocol.md, "Dispatch").

const http = require('node:http');
const path = require('node:path');
const decoded = require('../shared/decoded.cjs');
const { pack } = require('../shared/values.cjs');

const kType = 'application/vnd.vercel-sim';
// Of the connection to us, not of the request.
const kHopByHop = new Set(['content-length', 'transfer-encoding', 'expect', 'keep-alive', 'proxy-connection']);

module.exports = function (sim) {
  const { edgePages, guard, invocations, isolation, kInvocation, looksStatic, options } = sim;
  const kNotFound = sim.invokesByFields ? '/not-found' : '/_not-found';  // as Next's router says
  let NoFallback;

  // Whether this request of the render server is an invocation and is to be run elsewhere. Middleware and images stay here, and so do requests
  // that Next makes to itself, which have no client.
  function isDispatched(req, meta) {
    const invocation = req[kInvocation];
    return invocation !== undefined && !meta.middlewareInvoke && !isOfNext(req.url);
  }

  function isOfNext(url) {
    const basePath = sim.server.nextConfig.basePath ?? '';
    const name = basePath && url.startsWith(basePath) ? url.slice(basePath.length) : url;
    return name.startsWith('/_next/') && !name.startsWith('/_next/data/');
  }

  async function dispatch(req, res, meta) {
    const invocation = invocations.getStore();
    const definition = await findFunction(req, meta);
    // An instance has answered that this page has no such path (dynamicParams): Next's router goes on to the next match.
    if (invocation.skip.some((page) => page === definition.page || decoded(page) === definition.page)) throw new NoFallback();
    const isCompiled = await compile(req, definition);
    sim.flushChanges();
    if (isCompiled && sim.answerFrozen(req, res, definition.page)) return;
    answer(req, res, meta, invocation, definition, isCompiled);
  }

  // Next internals: from 16 on the router has matched the request (request meta `match`); before, base-server.js does it from `invokePath`, and
  // so do we, as its renderToResponseImpl does. Matching compiles there.
  async function findFunction(req, meta) {
    // Of a request that goes to an error page, `match` is that of the page which did not have its path; with `invokeError` the page itself is to
    // show why it does not compile.
    if (meta.match?.definition && (meta.invokeStatus === undefined || meta.invokeError)) return meta.match.definition;
    const { matchers } = sim.server;
    if (matchers && meta.invokeStatus === undefined) {
      const pathname = withoutTrailingSlash(meta.invokePath ?? req.url.split('?', 1)[0]);
      const asked = { i18n: localeOf(req, meta, pathname) };
      try {
        const found = await firstOf(matchers.matchAll(pathname, asked), meta);
        if (found) return found;
      } catch {
        return uncompiled(pathname, asked, meta);
      }
    }
    return (matchers && (await uncompiledBefore(req, meta))) ?? errorFunction(meta);
  }

  async function firstOf(matches, { invokeOutput }) {
    for await (const { definition } of matches) {
      if (typeof invokeOutput === 'string' && invokeOutput.includes('[') && invokeOutput !== definition.pathname) continue;
      return definition;
    }
    return undefined;
  }

  // It does not compile: the instance meets that too, and renders the error. It is still the function that it is.
  async function uncompiled(pathname, asked, meta) {
    const found = await matched(pathname, asked, meta);
    if (found) return found;
    const page = meta.invokeOutput ?? pathname;
    return { page, kind: /^\/api(\/|$)/.test(page) ? 'PAGES_API' : 'PAGES' };
  }

  // The same, when Next's router has met it while it looked for the route: it asks for the page of errors instead.
  // Next internals: router-server.js, the last `catch` of handleRequest.
  async function uncompiledBefore(req, meta) {
    if (meta.invokeStatus !== 500 || meta.invokePath !== '/500') return undefined;
    const pathname = sim.pathOf(req.url);
    const found = await matched(pathname, { i18n: localeOf(req, meta, pathname) }, meta);
    if (!found) return undefined;
    const error = await isolation.bundlerService.getCompilationError(found.page).catch((failure) => failure);
    return error === undefined ? undefined : found;  // middleware has failed, or Next
  }

  // Next internals: DevRouteMatcherManager compiles what its base class DefaultRouteMatcherManager has matched.
  async function matched(pathname, asked, meta) {
    const { matchers } = sim.server;
    try {
      const { matchAll, reload } = Object.getPrototypeOf(Object.getPrototypeOf(matchers));
      await reload.call(matchers);
      return await firstOf(matchAll.call(matchers, pathname, asked), meta);
    } catch {
      return undefined;  // this Next matches otherwise
    }
  }

  // Next internals: i18n-provider.js. 14 keeps the locale in the query, later versions in the request's meta.
  function localeOf(req, meta, pathname) {
    const provider = sim.server.i18nProvider;
    if (provider?.fromRequest) return provider.fromRequest({ headers: req.headers, [sim.kRequestMeta]: meta }, pathname);
    return provider?.fromQuery(pathname, meta.invokeQuery ?? {});
  }

  function withoutTrailingSlash(pathname) {
    return pathname.replace(/\/+$/, '') || '/';
  }

  // Pages that no route has: 404 and the like.
  function errorFunction({ invokePath }) {
    if (invokePath === kNotFound) return { page: '/_not-found/page', kind: 'APP_PAGE', isError: true };
    return { page: invokePath === '/404' ? '/404' : '/_error', kind: 'PAGES', isError: true };
  }

  // So that what has changed makes instances stale before this request is given to one. Returns whether it compiles; if not, the instance asks
  // again, as Next does, and renders the error.
  async function compile(req, definition) {
    const { isError, page } = definition;
    const asked = isError
      ? { page: page === '/_not-found/page' ? kNotFound : page, clientOnly: false, definition: undefined, url: req.url }
      : { page, clientOnly: false, definition, url: req.url };
    const { bundlerService } = isolation;
    try {
      if (!sim.server.matchers || isError) await bundlerService.ensurePage(asked);  // else matching has compiled it
      return !isError && (await bundlerService.getCompilationError(page)) === undefined;
    } catch {
      return false;
    }
  }

  // ---- The answer --------------------------------------------------------------------------------------------------------------

  function answer(req, res, meta, invocation, { page, kind, filename, isError }, isCompiled) {
    const runtime = edgePages().includes(page) ? 'edge' : 'nodejs';
    // An error page is prerendered, unless its layout says otherwise.
    const isStatic = runtime === 'nodejs' && (isError ? invocation.readOnly : looksStatic(invocation, page, kind));
    const what = { page, kind, runtime, static: isStatic, file: filename || undefined };
    writeDispatch(req, res, headerLines(req, invocation.original), what, { meta, isCompiled });
  }

  // `res` answers vercel-sim; `req` is what the instance is to get, with `lines` for its fields.
  function writeDispatch(req, res, lines, what, { meta, ...more }) {
    const line = JSON.stringify({ ...what, generation: isolation.generation });
    const { clonableBody, onCacheEntry, onCacheEntryV2, ...plain } = meta;
    const details = {
      ...what,
      meta: pack(plain),
      status: res.statusCode,
      resHeaders: pack({ ...res.getHeaders() }),
      ...more,
      sync: { evictions: isolation.evictions, hmr: clientVersion(), refresh: refreshHash() },
    };
    const head = [
      `${req.method} ${req.url} HTTP/1.1`,
      ...lines,
      `x-vsim-meta: ${Buffer.from(JSON.stringify(details)).toString('base64')}`,
    ];
    const body = Buffer.concat([Buffer.from(`${line}\n`), Buffer.from(`${head.join('\r\n')}\r\n`, 'latin1')]);
    // Past whatever wraps this response: Next's compression, the user's middleware of a custom server.
    const { writeHead, end, removeHeader } = http.ServerResponse.prototype;
    for (const name of res.getHeaderNames()) removeHeader.call(res, name);
    res.statusMessage = undefined;
    // The answer to a HEAD has no body: it stands in the field.
    const mark = req.method === 'HEAD' ? `${options.token} ${body.toString('base64')}` : options.token;
    const fields = { 'x-vsim-dispatch': mark, 'content-type': kType, 'content-length': String(body.length) };
    writeHead.call(res, 200, fields);
    end.call(res, req.method === 'HEAD' ? undefined : body);
  }

  function clientVersion() {
    return pack(guard('hmr version', () => isolation.bundlerService.getClientHmrVersion?.()));
  }

  function refreshHash() {
    return pack(guard('hmr hash', () => isolation.bundlerService.getServerComponentsHmrRefreshHash?.()));
  }

  // As they came, with their case and order; what middleware has changed, added or removed as it is now.
  function headerLines({ headers, rawHeaders }, original) {
    const lines = [];
    const written = new Set();
    for (let i = 0; i < rawHeaders.length; i += 2) {
      const name = rawHeaders[i].toLowerCase();
      if (kHopByHop.has(name) || headers[name] === undefined) continue;
      if (same(headers[name], original[name])) {
        lines.push(`${rawHeaders[i]}: ${rawHeaders[i + 1]}`);
      } else if (!written.has(name)) {
        push(rawHeaders[i], headers[name]);
      }
      written.add(name);
    }
    for (const [name, value] of Object.entries(headers)) {
      if (!written.has(name) && !kHopByHop.has(name) && value !== undefined) push(name, value);
    }
    const isUpgrade = headers.upgrade !== undefined && /\bupgrade\b/i.test(headers.connection ?? '');
    return isUpgrade ? lines : lines.filter((line) => !/^(connection|upgrade):/i.test(line));

    function push(name, value) {
      for (const one of Array.isArray(value) ? value : [value]) lines.push(`${name}: ${String(one).replace(/[\r\n]+/g, ' ')}`);
    }
  }

  function same(a, b) {
    return Array.isArray(a) ? JSON.stringify(a) === JSON.stringify(b) : a === b;
  }

  // Next internals: NoFallbackError is its own module (no-fallback-error.external.js), in 14 an export of base-server.js.
  function findNoFallback() {
    for (const file of ['shared/lib/no-fallback-error.external.js', 'server/base-server.js']) {
      try {
        NoFallback = require(path.join(sim.nextDist, file)).NoFallbackError;
      } catch {
        // not in this version
      }
      if (NoFallback) return;
    }
    isolation.missing.add('no-fallback');
  }

  return { isDispatched, isOfNext, dispatch, findFunction, findNoFallback, headerLines, writeDispatch };
};
