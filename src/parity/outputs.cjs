'use strict';
// What no request shows: a deployment that is refused, a call by the scheduler. It is read from what the Vercel CLI has printed, kept in a file that has the
// probe's name (parity/README.md has the commands); `next build` and `vercel-sim check --size` print of this machine what the CLI prints of the platform. Pure.

const path = require('node:path');
const { plain } = require('../learn/others.cjs');

const kRefused = {
  'build-fails': /useSearchParams\(\) should be wrapped in a suspense boundary/,
  case: /Module not found: Can't resolve '[^']*\/lib\/variant'/,
  bundle: /exceeded the unzipped maximum size of (?<limit>[\d.]+ [MG]B)|of (?<own>[\d.]+ [MG]B) each:\n[^]*over the limit: the deployment fails/,
  'edge-bundle': /Edge Function "[^"]+" size is [\d.]+ [KM]B and your plan size limit is (?<limit>[\d.]+ [KM]B)/,
  'environment-size': /environment variables?\b[^.\n]*(?:exceed|larger|limit)(?:[^.\n]*?(?<limit>\d+ ?KB))?/i,
};
const kDone = /Build Completed in|^Route \((app|pages)\)|^ *\d[\d.]* [kMG]?B {2}\//m;
const kFailed = /^ *(?:Error|error)(?: \[[^\]]*\])?: .*/m;
const kCalled = /parity-cron method=(?<method>\w+) agent=(?<agent>\S+) schedule=(?<schedule>\S+) authorization=(?<authorization>\w+)/;

const kUnits = { K: 1e-3, M: 1, G: 1e3 };
const sizeOf = (words) => ({ megabytes: Number.parseFloat(words) * kUnits[words.at(-2)] });

// Of a refusal {isRefused, limit}, of a call {method, agent, schedule, authorization}; {unknown}: why it says neither.
function answerOf(name, text) {
  if (name === 'crons') {
    const called = kCalled.exec(text);
    return called ? { ...called.groups } : { unknown: 'no line that begins with parity-cron: nothing has called the route' };
  }
  const refused = kRefused[name].exec(text);
  const limit = refused?.groups?.limit ?? refused?.groups?.own;
  if (refused) return { isRefused: true, ...(limit && { limit: sizeOf(limit) }) };
  const failed = kFailed.exec(text);
  if (failed) return { unknown: `it failed in other words: ${plain(failed[0].trim().slice(0, 200))}` };
  return kDone.test(text) ? { isRefused: false } : { unknown: 'it says neither that it was refused nor that it was built' };
}

const kOutputs = [...Object.keys(kRefused), 'crons'].map((name) => ({ name, rows: [name] }));

// The output that a file is, by its name (case, case.log); undefined: none.
const outputOf = (file) => kOutputs.find(({ name }) => name === path.basename(file).replace(/\.(log|txt)$/, ''));

// A capture (record.cjs) of this one probe.
function captureOf({ name, rows }, text, now = new Date()) {
  const { unknown, ...answer } = answerOf(name, text.replace(/\u001b\[[\d;]*m/g, ''));
  return { parity: 1, recorded: now.toISOString(), host: `${name}.output`, probes: [{ probe: name, rows, requests: [], ...(unknown ? { unknown } : { answer }) }] };
}

module.exports = { answerOf, captureOf, kOutputs, outputOf };
