'use strict';
// The environment of an instance. Usually what next dev has: the shell's, .env files', Next's own. Under `environment.strict` what a deployment would have:
// the files that vercel-sim names (committed ones, and what was pulled from the project's settings) as `next start` reads them, and nothing else of the user's.

const { readFileSync } = require('node:fs');

// Next's own, by which its processes talk to each other.
const kOfNext = /^(__NEXT_|NEXT_(PRIVATE_|RUNTIME$|DEPLOYMENT_ID$|MANUAL_SIG_HANDLE$|OTEL_|TELEMETRY_DISABLED$|EXIT_TIMEOUT_MS$)|TURBOPACK|RUST_|NODE_ENV$|PORT$|HOSTNAME$|npm_config_user_agent$)/;

// Before anything of Next or of the user runs. `env`: of next dev, `held`: names that are the platform's in any case, `strict`: files, if it is.
function takeEnvironment(env, { held, strict, requireNext }) {
  const kept = held.map((name) => [name, process.env[name]]);
  for (const [name, value] of Object.entries(env)) if (!strict || kOfNext.test(name)) process.env[name] = value;
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
  // Next internals: @next/env, the same since 9.4. What is set already stays.
  if (files.length > 0) requireNext('@next/env').processEnv(files, '', { error: console.error, info() {} }, true);
}

// Next's server reads all .env files of the disk when it begins.
function environmentHooks(sim) {
  if (!sim.options.strict) return [];
  const nothing = () => ({ combinedEnv: process.env, parsedEnv: {}, loadedEnvFiles: [] });
  return [[/^@next\/env$/, (real) => sim.withExports(real, { loadEnvConfig: nothing })]];
}

module.exports = { takeEnvironment, environmentHooks };
