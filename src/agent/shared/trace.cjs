'use strict';
// A process of its own, started by traced.cjs or, where somebody waits for the answer, by reads.cjs: which of the files that a function has read would not be put into it when it is built. Reads a question as
// JSON, prints {route, missing: [{name, excluded}]}. It asks what `next build` asks: `@vercel/nft` (in Next itself) about the sources of the function, after
// Next's compiler has made plain JavaScript of them. Packages are not followed: they are left alone where they read by themselves (`check --size`, src/size/, does: `packages`).
// Where something cannot be read or parsed, it prints nothing. The platform bundles functions of one kind together, so a file that another one of
// that kind has is not missing either.
// (In Next: next-trace-entrypoints-plugin.js, collect-build-traces.js.)

const fs = require('node:fs');
const path = require('node:path');
const tools = require('../next/tools.cjs');
const { statOf } = require('./paths.cjs');

const kEndings = ['.tsx', '.ts', '.jsx', '.js', '.mjs', '.cjs', '.json'];
const kSource = /\.(tsx?|jsx?|mjs|cjs|mts|cts)$/;
const kSegments = ['layout', 'template', 'loading', 'error', 'not-found', 'global-error', 'default', 'page', 'route'];
const kMostEntries = 400;
const kMostMs = 30_000;  // for one answer

async function answer(q) {
  const route = q.page.replace(/\/(route|page)$/, '').replace(/\/\([^/]+\)(?=\/|$)|\/@[^/]+(?=\/|$)/g, '') || '/';
  const shown = route.replace(/[[\]().*?+]/g, '\\$&');
  const picomatch = tools(q.nextDist).globs();
  const isIn = (globs) => {
    const patterns = Object.entries(globs).flatMap(([key, value]) => (picomatch(key, { dot: true, contains: true })(route) ? value : []));
    const matchers = patterns.map((pattern) => picomatch(path.posix.normalize(pattern).replace(/^\.?\//, ''), { dot: true }));
    const folders = patterns.map((pattern) => picomatch.scan(path.posix.normalize(pattern).replace(/^\.?\//, '')).base);
    return ({ name, directory }) => matchers.some((is) => is(name)) || (directory && folders.some((base) => base === name || base.startsWith(`${name}/`)));
  };
  const isIncluded = isIn(q.includes);
  const isExcluded = isIn(q.excludes);
  const built = readBuilt(q);
  // What lies on this machine alone no build can take.
  const [never, asked] = [q.asked.filter(isOfThisMachine), q.asked.filter((one) => !isOfThisMachine(one))];
  let open = asked.filter((one) => !isIncluded(one) && !isTaken(one, built));
  const missing = asked.filter((one) => isExcluded(one)).map(({ name }) => ({ name, excluded: true }));
  open = open.filter((one) => !isExcluded(one));
  const files = open.length > 0 ? await traced(q, entriesOf(q)) : new Set();
  open = open.filter((one) => !isTaken(one, files));
  const others = open.length > 0 ? await traced(q, ofSameKind(q)) : new Set();
  open = open.filter((one) => !isTaken(one, others));
  return { route: shown, missing: [...missing, ...[...never, ...open].map(({ name }) => ({ name, excluded: false }))] };
}

// Files of secrets (`.env.local`): in no repository, and `vercel deploy` leaves them out.
const isOfThisMachine = ({ name }) => /^\.env(\.\w+)?\.local$/.test(name);

function isTaken({ file, directory }, files) {
  if (!directory) return files.has(file);
  for (const one of files) if (one.startsWith(file + path.sep)) return true;
  return false;
}

// What an earlier build has written beside the function.
function readBuilt({ dir, distDir, page, kind }) {
  const folder = kind.startsWith('APP') ? 'app' : 'pages';
  for (const base of [distDir, distDir.replace(/[\\/]dev$/, '')]) {
    const list = path.join(dir, base, 'server', folder, `${page}.js.nft.json`);
    try {
      return new Set(JSON.parse(fs.readFileSync(list, 'utf8')).files.map((file) => path.resolve(path.dirname(list), file)));
    } catch {
      // not built
    }
  }
  return new Set();
}

// ---- Where tracing begins ----------------------------------------------------------------------------------------------------------------

function entriesOf({ dir, entry, kind }) {
  const file = path.resolve(dir, entry);
  const all = [file.replace(kSource, ''), ...['instrumentation', 'src/instrumentation'].map((name) => path.join(dir, name))];
  if (!kind.startsWith('APP')) all.push(...['_app', '_document'].map((name) => path.join(rootOf(file, 'pages'), name)));
  else for (let folder = path.dirname(file); folder.startsWith(rootOf(file, 'app')); folder = path.dirname(folder)) all.push(...kSegments.map((name) => path.join(folder, name)));
  return all.map(sourceOf).filter(Boolean);
}

function rootOf(file, name) {
  const at = file.lastIndexOf(`${path.sep}${name}${path.sep}`);
  return at < 0 ? path.dirname(file) : file.slice(0, at + name.length + 1);
}

function ofSameKind({ dir, entry, kind }) {
  const isApp = kind.startsWith('APP');
  const root = rootOf(path.resolve(dir, entry), isApp ? 'app' : 'pages');
  const isApi = (file) => file.startsWith(path.join(root, 'api') + path.sep);
  const all = [];
  const walk = (folder) => {
    for (const one of fs.readdirSync(folder, { withFileTypes: true })) {
      const file = path.join(folder, one.name);
      if (one.isDirectory()) walk(file);
      else if (kSource.test(one.name) && isWanted(file) && all.length < kMostEntries) all.push(file);
    }
  };
  const isWanted = (file) => {
    if (!isApp) return isApi(file) === (kind === 'PAGES_API');
    const base = path.basename(file).replace(kSource, '');
    return kind === 'APP_ROUTE' ? base === 'route' : kSegments.includes(base) && base !== 'route';
  };
  walk(root);
  return all;
}

function sourceOf(file) {
  if (kSource.test(file) && isFile(file)) return file;
  return kEndings.map((ending) => file + ending).find(isFile) ?? kEndings.map((ending) => path.join(file, `index${ending}`)).find(isFile);
}

function isFile(file) {
  return statOf(file)?.isFile() === true;
}

// ---- Tracing -------------------------------------------------------------------------------------------------------------------------------

// What the tracer would walk through, file by file, where a source names `os.homedir()` or `os.tmpdir()`. A build's are others.
const kFolders = ['HOME', 'TMPDIR', 'TMP', 'TEMP'];
const kNowhere = '/vercel-sim-has-no-such-folder';

const texts = new Map();  // source → JavaScript

async function traced(q, entries) {
  if (entries.length === 0) throw new Error('no source');
  for (const name of kFolders) process.env[name] = kNowhere;
  const { nodeFileTrace } = tools(q.nextDist).tracer();
  const aliases = aliasesOf(q);
  const { fileList } = await nodeFileTrace(entries, {
    base: path.parse(q.dir).root,
    processCwd: q.dir,
    ts: true,
    mixedModules: true,
    cache: q.cache,
    ignore: ['proc/**', 'sys/**', 'dev/**'],
    readFile: (file) => textOf(q, file),
    resolve: (id, parent, job, isCjs) => resolved(q, id, parent, aliases, () => tools(q.nextDist).tracer().resolve(id, parent, job, isCjs)),
  });
  return new Set([...fileList].map((file) => path.resolve('/', file)));
}

async function textOf(q, file) {
  if (!isFile(file)) return null;
  if (!kSource.test(file) || file.includes('node_modules')) return fs.readFileSync(file);
  if (!texts.has(file)) texts.set(file, compiled(q, file));
  return texts.get(file);
}

let bindings;

async function compiled({ nextDist }, file) {
  const swc = tools(nextDist).compiler();
  bindings ??= swc.loadBindings();
  await bindings;
  const isTyped = /\.[mc]?tsx?$/.test(file);
  const parser = isTyped ? { syntax: 'typescript', tsx: !/\.[mc]?ts$/.test(file), decorators: true } : { syntax: 'ecmascript', jsx: true, decorators: true };
  const { code } = await swc.transform(fs.readFileSync(file, 'utf8'), {
    filename: file,
    sourceMaps: false,
    configFile: false,
    swcrc: false,
    jsc: { parser, target: 'es2022', transform: { react: { runtime: 'automatic' } } },
  });
  return code;
}

async function resolved({ packages }, id, parent, aliases, ask) {
  if (parent.includes(`${path.sep}node_modules${path.sep}`)) return packages ? ask() : [];
  for (const file of candidates(id, parent, aliases)) {
    const source = isFile(file) ? file : sourceOf(file.replace(/\.[mc]?jsx?$/, '')) ?? sourceOf(file);
    if (source) return source;
  }
  let found;
  try {
    found = [await ask()].flat();
  } catch {
    return [];
  }
  if (packages) return found;
  // A package of the same repository is the app's own code.
  return found.filter((file) => isFile(file) && !fs.realpathSync(file).includes(`${path.sep}node_modules${path.sep}`));
}

function candidates(id, parent, { base, paths }) {
  if (/^\.{1,2}(\/|$)/.test(id)) return [path.resolve(path.dirname(parent), id)];
  if (path.isAbsolute(id)) return [id];
  const all = [];
  for (const [pattern, targets] of paths) {
    const star = pattern.indexOf('*');
    const [before, behind] = star < 0 ? [pattern, ''] : [pattern.slice(0, star), pattern.slice(star + 1)];
    if (star < 0 ? id !== pattern : !(id.startsWith(before) && id.endsWith(behind))) continue;
    const middle = star < 0 ? '' : id.slice(before.length, id.length - behind.length || undefined);
    all.push(...targets.map((target) => path.resolve(base, target.replace('*', middle))));
  }
  return base && !id.startsWith('node:') ? [...all, path.resolve(base, id)] : all;
}

// `paths` of tsconfig.json, which may extend others and have comments: TypeScript reads it where it is there.
function aliasesOf({ dir, nextDist }) {
  for (const name of ['tsconfig.json', 'jsconfig.json']) {
    const file = path.join(dir, name);
    if (!isFile(file)) continue;
    let options;
    try {
      const ts = require(require.resolve('typescript', { paths: [dir] }));
      options = ts.parseJsonConfigFileContent(ts.readConfigFile(file, ts.sys.readFile).config, ts.sys, dir).options;
    } catch {
      options = tools(nextDist).json5().parse(fs.readFileSync(file, 'utf8')).compilerOptions ?? {};
    }
    const base = options.baseUrl ? path.resolve(dir, options.baseUrl) : options.pathsBasePath ?? dir;
    return { base, paths: Object.entries(options.paths ?? {}) };
  }
  return { base: dir, paths: [] };
}

// What is asked of the files that a function has read; `config` is Next's.
function questionOf({ nextDist, dir, config, page, kind, entry, reads }) {
  return {
    nextDist,
    dir,
    distDir: config.distDir,
    page,
    kind,
    entry,
    asked: reads.map(({ file, name, directory }) => ({ file, name, directory })),
    includes: config.outputFileTracingIncludes ?? config.experimental?.outputFileTracingIncludes ?? {},
    excludes: config.outputFileTracingExcludes ?? config.experimental?.outputFileTracingExcludes ?? {},
    root: config.outputFileTracingRoot ?? config.experimental?.outputFileTracingRoot,
  };
}

/**
 * How this file is started to answer one, as the arguments of spawn() and spawnSync(): the question comes in, the answer goes out.
 * @returns {[string, string[], { cwd: string, env: NodeJS.ProcessEnv, stdio: ['pipe', 'pipe', 'ignore'], timeout: number }]}
 */
function processOf(dir) {
  const { NODE_OPTIONS, ...env } = process.env;
  return [process.execPath, [__filename], { cwd: dir, env, stdio: ['pipe', 'pipe', 'ignore'], timeout: kMostMs }];
}

module.exports = { answer, entriesOf, processOf, questionOf, readBuilt, traced };

if (typeof (/** @type {any} */ (module).id) === 'string' && require.main === module) {
  let text = '';
  process.stdin.setEncoding('utf8').on('data', (chunk) => (text += chunk));
  process.stdin.on('end', () => answer(JSON.parse(text)).then((out) => process.stdout.write(JSON.stringify(out)), (error) => (console.error(error), process.exit(1))));
}
