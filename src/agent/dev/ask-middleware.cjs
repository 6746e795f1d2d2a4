'use strict';
// Middleware in instances (`middleware.instances`), in next dev: where Next's router calls it, vercel-sim is asked for an instance, by a request of our own to
// the public port which it hands back to us as any other, to hear where it is to run. What the instance answers is what Next's router gets, as if middleware had
// run here (docs/agent-protocol.md, "Middleware in instances").

const crypto = require('node:crypto');
const http = require('node:http');
const https = require('node:https');
const { Readable } = require('node:stream');
const { toldIn } = require('../shared/middleware-answer.cjs');
const { pack, unpack } = require('../shared/values.cjs');

const kHop = ['connection', 'upgrade'];
const kMaxHead = 1024 * 1024;
const kMostKept = 200;

module.exports = function (sim) {
  const { guard, invocations, isolation, next, options } = sim;
  const asked = new Map();  // key → what is to be run
  const given = new Map();  // id → what middleware said of it, should the request be routed again
  const [scheme, only] = (options.middleware ?? '').split(' ');
  const { Agent, request } = scheme === 'https' ? https : http;
  const agent = scheme ? new Agent({ keepAlive: true, ...(scheme === 'https' && { rejectUnauthorized: false }) }) : undefined;

  // Requests that nobody has numbered, those for Next's own files, run it here; so does middleware of a runtime that is not asked for, and what does not
  // compile, whose error Next shows.
  function isAsked(req) {
    return Boolean(scheme) && invocations.getStore() !== undefined && !sim.isOfNext(req.url);
  }

  async function compiled() {
    const middleware = next.middlewareOf(sim.server);
    if (!middleware) return undefined;
    sim.flushChanges();
    const error = await Promise.resolve(isolation.bundlerService.getCompilationError(middleware.page)).catch((failure) => failure);
    return error === undefined && (only === undefined || runtimeOf(middleware) === only) ? middleware : undefined;
  }

  const runtimeOf = ({ isEdge }) => (guard('middleware runtime', isEdge) ? 'edge' : 'nodejs');

  // In the place of the render server's requestHandler (`runHere`): throws what that throws, or has written the response.
  async function askMiddleware(req, res, url, runHere) {
    const invocation = invocations.getStore();
    const middleware = await compiled();
    if (!middleware) return runHere();
    const known = invocation.skip.length > 0 && given.get(invocation.id);
    if (known) throw answered(req, known, null);
    const body = next.bodyOf(req);
    const answer = await ask(invocation, { req, res, url, middleware }, body?.cloneBodyStream());
    await body?.finalize();
    const told = toldIn(answer.headers);
    if (!told) return passOn(answer, res);
    if (told.thrown) {
      answer.resume();
      invocation.thrown = unpack(told.thrown);
      return runHere();  // Next calls it, and gets this
    }
    if (!told.hasBody) {
      answer.resume();
      given.set(invocation.id, told);
      if (given.size > kMostKept) given.delete(given.keys().next().value);
    }
    throw answered(req, told, told.hasBody ? Readable.toWeb(answer) : null);
  }

  function ask(invocation, what, body) {
    const key = crypto.randomBytes(12).toString('hex');
    const { headers, method, url } = what.req;
    const mark = crypto.createHmac('sha256', options.token).update(`call ${invocation.id}`).digest('hex').slice(0, 16);
    const fields = { host: headers.host, 'x-vsim-parent': `${mark}.${invocation.id}`, 'x-vsim-middleware': key };
    if (body) for (const name of ['content-length', 'transfer-encoding']) if (headers[name] !== undefined) fields[name] = headers[name];
    asked.set(key, { ...what, invocation });
    // Outside of the request: what this leaves open is ours.
    return invocations.exit(() => new Promise((resolve, reject) => {
      const out = request({ host: '127.0.0.1', port: options.publicPort, method, path: url, headers: fields, agent, maxHeaderSize: kMaxHead });
      out.on('response', resolve);
      out.on('error', reject);
      out.on('close', () => asked.delete(key));
      if (!body) return out.end();
      body.on('error', () => out.destroy());
      body.pipe(out);
    }));
  }

  function answered(req, { status, headers }, body) {
    const response = new Response(body, { status });
    for (const [name, value] of headers) response.headers.append(name, value);
    return next.middlewareAnswered(req, response);
  }

  // What Next has written itself (the page of an error), and what the platform says of middleware that was cut or has crashed.
  function passOn(answer, res) {
    res.statusCode = answer.statusCode;
    const { rawHeaders: raw } = answer;
    const fields = new Map();
    for (let i = 0; i < raw.length; i += 2) if (!/^(connection|keep-alive|transfer-encoding)$/i.test(raw[i])) fields.set(raw[i], [...(fields.get(raw[i]) ?? []), raw[i + 1]]);
    for (const [name, values] of fields) res.setHeader(name, values.length > 1 ? values : values[0]);
    return new Promise((resolve) => {
      res.once('close', resolve);
      res.once('finish', resolve);
      answer.once('error', (error) => res.destroy(error));
      answer.pipe(res);
    });
  }

  // Our own request has come back. False: it is none of those.
  function answerAsked(res, { middleware: key }) {
    const what = asked.get(key);
    if (!what) return false;
    asked.delete(key);
    const { invocation, middleware, req, res: routed, url } = what;
    const { page, note } = middleware;
    const runtime = runtimeOf(middleware);
    const lines = sim.headerLines(req, invocation.original).filter((one) => !/^(connection|upgrade):/i.test(one));
    const hop = Object.fromEntries(kHop.filter((name) => req.headers[name] !== undefined).map((name) => [name, req.headers[name]]));
    const more = {
      meta: next.askedOf(req).meta,
      status: routed.statusCode,
      resHeaders: pack({ ...routed.getHeaders() }),
      url: pack({ ...url }),
      hop,
      middleware: pack(note),
      isCompiled: true,
    };
    sim.writeDispatch(req, res, lines, { page, kind: 'MIDDLEWARE', runtime, static: false, file: next.middlewareFile(sim.server) }, more);
    return true;
  }

  return { isAsked, askMiddleware, answerAsked };
};
