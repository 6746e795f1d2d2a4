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

module.exports = function (sim) {
  const { guard, next, options, tell } = sim;
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

  // What Next's render server takes here is what an instance's takes too. What Next's processes share by their environment (.env files, its own variables)
  // goes with it.
  function takeRenderOptions(given, bundler) {
    renderOptions = given;
    state.bundlerService = bundler.service;
    Object.assign(fields, pack(given.serverFields ?? {}));
    state.missing.delete('render-server');
    if (!bundler.canEnsure) state.missing.add('ensurePage');
    guard('instrumentation', keepInstrumentationOut);
    guard('compiled files', () => next.writeWhole(bundler.hotReloader));
  }

  // The user's instrumentation.register() runs once in each instance, as at a cold start, and not here.
  function keepInstrumentationOut() {
    register = next.deferInstrumentation(next.skipInstrumentation);
    if (!register) state.missing.add('instrumentation');
  }

  // The render server is there.
  function prepareIsolation() {
    if (!sim.server?.nextConfig) state.missing.add('config');
    sim.findNoFallback();
    if (state.missing.size > 0) return;
    sim.serveInstances();
    joined = guard('parts', () => writeJoined({ version: next.version }));
    writeBoot();
  }

  // This Next lacks something: functions run here, as without isolation.
  function giveIsolationUp() {
    sim.isolation = undefined;
    register?.(sim.server).catch(() => {});
  }

  function writeBoot() {
    const { serverFields, ...rest } = renderOptions;
    const { NODE_OPTIONS = '', ...env } = process.env;
    const text = JSON.stringify({
      next: next.version,
      nextDist: next.dist,
      joined,
      options: pack(rest),
      preview: guard('preview', () => next.previewOf(sim.server)),
      config: withoutPatterns(sim.server.nextConfig),
      rpcSocket: options.rpcSocket,
      calls,
      sourceMaps: /enable-source-maps/.test(NODE_OPTIONS) || process.execArgv.includes('--enable-source-maps'),
      env,
    });
    fs.writeFileSync(`${bootFile}.new`, text, { mode: 0o600 });
    fs.renameSync(`${bootFile}.new`, bootFile);
    const { entries, standIns, shared } = namesInTmp(process.env, [sim.server.dir, process.cwd(), next.dist, process.execPath, bootFile, path.dirname(__dirname)]);
    const { project, writable, open } = namesOnDisk(process.env, sim.server.dir);
    tell({ t: 'boot', file: bootFile, tmp: entries, standIns, sharedTmp: shared, project, writable, openDisk: open });
  }

  // As Next itself writes the configuration for its standalone server: functions have done their work.
  function withoutPatterns(config) {
    return JSON.parse(JSON.stringify(config, (_, value) => (value instanceof RegExp ? undefined : value)));
  }

  // ---- What changes ------------------------------------------------------------------------------------------------------------

  const forgets = (file) => guard('cache', () => evict(file));

  function evict(file) {
    if (!next.isOfServer(file)) return;
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
    const changed = files.filter((file) => file.endsWith('.js') && !next.isBookkeeping(file) && hasChanged(file));
    if (changed.length === 0) return;
    sim.compiledAnew();
    if (changed.some(wasThere)) sim.forgetTraced?.();
    announce({ files: changed });
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
    return before === undefined ? next.isTurbopack() : before !== hash;
  }

  // Before `hello` there are no instances, and nobody who counts: Next 15 compiles instrumentation and middleware as early as that.
  function announce({ all = false, environment = false, files = [] }) {
    if (!sim.hello.said) return;
    state.generation += 1;
    sim.thawFiles?.({ all, environment, files });
    tell({ t: 'changed', generation: state.generation, all, environment, files });
  }

  // Next's bundler tells of new routes, matchers and .env files so.
  function fieldChanged(dir, field, value) {
    const packed = pack(value);
    if (next.isEnvironment(field)) {
      // `.env` was read again by this process: instances are started with it.
      writeBoot();
      announce({ all: true, environment: true });
      return;
    }
    if (next.isMethod(sim.server, field)) calls[field] = (calls[field] ?? 0) + 1;
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
    bootHooks: next.hooksOfForgotten({ found: () => state.missing.delete('cache'), file: forgets, edgeFile: forgets }),
  };
};
