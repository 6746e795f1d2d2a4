#!/usr/bin/env node
// All integration tests against one program, several files at a time:
//   node tests/integration/run.mjs [--bin build/vercel-sim] [name of a file …]
// Exit code as node --test gives it. Also fine: VSIM_BIN=… node --test tests/integration/deadline.test.mjs
import {spawn} from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import {fileURLToPath} from 'node:url';
import {parseArgs} from 'node:util';

const here = path.dirname(fileURLToPath(import.meta.url));
const {values, positionals} = parseArgs({options: {bin: {type: 'string'}}, allowPositionals: true});
const bin = path.resolve(values.bin ?? process.env.VSIM_BIN ?? path.join(here, '../../build/vercel-sim'));
if (!fs.existsSync(bin)) {
  console.error(`${bin} does not exist: build it, or name it with --bin`);
  process.exit(70);
}
const files = fs.readdirSync(here).filter((f) => f.endsWith('.test.mjs') && (!positionals.length || positionals.some((p) => f.includes(p)))).map((f) => path.join(here, f));
// They mostly wait: more at once than there are processors.
const child = spawn(process.execPath, ['--test', '--test-concurrency=4', ...files], {stdio: 'inherit', env: {...process.env, VSIM_BIN: bin}});
child.on('exit', (code, signal) => process.exit(signal ? 1 : code));
