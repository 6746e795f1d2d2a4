'use strict';
// In next dev: all parts of an instance in one file, beside them. Read and compiled at once they take half the time that they take one by one, which each
// instance pays that is started and not copied (bench/machine.mjs). What runs is the same text; who writes no such file uses the parts.

const fs = require('node:fs');
const path = require('node:path');
const { kOfTemplates, kParts } = require('./instance-parts.cjs');

const kRequired = /^const .+ = require\('\.\/([\w-]+)\.cjs'\)/gm;  // by every instance; what is required later is not joined
// It stands in for `require`.
const kLoad = `
const made = new Map();
function load(name) {
  const part = /^\\.\\/(.+)\\.cjs$/.exec(name)?.[1];
  if (part === undefined || !Object.hasOwn(parts, part)) return require(name);
  if (!made.has(part)) {
    const module = { exports: {} };
    made.set(part, module);
    parts[part](module, load, require('node:path').join(__dirname, part + '.cjs'));
  }
  return made.get(part).exports;
}
module.exports = Object.assign(load, require);
`;

const kAll = ['instance-parts', 'control', 'environment', 'shared', ...kOfTemplates, ...kParts];

// Its path.
function writeJoined(folder = __dirname, names = kAll) {
  const texts = new Map();
  const take = (name) => {
    if (texts.has(name)) return;
    const text = fs.readFileSync(path.join(__dirname, `${name}.cjs`), 'utf8');
    texts.set(name, text.replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`));  // V8 keeps and reads ASCII faster
    for (const [, required] of text.matchAll(kRequired)) take(required);
  };
  for (const name of names) take(name);
  const all = [...texts].map(([name, text]) => `'${name}'(module, require, __filename) {\n${text}},\n`);
  const file = path.join(folder, 'parts.cjs');
  // Whole: next dev may be started again while an instance begins.
  fs.writeFileSync(`${file}.new`, `'use strict';\nconst parts = {\n${all.join('')}};\n${kLoad}`);
  fs.renameSync(`${file}.new`, file);
  return file;
}

module.exports = { writeJoined };
