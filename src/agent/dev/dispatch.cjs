'use strict';
// Isolation, in next dev: when Next's router hands a request to its render server, the route is compiled and the request is answered with
// where it is to be run and everything that an instance needs to run it (docs/agent-protocol.md, "Dispatch").

const http = require('node:http');
const { isOwnPath } = require('../next/names.cjs');
const decoded = require('../shared/decoded.cjs');
const { pack } = require('../shared/values.cjs');

const kType = 'application/vnd.vercel-sim';
// Of the connection to us, not of the request.
const kHopByHop = new Set(['content-length', 'transfer-encoding', 'expect', 'keep-alive', 'proxy-connection']);

module.exports = function (sim) {
  const { edgePages, guard, invocations, isolation, kInvocation, looksStatic, next, options } = sim;
  let NoFallback;

  // Whether this request of the render server is an invocation and is to be run elsewhere. Middleware and images stay here, and so do requests
  // that Next makes to itself, which have no client.
  function isDispatched(req, { isMiddleware }) {
    const invocation = req[kInvocation];
    return invocation !== undefined && !isMiddleware && !isOfNext(req.url);
  }

  function isOfNext(url) {
    const basePath = sim.server.nextConfig.basePath ?? '';
    const name = basePath && url.startsWith(basePath) ? url.slice(basePath.length) : url;
    return isOwnPath(name);
  }

  async function dispatch(req, res, { meta }) {
    const invocation = invocations.getStore();
    const errorOf = (page) => isolation.bundlerService.getCompilationError(page);
    const definition = await next.findFunction(req, { meta, server: sim.server, errorOf, pathOf: sim.pathOf });
    // An instance has answered that this page has no such path (dynamicParams): Next's router goes on to the next match.
    if (invocation.skip.some((page) => page === definition.page || decoded(page) === definition.page)) throw new NoFallback();
    // Before it is given to an instance: what has changed makes that one stale.
    const isCompiled = await next.compileFunction(isolation.bundlerService, sim.server, definition, req.url).catch(() => false);
    sim.flushChanges();
    if (isCompiled && sim.answerFrozen(req, res, definition.page)) return;
    answer(req, res, meta, invocation, definition, isCompiled);
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
    const details = {
      ...what,
      meta: pack(next.plainMeta(meta)),
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
    return pack(guard('hmr version', () => next.clientVersionOf(isolation.bundlerService)));
  }

  function refreshHash() {
    return pack(guard('hmr hash', () => next.refreshHashOf(isolation.bundlerService)));
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

  function findNoFallback() {
    NoFallback = guard('no-fallback', next.noFallback);
    if (!NoFallback) isolation.missing.add('no-fallback');
  }

  return { isDispatched, isOfNext, dispatch, findNoFallback, headerLines, writeDispatch };
};
