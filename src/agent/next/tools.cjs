'use strict';
// What Next brings along of others' for its build, where every version has it.

const path = require('node:path');

module.exports = (dist) => ({
  globs: () => require(path.join(dist, 'compiled/picomatch')),
  tracer: () => require(path.join(dist, 'compiled/@vercel/nft')),
  json5: () => require(path.join(dist, 'compiled/json5')),
  compiler: () => require(path.join(dist, 'build/swc')),
});
