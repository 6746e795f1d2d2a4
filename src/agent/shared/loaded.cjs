'use strict';
// Which compiled files of the app an instance has loaded, so that vercel-sim knows what a change makes stale. In next dev: those of middleware.

const fs = require('node:fs');
const Module = require('node:module');
const path = require('node:path');
const dressed = require('./dressed.cjs');

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
    hookReadAsText();
  }

  // But for those that Turbopack's runtime (15.2, for one) loads when they are asked for, client components among them: it reads the text, and evaluates that.
  function hookReadAsText() {
    const { readFile } = fs.promises;
    fs.promises.readFile = dressed(function (...args) {
      if (typeof args[0] === 'string' && args[0].endsWith('.js')) noteFile(args[0]);
      return Reflect.apply(readFile, this, args);
    }, readFile);
  }

  // [{exports, text}] of the compiled files that were evaluated since this was asked for last.
  function takeCompiled() {
    const taken = compiled.filter(({ module }) => module.loaded);
    compiled = compiled.filter(({ module }) => !module.loaded);
    return taken.map(({ module, text }) => ({ exports: module.exports, text }));
  }

  function noteFile(file) {
    if (typeof file !== 'string' || boot.config.distDir === undefined) return;  // nothing of the app is there yet (ahead.cjs)
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

  // Code that is loaded stays as it is, state and all: if it is stale, the instance is.
  function forget(evicted) {
    sim.next.forget(evicted.filter((file) => !(files.has(file) && !/manifest/.test(path.basename(file)))));
  }

  return { hookLoaded, noteFile, newFiles, loadedFiles: () => [...files], takeCompiled, forget };
};
