'use strict';
// What `vercel-sim learn` and `mcp` give to `node -e`: asks the program for what is written in JavaScript, and runs it from memory. Nothing is unpacked.
// process.argv: node, the program, which of them, the words of the command line.
const { spawnSync } = require('node:child_process');
const path = require('node:path');
const vm = require('node:vm');
const zlib = require('node:zlib');

const [, program, entry, ...words] = process.argv;
if (Number.parseInt(process.versions.node, 10) < 20) {
  console.error(`error: this needs Node.js 20 or newer; this is ${process.versions.node}\nfix: https://nodejs.org, or \`nvm install 22\``);
  process.exit(70);
}
// "path\nlength\n" and as many bytes, again and again (cmake/lessons.cmake).
const files = new Map();
const { stdout: bundle } = spawnSync(program, ['__lessons'], { maxBuffer: 1 << 26, stdio: ['ignore', 'pipe', 'inherit'] });
for (let bytes = zlib.gunzipSync(bundle); bytes.length > 0; ) {
  const [name, length] = bytes.subarray(0, 400).toString('latin1').split('\n', 2);
  const at = name.length + length.length + 2;
  files.set(name, bytes.subarray(at, at + Number(length)));
  bytes = bytes.subarray(at + Number(length));
}
const loaded = new Map();
function load(name) {
  if (loaded.has(name)) return loaded.get(name).exports;
  const module = { exports: {} };
  loaded.set(name, module);
  const local = (wanted) => (wanted.startsWith('.') ? load(path.posix.join(path.posix.dirname(name), wanted)) : require(wanted));
  const options = { filename: `vercel-sim/${name}`, importModuleDynamically: vm.constants?.USE_MAIN_CONTEXT_DEFAULT_LOADER };
  vm.compileFunction(files.get(name).toString(), ['module', 'exports', 'require'], options)(module, module.exports, local);
  return module.exports;
}
load(`src/${entry}/main.cjs`).main({ program, words, files });
