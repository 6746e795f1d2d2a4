'use strict';
// Files of the project that functions read at run time. A deployed function has those alone that Next's tracing finds; whether it would find this one is
// asked of next dev, behind the request (traced.cjs). Seen where `fs` is called, once a function and file; what goes around it is seen where a file's name is given to it (reads-by-name.cjs).
// Under `enforce` one that is missing is not there, as on the platform, and who reads it first waits for the answer. Reads of Next, of packages by themselves and of what is made at build are nobody's mistake.

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { AsyncLocalStorage } = require('node:async_hooks');
const { fileURLToPath } = require('node:url');
const dressed = require('../shared/dressed.cjs');
const { statOf } = require('../shared/paths.cjs');

const { existsSync, readFileSync } = fs;
const { O_WRONLY, O_RDWR } = fs.constants;
const kCalls = ['readFile', 'open', 'readdir', 'opendir', 'copyFile', 'cp', 'stat', 'lstat', 'access', 'openAsBlob'];
const kFolders = new Set(['readdir', 'opendir']);
const kQuestions = new Set(['stat', 'lstat', 'access', 'existsSync']);  // packages ask much that they do not need
const kMost = 2000;  // files of one process
// Nobody deploys by tracing what the build and the system put there.
const kNotAsked = /(^|[\\/])(node_modules|\.next|\.vercel|\.turbo)([\\/]|$)|^(package|tsconfig|jsconfig)\.json$|^\.env(?!.*\.local$)/;
const kOwnAlone = /^\.env|^\.git([\\/]|$)/;  // of this machine: what a package makes of them it makes quietly
const kAtHand = /\bexistsSync\b|\bcatch\b/;  // somebody expects that it is not there

module.exports = function (sim) {
  const { boot, guard, hanging, invocations, machine } = sim;
  const { modeOf, callerOf, textOf, isChosen, variablesThat } = machine;
  const project = boot.options.dir + path.sep;
  let distDir;  // when the boot file has told (ahead.cjs)
  const read = new Set();  // files of the project, whoever has read them
  const asked = new Set();  // function and file
  let untraced = new Set();  // function and file, of which it was found out
  let traced = new Set();
  const streams = new AsyncLocalStorage();  // opens its file in another turn
  let early = [];  // read while modules were evaluated, before there was a request
  let isInside = false;  // `fs` calls itself, and we call it

  function hookReads() {
    if (modeOf('reads') === 'off' && modeOf('static') === 'off') return;
    for (const name of kCalls) {
      wrap(fs, name, name);
      wrap(fs, `${name}Sync`, name);
      wrap(fs.promises, name, name);
    }
    if (modeOf('reads') === 'enforce') wrap(fs, 'existsSync', 'existsSync');
    sim.hookReadsByName(looked);
    const { createReadStream } = fs;
    fs.createReadStream = function made(...args) {
      const there = guard('reads', () => looked('createReadStream', args[0], undefined, made));
      return streams.run(true, () => Reflect.apply(createReadStream, this, there ? [there, ...args.slice(1)] : args));
    };
  }

  function wrap(holder, name, what) {
    const real = holder[name];
    if (typeof real !== 'function') return;
    const watched = function (...args) {
      if (isInside || streams.getStore()) return Reflect.apply(real, this, args);
      isInside = true;
      const there = guard('reads', () => saw(what, args[0], args[1], watched));
      try {
        return Reflect.apply(real, this, there ? [there, ...args.slice(1)] : args);
      } finally {
        isInside = false;
      }
    };
    holder[name] = dressed(watched, real);
  }

  function isBuilt(file) {
    if (boot.config?.distDir !== undefined) distDir ??= path.join(boot.options.dir, boot.config.distDir) + path.sep;
    return distDir !== undefined && file.startsWith(distDir);
  }

  function looked(what, given, flags, below) {
    if (isInside) return undefined;
    isInside = true;
    try {
      return saw(what, given, flags, below);
    } finally {
      isInside = false;
    }
  }

  // What it is called there, if it is not there.
  function saw(what, given, flags, below) {
    if (what === 'open' && !isReading(flags)) return;
    const file = fileOf(given);
    if (file === undefined || !file.startsWith(project) || isBuilt(file)) return;
    const name = file.slice(project.length);
    if (kNotAsked.test(name)) return;
    const invocation = invocations.getStore();
    if (invocation?.isWarming || asked.size > kMost) return;
    const key = `${invocation?.page ?? ''} ${name}`;
    const isEnforced = modeOf('reads') === 'enforce' && invocation && !invocation.isStatic;
    const isMissing = untraced.has(key) && isEnforced;
    if ((asked.has(key) && !isMissing) || !existsSync(file)) return;
    asked.add(key);
    read.add(file);
    const caller = callerOf(hanging.traceBelow(below));
    const isOwn = caller.first === caller.own[0];
    if (caller.own.length === 0 || caller.first.isNext || !(isOwn || caller.first.isPackage)) return;
    if (!isOwn && (kQuestions.has(what) || kOwnAlone.test(name) || isOfLoader(below))) return;
    if (!isAsked({ file, caller }) || (kOwnAlone.test(name) && !isOfThisMachine(name, caller))) return;
    const there = path.posix.join('/var/task', name.split(path.sep).join('/'));
    if (isMissing) return there;
    const found = judge({ what, file, name, caller, invocation });
    return found && isEnforced && !traced.has(key) && isMissingNow(found, invocation, key) ? there : undefined;
  }

  // Asked while the function waits, which is not charged to it, as little as a compile. Seconds in which nothing else runs in this process: so only where
  // it serves nobody else. What modules read while they are evaluated is of no function yet that could be asked about.
  function isMissingNow(found, invocation, key) {
    const { page, kind, file: entry } = invocation;
    if (!entry || invocation.runtime === 'edge' || (sim.running?.size ?? 1) > 1) return false;
    const { processOf, questionOf } = require('../shared/trace.cjs');
    const question = questionOf({ nextDist: sim.next.dist, dir: boot.options.dir, config: boot.config, page, kind, entry, reads: [found] });
    invocation.compileStarted?.(page);
    const [program, words, more] = processOf(boot.options.dir);
    const { stdout } = spawnSync(program, words, { ...more, input: JSON.stringify(question) });
    invocation.compileEnded?.(page);
    const answer = guard('traced', () => (stdout?.length > 0 ? JSON.parse(String(stdout)) : undefined));
    if (!answer) return false;
    found.answer = answer;
    const isMissing = answer.missing.length > 0;
    (isMissing ? untraced : traced).add(key);
    return isMissing;
  }

  // The file with secrets is in no deployment but where it is committed; whoever has read it is not told where he knows that it may be missing, nor is who looks at the repository.
  function isOfThisMachine(name, { own }) {
    if (modeOf('reads') !== 'enforce' && own.some((frame) => kAtHand.test(textOf(frame)))) return false;
    return !name.startsWith('.env') || !isCommitted(name);
  }

  // As git's index names it, of the folder or one above.
  function isCommitted(name) {
    for (let folder = boot.options.dir; ; folder = path.dirname(folder)) {
      const index = path.join(folder, '.git', 'index');
      if (existsSync(index)) return guard('reads', () => readFileSync(index).includes(`${name}\0`)) === true;
      if (folder === path.dirname(folder)) return false;
    }
  }

  // Node's own loader of modules: what a package loads by it is imported, and so traced.
  function isOfLoader(below) {
    const { prepareStackTrace } = Error;
    Error.prepareStackTrace = (_, [site]) => site?.getFileName() ?? '';
    try {
      const trace = {};
      Error.captureStackTrace(trace, below);
      return /^node:internal\/modules\//.test(trace.stack);
    } finally {
      Error.prepareStackTrace = prepareStackTrace;
    }
  }

  // A package that reads by itself, and what a file does that chooses by where it runs, are left alone; a path that a variable names is a stand-in's.
  function isAsked({ file, caller }) {
    if (modeOf('reads') === 'off' || caller.own.some((frame) => isChosen(textOf(frame)))) return false;
    const isNamed = (value) => value.length < 1024 && path.resolve(boot.options.dir, value) !== boot.options.dir && file.startsWith(path.resolve(boot.options.dir, value));
    return variablesThat(isNamed).length === 0;
  }

  function judge({ what, file, name, caller, invocation }) {
    const found = { what, file, name, at: caller.place?.source, directory: kFolders.has(what) || statOf(file)?.isDirectory() === true };
    if (!found.at) return undefined;
    if (invocation) (invocation.reads ??= []).push(found);
    else early.push(found);
    return found;
  }

  // At its end it is known whether it was made at build.
  function tellReads(invocation) {
    const all = [...(invocation.reads ?? []), ...early];
    invocation.reads = undefined;
    if (all.length === 0 || invocation.isWarming || invocation.runtime === 'edge') return;
    early = [];
    if (invocation.isStatic) return;
    const { id, page, kind, file } = invocation;
    sim.peer.tell('readAtRunTime', { id, page, kind, entry: file, reads: all, isEnforced: modeOf('reads') === 'enforce' });
  }

  function takeTraced(all) {
    untraced = new Set(all.untraced);
    traced = new Set(all.traced);
  }

  function isReading(flags) {
    if (typeof flags === 'number') return (flags & (O_WRONLY | O_RDWR)) === 0;
    return flags === undefined || typeof flags === 'function' || flags === 'r' || flags === 'rs';
  }

  function fileOf(given) {
    if (typeof given === 'string') return path.resolve(given);
    if (given instanceof URL) return given.protocol === 'file:' ? fileURLToPath(given) : undefined;
    return given instanceof Uint8Array ? path.resolve(Buffer.from(given).toString()) : undefined;  // else a descriptor
  }

  return { hookReads, tellReads, takeTraced, readFiles: () => (asked.size > kMost ? undefined : [...read]) };
};
