'use strict';
// Which Next runs here, and the adapter that knows it: everything that the agent knows of Next's internals stands in this folder, and the parts ask by the words of
// interface.d.ts. What majors have in common is in common.cjs, dev.cjs and instance.cjs, what differs in 14.cjs, 15.cjs and 16.cjs.

const fs = require('node:fs');
const path = require('node:path');

const kCommandScript = /[\\/]next[\\/]dist[\\/]bin[\\/]next(\.js)?$/;
const kServerScript = /[\\/]next[\\/]dist[\\/]server[\\/]lib[\\/]start-server(\.js)?$/;

// The folder of Next's own files if `script` is what Next's server begins with; else undefined.
const distOf = (script = '') => (kServerScript.test(script) ? path.resolve(path.dirname(script), '../..') : undefined);

// The same if `script` is the command itself, `next dev`, by whatever link it is called.
function distOfCommand(script = '') {
  if (path.basename(script).replace(/\.js$/, '') !== 'next') return undefined;
  try {
    const real = fs.realpathSync(script);
    return kCommandScript.test(real) ? path.resolve(path.dirname(real), '..') : undefined;
  } catch {
    return undefined;
  }
}

function versionOf(dist) {
  try {
    return require(path.join(dist, '../package.json')).version;
  } catch {
    return '';
  }
}

// One that came after these is taken for the newest: what of it is not found is told.
function adapterOf(version) {
  const major = Number.parseInt(version, 10);
  return major <= 14 ? '14' : major === 15 ? '15' : '16';
}

/**
 * @template {'dev' | 'instance'} Role @param {{ dist: string, role: Role, version?: string }} given
 * @returns {Role extends 'dev' ? import('./interface.js').NextInDev : import('./interface.js').NextInInstance}
 */
function createNext({ dist, role, version = versionOf(dist) }) {
  return require(`./${adapterOf(version)}.cjs`)({ dist, role, version });
}

module.exports = { adapterOf, createNext, distOf, distOfCommand, versionOf };
