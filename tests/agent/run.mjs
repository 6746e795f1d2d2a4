// Runs the agent's tests: node tests/agent/run.mjs [combination…] (tests/next_versions.mjs). Default: 16-turbopack and 14-webpack; with VSIM_FULL=1
// all five of the newest versions. Installs the packages that are missing.
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { kEveryMinor, kNewestOfMajor, packagesOf } from '../next_versions.mjs';
import { runFiles } from '../node_test.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const asked = process.argv.slice(2);
const combos = asked.length ? asked : process.env.VSIM_FULL === '1' ? kNewestOfMajor : ['16-turbopack', '14-webpack'];

const shapes = process.env.VSIM_FULL === '1' ? kEveryMinor : combos;
let passed = await runFiles(['parts', 'state', 'own', 'taken', 'machine', 'plan', 'made', 'shape', 'matchers'].map((name) => join(here, `${name}.test.mjs`)), { env: { AGENT_SHAPES: shapes.join(',') } });
for (const combo of combos) {
  try {
    packagesOf(combo);
  } catch (error) {
    console.error(error.message);
    process.exit(64);
  }
  const files = ['agent.test.mjs', 'precompile.test.mjs', 'isolation.test.mjs'].map((name) => join(here, name));
  console.log(`\n${combo}`);
  passed = (await runFiles(files, { env: { AGENT_COMBO: combo }, secondAttempts: 1 })) && passed;
}
process.exit(passed ? 0 : 1);
