// Runs the agent's tests: node tests/agent/run.mjs [combination…] (tests/next_versions.mjs). Default: 16-turbopack and 14-webpack; with VSIM_FULL=1
// all five of the newest versions. Installs the packages that are missing.
import { readdirSync, readFileSync } from 'node:fs';
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
// What a file asks for says how it is run: `combo()` once for each combination, AGENT_SHAPES once with all of them, others as they are.
const files = readdirSync(here).filter((name) => name.endsWith('.test.mjs')).map((name) => join(here, name));
const asks = (word) => (file) => readFileSync(file, 'utf8').includes(word);
const inNext = files.filter(asks('combo()'));
const ofShapes = files.filter(asks('AGENT_SHAPES'));
const withoutNext = files.filter((file) => !inNext.includes(file) && !ofShapes.includes(file));
const all = [
  ...inNext.flatMap((file) => combos.map((AGENT_COMBO) => ({ file, env: { AGENT_COMBO } }))),
  ...withoutNext,
  ...ofShapes.map((file) => ({ file, env: { AGENT_SHAPES: shapes.join(',') } })),
];
// Two at a time: a `next dev` waits for its test about as long as it works.
process.exit((await runFiles(all, { secondAttempts: 2, concurrency: 2 })) ? 0 : 1);
