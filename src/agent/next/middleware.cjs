'use strict';
// Middleware: Next's router asks its render server for it as for a page (`middlewareInvoke` in the request's meta), and takes its answer from what that throws.

module.exports = function () {
  const kMeta = Symbol.for('NextInternalRequestMeta');

  // next-server.js calls the default export (the adapter) of what loadNodeMiddleware() gives, with {handler, request, page}. `run(adapter, params)` in its place.
  function watchNodeMiddleware(server, { guard, run }) {
    if (typeof server?.loadNodeMiddleware !== 'function') return;
    const wrapped = new WeakMap();  // its module → ours
    const wrap = (module) => {
      const adapter = module?.default;
      if (typeof adapter !== 'function') return module;
      if (!wrapped.has(module)) wrapped.set(module, Object.create(module, { default: { value: (params) => run(adapter, params), enumerable: true } }));
      return wrapped.get(module);
    };
    const load = server.loadNodeMiddleware;
    server.loadNodeMiddleware = async function (...args) {
      const module = await load.apply(this, args);
      return guard('node middleware', () => wrap(module)) ?? module;
    };
  }

  // ---- In next dev --------------------------------------------------------------------------------------------------------------------

  // `note`: {page, match, matchers}, by which an instance's render server knows of it. Undefined: there is none, or it is just compiled anew.
  function middlewareOf(server) {
    const { actualMiddlewareFile: page, middleware: note } = server;
    return page && note && { page, note, isEdge: () => Boolean(server.getEdgeFunctionInfo({ page: '/', middleware: true })) };
  }

  // body-streams.js: the request's body, which may be read by several: {cloneBodyStream(), finalize()}.
  function bodyOf(req) {
    const { clonableBody } = req[kMeta];
    const hasBody = req.headers['transfer-encoding'] !== undefined || Number(req.headers['content-length']) > 0;
    return hasBody && !['GET', 'HEAD'].includes(req.method) ? clonableBody : undefined;
  }

  // router-server.js takes `result.response` of what the render server throws; next-server.js keeps the cookies for the render.
  function middlewareAnswered(req, response) {
    const cookies = response.headers.getSetCookie();
    if (cookies.length > 0) req[kMeta].middlewareCookie = cookies;
    return Object.assign(new Error(), { bubble: true, result: { response, waitUntil: Promise.resolve() } });
  }

  // ---- In an instance -----------------------------------------------------------------------------------------------------------------

  // DevServer.middleware, which getMiddleware() completes: `match` is made of the others. What next dev had when it asked counts, and not what is told meanwhile of
  // middleware that is compiled anew.
  let given;
  function giveMiddleware(server, note) {
    const { getMiddleware } = server;
    if (!given) server.getMiddleware = function (...args) {
      this.middleware = given;
      return getMiddleware.apply(this, args);
    };
    given = { ...note, match: null };
  }

  const evaluateMiddleware = (server) => server.loadNodeMiddleware();

  // DevServer.runMiddleware calls that of next-server.js, and makes a page of what that throws. `thrown(error)`: what stands for its answer; undefined: nothing does.
  // False: this Next has none.
  function watchMiddlewareErrors(server, thrown) {
    const base = Object.getPrototypeOf(Object.getPrototypeOf(server));
    const run = base.runMiddleware;
    if (typeof run !== 'function') return false;
    base.runMiddleware = async function (...args) {
      try {
        return await Reflect.apply(run, this, args);
      } catch (error) {
        const answer = error?.constructor?.name === 'DecodeError' ? undefined : thrown(error);
        if (!answer) throw error;
        return answer;
      }
    };
    return true;
  }

  // {response, waitUntil} of what the render server has thrown.
  const middlewareAnswerOf = (error) => (error?.result?.response ? error.result : undefined);

  // What says that the request goes on.
  const middlewarePasses = () => ({ response: new Response(null, { headers: { 'x-middleware-next': '1' } }), waitUntil: Promise.resolve() });

  return {
    watchNodeMiddleware, middlewareOf, bodyOf, middlewareAnswered, giveMiddleware, evaluateMiddleware, watchMiddlewareErrors, middlewareAnswerOf, middlewarePasses,
  };
};
