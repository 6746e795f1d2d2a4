'use strict';
// What a process has of its own, and a copy of one (copying.cjs) must not share with its siblings: random numbers, its number, when it began, how it ends.
// prepareOwn() runs in the template before anything of Next is loaded, so that nobody has kept what is replaced; becomeOwn() in each copy, first of all.

const crypto = require('node:crypto');
const v8 = require('node:v8');
const vm = require('node:vm');

const kUuids = 128;  // that Node draws ahead (lib/internal/crypto/random.js)
const kInts = 1024;
// Of the template alone; children of the app's own would get them too (child_process.fork).
const kFlags = new Set(['--single-threaded', '--v8-pool-size=0', '--no-memory-reducer', '--no-flush-bytecode', '--min-semi-space-size=16', '--use-largepages=silent']);

module.exports = function (sim) {
  let random;  // drawn from when it is asked for, as all of these: what a copy does first it does in each of its pages for the first time
  let offset = 0;  // ms from the template's begin to this process's

  function prepareOwn() {
    process.execArgv = process.execArgv.filter((flag) => !kFlags.has(flag));
    if (process.env.LD_PRELOAD?.endsWith('/heap.node')) delete process.env.LD_PRELOAD;
    ownRandom();
    ownClock();
  }

  function becomeOwn({ mark, exit, pid }) {
    random = undefined;
    for (const name of drawn) stale.add(name);
    isCopy = true;
    offset = realNow();
    const [name, value] = split(mark);
    process.env[name] = value;
    Object.defineProperty(process, 'pid', { value: pid, configurable: true, enumerable: true, writable: false });
    sim.hello.pid = process.pid;
    process.argv[1] = script;
    endAtOnce(exit);
  }

  const script = process.argv[1].replace(/template\.cjs$/, 'instance.cjs');
  const split = (mark) => [mark.slice(0, mark.indexOf('=')), mark.slice(mark.indexOf('=') + 1)];

  // ---- Random numbers --------------------------------------------------------------------------------------------------------------

  // V8 draws those of Math.random() from a state that no one can set anew (it is a copy's as it was the template's): from here on they come from
  // sfc32 (Chris Doty-Humphrey), whose state is drawn from the system.
  function seeded() {
    let [a, b, c, d] = crypto.randomFillSync(new Int32Array(4));
    const next = () => {
      const t = (((a + b) | 0) + d) | 0;
      d = (d + 1) | 0;
      a = b ^ (b >>> 9);
      b = (c + (c << 3)) | 0;
      c = ((c << 21) | (c >>> 11)) + t | 0;
      return t >>> 0;
    };
    for (let i = 0; i < 12; i++) next();
    return () => (next() * 2097152 + (next() >>> 11)) / 9007199254740992;
  }

  const drawn = new Set();  // what Node draws ahead and was asked for here or in the template
  const stale = new Set();  // the same, of which a copy has what was drawn before it began
  let isCopy = false;

  function ownRandom() {
    replace(Math, 'random', { random: () => (random ??= seeded())() }.random);
    const { randomInt, randomUUID } = crypto;
    watch(crypto, 'randomInt', () => {
      for (let i = 0; i < kInts; i++) randomInt(2);
    });
    for (const holder of [crypto, Object.getPrototypeOf(crypto.webcrypto)])
      watch(holder, 'randomUUID', () => {
        for (let i = 0; i < kUuids; i++) randomUUID();
      });
    // Contexts to come, those of edge functions: V8 would draw from what it has drawn from in the template.
    for (const name of ['createContext', 'runInNewContext']) beforehand(vm, name, seedContexts);
    beforehand(vm.Script.prototype, 'runInNewContext', seedContexts);
  }

  function seedContexts() {
    if (isCopy) v8.setFlagsFromString(`--random-seed=${(crypto.randomFillSync(new Uint32Array(1))[0] >>> 1) || 1}`);
  }

  function watch(object, name, useUp) {
    beforehand(object, name, () => {
      drawn.add(name);
      if (stale.delete(name)) useUp();
    });
  }

  function beforehand(object, name, action) {
    const real = object[name];
    replace(object, name, function (...args) {
      action();
      return Reflect.apply(real, this, args);
    });
  }

  // ---- Time ------------------------------------------------------------------------------------------------------------------------

  const { performance } = globalThis;
  const holder = Object.getPrototypeOf(performance);
  const { now, mark: realMark, measure: realMeasure } = performance;
  const realNow = () => Reflect.apply(now, performance, []);

  function ownClock() {
    const { timeOrigin } = performance;
    const { uptime } = process;
    replace(holder, 'now', function () {
      return Reflect.apply(now, this, []) - offset;
    });
    for (const object of [holder, performance]) {
      if (!Object.hasOwn(object, 'timeOrigin')) continue;
      const { configurable, enumerable } = Object.getOwnPropertyDescriptor(object, 'timeOrigin');
      if (configurable) Object.defineProperty(object, 'timeOrigin', { configurable, enumerable, get: () => timeOrigin + offset });
    }
    // Marks stand beside now() in the same list.
    replace(holder, 'mark', function (name, options) {
      return Reflect.apply(realMark, this, [name, { ...options, startTime: options?.startTime ?? this.now() }]);
    });
    replace(holder, 'measure', function (name, start, end) {
      if (start !== null && typeof start === 'object') {
        const isOpen = start.end === undefined && (start.start === undefined || start.duration === undefined);
        return Reflect.apply(realMeasure, this, [name, isOpen ? { ...start, end: this.now() } : start, end]);
      }
      return Reflect.apply(realMeasure, this, [name, { start: start ?? 0, end: end ?? this.now() }]);
    });
    replace(process, 'uptime', () => uptime() - offset / 1000);
  }

  function replace(object, name, value) {
    const before = Object.getOwnPropertyDescriptor(object, name);
    Object.defineProperty(value, 'name', { value: name });
    Object.defineProperty(object, name, { ...before, value });
  }

  // ---- The end -----------------------------------------------------------------------------------------------------------------------

  // Node's own waits for threads that a copy does not have. Everything that listens for it is heard first.
  let isTold = false;  // a copy of a copy has the listener

  function endAtOnce(exit) {
    Object.assign(process, { reallyExit: exit });
    if (isTold) return;
    isTold = true;
    process.on('exit', function last(code) {
      for (const listener of process.rawListeners('exit')) {
        if (listener === last) continue;
        try {
          Reflect.apply(listener, process, [process.exitCode ?? code]);
        } catch (error) {
          process.stderr.write(`${error?.stack ?? error}\n`);
          exit(7);  // as Node's own
        }
      }
      exit(Number(process.exitCode ?? code) || 0);
    });
  }

  return { prepareOwn, becomeOwn };
};
