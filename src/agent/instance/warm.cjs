'use strict';
// Binds a spare to a function before its first request: loads and evaluates the function's modules, and walks the path of a request a few times with
// the user's handler or components left out (isWarming), so that the first request that counts finds everything compiled and optimised.
// Off by VSIM_WARM=0 for apps whose code at the top of a module minds.

const http = require('node:http');

// Node's own, whatever the app has put in their place by then.
const { localeCompare } = String.prototype;
const { toLocaleString: numberInWords } = Number.prototype;
const { toLocaleString: dateInWords } = Date.prototype;
const aDate = new Date(0);

const kRequests = 5;
const kOfTemplates = 20;  // what they find out is each copy's: with 5 a copy takes 1 ms more, with 40 no less (docs/decisions/0095)
// Fields that make another thing of a request: an action, a navigation of the client's router.
const kLeftOut = /^(content-|next-|rsc$|x-nextjs-|x-vsim-(?!meta))/i;

module.exports = function (sim) {
  const { boot, invocations, next, options, tell } = sim;

  // `template`: it is to be copied for all instances of the function to come, if that may be.
  // `client`: false where what its client components take has cost it that once.
  async function bind({ page, kind, runtime, head, template, client }) {
    const from = performance.now();
    let failure, clients = 0;
    // One that is no template is copied by nobody: what they take there is its own.
    const wantsClient = () => client !== false && !(template && sim.hasTaken());
    if (kind === 'APP_PAGE') next.beginRendering();
    if (template) sim.watchTaking();
    try {
      const load = async () => {
        await sim.registerInstrumentation();
        if (runtime !== 'edge') await sim.evaluateOpen(page, kind, async () => (clients = await evaluate(page, kind, wantsClient)));
      };
      await (template ? sim.compiledAhead(load) : load());
      if (template) sim.collect();
      if (head && options.isWarmed) await warm(head, kind, template ? kOfTemplates : kRequests);
    } catch (error) {
      failure = String(error?.message ?? error);  // the first request meets it again, and shows it
    }
    const told = { t: 'bound', page, ms: Math.round(performance.now() - from), files: sim.newFiles(), error: failure, client: clients > 0 || undefined };
    if (!template) return tell(told);
    const taken = sim.taken();
    const why = failure !== undefined ? 'its modules cannot be evaluated' : runtime === 'edge' ? 'the edge runtime has memory of its own' : taken;
    await sim.standAsTemplate(told, why);
  }

  // ---- Evaluating ----------------------------------------------------------------------------------------------------------------

  // How many client components were loaded: none where what they took could not be told from what was taken before.
  async function evaluate(page, kind, wantsClient) {
    if (kind === 'MIDDLEWARE') {
      await next.evaluateMiddleware(sim.server);
      return 0;
    }
    const evaluated = await next.evaluate(sim.server, page, kind === 'APP_ROUTE' || kind === 'APP_PAGE', boot.options.dir);
    if (!evaluated) return 0;
    const { segments, loadClient } = evaluated;
    const clients = wantsClient() ? await loadClient() : 0;
    sim.guard('segments', () => sim.loadedAhead(page, segments));
    for (const { fn, file } of sim.pageEntries(segments)) sim.prepareState(fn, file);
    return clients;
  }

  // ---- Walking the path of a request -----------------------------------------------------------------------------------------------

  // What ICU sets up when it is asked first: 25 ms, which copies of a template would each take for it.
  function warmIntl() {
    Reflect.apply(localeCompare, 'é', ['e']);
    Reflect.apply(numberInWords, 1.5, []);
    Reflect.apply(dateInWords, aDate, []);
  }

  async function warm(head, kind, requests) {
    warmIntl();
    const [line, ...lines] = head.trimEnd().split('\r\n');
    const [method, url] = line.split(' ');
    const headers = { 'x-vsim-id': `${options.token}.0`, 'x-vsim-warm': '1' };
    for (const one of lines) {
      const colon = one.indexOf(':');
      if (!kLeftOut.test(one.slice(0, colon))) headers[one.slice(0, colon)] = one.slice(colon + 1).trim();
    }
    const isPage = kind === 'APP_PAGE' || kind === 'PAGES' || kind === 'MIDDLEWARE';
    const agent = new http.Agent({ keepAlive: true });
    try {
      for (let i = 0; i < requests; i++) {
        await ask({ socketPath: options.socketPath, method: isPage ? 'GET' : method, path: url, headers, agent });
      }
    } finally {
      agent.destroy();
    }
  }

  function ask(asked) {
    return new Promise((resolve, reject) => {
      const req = http.request(asked, (res) => {
        res.resume();
        res.on('end', resolve);
        res.on('error', reject);
      });
      req.on('error', reject);
      req.end();
    });
  }

  // What stands for the user's code. A route handler:
  function warmRoute(request) {
    if (request?.url) void new URL(request.url).searchParams.get('x');
    void request?.headers?.get('x');
    return Response.json({ warm: true });
  }

  // A handler of pages/api:
  function warmApi(req, res) {
    res.status(200).json({ warm: true });
  }

  // A module of an app page's tree; undefined for those of Next's own.
  function warmSegment(role, file) {
    if (next.isOwnSegment(file)) return undefined;
    const jsx = next.serverJsx();
    if (role === 'layout') return Promise.resolve({ default: ({ children }) => children });
    if (role === 'template') return Promise.resolve({ default: ({ children }) => children });
    if (role !== 'page' && role !== 'defaultPage') return undefined;
    const page = async () => (jsx ? jsx.jsx('html', { children: jsx.jsx('body', { children: jsx.jsx('main', { children: 'warm' }) }) }) : null);
    return Promise.resolve({ default: page, dynamic: 'force-dynamic' });
  }

  // Nothing of it is printed: Next logs each request.
  function muteWarming() {
    for (const stream of [process.stdout, process.stderr]) {
      const { write } = stream;
      stream.write = function (...args) {
        if (!invocations.getStore()?.isWarming) return Reflect.apply(write, this, args);
        const done = args.find((arg) => typeof arg === 'function');
        if (done) process.nextTick(done);
        return true;
      };
    }
  }

  return { bind, muteWarming, standIns: { route: warmRoute, api: warmApi, segment: warmSegment } };
};
