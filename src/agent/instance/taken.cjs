'use strict';
// What code takes, while the modules of a function are evaluated, that a fresh process has of its own: the time, random numbers, the number of its process;
// and what cannot be copied: connections, timers, children, native addons, what a file says now. A process in which that has happened is not copied for
// others (copying.cjs): each instance evaluates the modules itself. Who takes it is told by the calling frame: Next's own code and React's may. It is not
// known of any package that what it keeps is harmless, so none may.
// The hooks stand from the template's begin, so that nobody has kept what they replace, and look at nothing but while it is asked for.

const childProcess = require('node:child_process');
const crypto = require('node:crypto');
const dgram = require('node:dgram');
const dns = require('node:dns');
const fs = require('node:fs');
const net = require('node:net');
const path = require('node:path');
const threads = require('node:worker_threads');
const timers = require('node:timers');
const timersPromises = require('node:timers/promises');
const vm = require('node:vm');
const { fileURLToPath } = require('node:url');
const { withoutEvaluated } = require('../next/chunks.cjs');
const { isInPlace, isOfNext, isRuntime } = require('../next/names.cjs');

const kFrames = 32;
const kFileCalls = ['access', 'appendFile', 'copyFile', 'cp', 'exists', 'glob', 'lstat', 'mkdir', 'mkdtemp', 'open', 'opendir', 'readFile', 'readdir', 'readlink', 'rename', 'rm', 'rmdir', 'stat', 'symlink', 'link', 'truncate', 'unlink', 'utimes', 'writeFile'];
const kRandom = ['randomBytes', 'randomFill', 'randomFillSync', 'randomInt', 'randomUUID', 'getRandomValues', 'generateKey', 'generateKeySync', 'generateKeyPair', 'generateKeyPairSync', 'generatePrime', 'generatePrimeSync'];

module.exports = function (sim) {
  const { boot, options } = sim;
  const verdicts = new Map();  // place of a frame → whose it is
  let isWatching = false;
  let reason;
  let pending = [];  // {handle, what, by}: timers

  // ---- Who ---------------------------------------------------------------------------------------------------------------------------

  // The place of the caller if it is not Next's; '' if no frame tells. `isDeep`: what is ours stands before whoever calls.
  function taker(below, isDeep) {
    const { prepareStackTrace, stackTraceLimit } = Error;
    let sites = [];
    try {
      Error.stackTraceLimit = kFrames;
      Error.prepareStackTrace = (_, given) => {
        sites = given;
        return '';
      };
      const holder = {};
      Error.captureStackTrace(holder, below);
      void holder.stack;
    } finally {
      Error.stackTraceLimit = stackTraceLimit;
      Error.prepareStackTrace = prepareStackTrace;
    }
    for (const site of sites) {
      const file = site.getScriptNameOrSourceURL?.() ?? site.getFileName();
      const isOurs = file?.startsWith(path.dirname(__dirname) + path.sep);
      if (isOurs && !isDeep) return undefined;
      if (!file || isOurs || file.startsWith('node:') || isInPlace(file) || isRuntime(file)) continue;
      return placeOf(file, `${file}:${site.getLineNumber()}:${site.getColumnNumber()}`);
    }
    return '';
  }

  // A chunk of the bundler's has modules of Next among the user's: the map says whose it is.
  function placeOf(file, at) {
    if (isOfNext(file)) return undefined;
    if (!verdicts.has(at)) {
      const source = sim.guard('source maps', () => sim.originalPosition?.(at));
      verdicts.set(at, isOfNext(source ?? file) ? undefined : inWords(source ?? at));
    }
    return verdicts.get(at);
  }

  const inWords = (place) => withoutEvaluated(place).replace(boot.options.dir + path.sep, '');

  // `isDone`: it is something that is done, and not a value that is taken: whoever does it, it is not Node itself.
  function note(what, below, isDone = false) {
    if (!isWatching || reason !== undefined) return;
    isWatching = false;  // what follows calls some of it too
    try {
      const by = taker(below, isDone);
      if (by === undefined || (by === '' && !isDone)) return;
      reason = by === '' ? what : `${what} by ${by}`;
    } finally {
      isWatching = true;
    }
  }

  // Next's caches, asked by a module and not for a request: what they say later is another matter.
  function noteShared(what) {
    if (isWatching && !sim.invocations?.getStore()) reason ??= what;
  }

  // ---- What --------------------------------------------------------------------------------------------------------------------------

  function replace(holder, name, made) {
    const before = holder && Object.getOwnPropertyDescriptor(holder, name);
    const real = before?.value;
    if (typeof real !== 'function' || !before.configurable) return;
    Object.defineProperty(holder, name, { ...before, value: Object.defineProperties(made(real), Object.getOwnPropertyDescriptors(real)) });
  }

  function watch(holder, names, what, isDone = false) {
    for (const name of names) {
      replace(holder, name, (real) => {
        const watched = function (...args) {
          if (isWatching) note(`${what}${name}()`, watched, isDone);
          return Reflect.apply(real, this, args);
        };
        return watched;
      });
    }
  }

  function prepareTaking() {
    watchDate();
    watch(Math, ['random'], 'Math.');
    const performanceOf = Object.getPrototypeOf(globalThis.performance);
    watch(performanceOf, ['now', 'mark', 'measure', 'toJSON'], 'performance.');
    for (const holder of [performanceOf, globalThis.performance]) watchGetter(holder, 'timeOrigin', 'performance.timeOrigin');
    watch(process, ['uptime', 'cpuUsage', 'memoryUsage', 'resourceUsage'], 'process.');
    watch(console, ['time'], 'console.');
    watchFormats();
    watch(globalThis.Temporal?.Now, ['instant', 'plainDateISO', 'plainDateTimeISO', 'plainTimeISO', 'zonedDateTimeISO'], 'Temporal.Now.');
    watchGetter(process, 'stdin', 'process.stdin');
    replace(process, 'hrtime', (real) => {
      const { bigint } = real;
      const watched = function (...args) {
        if (isWatching) note('process.hrtime()', watched);
        return Reflect.apply(real, this, args);
      };
      real.bigint = function watchedToo() {
        if (isWatching) note('process.hrtime.bigint()', watchedToo);
        return bigint.call(real);
      };
      return watched;
    });
    watchRandom();
    watchFiles();
    watchWorld();
    watchTimers();
    require('node:module').syncBuiltinESMExports();
  }

  function watchDate() {
    const RealDate = globalThis.Date;
    watch(RealDate, ['now'], 'Date.');
    const traps = {
      construct(target, args, made) {
        if (isWatching && args.length === 0) note('new Date()', traps.construct);
        return Reflect.construct(target, args, made);
      },
      apply(target, self, args) {
        if (isWatching) note('Date()', traps.apply);
        return Reflect.apply(target, self, args);
      },
    };
    const shown = new Proxy(RealDate, traps);
    Object.defineProperty(RealDate.prototype, 'constructor', { value: shown, writable: true, configurable: true });
    Object.defineProperty(globalThis, 'Date', { value: shown, writable: true, configurable: true });
  }

  // Of now, if it is not told of what.
  function watchFormats() {
    const holder = Intl.DateTimeFormat.prototype;
    const ofNow = (real, what) =>
      function watched(...args) {
        if (isWatching && args[0] === undefined) note(what, watched);
        return Reflect.apply(real, this, args);
      };
    const before = Object.getOwnPropertyDescriptor(holder, 'format');
    const get = function () {
      const format = Reflect.apply(before.get, this, []);
      return isWatching ? ofNow(format, 'Intl.DateTimeFormat.format()') : format;
    };
    Object.defineProperty(holder, 'format', { ...before, get });
    replace(holder, 'formatToParts', (real) => ofNow(real, 'Intl.DateTimeFormat.formatToParts()'));
  }

  function watchGetter(holder, name, what) {
    const before = holder && Object.getOwnPropertyDescriptor(holder, name);
    if (!before?.configurable || !before.get) return;
    const { get } = before;
    const watched = function () {
      if (isWatching) note(what, watched);
      return Reflect.apply(get, this, []);
    };
    Object.defineProperty(holder, name, { ...before, get: watched });
  }

  // Its number is a value else (own.cjs).
  function watchPid() {
    const { pid } = process;
    const watched = () => {
      note('process.pid', watched);
      return pid;
    };
    Object.defineProperty(process, 'pid', { get: watched, configurable: true, enumerable: true });
    return () => Object.defineProperty(process, 'pid', { value: pid, configurable: true, enumerable: true, writable: false });
  }

  function watchRandom() {
    watch(crypto, kRandom, 'crypto.');
    watch(Object.getPrototypeOf(crypto.webcrypto), ['getRandomValues', 'randomUUID'], 'crypto.');
    watch(Object.getPrototypeOf(crypto.webcrypto.subtle), ['generateKey'], 'crypto.subtle.');
    for (const Maker of [crypto.ECDH, crypto.DiffieHellman, crypto.DiffieHellmanGroup]) watch(Maker?.prototype, ['generateKeys'], 'crypto.');
  }

  // What is compiled, and packages, are what they are: an edit of the one is told, of the other never looked for.
  function isFixed(given) {
    const file = given instanceof URL && given.protocol === 'file:' ? fileURLToPath(given) : typeof given === 'string' ? path.resolve(given) : '';
    const distDir = path.join(boot.options.dir, boot.config?.distDir ?? '.next') + path.sep;
    return file.startsWith(distDir) || file.split(path.sep).includes('node_modules');
  }

  function watchFiles() {
    const watchCall = (holder, name) => {
      replace(holder, name, (real) => {
        const watched = function (...args) {
          if (isWatching && typeof args[0] !== 'number' && !isFixed(args[0])) note(`fs.${name}(${typeof args[0] === 'string' ? inWords(args[0]).slice(0, 100) : ''})`, watched, true);
          return Reflect.apply(real, this, args);
        };
        return watched;
      });
    };
    for (const name of kFileCalls) {
      watchCall(fs, name);
      watchCall(fs, `${name}Sync`);
      watchCall(fs.promises, name);
    }
    for (const name of ['createReadStream', 'createWriteStream', 'watch', 'watchFile']) watchCall(fs, name);
  }

  function watchWorld() {
    replace(net.Socket.prototype, 'connect', (real) => {
      const watched = function (...args) {
        const [asked] = [args[0]].flat();
        const where = asked?.path ?? (typeof asked === 'string' ? asked : undefined);
        if (isWatching && (where === undefined || (where !== options.socketPath && where !== boot.rpcSocket))) note('a connection', watched, true);
        return Reflect.apply(real, this, args);
      };
      return watched;
    });
    watch(net.Server.prototype, ['listen'], 'server.', true);
    watch(globalThis, ['fetch'], '', true);
    watch(dgram, ['createSocket'], 'dgram.', true);
    for (const holder of [dns, dns.promises, dns.Resolver.prototype, dns.promises.Resolver.prototype])
      watch(holder, Object.keys(Object.getOwnPropertyDescriptors(holder)).filter((name) => /^(lookup|resolve|reverse)/.test(name)), 'dns.', true);
    // It has random numbers of its own, which nobody can set anew. Node makes some for itself.
    watch(vm, ['createContext', 'runInNewContext'], 'vm.');
    watch(vm.Script.prototype, ['runInNewContext'], 'vm.Script.');
    watch(childProcess.ChildProcess.prototype, ['spawn'], 'child_process.', true);
    watch(childProcess, ['spawnSync', 'execSync', 'execFileSync'], 'child_process.', true);
    replace(process, 'dlopen', (real) => {
      const watched = function (...args) {
        if (isWatching) note(`the native addon ${path.basename(String(args[1]))}`, watched, true);
        return Reflect.apply(real, this, args);
      };
      return watched;
    });
    const traps = {
      construct(target, args, made) {
        if (isWatching) note('new Worker()', traps.construct, true);
        return Reflect.construct(target, args, made === shown ? target : made);
      },
    };
    const shown = new Proxy(threads.Worker, traps);
    threads.Worker = shown;
  }

  // One that has fired meanwhile is nobody's any more. Node internals: _destroyed.
  function watchTimers() {
    for (const name of ['setTimeout', 'setInterval']) {
      const { value: real } = Object.getOwnPropertyDescriptor(globalThis, name);
      replace(globalThis, name, () => {
        const watched = function (...args) {
          const handle = Reflect.apply(real, this, args);
          if (isWatching) keep(handle, `${name}()`, watched);
          return handle;
        };
        return watched;
      });
      timers[name] = globalThis[name];
    }
    replace(timersPromises, 'setTimeout', (real) => {
      const watched = async function (...args) {
        const handle = { _destroyed: false };
        if (isWatching) keep(handle, 'setTimeout()', watched);
        try {
          return await Reflect.apply(real, this, args);
        } finally {
          handle._destroyed = true;
        }
      };
      return watched;
    });
    watch(timersPromises, ['setInterval'], 'timers/promises.');
    watch(Object.getPrototypeOf(timersPromises.scheduler ?? {}), ['wait'], 'scheduler.');
    watch(AbortSignal, ['timeout'], 'AbortSignal.');
  }

  function keep(handle, what, below) {
    isWatching = false;
    try {
      const by = taker(below, true);
      if (by) pending.push({ handle, what, by });
    } finally {
      isWatching = true;
    }
  }

  // ---- While modules are evaluated -----------------------------------------------------------------------------------------------------

  let restorePid;
  let hadSqlite;
  // Not watched: to ask for it is to load it, which prints a warning. A database is a file, and has locks.
  const hasSqlite = () => /** @type {any} */ (process).moduleLoadList.includes('NativeModule sqlite');

  function watchTaking() {
    reason = undefined;
    pending = [];
    restorePid = watchPid();
    hadSqlite = hasSqlite();
    isWatching = true;
  }

  const hasTaken = () => reason !== undefined || pending.length > 0;

  // What was taken, and by whom; undefined: nothing. It is looked at no more.
  function taken() {
    isWatching = false;
    restorePid();
    const open = pending.find(({ handle }) => !handle._destroyed);
    pending = [];
    if (!hadSqlite && hasSqlite()) reason ??= 'node:sqlite';
    return reason ?? (open && `${open.what} by ${open.by}, which has not fired`);
  }

  return { prepareTaking, watchTaking, hasTaken, taken, noteTaken: note, noteShared };
};
