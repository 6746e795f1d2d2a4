'use strict';
// A base template that begins while `next dev` itself does (dev/ahead.cjs), when neither the configuration nor .env files have been read: it loads Next's own modules, tries whether it
// can be copied, and stands still until it is told the boot file. What has been loaded keeps nothing that an instance would not have: each variable of the environment that was asked
// for meanwhile, by whomever, is compared with what it is then. If one differs, or the folder, this process ends, and another begins with what is known.

const fs = require('node:fs');

const kSocket = 3;
const kMostPath = 4096;
const kAnew = 79;
// Node's own, which it asks the system for and not `process.env`.
const kOfNode = /^(NODE_|UV_|SSL_CERT_|OPENSSL_|TMP$|TEMP$|TMPDIR$|HOME$|TZ$|LANG$|LC_)/;

// Before anything is put into it.
function keepEnvironment() {
  const real = process.env;
  const first = { ...real };
  const asked = new Set();
  const written = new Map();  // by modules, while they were loaded
  let isWhole = false;
  const saw = (name) => typeof name === 'string' && asked.add(name);
  const seen = new Proxy(real, {
    get: (_, name) => (saw(name), Reflect.get(real, name)),
    has: (_, name) => (saw(name), Reflect.has(real, name)),
    getOwnPropertyDescriptor: (_, name) => (saw(name), Reflect.getOwnPropertyDescriptor(real, name)),
    ownKeys() {
      isWhole = true;
      return Reflect.ownKeys(real);
    },
    set(_, name, value) {
      written.set(name, value);
      return Reflect.set(real, name, value);
    },
    deleteProperty(_, name) {
      written.set(name, undefined);
      return Reflect.deleteProperty(real, name);
    },
  });

  // From here on it is seen who asks for which variable.
  function watch() {
    process.env = seen;
  }

  // `take` sets what there is now. The name of a variable that was asked for and is another one; undefined: there is none.
  function takeAnew(take, isHarmless) {
    const before = { ...real };
    process.env = real;
    for (const name of Object.keys(real)) if (!Object.hasOwn(first, name)) delete real[name];
    Object.assign(real, first);
    take();
    for (const [name, value] of written) {
      if (value === undefined) delete real[name];
      else real[name] = value;
    }
    const names = [...new Set([...Object.keys(before), ...Object.keys(real)])];
    return names.find((name) => before[name] !== real[name] && (isWhole || asked.has(name) || kOfNode.test(name)) && !isHarmless(name));
  }

  return { watch, takeAnew };
}

// What vercel-sim says when next dev has told of itself: the boot file. It is gone if it says nothing.
function waitForBoot() {
  const bytes = Buffer.alloc(kMostPath);
  const size = fs.readSync(kSocket, bytes, 0, bytes.length, null);
  if (size === 0) process.exit(0);
  return bytes.toString('utf8', 0, size);
}

function beginAnew(why) {
  fs.writeSync(2, `begins anew: ${why}\n`);
  process.exit(kAnew);
}

module.exports = { beginAnew, keepEnvironment, waitForBoot };
