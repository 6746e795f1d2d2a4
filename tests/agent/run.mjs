// Runs the agent's tests: node tests/agent/run.mjs [combo…]. Combos: 16-turbopack 16-webpack 15-turbopack 15-webpack 14-webpack. Default:
// 16-turbopack and 14-webpack, the newest and the oldest; with VSIM_FULL=1 all five. Installs the packages that are missing.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runFiles } from '../node_test.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const all = ['16-turbopack', '16-webpack', '15-turbopack', '15-webpack', '14-webpack'];
const asked = process.argv.slice(2);
const combos = asked.length ? asked : process.env.VSIM_FULL === '1' ? all : ['16-turbopack', '14-webpack'];

let passed = await runFiles([join(here, 'parts.test.mjs')]);
for (const combo of combos) {
  if (!all.includes(combo)) {
    console.error(`unknown combination ${combo}; there are ${all.join(', ')}`);
    process.exit(64);
  }
  install(`next${combo.split('-')[0]}`);
  const files = ['agent.test.mjs', 'precompile.test.mjs', 'isolation.test.mjs'].map((name) => join(here, name));
  console.log(`\n${combo}`);
  passed = (await runFiles(files, { env: { AGENT_COMBO: combo }, secondAttempts: 1 })) && passed;
}
process.exit(passed ? 0 : 1);

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
