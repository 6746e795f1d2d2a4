// node tests/fuzz/agent/run.mjs [--seconds N] [--seed N] [NAME…]: fuzzes our JavaScript's readers, each in a process of its own, two at a time. What
// has reached new code stays in the folder that --corpus names.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seconds: { type: 'string', default: '7' }, seed: { type: 'string', default: String(Date.now() % 2 ** 31) }, corpus: { type: 'string', default: path.join(tmpdir(), 'vsim-fuzz-corpus') }, inside: { type: 'boolean' } },
});
const seconds = Number(values.seconds);
const seed = Number(values.seed);
if (!(seconds > 0) || !Number.isInteger(seed)) throw new Error('--seconds expects a number above 0, --seed a whole number');
const here = fileURLToPath(import.meta.url);
const { fuzz } = await import('./driver.mjs');
const { kReaders } = await import('./readers.mjs');
const names = positionals.length > 0 ? positionals : Object.keys(kReaders);
for (const name of names) if (!kReaders[name]) throw new Error(`no reader is called ${name}; there are ${Object.keys(kReaders).join(', ')}`);

if (values.inside) {
  const seeds = path.join(path.dirname(here), '../seeds', names[0]);
  if (!existsSync(seeds)) throw new Error(`${names[0]} has no seeds in ${seeds}`);
  const { runs, corpus, blocks, ms } = await fuzz({ name: names[0], ...kReaders[names[0]], seeds, seconds, seed, keep: path.join(values.corpus, names[0]) });
  console.log(`${names[0]}: clean, ${runs} runs in ${ms} ms, ${blocks} blocks, corpus ${corpus}`);
  process.exit(0);
}

const failed = [];
const one = (name) =>
  new Promise((done) => {
    const child = spawn(process.execPath, [here, '--inside', '--seconds', String(seconds), '--seed', String(seed), '--corpus', values.corpus, name], { stdio: 'inherit', timeout: (seconds + 60) * 1000 });
    child.on('close', (code) => {
      if (code !== 0) failed.push(name);
      done();
    });
  });
const queue = names.slice();
await Promise.all([0, 1].map(async () => {
  while (queue.length > 0) await one(queue.shift());
}));
if (failed.length > 0) console.error(`found by --seed ${seed}: ${failed.join(', ')}`);
process.exit(failed.length > 0 ? 1 : 0);
