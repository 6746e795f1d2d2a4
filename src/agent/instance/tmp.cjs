'use strict';
// /tmp of an instance, which has one of its own where this machine lets it (VSIM_TMP): what functions write there is told, so that vercel-sim knows when
// another instance looks for it in vain; and when it is full, with the app's own line. Where /tmp is this machine's own, only the sum is watched.
// Seen where `fs` is called; what a native addon or a child process does there happens in the same /tmp, and is not seen.

const fs = require('node:fs');
const path = require('node:path');
const { fileURLToPath } = require('node:url');
const dressed = require('../shared/dressed.cjs');
const { linkStatOf } = require('../shared/paths.cjs');

const { O_WRONLY, O_RDWR, O_CREAT } = fs.constants;
const kMost = 2000;  // files of one process
const kNextLines = 12;
const kAsked = /\b(?:existsSync|l?stat(?:Sync)?|access(?:Sync)?)\(/g;
const kReading = /\b(?:readFile|readdir|opendir|createReadStream|open)(?:Sync)?\(/g;

// Of the arguments: which is written, looked for, taken away.
const kCalls = {
  writeFile: { writes: 0 },
  appendFile: { writes: 0 },
  mkdir: { writes: 0 },
  copyFile: { reads: 0, writes: 1 },
  cp: { reads: 0, writes: 1 },
  rename: { reads: 0, writes: 1, removes: 0 },
  symlink: { writes: 1 },
  unlink: { removes: 0 },
  rm: { removes: 0 },
  rmdir: { removes: 0 },
  readFile: { reads: 0 },
  readdir: { reads: 0 },
  opendir: { reads: 0 },
  open: {},  // by its flags
  // Questions: an answer of no may be what was wanted.
  stat: { reads: 0, isQuestion: true },
  lstat: { reads: 0, isQuestion: true },
  access: { reads: 0, isQuestion: true },
};

module.exports = function (sim) {
  const { guard, hanging, invocations, machine, options, tell } = sim;
  const { modeOf, callerOf, textOf, tellMachine } = machine;
  const isOwn = Boolean(options.tmp);
  const written = new Set();  // by this process, and there
  let untold = [];
  let isInside = false;  // `fs` calls itself, and we call it
  let summed = 0;  // files that the last sum was of
  let isFull = false;

  function hookTmp() {
    if (modeOf('tmp') === 'off') return;
    for (const [name, call] of Object.entries(kCalls)) {
      wrap(fs, name, name, call);
      wrap(fs, `${name}Sync`, name, call);
      wrap(fs.promises, name, name, call);
    }
    if (isOwn) {
      hookExists();
      hookDescriptors();
    }
  }

  function replace(holder, name, made) {
    const real = holder[name];
    if (typeof real !== 'function') return;
    const asked = made(real);
    holder[name] = dressed(asked, real);
  }

  function wrap(holder, property, name, call) {
    replace(holder, property, (real) => {
      const asked = function (...args) {
        const ours = isInside || !mayBeInTmp(args) ? undefined : guard('tmp', () => meant(name, call, args));
        if (!ours) return Reflect.apply(real, this, args);
        ours.trace = hanging.traceBelow(asked);
        const done = args.at(-1);
        if (typeof done === 'function') {
          args[args.length - 1] = function (error, ...more) {
            guard('tmp', () => ended(ours, error));
            return Reflect.apply(done, this, [error, ...more]);
          };
        }
        isInside = true;
        let result;
        try {
          result = Reflect.apply(real, this, args);
        } catch (error) {
          guard('tmp', () => ended(ours, error));
          throw error;
        } finally {
          isInside = false;
        }
        if (typeof result?.then === 'function') result.then(() => guard('tmp', () => ended(ours)), (error) => guard('tmp', () => ended(ours, error)));
        else if (typeof done !== 'function') guard('tmp', () => ended(ours));
        return result;
      };
      return asked;
    });
  }

  function hookExists() {
    replace(fs, 'existsSync', (real) => {
      const asked = function (given) {
        const is = Reflect.apply(real, this, [given]);
        if (!is && !isInside && mayBeInTmp([given])) guard('tmp', () => missed({ name: 'existsSync', file: tmpFile(given), isQuestion: true, trace: hanging.traceBelow(asked) }));
        return is;
      };
      return asked;
    });
  }

  // Streams write by a descriptor.
  function hookDescriptors() {
    for (const name of ['write', 'writev']) {
      replace(fs, name, (real) => (fd, ...args) => {
        const done = args.at(-1);
        if (typeof done !== 'function') return real(fd, ...args);
        const trace = sim.streamTrace?.();
        return real(fd, ...args.slice(0, -1), (error, ...more) => {
          if (isNoSpace(error)) guard('tmp', () => tellFull('write', '/tmp', trace));
          done(error, ...more);
        });
      });
      replace(fs, `${name}Sync`, (real) => {
        const asked = function (...args) {
          try {
            return Reflect.apply(real, this, args);
          } catch (error) {
            if (isNoSpace(error)) guard('tmp', () => tellFull(`${name}Sync`, '/tmp', hanging.traceBelow(asked)));
            throw error;
          }
        };
        return asked;
      });
    }
  }

  // ---- What it is about --------------------------------------------------------------------------------------------------------------

  // Cheap, for all that is not.
  const mayBeInTmp = (args) => [args[0], args[1]].some((given) => (typeof given === 'string' ? given.startsWith('/tmp/') || given.startsWith('.') : given instanceof URL || given instanceof Uint8Array));

  function tmpFile(given) {
    let file;
    if (typeof given === 'string') file = path.resolve(given);
    else if (given instanceof URL) file = given.protocol === 'file:' ? fileURLToPath(given) : '';
    else file = given instanceof Uint8Array ? path.resolve(Buffer.from(given).toString()) : '';
    return file.startsWith('/tmp/') && !(options.tmpKept ?? []).some((entry) => file === entry || file.startsWith(`${entry}/`)) ? file : undefined;
  }

  function meant(name, call, args) {
    const isOpen = name === 'open';
    const at = isOpen ? { [isWriting(args[1]) ? 'writes' : 'reads']: 0 } : call;
    const of = (which) => (at[which] === undefined ? undefined : tmpFile(args[at[which]]));
    const one = { name, isQuestion: call.isQuestion, file: of('reads'), target: of('writes'), removed: of('removes') };
    return one.file || one.target || one.removed ? one : undefined;
  }

  function isWriting(flags) {
    if (typeof flags === 'number') return (flags & (O_WRONLY | O_RDWR | O_CREAT)) !== 0;
    return typeof flags === 'string' && !/^(r|rs|sr|r\+|rs\+)$/.test(flags);
  }

  const isNoSpace = (error) => error?.code === 'ENOSPC';

  // ---- What became of it ---------------------------------------------------------------------------------------------------------------

  function ended({ name, isQuestion, file, target, removed, trace }, error) {
    if (!error) {
      if (removed) note('removed', removed);
      if (target) note('wrote', target);
    } else if (isOwn && target && isNoSpace(error)) {
      tellFull(name, target, trace);
    } else if (isOwn && file && error.code === 'ENOENT') {
      missed({ name, file, isQuestion, trace });
    }
  }

  function note(what, file) {
    if (what === 'removed') for (const one of written) if (one === file || one.startsWith(`${file}/`)) written.delete(one);
    if (what === 'wrote') {
      if (written.size >= kMost || written.has(file)) return;
      written.add(file);
    }
    if (!isOwn) return;
    if (untold.length === 0) queueMicrotask(flush);
    const invocation = invocations.getStore();
    untold.push({ [what]: file, build: !invocation || invocation.isWarming || invocation.isStatic || undefined });
  }

  // In its order.
  function flush() {
    for (const one of untold) tell({ t: 'tmp', ...one });
    untold = [];
  }

  function missed({ name, file, isQuestion, trace }) {
    const invocation = invocations.getStore();
    if (!file || !invocation || invocation.isWarming || (invocation.missedTmp?.length ?? 0) > 20) return;
    const caller = callerOf(trace);
    if (caller.own.length === 0 || caller.first.isNext || !(caller.first === caller.own[0] || caller.first.isPackage)) return;
    (invocation.missedTmp ??= []).push({ name, file, isQuestion: isQuestion && !isReadNext(caller.first), place: caller.place });
  }

  // Whether what is asked about is read in the lines that follow, by the same expression: `existsSync(file) ? readFileSync(file) : []`.
  function isReadNext(frame) {
    const line = Number(/:(\d+):\d+$/.exec(frame.source ?? '')?.[1]);
    const lines = textOf(frame).split('\n').slice(line - 1, line - 1 + kNextLines);
    const asked = argumentsIn(lines[0] ?? '', kAsked);
    return argumentsIn(lines.join('\n'), kReading).some((one) => asked.includes(one));
  }

  // The first argument of each such call.
  function argumentsIn(text, calls) {
    return [...text.matchAll(calls)].map(({ index, 0: call }) => {
      const begin = index + call.length;
      let [end, depth] = [begin, 0];
      for (; end < text.length && (depth > 0 || !/[,)]/.test(text[end])); end++) depth += /[([{]/.test(text[end]) ? 1 : /[)\]}]/.test(text[end]) ? -1 : 0;
      return text.slice(begin, end).trim();
    });
  }

  function tellFull(what, to, trace) {
    isFull = true;
    tellMachine({ kind: 'tmp-full', what, to, place: trace && callerOf(trace).place, refused: true });
  }

  // ---- At an invocation's end ------------------------------------------------------------------------------------------------------------

  // What it looked for and has then made itself is a cache's. A question that an answer of success followed was no more than one, but where the next lines read
  // what it is about.
  function tellTmp(invocation) {
    const failed = invocation.res?.statusCode >= 400;
    for (const { name, file, isQuestion, place } of invocation.missedTmp ?? [])
      if (!written.has(file) && (failed || !isQuestion)) invocations.run(invocation, () => tellMachine({ kind: 'tmp', what: name, to: file, place, doubt: invocation.isStatic ? 'at-build' : 'mode' }));
    invocation.missedTmp = undefined;
    if (modeOf('tmp') !== 'off' && !isFull && !invocation.isWarming) invocations.run(invocation, lookWhetherFull);
  }

  function lookWhetherFull() {
    isInside = true;
    try {
      if (isOwn) {
        if (fs.statfsSync('/tmp').bavail === 0) tellFull('', '/tmp');
        return;
      }
      if (written.size === summed) return;
      summed = written.size;
      let sum = 0;
      for (const file of written) sum += linkStatOf(file)?.size ?? 0;
      if (sum <= Number(modeOf('tmp_max'))) return;
      isFull = true;
      tellMachine({ kind: 'tmp-full', what: '', to: '/tmp', doubt: 'mode' });
    } finally {
      isInside = false;
    }
  }

  return { hookTmp, tellTmp };
};
