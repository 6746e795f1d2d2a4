'use strict';
// Middleware in an instance: when the user's function begins, and its answer, which Next's router in next dev is to have as it would have had it there.

const http = require('node:http');
const { bringsOf } = require('../shared/brings.cjs');
const { fieldOf } = require('../shared/middleware-answer.cjs');
const { pack, unpack } = require('../shared/values.cjs');

module.exports = function (sim) {
  const { guard, invocations, next } = sim;

  const handlers = new WeakMap();  // an adapter → the user's function
  const isMiddleware = (invocation) => invocation?.kind === 'MIDDLEWARE';

  // The head was written without what belongs to a connection.
  function takeMiddleware(req, { hop, middleware }) {
    Object.assign(req.headers, hop);
    next.giveMiddleware(sim.server, unpack(middleware));
  }

  // `entry`: the adapter of Next, which calls the user's function.
  function runHere(entry, call) {
    const invocation = invocations.getStore();
    if (!isMiddleware(invocation)) return call();
    if (!handlers.has(entry)) handlers.set(entry, guard('module state', () => sim.handlerIn(entry)));
    const handler = handlers.get(entry);
    sim.prepareState(handler, invocation.file);
    invocation.isStateKnown = sim.isStateKnown(handler);
    if (invocation.isWarming) return Promise.resolve(next.middlewarePasses());
    guard('module state', () => { invocation.brings = bringsOf(invocation.req.url.split('?')[0], invocation.req.headers); });
    sim.stateBegins(invocation, handler, invocation.file);
    invocation.begin();
    return call();
  }

  function hookMiddleware() {
    if (!next.watchMiddlewareErrors(sim.server, thrown)) sim.lacks('node middleware');
    next.watchNodeMiddleware(sim.server, { guard, run: (adapter, params) => runHere(adapter, () => adapter(params)) });
  }

  // What it throws is shown by next dev, which has the page of errors: with webpack an instance that has loaded one function's code can load no other's.
  function thrown(error) {
    const invocation = invocations.getStore();
    if (!isMiddleware(invocation)) return undefined;
    guard('refused', () => sim.lookAtError?.(error));
    invocation.thrown = pack(error instanceof Error ? error : new Error(String(error?.message ?? error)));
    return { response: new Response(null, { status: 500 }), waitUntil: Promise.resolve() };
  }

  // What the render server throws where middleware has answered. False: that was no such thing.
  async function answerMiddleware(invocation, res, error) {
    const answer = isMiddleware(invocation) && !res.headersSent ? next.middlewareAnswerOf(error) : undefined;
    if (!answer) return false;
    const { response, waitUntil } = answer;
    // At once: a function that this request goes on to may look for what was put there.
    guard('module state', () => sim.stateEnds(invocation));
    if (waitUntil && !invocation.isWarming) sim.contextOf(invocation).waitUntil(Promise.resolve(waitUntil).catch(() => {}));
    const { body, headers, status } = response;
    const told = { status, headers: [...headers], hasBody: Boolean(body), thrown: invocation.thrown };
    for (const name of res.getHeaderNames()) res.removeHeader(name);
    res.writeHead(status, fieldOf(told));
    if (body) await pipe(body, res);
    else http.ServerResponse.prototype.end.call(res);
    return true;
  }

  async function pipe(body, res) {
    const reader = body.getReader();
    try {
      for (let { done, value } = await reader.read(); !done; { done, value } = await reader.read()) {
        if (!res.write(value)) await new Promise((drained) => ['drain', 'close'].forEach((event) => res.once(event, drained)));
        if (res.destroyed) return void reader.cancel().catch(() => {});  // nobody reads it any more
      }
      res.end();
    } catch (error) {
      res.destroy(error);
    }
  }

  return { takeMiddleware, runHere, hookMiddleware, answerMiddleware };
};
