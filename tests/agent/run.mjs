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
for (const combo of [...combos, ...shapes]) {
  try {
    packagesOf(combo);
  } catch (error) {
    console.error(error.message);
    process.exit(64);
  }
}
const path = (name) => join(here, `${name}.test.mjs`);
const withoutNext = ['parts', 'state', 'own', 'taken', 'machine', 'plan', 'made'].map(path);
const inNext = ['isolation', 'agent', 'precompile'].flatMap((name) => combos.map((AGENT_COMBO) => ({ file: path(name), env: { AGENT_COMBO } })));
const ofShapes = ['shape', 'matchers'].map((name) => ({ file: path(name), env: { AGENT_SHAPES: shapes.join(',') } }));
// Two at a time: a `next dev` waits for its test about as long as it works.
process.exit((await runFiles([...inNext, ...withoutNext, ...ofShapes], { secondAttempts: 2, concurrency: 2 })) ? 0 : 1);
