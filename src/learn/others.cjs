'use strict';
// Text and files that are not ours, for what is written in JavaScript and prints for people.

const fs = require('node:fs');

// As src/base/plain_text.cpp: nothing drives a terminal or is a command to a CI system, and one line stays one. It stands behind text of ours.
const kDrives = /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;
const plain = (text) => String(text).replace(kDrives, '?').replace(/##(?=[a-z]*\[)/gi, '## ');

const kMostBytes = 16 << 20;

// Throws what it is instead. A pipe without a writer is refused, not waited for.
function textOf(file) {
  const fd = fs.openSync(file, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
  try {
    const stat = fs.fstatSync(fd);
    if (!stat.isFile()) throw new Error('not a regular file');
    if (stat.size > kMostBytes) throw new Error('larger than 16 MiB');
    return fs.readFileSync(fd, 'utf8');
  } finally {
    fs.closeSync(fd);
  }
}

module.exports = { plain, textOf };
