'use strict';
// The environment of an instance. Usually what next dev has: the shell's, .env files', Next's own. Under `environment.strict` what a deployment would have:
// the files that vercel-sim names (committed ones, and what was pulled from the project's settings) as `next start` reads them, and nothing else of the user's.

const { readFileSync } = require('node:fs');

// Before anything of Next or of the user runs. `env`: of next dev, `held`: names that are the platform's in any case, `strict`: files, if it is.
function takeEnvironment(env, { held, strict, next }) {
  const kept = held.map((name) => [name, process.env[name]]);
  for (const [name, value] of Object.entries(env)) if (!strict || next.isOwnVariable(name)) process.env[name] = value;
  if (held.includes('LANG')) for (const name of Object.keys(process.env)) if (name.startsWith('LC_')) delete process.env[name];
  for (const [name, value] of kept) process.env[name] = value;
  if (!strict) return;
  const files = strict.flatMap((path) => {
    try {
      return [{ path, contents: readFileSync(path, 'utf8'), env: {} }];
    } catch {
      return [];  // removed meanwhile
    }
  });
  if (files.length > 0) next.readEnvironment(files);
}

// Next's server reads all .env files of the disk when it begins.
const environmentHooks = ({ next, options }) => (options.strict ? next.hooksOfNoEnvironment() : []);

module.exports = { takeEnvironment, environmentHooks };
