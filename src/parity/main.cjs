'use strict';
// `vercel-sim parity` behind the command line, which the program has checked: a deployment of parity/ and a run in front of it, beside each other.

const fs = require('node:fs');
const { textOf } = require('../learn/others.cjs');
const { compare, render } = require('./compare.cjs');
const { captureOf, kOutputs, outputOf } = require('./outputs.cjs');
const { kProbes } = require('./probes.cjs');
const { Unreachable, problemOf, record } = require('./record.cjs');

const kHere = 'http://localhost:3000';

class Usage extends Error {}

const isUrl = (word) => /^https?:\/\//.test(word);

function addressOf(word) {
  if (!isUrl(word) || !URL.canParse(word)) throw new Usage(`record expects an address that begins with https:// or http://, or a file that is named for what its output is of (${kOutputs.map(({ name }) => name).join(', ')}); got ${word}`);
  return new URL(word).origin;
}

const recorded = (url) => {
  let done = 0;
  const tell = (name) => process.stderr.write(`${String(++done).padStart(2)} of ${kProbes.length}  ${name}\n`);
  process.stderr.write(`probing ${url}: as long as a function may run there, five minutes on Fluid compute\n`);
  return record(url, { secret: process.env.VERCEL_AUTOMATION_BYPASS_SECRET || undefined, tell });
};

function outputIn(word) {
  const output = isUrl(word) ? undefined : outputOf(word);
  if (!output) return undefined;
  try {
    return captureOf(output, textOf(word));
  } catch (error) {
    throw new Usage(`cannot read ${word}: ${error.message}`);
  }
}

async function toFile(word, out) {
  const output = outputIn(word);
  const url = output ? undefined : addressOf(word);
  const file = out ?? `parity-${output ? output.probes[0].probe : new URL(url).host.replace(/[^\w.-]/g, '-')}-${new Date().toISOString().slice(0, 10)}.json`;
  if (fs.existsSync(file)) throw new Usage(`${file} is there already: a capture is never written over; name another with --out`);
  if (output && 'unknown' in output.probes[0]) throw new Usage(`${word}: ${output.probes[0].unknown}`);
  const capture = output ?? (await recorded(url));
  try {
    fs.writeFileSync(file, `${JSON.stringify(capture, null, 1)}\n`, { flag: 'wx' });
  } catch (error) {
    throw new Usage(`cannot write ${file}: ${error.message}`);
  }
  const known = capture.probes.filter(({ answer }) => answer).length;
  process.stdout.write(`${file}: ${known} of ${capture.probes.length} probes answered\n`);
  return 0;
}

function fromFile(file) {
  let capture;
  try {
    capture = JSON.parse(textOf(file));
  } catch (error) {
    throw new Usage(!(error instanceof SyntaxError) ? `cannot read ${file}: ${error.message}` : `${file} is no capture: expected what \`vercel-sim parity record\` wrote`);
  }
  const problem = problemOf(capture);
  if (problem) throw new Usage(`${file} ${problem}`);
  return capture;
}

async function compared([a, b = kHere], { json, files }) {
  const names = [a, b].map((word) => (isUrl(word) ? addressOf(word) : word));
  // What costs nothing first.
  const captures = names.map((name) => (isUrl(name) ? undefined : outputIn(name) ?? fromFile(name)));
  for (const [at, name] of names.entries()) captures[at] ??= await recorded(name);
  const [left, right] = captures;
  const rows = compare(left, right, JSON.parse(files.get('docs/fidelity.json').toString()));
  const about = (capture) => ({ host: capture.host, region: capture.region, recorded: capture.recorded });
  if (json) process.stdout.write(`${JSON.stringify({ left: about(left), right: about(right), rows }, null, 1)}\n`);
  else process.stdout.write(render(rows, ...captures.map(({ host, recorded: date }) => `${host} (${date.slice(0, 10)})`)));
  if (rows.every(({ result }) => result === 'not probed')) throw new Usage('no probe was answered in both: nothing is compared');
  return rows.some(({ result }) => result === 'differs') ? 1 : 0;
}

async function main({ words, files }) {
  const [verb, ...rest] = words.filter((word) => !word.startsWith('--'));
  const out = words.find((word) => word.startsWith('--out='))?.slice('--out='.length);
  process.on('SIGINT', () => process.exit(130));
  try {
    process.exit(verb === 'record' ? await toFile(rest[0], out) : await compared(rest, { json: words.includes('--json'), files }));
  } catch (error) {
    if (!(error instanceof Usage || error instanceof Unreachable)) throw error;
    process.stderr.write(`error: ${error.message}\n`);
    process.exit(error instanceof Usage ? 64 : 70);
  }
}

module.exports = { main };
