'use strict';
// Reads of files that do not go through `fs` here: a program or a thread that is started with a file of the project, sharp that opens its picture itself, `process.loadEnvFile`. Seen is the name that
// they are given; what such a program opens besides is not.

const childProcess = require('node:child_process');
const path = require('node:path');
const threads = require('node:worker_threads');
const dressed = require('../shared/dressed.cjs');

module.exports = function (sim) {
  const { guard } = sim;
  let saw = (...given) => (void given, undefined);

  // `look`: (what, file, flags, below) → what the file is called there, if it is not there.
  function hookReadsByName(look) {
    saw = look;
    const { loadEnvFile } = process;
    if (loadEnvFile) {
      const loaded = function (...args) {
        const there = guard('reads', () => saw('loadEnvFile', args[0] ?? '.env', undefined, loaded));
        return Reflect.apply(loadEnvFile, this, there ? [there] : args);
      };
      process.loadEnvFile = dressed(loaded, loadEnvFile);
    }
    const { Worker } = threads;
    const traps = {
      construct(target, args, made) {
        const there = args[1]?.eval ? undefined : guard('reads', () => saw('new Worker', args[0], undefined, traps.construct));
        return Reflect.construct(target, there ? [there, ...args.slice(1)] : args, made === shown ? target : made);
      },
    };
    const shown = new Proxy(Worker, traps);
    threads.Worker = shown;
    const processes = /** @type {any} */ (childProcess.ChildProcess.prototype);
    const { spawn } = processes;
    processes.spawn = function started(options, ...rest) {
      const args = guard('reads', () => argumentsThere(options?.args, options?.cwd, started));
      return Reflect.apply(spawn, this, [args ? { ...options, args } : options, ...rest]);
    };
    for (const name of ['spawnSync', 'execFileSync']) {
      const real = childProcess[name];
      const started = function (file, args, ...rest) {
        const there = Array.isArray(args) ? guard('reads', () => argumentsThere(args, rest[0]?.cwd, started)) : undefined;
        return Reflect.apply(real, this, [file, there ?? args, ...rest].slice(0, arguments.length));
      };
      childProcess[name] = dressed(started, real);
    }
  }

  // Arguments that are files, as they are called there; undefined where nothing is missing.
  function argumentsThere(args, cwd, below) {
    if (!Array.isArray(args)) return undefined;
    const base = typeof cwd === 'string' ? cwd : process.cwd();
    const isFile = (one) => typeof one === 'string' && one.length < 1024 && !one.startsWith('-') && /[/.]/.test(one) && !/[\s\0]/.test(one);
    const there = args.map((one) => (isFile(one) ? (saw('a program', path.resolve(base, one), undefined, below) ?? one) : one));
    return there.some((one, at) => one !== args[at]) ? there : undefined;
  }

  // Its native part, which opens and writes files itself: by whatever of it is asked, and whoever hears of its errors.
  function hookSharp(real) {
    for (const name of ['pipeline', 'metadata', 'stats']) {
      const native = real[name];
      if (typeof native !== 'function') continue;
      const asked = function (options, ...rest) {
        guard('reads', () => {
          for (const one of [options?.input, ...(options?.composite ?? []).map(({ input }) => input), ...(options?.joinChannelIn ?? [])]) {
            const there = typeof one?.file === 'string' && one.file !== '' ? saw('sharp', one.file, undefined, asked) : undefined;
            if (there) one.file = there;
          }
        });
        if (name === 'pipeline' && options?.fileOut) guard('refused', () => sim.lookAtWrite(options.fileOut, asked));
        return Reflect.apply(native, this, [options, ...rest]);
      };
      real[name] = dressed(asked, native);
    }
    return real;  // once
  }

  return { hookReadsByName, readHooks: [[/(^|[\\/])(@img[\\/]sharp-[\w-]+[\\/]sharp|sharp-[\w-]+)\.node$/, hookSharp]] };
};
