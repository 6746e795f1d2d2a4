// Runs the agent's tests: node tests/agent/run.mjs [combo…]. Combos: 16-turbopack 16-webpack 15-turbopack 15-webpack 14-webpack. Default:
// 16-turbopack and 14-webpack, the newest and the oldest; with VSIM_FULL=1 all five. Installs the packages that are missing.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const all = ['16-turbopack', '16-webpack', '15-turbopack', '15-webpack', '14-webpack'];
const asked = process.argv.slice(2);
const combos = asked.length ? asked : process.env.VSIM_FULL === '1' ? all : ['16-turbopack', '14-webpack'];

let failed = spawnSync(process.execPath, ['--test', '--test-reporter=spec', join(here, 'parts.test.mjs')], { stdio: 'inherit' }).status !== 0;
for (const combo of combos) {
  if (!all.includes(combo)) {
    console.error(`unknown combination ${combo}; there are ${all.join(', ')}`);
    process.exit(64);
  }
  install(`next${combo.split('-')[0]}`);
  const from = performance.now();
  let passed = true;
  for (const file of ['agent.test.mjs', 'precompile.test.mjs', 'isolation.test.mjs']) {
    const run = () => spawnSync(process.execPath, ['--test', '--test-reporter=spec', join(here, file)], { stdio: 'inherit', env: { ...process.env, AGENT_COMBO: combo } }).status === 0;
    if (run()) continue;
    // Known and not understood: with webpack an edit of an edge route once left the error page standing (1 of 4 runs of Next 14). A second
    // failure counts, and the first is seen in the log.
    console.log(`${combo}: ${file} failed${combo.endsWith('webpack') ? ', once more' : ''}`);
    passed &&= combo.endsWith('webpack') && run();
  }
  failed ||= !passed;
  console.log(`${combo}: ${passed ? 'passed' : 'FAILED'} in ${Math.round((performance.now() - from) / 1000)} s\n`);
}
process.exit(failed ? 1 : 0);

function install(folder) {
  const cwd = join(here, folder);
  const lock = join(cwd, 'package-lock.json');
  const installed = join(cwd, 'node_modules/.package-lock.json');
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs) return;
  const { next } = JSON.parse(readFileSync(join(cwd, 'package.json'), 'utf8')).dependencies;
  console.log(`installing next ${next}`);
  // Not `npm ci`: it refuses a lock file without the compilers of other systems, which the registry does not always have.
  const { status } = spawnSync('npm', ['install', '--no-save', '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error'], { cwd, stdio: 'inherit' });
  if (status !== 0) {
    console.error(`npm install failed in ${cwd}`);
    process.exit(1);
  }
}
