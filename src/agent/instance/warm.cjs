'use strict';
// Binds a spare to a function before its first request: loads and evaluates the function's modules, and walks the path of a request a few times with
// the user's handler or components left out (isWarming), so that the first request that counts finds everything compiled and optimised.
// Off by VSIM_WARM=0 for apps whose code at the top of a module minds.

const http = require('node:http');

const kRequests = 5;  // more gain nothing (measured on Next 16)
const kOurs = /[\\/]next[\\/]dist[\\/]|^\[next\]|__next_builtin__/;
// Fields that make another thing of a request: an action, a navigation of the client's router.
const kLeftOut = /^(content-|next-|rsc$|x-nextjs-|x-vsim-(?!meta))/i;

module.exports = function (sim) {
  const { boot, invocations, options, requireNext, tell } = sim;

  // `template`: it is to be copied for all instances of the function to come, if that may be.
  async function bind({ page, kind, runtime, head, template }) {
    const from = performance.now();
    let failure;
    if (template) sim.watchTaking();
    try {
      await sim.registerInstrumentation();
      if (runtime !== 'edge') await sim.evaluateOpen(page, kind, () => evaluate(page, kind));
      if (head && options.isWarmed) await warm(head, kind);
    } catch (error) {
      failure = String(error?.message ?? error);  // the first request meets it again, and shows it
    }
    const told = { t: 'bound', page, ms: Math.round(performance.now() - from), files: sim.newFiles(), error: failure };
    if (!template) return tell(told);
    const taken = sim.taken();
    const why = failure !== undefined ? 'its modules cannot be evaluated' : runtime === 'edge' ? 'the edge runtime has memory of its own' : taken;
    await sim.standAsTemplate(told, why);
  }

  // ---- Evaluating ----------------------------------------------------------------------------------------------------------------

  // Next internals: load-components.js, which the render server uses too, requires what a page consists of.
  async function evaluate(page, kind) {
    if (kind === 'MIDDLEWARE') return sim.server.loadNodeMiddleware();
    const { loadComponents } = requireNext('../load-components');
    const isAppPath = kind === 'APP_ROUTE' || kind === 'APP_PAGE';
    const components = await loadComponents({ distDir: sim.server.distDir, page, isAppPath, isDev: true, sriEnabled: false });
    const entry = components.ComponentMod;
    const routeModule = entry?.routeModule;
    // From 16 on the user's modules are evaluated when a request asks for them.
    if (routeModule?.ensureUserland) {
      provideManifests(routeModule);
      await routeModule.ensureUserland();
    }
    const tree = routeModule?.userland?.loaderTree ?? routeModule?._userland?.loaderTree;
    if (!Array.isArray(tree)) return;
    const segments = [];
    await loadTree(tree, segments);
    sim.guard('segments', () => sim.loadedAhead(page, segments));
    for (const { fn, file } of sim.pageEntries(segments)) sim.prepareState(fn, file);
  }

  // Next internals: manifests-singleton.js (16), which the modules of app pages ask when they are evaluated.
  function provideManifests(routeModule) {
    const { page } = routeModule.definition;
    const manifests = routeModule.loadManifests?.(page, boot.options.dir);
    if (!manifests?.clientReferenceManifest || !manifests.serverActionsManifest) return;
    const { clientReferenceManifest, serverActionsManifest } = manifests;
    requireNext('../app-render/manifests-singleton').setManifestsSingleton?.({ page, clientReferenceManifest, serverActionsManifest });
  }

  /** @param {any[]} tree */
  async function loadTree([, parallel = {}, modules = {}], segments) {
    for (const [name, module] of Object.entries(modules)) {
      if (!Array.isArray(module) || typeof module[0] !== 'function') continue;
      const exports = await Promise.resolve(module[0]()).catch(() => {});
      if (exports && (name === 'page' || name === 'layout')) segments.push({ name, exports, file: module[1] });
    }
    for (const child of Object.values(parallel)) await loadTree(child, segments);
  }

  // ---- Walking the path of a request -----------------------------------------------------------------------------------------------

  async function warm(head, kind) {
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
      for (let i = 0; i < kRequests; i++) {
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

  // Next internals: PagesRouteModule.render(req, res, {renderOpts}), components {App, Document}.
  function warmPage(routeModule, [req, res, context, ...rest], render) {
    const nothing = () => null;
    const { getServerSideProps, getStaticProps, getStaticPaths, ...renderOpts } = context.renderOpts ?? {};
    const stub = Object.create(routeModule, { components: { value: { ...routeModule.components, App: nothing } } });
    return render(stub, [req, res, { ...context, renderOpts: { ...renderOpts, Component: nothing, App: nothing } }, ...rest]);
  }

  // A module of an app page's tree; undefined for those of Next's own.
  function warmSegment(role, [, file]) {
    if (kOurs.test(file ?? '')) return undefined;
    const jsx = findJsx();
    if (role === 'layout') return Promise.resolve({ default: ({ children }) => children });
    if (role === 'template') return Promise.resolve({ default: ({ children }) => children });
    if (role !== 'page' && role !== 'defaultPage') return undefined;
    const page = async () => (jsx ? jsx.jsx('html', { children: jsx.jsx('body', { children: jsx.jsx('main', { children: 'warm' }) }) }) : null);
    return Promise.resolve({ default: page, dynamic: 'force-dynamic' });
  }

  let found;
  function findJsx() {
    if (found !== undefined) return found;
    for (const folder of ['../route-modules', '../future/route-modules']) {
      try {
        return (found = requireNext(`${folder}/app-page/vendored/rsc/react-jsx-runtime`));
      } catch {
        // elsewhere in this version
      }
    }
    return (found = null);
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

  return { bind, muteWarming, warmApi, warmPage, warmRoute, warmSegment };
};
