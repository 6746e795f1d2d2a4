'use strict';
// Which compiled files of the app an instance has loaded, so that vercel-sim knows what a change makes stale. In next dev: those of middleware.

const Module = require('node:module');
const path = require('node:path');

module.exports = function (sim) {
  const { boot } = sim;
  const files = new Set();
  let compiled = [];  // modules of compiled files that nobody has taken yet
  let told = 0;
  const kMostKept = 1000;

  // Every CommonJS file is compiled here, the chunks of both bundlers too.
  function hookLoaded() {
    const modules = /** @type {any} */ (Module.prototype);
    const compile = modules._compile;
    modules._compile = function (text, file, ...rest) {
      noteFile(file);
      if (files.has(file) && compiled.push({ module: this, text }) > kMostKept) compiled.shift();
      return Reflect.apply(compile, this, [text, file, ...rest]);
    };
  }

  // [{exports, text}] of the compiled files that were evaluated since this was asked for last.
  function takeCompiled() {
    const taken = compiled.filter(({ module }) => module.loaded);
    compiled = compiled.filter(({ module }) => !module.loaded);
    return taken.map(({ module, text }) => ({ exports: module.exports, text }));
  }

  function noteFile(file) {
    if (typeof file !== 'string') return;
    const chunksDir = path.join(boot.options.dir, boot.config.distDir) + path.sep;
    const serverDir = path.join(chunksDir, 'server') + path.sep;
    if (file.startsWith(serverDir) || (file.startsWith(chunksDir) && !file.includes(`${path.sep}node_modules${path.sep}`))) files.add(file);
  }

  // All of them if there are more than were told before.
  function newFiles() {
    if (files.size === told) return undefined;
    told = files.size;
    return [...files];
  }

  // Next internals: deleteCache of dev/require-cache.js (15, 16; one file or several) and of the webpack plugin (14). Code that is loaded stays
  // as it is, state and all: if it is stale, the instance is.
  function forget(evicted) {
    const stale = evicted.filter((file) => !(files.has(file) && !/manifest/.test(path.basename(file))));
    for (const name of ['../dev/require-cache', '../../build/webpack/plugins/nextjs-require-cache-hot-reloader']) {
      let deleteCache;
      try {
        ({ deleteCache } = sim.requireNext(name));
      } catch {
        continue;  // not in this version
      }
      if (/^[^)]*filePaths/.test(Function.prototype.toString.call(deleteCache))) deleteCache(stale);
      else stale.forEach((file) => deleteCache(file));
      return;
    }
  }

  return { hookLoaded, noteFile, newFiles, loadedFiles: () => [...files], takeCompiled, forget };
};
