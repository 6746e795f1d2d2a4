'use strict';
// Paths of the disk, as several parts ask of them.

const fs = require('node:fs');
const path = require('node:path');

const { lstatSync, statSync } = fs;  // as they are before anything is hooked

const isBelow = (file, folder) => file === folder || file.startsWith(folder.endsWith(path.sep) ? folder : folder + path.sep);

// Undefined: there is none.
function realOf(file) {
  try {
    return fs.realpathSync(file);
  } catch {
    return undefined;
  }
}

// Undefined: there is none, or it cannot be looked at (its name is too long, a folder above it is closed to us). What a link names is looked at.
function statOf(file) {
  try {
    return statSync(file, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

// The same of a link itself.
function linkStatOf(file) {
  try {
    return lstatSync(file, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

// A database that is a file, and writes beside it too.
const isDatabase = (file) => /\.(db|db3|sqlite3?|duckdb|mdb)$/i.test(file);

// "@scope/name" of the package that a file is of; undefined: of none.
const packageOf = (file) => /.*(?:^|[\\/])node_modules[\\/]((?:@[^\\/]+[\\/])?[^\\/]+)[\\/]/.exec(file)?.[1].replace('\\', '/');

module.exports = { isBelow, isDatabase, linkStatOf, packageOf, realOf, statOf };
