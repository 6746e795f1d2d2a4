'use strict';
// In next dev: all parts of an instance in one file, above their folders. Read and compiled at once they take half the time that they take one by one, which each
// instance pays that is started and not copied (bench/machine.mjs). What runs is the same text; who writes no such file uses the parts.

const fs = require('node:fs');
const path = require('node:path');
const { kOfTemplates, kParts } = require('../instance/instance-parts.cjs');
const { adapterOf } = require('../next/index.cjs');

const kRequired = /^const .+ = require\('(\.\.?\/[\w/-]+)\.cjs'\)/gm;  // by every instance; what is required later is not joined
// `from(folder)` stands in for the `require` of a part in that folder.
const kFrom = `
const path = require('node:path');
const made = new Map();
function from(folder) {
  return Object.assign((name) => {
    if (!name.startsWith('.')) return require(name);
    const part = path.join(folder, name);
    if (!Object.hasOwn(parts, part)) return require(path.join(__dirname, part));
    if (!made.has(part)) {
      const module = { exports: {} };
      made.set(part, module);
      const file = path.join(__dirname, part);
      parts[part](module, from(path.dirname(part)), file, path.dirname(file));
    }
    return made.get(part).exports;
  }, require);  // its cache and resolve()
}
module.exports = from('instance');
`;

const kFirst = ['instance/instance-parts', 'shared/control', 'instance/environment', 'shared/shared', 'next/index', 'next/instance'];
const kRoot = path.dirname(__dirname);

// For instances of this version of Next. Its path.
/** @param {{ version?: string, folder?: string, names?: string[] }} given */
function writeJoined({ version, folder = kRoot, names = [...kFirst, `next/${adapterOf(version)}`, ...kOfTemplates, ...kParts] }) {
  const texts = new Map();
  const take = (name) => {
    if (texts.has(name)) return;
    const text = fs.readFileSync(path.join(kRoot, `${name}.cjs`), 'utf8');
    texts.set(name, text.replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`));  // V8 keeps and reads ASCII faster
    for (const [, required] of text.matchAll(kRequired)) take(path.join(path.dirname(name), required));
  };
  for (const name of names) take(name);
  const all = [...texts].map(([name, text]) => `'${name}.cjs'(module, require, __filename, __dirname) {\n${text}},\n`);
  const file = path.join(folder, 'parts.cjs');
  // Whole: next dev may be started again while an instance begins.
  fs.writeFileSync(`${file}.new`, `'use strict';\nconst parts = {\n${all.join('')}};\n${kFrom}`);
  fs.renameSync(`${file}.new`, file);
  return file;
}

module.exports = { writeJoined };
