'use strict';
// In next dev: what of the disk stays writable for instances, on which the rest is read-only also for native addons and child processes: what a variable of
// the environment names, as a developer's stand-in. What a variable means cannot always be known; then nothing is read-only, and it is said why.

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { kForeign } = require('../shared/machine.cjs');
const { isBelow, isDatabase, realOf } = require('../shared/paths.cjs');

const kMost = 50;
// Node writes to these by itself.
const kNodes = new Set(['NODE_V8_COVERAGE', 'NODE_COMPILE_CACHE']);
// They write by themselves, to a file that the code may name, and what they are refused nobody could tell the app's developer: an error of SQLite's is all.
const kEmbedded = /^(better-sqlite3|sqlite3?|libsql|@libsql\/.+|@prisma\/adapter-(libsql|better-sqlite3)|duckdb(-async)?|@duckdb\/.+|lmdb|classic-level|level|rocksdb)$/;
const kScheme = /^(?:file|sqlite|libsql|duckdb)3?:(?:\/\/(?=\/|\.))?/i;

// {project, writable: real paths, open: why all of it must stay so}.
function namesOnDisk(env, dir) {
  const project = realOf(dir) ?? dir;
  const writable = new Set();
  let open;
  const add = (file) => {
    const real = realOf(file);
    if (real !== undefined && real !== '/') writable.add(real);
  };
  const isWhole = (folder) => isBelow(project, folder);
  const addDatabase = (file, name) => {
    const folder = realOf(path.dirname(file));
    if (folder === undefined) return;
    if (isWhole(folder)) open ??= `${name} names ${shown(file, project)}, a database, which writes to the folder that it stands in`;
    else add(folder);
  };
  add(os.tmpdir());
  for (const [name, value] of Object.entries(env)) {
    if (!value || value.length > 1024 || value.includes('\n') || (kForeign.test(name) && !kNodes.has(name))) continue;
    const named = value.replace(kScheme, '').replace(/\?.*$/s, '');
    if (named === '' || /^[a-z][\w+.-]*:/i.test(named)) continue;
    const isScheme = kScheme.test(value);
    const files = path.isAbsolute(named) ? [named] : [path.resolve(project, named), path.resolve(project, 'prisma', named)];
    const there = files.filter((file) => fs.existsSync(file));
    if (isScheme || isDatabase(named)) {
      // Prisma looks from its schema, wherever that is.
      if (there.length === 0 && !path.isAbsolute(named)) open ??= `${name} names ${named}, which may come to be anywhere`;
      for (const file of there.length > 0 ? there : files.slice(0, 1)) addDatabase(file, name);
      continue;
    }
    if (there.length > 0) {
      if (!isWhole(realOf(there[0]) ?? '/')) add(there[0]);
    } else if (/^\.\.?\//.test(named) || isBelow(named, project)) {
      open ??= `${name} names ${named}, which is not there yet`;
    }
  }
  const embedded = databaseIn(dir);
  if (embedded !== undefined) open ??= `${embedded} can keep a database in a file, and what it would be refused could not be told`;
  if (writable.size > kMost) open ??= `variables name ${writable.size} files and folders of this machine`;
  return { project, writable: [...writable], open };
}

// The package of an embedded database that the project depends on, or a package of its workspace that it depends on.
function databaseIn(dir, seen = new Set([realOf(dir)])) {
  let names = [];
  try {
    const { dependencies, devDependencies } = JSON.parse(fs.readFileSync(path.join(dir, 'package.json'), 'utf8'));
    names = Object.keys({ ...dependencies, ...devDependencies });
  } catch {
    return undefined;
  }
  const found = names.find((name) => kEmbedded.test(name));
  if (found !== undefined) return found;
  for (const name of names) {
    const folder = sourcesOf(name, dir);
    if (folder === undefined || seen.has(folder)) continue;
    const inside = databaseIn(folder, seen.add(folder));
    if (inside !== undefined) return `${inside} (of ${name})`;
  }
  return undefined;
}

// Where a package of the workspace is written: it is linked, and the link leads to where nothing is installed.
function sourcesOf(name, dir) {
  for (let at = dir; ; at = path.dirname(at)) {
    const folder = realOf(path.join(at, 'node_modules', name));
    if (folder !== undefined) return /[\\/]node_modules[\\/]/.test(folder) ? undefined : folder;
    if (at === path.dirname(at)) return undefined;
  }
}

const shown = (file, project) => (isBelow(file, project) ? path.relative(project, file) : file);

module.exports = { namesOnDisk };
