'use strict';
// `vercel-sim check --size`: the functions of a project by what they weigh, the largest packages named, against `bundle.max`. Runs nothing of the project's.

const fs = require('node:fs');
const { createRequire } = require('node:module');
const path = require('node:path');
const { plain } = require('../learn/others.cjs');
const { ofBuild, ofSources, weigh } = require('./sizes.cjs');

const kShown = 5;
const kPackages = 4;

const inWords = (bytes) => (bytes >= 1e6 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e3).toFixed(0)} kB`);

// The same for tools: bytes, and null where there is no limit.
function renderJson(all, { most, since, failed = [] }) {
  const over = (bytes) => most > 0 && bytes > most;
  const functions = [...all].sort((a, b) => b.bytes - a.bytes || (a.route < b.route ? -1 : 1))
    .map(({ route, bytes, packages }) => ({ route, bytes, over: over(bytes), packages: packages.map(([name, size]) => ({ name, bytes: size })) }));
  const text = JSON.stringify({ from: since ? 'build' : 'sources', limit: most > 0 ? most : null, functions, failed: failed.map(({ route, failed: why }) => ({ route, why })) });
  return { text: `${text}\n`, code: since && functions.some((one) => one.over) ? 2 : 0 };
}

// `most`: bytes; 0: no limit. Exit code: 2 if a function of a build has more.
function render(all, { most, since, failed = [] }) {
  const lines = [];
  const limit = most > 0 ? `, of ${inWords(most)} each` : '';
  if (since) lines.push(`Functions by what the build of ${since} has traced${limit}:`);
  else lines.push(`Functions by what is traced from the sources${limit}. A build bundles code, leaves out what is not used and adds some of Next: \`next build\` first says it exactly:`);
  const sorted = [...all].sort((a, b) => b.bytes - a.bytes || (a.route < b.route ? -1 : 1));
  for (const { route, bytes, packages } of sorted.slice(0, kShown)) {
    const over = most > 0 && bytes > most ? (since ? '  over the limit: the deployment fails' : '  may be over the limit') : '';
    lines.push(`${inWords(bytes).padStart(10)}  ${plain(route)}${over}`);
    lines.push(`${' '.repeat(12)}${packages.slice(0, kPackages).map(([name, size]) => `${plain(name)} ${inWords(size)}`).join(', ')}`);
  }
  if (sorted.length > kShown) lines.push(`and ${sorted.length - kShown} more, none larger`);
  for (const { route, failed: why } of failed) lines.push(`not weighed: ${plain(route)} (${plain(why)})`);
  const over = most > 0 ? sorted.filter(({ bytes }) => bytes > most).length : 0;
  if (over > 0) lines.push('', 'fix: outputFileTracingExcludes keeps out of a function what it does not need (vercel-sim explain function-too-large)');
  return { text: `${lines.join('\n')}\n`, code: over > 0 && since ? 2 : 0 };
}

async function main({ words }) {
  const [dir, dist, most, format] = words;
  /** @type {any[] | undefined} */
  let all = ofBuild(dir, dist);
  const since = all && fs.statSync(path.join(dir, dist, 'server')).mtime.toISOString().slice(0, 16).replace('T', ' ');
  if (!all) {
    const nextDist = distOfNext(dir);
    if (!nextDist) {
      console.error(`error: the package "next" is not installed in ${plain(dir)}\n  fix: npm install`);
      process.exit(64);
    }
    process.chdir(dir);
    all = await ofSources(dir, nextDist);
  }
  if (all.length === 0) {
    console.error(`error: no function is in ${plain(dir)}: no page or route below app/ or pages/`);
    process.exit(64);
  }
  const sizes = new Map();
  const weighed = all.filter(({ files }) => files).map((one) => weigh(one, sizes));
  const { text, code } = (format === 'json' ? renderJson : render)(weighed, { most: Number(most), since, failed: all.filter(({ failed }) => failed) });
  process.stdout.write(text);
  process.exitCode = code;
}

function distOfNext(dir) {
  try {
    return path.join(path.dirname(createRequire(path.join(dir, 'package.json')).resolve('next/package.json')), 'dist');
  } catch {
    return undefined;
  }
}

module.exports = { main, render };
