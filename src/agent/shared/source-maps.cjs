'use strict';
// Where compiled code comes from, for stacks of errors and for what hangs.

const fs = require('node:fs');
const Module = require('node:module');
const path = require('node:path');
const { fileURLToPath } = require('node:url');
const { evaluatedMap, isEvaluated, sourceName } = require('../next/chunks.cjs');
const decoded = require('./decoded.cjs');

module.exports = function (sim) {
  const { boot, guard, next } = sim;
  const maps = new Map();  // file → {payload, map}

  // Turbopack writes `<file>.map`; it is read when it is asked for. webpack's maps lie in the text of what it evaluates: Node finds them, and
  // all of them where Next leaves it to Node.
  function prepareSourceMaps() {
    const isAsked = next.isTurbopack() && guard('source maps', () => next.answerSourceMaps((url) => readMap(url)?.payload));
    if (!isAsked && boot.sourceMaps) process.setSourceMapsEnabled(true);
  }

  function readMap(url) {
    const file = url.startsWith('file://') ? fileURLToPath(url) : url;
    if (!maps.has(file)) maps.set(file, loadMap(file));
    return maps.get(file);
  }

  function loadMap(file) {
    try {
      const payload = isEvaluated(file) ? mapOfEvaluated(file) : JSON.parse(fs.readFileSync(`${file}.map`, 'utf8'));
      return { payload, map: new Module.SourceMap(payload) };
    } catch {
      return undefined;
    }
  }

  // webpack evaluates a module as a string literal of its bundle, which ends with the map and the name. Node knows it only where Next has
  // switched source maps on, which 14 does not.
  function mapOfEvaluated(name) {
    for (const bundle of Object.keys(require.cache)) {
      if (bundle.includes('/node_modules/') || !bundle.endsWith('.js')) continue;
      const text = fs.readFileSync(bundle, 'utf8');
      const base64 = evaluatedMap(text, name);
      if (base64) return JSON.parse(Buffer.from(base64, 'base64').toString());
    }
    throw new Error(`no bundle evaluates ${name}`);
  }

  // `file:line:column` of compiled code as the project knows it, `app/api/x/route.ts:12:3`; undefined if that is not known.
  function originalPosition(at) {
    const [, file, line, column] = /^(.*):(\d+):(\d+)$/.exec(at) ?? [];
    if (file === undefined) return undefined;
    return guard('source maps', () => {
      const map = readMap(file)?.map ?? Module.findSourceMap(file);
      const found = map?.findEntry(Number(line) - 1, Number(column) - 1);
      // A map that is broken may lead before the first line of a file.
      if (!found?.originalSource || !(found.originalLine >= 0 && found.originalColumn >= 0)) return undefined;
      return `${relative(found.originalSource)}:${found.originalLine + 1}:${found.originalColumn + 1}`;
    });
  }

  function relative(source) {
    const name = decoded(sourceName(source));
    return path.isAbsolute(name) ? path.relative(boot.options.dir, name) : name.replace(/^\.\//, '');
  }

  return { prepareSourceMaps, originalPosition };
};
