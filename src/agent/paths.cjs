'use strict';
// Paths of the disk, as several parts ask of them.

const fs = require('node:fs');
const path = require('node:path');

const isBelow = (file, folder) => file === folder || file.startsWith(folder.endsWith(path.sep) ? folder : folder + path.sep);

// Undefined: there is none.
function realOf(file) {
  try {
    return fs.realpathSync(file);
  } catch {
    return undefined;
  }
}

// A database that is a file, and writes beside it too.
const isDatabase = (file) => /\.(db|db3|sqlite3?|duckdb|mdb)$/i.test(file);

module.exports = { isBelow, isDatabase, realOf };
