'use strict';
// Isolation, in next dev: what an instance needs to start as a second half of this server (the boot file), and what of it changes later.
// Next's router, compilers and hot reloading stay here; its render server, which alone runs functions, also runs in each instance.

const crypto = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const { writeJoined } = require('./joined.cjs');
const { pack } = require('../shared/values.cjs');
const { namesInTmp } = require('./tmp-names.cjs');
const { namesOnDisk } = require('./disk-names.cjs');
const { writeWhole } = require('./whole-files.cjs');

module.exports = function (sim) {
  const { guard, options, tell, withExports } = sim;
  const bootFile = options.rpcSocket ? path.join(path.dirname(options.rpcSocket), 'boot.json') : '';
  const fields = {};  // what Next's bundler told the render server since
  const calls = {};  // of those that are methods: name → how often
  const hashes = new Map();  // compiled file → hash of the text that was last announced
  let evicted = new Set();
  let renderOptions;
  let register;  // the instrumentation hook of this Next
  let joined;  // the file that instances load

  // generation: counts `changed` messages. evictions: counts what instances must forget in place, before a request that comes later.
  const state = { generation: 0, evictions: 0, bundlerService: undefined, missing: new Set(['render-server', 'cache']) };

  // ---- The boot file -----------------------------------------------------------------------------------------------------------

  // Next internals: `initialize(renderOptions)` of render-server.js is called once for real; what it takes is what an instance takes too.
  // What Next's processes share by their environment (.env files, its own variables) goes with it.
  function takeRenderOptions(given) {
    renderOptions = given;
    state.bundlerService = given.bundlerService;
    Object.assign(fields, pack(given.serverFields ?? {}));
    state.missing.delete('render-server');
    if (typeof given.bundlerService?.ensurePage !== 'function') state.missing.add('ensurePage');
    guard('instrumentation', keepInstrumentationOut);
    guard('compiled files', () => writeWhole(given.bundlerService?.bundler?.hotReloader));
  }

  // The user's instrumentation.register() runs once in each instance, as at a cold start, and not here.
  // Next internals: DevServer.runInstrumentationHookIfAvailable, called by prepare().
  function keepInstrumentationOut() {
    const { default: DevServer } = require(path.join(sim.nextDist, 'server/dev/next-dev-server.js'));
    if (typeof DevServer.prototype.runInstrumentationHookIfAvailable !== 'function') return state.missing.add('instrumentation');
    register = DevServer.prototype.runInstrumentationHookIfAvailable;
    DevServer.prototype.runInstrumentationHookIfAvailable = async function () {
      // 14.0 and 14.1 put its files before those of the middleware, and compile it here only.
      if (sim.invokesByFields && this.actualInstrumentationHookFile)
        await this.ensurePage({ page: this.actualInstrumentationHookFile, clientOnly: false, definition: undefined }).catch(() => {});
    };
  }

  // The render server is there.
  function prepareIsolation() {
    if (!sim.server?.nextConfig) state.missing.add('config');
    sim.findNoFallback();
    if (state.missing.size > 0) return;
    sim.serveInstances();
    joined = guard('parts', () => writeJoined());
    writeBoot();
  }

  // This Next lacks something: functions run here, as without isolation.
  function giveIsolationUp() {
    sim.isolation = undefined;
    register?.call(sim.server).catch(() => {});
  }

  function writeBoot() {
    const { serverFields, ...rest } = renderOptions;
    const { NODE_OPTIONS = '', ...env } = process.env;
    const text = JSON.stringify({
      next: sim.hello.next,
      nextDist: sim.nextDist,
      joined,
      options: pack(rest),
      preview: guard('preview', () => sim.server.getPrerenderManifest().preview),
      config: withoutPatterns(sim.server.nextConfig),
      rpcSocket: options.rpcSocket,
      calls,
      turbopack: Boolean(process.env.TURBOPACK),
      sourceMaps: /enable-source-maps/.test(NODE_OPTIONS) || process.execArgv.includes('--enable-source-maps'),
      env,
    });
    fs.writeFileSync(`${bootFile}.new`, text, { mode: 0o600 });
    fs.renameSync(`${bootFile}.new`, bootFile);
    const { entries, standIns, shared } = namesInTmp(process.env, [sim.server.dir, process.cwd(), sim.nextDist, process.execPath, bootFile, path.dirname(__dirname)]);
    const { project, writable, open } = namesOnDisk(process.env, sim.server.dir);
    tell({ t: 'boot', file: bootFile, tmp: entries, standIns, sharedTmp: shared, project, writable, openDisk: open });
  }

  // As Next itself writes the configuration for its standalone server: functions have done their work.
  function withoutPatterns(config) {
    return JSON.parse(JSON.stringify(config, (_, value) => (value instanceof RegExp ? undefined : value)));
  }

  // ---- What changes ------------------------------------------------------------------------------------------------------------

  // Next internals: clearManifestCache of load-manifest(.external).js is called for every compiled file that is to be forgotten, by both
  // bundlers of all versions; files of edge functions go through clearModuleContext.
  function hookManifests(real) {
    if (typeof real.clearManifestCache !== 'function') return undefined;
    state.missing.delete('cache');
    return withExports(real, {
      clearManifestCache(file, ...rest) {
        guard('cache', () => evict(file));
        return real.clearManifestCache(file, ...rest);
      },
    });
  }

  function hookSandbox(real) {
    if (typeof real.clearModuleContext !== 'function') return undefined;
    return withExports(real, {
      clearModuleContext(file, ...rest) {
        guard('cache', () => evict(file));
        return real.clearModuleContext(file, ...rest);
      },
    });
  }

  function evict(file) {
    if (typeof file !== 'string' || file.endsWith('.map') || /(^|[\\/])static[\\/]/.test(file)) return;
    if (evicted.size === 0) queueMicrotask(flush);
    evicted.add(file);
  }

  // webpack forgets everything at each compile, unchanged files too, and rewrites its runtime: only a text that differs makes an instance
  // stale that has loaded it. Manifests are forgotten in place.
  function flush() {
    if (evicted.size === 0) return;
    const files = [...evicted];
    evicted = new Set();
    state.evictions += 1;
    sim.broadcast?.('evict', files, state.evictions);
    const before = new Map(files.map((file) => [file, hashes.get(file)]));
    const wasThere = (file) => before.get(file) !== undefined;  // edited, not compiled for the first time
    const changed = files.filter((file) => file.endsWith('.js') && !isBookkeeping(file) && hasChanged(file));
    if (changed.length === 0) return;
    sim.compiledAnew();
    if (changed.some(wasThere)) sim.forgetTraced?.();
    announce({ files: changed });
  }

  // vendor-chunks (webpack) hold what all live pages need of packages: they grow and shrink with every page that is compiled or forgotten, while
  // the modules in them, which nobody edits, stay what they are.
  function isBookkeeping(file) {
    return /manifest|webpack-(api-)?runtime\.js$|\[turbopack\]_runtime\.js$/.test(path.basename(file)) || /[\\/]vendor-chunks[\\/]/.test(file);
  }

  function hasChanged(file) {
    let hash;
    try {
      hash = crypto.createHash('sha1').update(fs.readFileSync(file)).digest('base64');
    } catch {
      return false;  // removed: webpack forgets pages that nobody asks for, and writes them again when somebody does
    }
    const before = hashes.get(file);
    hashes.set(file, hash);
    // webpack's first compile of a file is told too: before it nobody can have loaded it.
    return before === undefined ? Boolean(process.env.TURBOPACK) : before !== hash;
  }

  // Before `hello` there are no instances, and nobody who counts: Next 15 compiles instrumentation and middleware as early as that.
  function announce({ all = false, environment = false, files = [] }) {
    if (!sim.hello.said) return;
    state.generation += 1;
    sim.thawFiles?.({ all, environment, files });
    tell({ t: 'changed', generation: state.generation, all, environment, files });
  }

  // Next internals: the bundler tells the render server of new routes, matchers and .env files by propagateServerField(dir, field, value);
  // fields that are methods are called with it.
  function fieldChanged(dir, field, value) {
    const packed = pack(value);
    if (field === 'loadEnvConfig') {
      // `.env` was read again by this process: instances are started with it.
      writeBoot();
      announce({ all: true, environment: true });
      return;
    }
    if (typeof sim.server?.[field] === 'function') calls[field] = (calls[field] ?? 0) + 1;
    else fields[field] = packed;
    sim.broadcast?.('field', dir, field, packed);
  }

  return {
    isolation: state,
    isolationState: state,
    takeRenderOptions,
    prepareIsolation,
    giveIsolationUp,
    fieldChanged,
    flushChanges: flush,
    serverFields: () => fields,
    fieldCalls: () => calls,
    bootHooks: [
      [/(^|[\\/])load-manifest(\.external)?(\.js)?$/, hookManifests],
      [/[\\/]web[\\/]sandbox([\\/]context|[\\/]index)?(\.js)?$/, hookSandbox],
    ],
  };
};
