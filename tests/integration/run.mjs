#!/usr/bin/env node
// All integration tests against one program, several files at a time:
//   node tests/integration/run.mjs [--bin build/vercel-sim] [name of a file …]
// Also fine: VSIM_BIN=… node --test tests/integration/deadline.test.mjs
import fs from 'node:fs';
import path from 'node:path';
import {fileURLToPath} from 'node:url';
import {parseArgs} from 'node:util';
import {runFiles} from '../node_test.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const {values, positionals} = parseArgs({options: {bin: {type: 'string'}}, allowPositionals: true});
const bin = path.resolve(values.bin ?? process.env.VSIM_BIN ?? path.join(here, '../../build/vercel-sim'));
if (!fs.existsSync(bin)) {
  console.error(`${bin} does not exist: build it, or name it with --bin`);
  process.exit(70);
}
const files = fs.readdirSync(here).filter((f) => f.endsWith('.test.mjs') && (!positionals.length || positionals.some((p) => f.includes(p)))).map((f) => path.join(here, f));
// They mostly wait: more at once than there are processors.
process.exit((await runFiles(files, {env: {VSIM_BIN: bin}, secondAttempts: 2, concurrency: 4})) ? 0 : 1);
