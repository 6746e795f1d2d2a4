'use strict';
// An instance's server: takes the requests that were dispatched to it, hands them to Next's render server and tells when each is over. What it
// must know hangs on the server's own `emit` and on objects of its own, so that it outlives user code which removes all listeners of
// its server, as engine.io does.

const fs = require('node:fs');
const http = require('node:http');
const net = require('node:net');
const { unpack } = require('../shared/values.cjs');

const { unlinkSync } = fs;  // not what looks at files of the app
const kMostKept = 8;
const kMostName = 64;
const kMostCome = 1000;

module.exports = function (sim) {
  const { dressSocket, guard, invocations, kInvocation, makeInvocation, next, options, plain } = sim;
  const { publicAddress, responseFor, takeFields, tell, watchResponse } = sim;
  const running = new Map();  // id → invocation
  const come = new Set();  // ids of the last requests, whether or not they run
  const onServer = new Set();  // names of the server object's own properties that are known

  function prepareServer(server) {
    const { emit } = server;
    server.emit = function (event, ...args) {
      if (event === 'connection') dressSocket(args[0]);
      if (!(args[0] instanceof http.IncomingMessage)) return emit.call(this, event, ...args);
      const [req, res, head] = args;
      admit(req, res, head, (shown) => emit.call(this, 'request', req, shown));
      return true;
    };
    const address = publicAddress();
    server.address = () => (server.listening ? { ...address } : null);
    server.on('upgrade', () => {});  // else Node closes their sockets
    server.on('request', serve);
  }

  async function listen() {
    try {
      unlinkSync(options.socketPath);
    } catch {
      // none there
    }
    // Not by the server's own listen: the user may have put something there.
    await new Promise((resolve, reject) => {
      sim.httpServer.once('error', reject);
      net.Server.prototype.listen.call(sim.httpServer, { path: options.socketPath }, resolve);
    });
    for (const name of Object.keys(sim.httpServer)) onServer.add(name);
  }

  // The other way round: resolves when no connection is open any more.
  function unlisten() {
    return new Promise((resolve) => {
      http.Server.prototype.close.call(sim.httpServer, resolve);
      http.Server.prototype.closeAllConnections?.call(sim.httpServer);
    });
  }

  // What user code has put on the server since it was asked last, as Socket.IO's examples do with `res.socket.server.io`: state that lives in
  // this process alone. In the text of a response head.
  function kept() {
    const names = [];
    for (const name of Object.keys(sim.httpServer)) {
      if (onServer.has(name)) continue;
      onServer.add(name);
      const value = sim.httpServer[name];
      const isState = value !== null && (typeof value === 'object' || typeof value === 'function');
      if (isState && !name.startsWith('_') && name.length <= kMostName) names.push(encodeURIComponent(name));
    }
    return names.slice(0, kMostKept).join(',');
  }

  // ---- A request -----------------------------------------------------------------------------------------------------------------

  // `show` lets the server's listeners see it: Next's, or who has put himself before it.
  function admit(req, given, head, show) {
    const fields = takeFields(req);
    let details;
    try {
      details = JSON.parse(Buffer.from(fields?.meta ?? '', 'base64').toString());
    } catch {
      return req.socket.destroy();  // not from vercel-sim
    }
    const isUpgrade = !(given instanceof http.ServerResponse);
    const res = isUpgrade ? responseFor(req, given) : given;
    const invocation = begun(req, res, fields, details);
    if (isUpgrade) Object.assign(invocation, { socket: given, head });
    invocations.run(invocation, () => {
      const waits = [sim.caughtUp(details.sync?.evictions), sim.registerInstrumentation()].filter(Boolean);
      const go = () => {
        if (invocation.isClosed) return settle(invocation);  // nobody waits for it any more
        applyMeta(req, res, details);
        show(res);
        // Somebody stands before Next (engine.io): his code is the user's.
        if (!invocation.isServed) invocation.begin();
      };
      if (waits.length === 0) go();
      else Promise.all(waits).then(go);
    });
  }

  function begun(req, res, fields, details) {
    const invocation = makeInvocation(req, fields.id);
    const { page, kind, runtime, static: isStatic, file, isCompiled, sync } = details;
    if (kind === 'MIDDLEWARE') sim.takeMiddleware(req, details);
    if (kind === 'APP_PAGE') next.beginRendering();
    Object.assign(invocation, {
      url: details.url && unpack(details.url),
      page,
      kind,
      runtime,
      isStatic,
      file,
      isCompiled,
      sync,
      req,
      res,
      call: fields.call,  // what marks its own requests
      limitMs: Number(fields.limit) || 0,  // from the begin of the handler, in real milliseconds
      kept,
      isWarming: fields.warm !== undefined,
      isServed: false,
      isServing: false,
      isClosed: false,
      isExpired: false,
      pending: new Set(),  // of waitUntil
      closing: [],
      onClosed: (action) => invocation.closing.push(action),
      settle: () => settle(invocation),
    });
    if (!invocation.isWarming) {
      running.set(invocation.id, invocation);
      invocation.bodyText = guard('module state', () => sim.watchBody(req));
      if (come.size === 1) servesAgain();
      come.add(invocation.id);
      if (come.size > kMostCome) come.delete(come.values().next().value);
      sim.seeStatic?.();
    }
    watchResponse(res, invocation);
    sim.watchAnswer(res, invocation);
    guard('made at build', () => sim.watchMade(res, invocation));
    const { destroy } = res;
    res.destroy = function (error, ...args) {
      noteBreak(invocation, error);
      return Reflect.apply(destroy, this, [error, ...args]);
    };
    // The events of a response that the user's code cannot take away: `emit` itself.
    const { emit } = res;
    res.emit = function (event, ...args) {
      const result = Reflect.apply(emit, this, [event, ...args]);
      if (event === 'close') closed(invocation);
      return result;
    };
    return invocation;
  }

  // What makes the first request cheap in a copy is no good for a process that goes on.
  function servesAgain() {
    sim.runAsEver?.();
    sim.forgetKept();
  }

  function applyMeta(req, res, { meta, status, resHeaders }) {
    next.giveMeta(req, unpack(meta));
    res.statusCode = status;
    for (const [name, value] of Object.entries(resHeaders)) res.setHeader(name, value);
  }

  // Next's place among the listeners.
  async function serve(req, res) {
    const invocation = req[kInvocation];
    if (!invocation) return;
    invocation.isServed = true;
    invocation.isServing = true;
    try {
      await sim.answer(req, res, invocation.url);
    } catch (error) {
      if (!(await sim.answerMiddleware(invocation, res, error))) await failed(req, res, error);
    } finally {
      invocation.isServing = false;
      settle(invocation);
    }
  }

  // What Next's router does about errors of its render server.
  async function failed(req, res, error) {
    if (next.isNoFallback(error) && !res.headersSent) return again(res);
    if (next.isAborted(error)) return;
    console.error(error);
    if (res.headersSent) return void res.destroy(error);
    res.statusCode = 500;
    next.askForErrorPage(req);
    try {
      await sim.answer(req, res);
    } catch (second) {
      console.error(second);
      if (!res.headersSent) res.end('Internal Server Error');
    }
  }

  // Not this page: vercel-sim asks next dev for the next match.
  function again(res) {
    for (const name of res.getHeaderNames()) res.removeHeader(name);
    http.ServerResponse.prototype.writeHead.call(res, 404, { 'x-vsim-again': options.token, 'content-length': '0' });
    http.ServerResponse.prototype.end.call(res);
  }

  // ---- Its end -------------------------------------------------------------------------------------------------------------------

  // Who ends a response before it is whole, and why, told before its connection ends. Next's own words (`failed to pipe response`) wrap the app's.
  function noteBreak(invocation, error) {
    const { isClosed, isUpgraded, isWarming, res } = invocation;
    if (isClosed || isUpgraded || isWarming || invocation.broken || res.writableFinished) return;
    const own = error?.cause instanceof Error ? error.cause : error;
    const { stack } = own instanceof Error ? own : new Error();
    invocation.broken = true;
    const source = sim.guard('source', () => sim.sourceOf(String(stack)));
    tell({ t: 'broken_off', id: invocation.id, message: own ? String(own.message ?? own) : '', source });
  }

  // By nobody's call. Seen from here vercel-sim's own cut looks the same: it knows.
  function tellBreak({ broken, id, isUpgraded, isWarming, res }) {
    if (!broken && !isWarming && !isUpgraded && !res.writableFinished) tell({ t: 'broken_off', id });
  }

  function closed(invocation) {
    if (invocation.isClosed) return;
    invocation.isClosed = true;
    tellBreak(invocation);
    for (const action of invocation.closing.splice(0)) action();
    settle(invocation);
  }

  // What follows the response at once still belongs to it, as after() does, and what a client sends in the next turn of the loop (Postgres.js).
  function settle(invocation) {
    if (!isDone(invocation)) return;
    if (invocation.isExpired) return over(invocation);
    if (invocation.isTurning) return;
    invocation.isTurning = true;
    plain.setImmediate(() => {
      invocation.isTurning = false;
      if (isDone(invocation)) over(invocation);
    });
  }

  function isDone({ isClosed, isServing, isExpired, pending }) {
    return isClosed && !isServing && (pending.size === 0 || isExpired);
  }

  function over(invocation) {
    // Once: whether something is left behind may be seen a moment later only.
    if (!invocation.isExpired && !invocation.isDeciding && running.has(invocation.id)) {
      invocation.isDeciding = true;
      invocation.isWaited = sim.decide(invocation, () => {
        invocation.isWaited = false;
        if (isDone(invocation)) over(invocation);
      }, running.size === 1);
    }
    if (invocation.isWaited && !invocation.isExpired) return;
    if (!running.delete(invocation.id)) return;
    const isTouched = guard('module state', () => sim.stateEnds(invocation)) ?? true;
    const message = { t: 'done', id: invocation.id };
    const files = sim.newFiles();
    if (files) message.files = files;
    const hanging = sim.hangingOf(invocation);
    if (hanging.length > 0) message.hanging = hanging;
    else if (!isTouched && (isPrerendered(invocation) || isMiddlewares(invocation))) message.untouched = true;
    guard('connections', () => sim.tellConnections(invocation));
    guard('machine', () => sim.tellUntold?.(invocation));
    guard('reads', () => sim.tellReads(invocation));
    guard('tmp', () => sim.tellTmp(invocation));
    guard('plan', () => sim.tellPlan(invocation));
    guard('made at build', () => sim.tellMade(invocation));
    if (!invocation.broken && !invocation.isExpired) sim.learn?.();
    sim.seeStatic?.();
    tell(message);
    sim.dieWhenDone();
  }

  // To its end. A page that failed may have left anything.
  function isPrerendered({ isStatic, began, broken, isExpired, usedDynamic, res }) {
    return isStatic && began && !broken && !isExpired && !usedDynamic && res.writableFinished && res.statusCode < 500;
  }

  // The same of middleware.
  function isMiddlewares({ kind, began, broken, isExpired, isStateKnown, thrown, res }) {
    return kind === 'MIDDLEWARE' && began && isStateKnown && !broken && !isExpired && !thrown && res.writableFinished;
  }

  // Its deadline has come after the response: waitUntil is no longer waited for.
  function expire(id) {
    const invocation = running.get(id);
    if (!invocation) return;
    invocation.isExpired = true;
    settle(invocation);
  }

  return { prepareServer, listen, unlisten, expire, running, hasCome: (id) => come.has(id) };
};
