'use strict';
// What the files of each function weigh, unzipped: those that a build has traced (`.nft.json` beside each function), else those that `@vercel/nft`, in Next
// itself, finds from the sources. The second is more than a build takes, which bundles code and leaves out what is not used.

const fs = require('node:fs');
const path = require('node:path');
const { packageOf } = require('../agent/shared/paths.cjs');
const trace = require('../agent/shared/trace.cjs');
const { textOf } = require('../learn/others.cjs');

const kList = /\.js\.nft\.json$/;
const kSource = /\.(tsx?|jsx?)$/;

// [{route, files: set of absolute paths}]; undefined: there is no build.
function ofBuild(dir, dist) {
  const server = path.join(dir, dist, 'server');
  const list = ['next-minimal-server.js.nft.json', 'next-server.js.nft.json'].map((name) => path.join(dir, dist, name)).find((file) => fs.existsSync(file));
  let shared;  // a list that cannot be read is said of each function
  const all = [];
  for (const kind of ['app', 'pages']) {
    for (const file of below(path.join(server, kind))) {
      if (!kList.test(file)) continue;
      const own = file.replace(/\.nft\.json$/, '');
      const route = routeOf(path.relative(path.join(server, kind), own).replace(/\.js$/, ''), kind);
      try {
        all.push({ route, files: new Set([...filesIn(file), ...(shared ??= filesIn(list)), own]) });
      } catch (error) {
        all.push({ route, failed: `${path.basename(file)}: ${error.message}` });
      }
    }
  }
  return all.length > 0 ? all : undefined;
}

function filesIn(list) {
  if (!list) return [];
  const { files } = JSON.parse(textOf(list));
  if (!Array.isArray(files)) throw new Error('it lists no files');
  return files.map((file) => path.resolve(path.dirname(list), String(file)));
}

// The same, or {route, failed} of one that cannot be traced.
async function ofSources(dir, nextDist) {
  const all = [];
  const cache = {};
  for (const { kind, file, route } of entries(dir)) {
    const q = { dir, nextDist, entry: path.relative(dir, file), kind, packages: true, cache };
    const files = await trace.traced(q, trace.entriesOf(q)).catch((error) => error);
    all.push(files instanceof Error ? { route, failed: String(files.message).split('\n')[0].slice(0, 200) } : { route, files });
  }
  return all;
}

function* entries(dir) {
  for (const base of ['', 'src']) {
    const app = path.join(dir, base, 'app');
    for (const file of below(app)) {
      const [, name, what] = /^(.*?)[\\/]?(page|route)\.(?:tsx?|jsx?)$/.exec(path.relative(app, file)) ?? [];
      if (what) yield { kind: what === 'page' ? 'APP_PAGE' : 'APP_ROUTE', file, route: routeOf(path.join(name, what), 'app') };
    }
    const pages = path.join(dir, base, 'pages');
    for (const file of below(pages)) {
      const name = path.relative(pages, file);
      if (kSource.test(name) && !/(^|[\\/])_|\.d\.ts$|\.(test|spec)\./.test(name)) yield { kind: name.startsWith('api') ? 'PAGES_API' : 'PAGES', file, route: routeOf(name.replace(kSource, ''), 'pages') };
    }
  }
}

function routeOf(name, kind) {
  const route = `/${name.split(path.sep).join('/')}`;
  if (kind === 'pages') return route.replace(/\/index$/, '') || '/';
  return route.replace(/\/(page|route)$/, '').replace(/\/\([^/]+\)(?=\/|$)|\/@[^/]+(?=\/|$)/g, '') || '/';
}

function below(folder) {
  if (!fs.existsSync(folder)) return [];
  return fs.readdirSync(folder, { withFileTypes: true }).flatMap((one) => {
    const file = path.join(folder, one.name);
    if (one.isDirectory()) return one.name === 'node_modules' ? [] : below(file);
    return [file];
  });
}

// {route, bytes, packages: [[name, bytes]], largest first}. A file that is there by two names counts once.
function weigh({ route, files }, sizes = new Map()) {
  const packages = new Map();
  const seen = new Set();
  let bytes = 0;
  for (const file of files) {
    if (!sizes.has(file)) sizes.set(file, sizeOf(file));
    const { real, size } = sizes.get(file);
    if (size === 0 || seen.has(real)) continue;
    seen.add(real);
    bytes += size;
    const name = packageOf(file) ?? 'the app itself';
    packages.set(name, (packages.get(name) ?? 0) + size);
  }
  return { route, bytes, packages: [...packages].sort((a, b) => b[1] - a[1]) };
}

function sizeOf(file) {
  try {
    const real = fs.realpathSync(file);
    const stat = fs.statSync(real);
    return { real, size: stat.isFile() ? stat.size : 0 };
  } catch {
    return { real: file, size: 0 };  // traced and not there
  }
}

module.exports = { ofBuild, ofSources, weigh };
