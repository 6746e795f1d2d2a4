'use strict';
// The disk of a deployed function: /var/task, read-only, and /tmp. A write elsewhere is told with the app's own line (machine.cjs) and, where that is
// certain, fails with the error of there. Seen where `fs` is called; native addons and child processes meet a disk that is read-only by itself where there is
// one (read-only.cjs), which what is let through here goes around. What Next itself writes goes on.

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { AsyncLocalStorage } = require('node:async_hooks');
const { fileURLToPath } = require('node:url');
const dressed = require('../shared/dressed.cjs');
const { isBelow, linkStatOf, realOf } = require('../shared/paths.cjs');

const { O_WRONLY, O_RDWR, O_CREAT, O_TRUNC, O_APPEND } = fs.constants;
const kWriting = O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | O_APPEND;
const kOnlyReading = new Set(['r', 'rs', 'sr']);

// What of its arguments is written, and how the system calls it. `existing`: without the file the system has another answer, which is left to it.
const kCalls = {
  open: { syscall: 'open', isMeant: ([, flags]) => isWriting(flags) },
  writeFile: { syscall: 'open' },
  appendFile: { syscall: 'open' },
  mkdir: { syscall: 'mkdir', isMade: true },
  mkdtemp: { syscall: 'mkdtemp' },
  rm: { syscall: 'rm', existing: 0, isLink: true },
  rmdir: { syscall: 'rmdir', existing: 0, isLink: true },
  unlink: { syscall: 'unlink', existing: 0, isLink: true },
  rename: { syscall: 'rename', existing: 0, both: true, isLink: true },
  copyFile: { syscall: 'copyfile', existing: 0, target: 1 },
  cp: { syscall: 'cp', existing: 0, target: 1 },
  truncate: { syscall: 'open', existing: 0 },
  symlink: { syscall: 'symlink', target: 1, isLink: true },
  link: { syscall: 'link', existing: 0, target: 1, isLink: true },
  chmod: { syscall: 'chmod', existing: 0 },
  chown: { syscall: 'chown', existing: 0 },
  lchown: { syscall: 'lchown', existing: 0, isLink: true },
  utimes: { syscall: 'utime', existing: 0 },
  lutimes: { syscall: 'lutime', existing: 0, isLink: true },
  // A question, and no write: it is answered as there.
  access: { syscall: 'access', existing: 0, isMeant: ([, mode]) => typeof mode === 'number' && (mode & fs.constants.W_OK) !== 0, isQuestion: true },
};

function isWriting(flags) {
  if (typeof flags === 'number') return (flags & kWriting) !== 0;
  return typeof flags === 'string' && !kOnlyReading.has(flags);
}

module.exports = function (sim) {
  const { boot, guard, hanging, invocations, machine } = sim;
  const { modeOf, callerOf, textOf, isChosen, variablesThat, tellMachine } = machine;
  const streams = new AsyncLocalStorage();  // where a stream was made: it opens its file in another turn
  const project = boot.options.dir;
  const writable = [...new Set(['/tmp', os.tmpdir(), realOf(os.tmpdir()) ?? os.tmpdir(), '/dev', '/proc'])];
  let isInside = false;  // `fs` calls itself

  function hookDisk() {
    if (modeOf('disk') === 'off') return;
    for (const [name, call] of Object.entries(kCalls)) {
      wrap(fs, name, call, 'callback');
      wrap(fs, `${name}Sync`, call, 'sync');
      wrap(fs.promises, name, call, 'promise');
    }
    const { createWriteStream } = fs;
    fs.createWriteStream = function made(...args) {
      return streams.run({ trace: hanging.traceBelow(made) }, () => Reflect.apply(createWriteStream, this, args));
    };
  }

  function wrap(holder, name, call, style) {
    const real = holder[name];
    if (typeof real !== 'function') return;
    const asked = function (...args) {
      if (isInside) return Reflect.apply(real, this, args);
      const targets = guard('disk', () => writtenOutside(call, args));
      const error = targets && guard('disk', () => refusal(name, call, args, targets, asked));
      if (error && style === 'sync') throw error;
      if (error && style === 'promise') return Promise.reject(error);
      const done = args.at(-1);
      if (error && typeof done === 'function') return void process.nextTick(done, error);
      if (targets && sim.hasView?.()) return letThrough(this, real, call, args, style);
      isInside = true;
      try {
        return Reflect.apply(real, this, args);
      } finally {
        isInside = false;
      }
    };
    holder[name] = dressed(asked, real);
  }

  // By the view of the disk that can be written, and as if it were not.
  function letThrough(self, real, call, args, style) {
    const given = [...args];
    // A link of another file must be on the same mount.
    for (const at of call.syscall === 'link' ? [0, 1] : placesOf(call)) {
      const file = fileOf(args[at]);
      if (file !== undefined) given[at] = guard('disk', () => sim.inView(file, call.isLink)) ?? args[at];
    }
    const done = given.at(-1);
    if (style === 'callback' && typeof done === 'function') {
      given[given.length - 1] = function (error, ...more) {
        return Reflect.apply(done, this, [sim.outOfView(error), ...more.map(sim.outOfView)]);
      };
    }
    isInside = true;
    try {
      const result = Reflect.apply(real, self, given);
      if (style !== 'promise') return sim.outOfView(result);
      return result.then(sim.outOfView, (error) => {
        throw sim.outOfView(error);
      });
    } catch (error) {
      throw sim.outOfView(error);
    } finally {
      isInside = false;
    }
  }

  // ---- What is written -----------------------------------------------------------------------------------------------------------

  const placesOf = (call) => (call.both ? [0, 1] : [call.target ?? 0]);

  function writtenOutside(call, args) {
    if (call.isMeant && !call.isMeant(args)) return undefined;
    const files = placesOf(call).map((at) => fileOf(args[at])).filter((file) => file !== undefined && !isWritable(file));
    return files.length > 0 ? files : undefined;
  }

  // The error that it gets, or undefined: it was let through.
  function refusal(name, call, args, [target], below) {
    if (call.existing !== undefined && !exists(fileOf(args[call.existing]))) return undefined;
    if (call.isMade && exists(target)) return undefined;
    const invocation = invocations.getStore();
    if (invocation?.isWarming) return undefined;
    const caller = callerOf(streams.getStore()?.trace ?? hanging.traceBelow(below));
    if (!caller.first || caller.first.isNext) return undefined;
    const isRefused = look(name, target, caller, invocation, call.isQuestion);
    if (!isRefused) return undefined;
    const dest = call.both || call.target === 1 ? fileOf(args[1]) : undefined;
    return diskError(call, fileOf(args[0]), dest);
  }

  function look(name, target, { first, own, place }, invocation, isQuestion) {
    const found = { kind: 'disk', what: name, to: inWords(target), place };
    const [variable] = variablesThat((value) => isNamedBy(value, target));
    if (variable) {
      if (!isQuestion) tellMachine({ ...found, variable });
      return false;
    }
    // A page that is rendered at build writes to the disk of the build. Whether it is one may be known at its end only.
    if (invocation?.isStatic) {
      if (!isQuestion) (invocation.untilKnown ??= []).push({ ...found, doubt: 'at-build' });
      return false;
    }
    let doubt = '';
    if (first !== own[0]) doubt = 'package';
    else if (own.some((frame) => isChosen(textOf(frame)))) doubt = 'only-dev';
    const refused = doubt === '' && modeOf('disk') === 'enforce';
    if (!isQuestion) tellMachine({ ...found, doubt: refused ? '' : doubt || 'mode', refused });
    return refused;
  }

  function fileOf(given) {
    if (typeof given === 'string') return path.resolve(given);
    if (given instanceof URL) return given.protocol === 'file:' ? fileURLToPath(given) : undefined;
    return given instanceof Uint8Array ? path.resolve(Buffer.from(given).toString()) : undefined;  // else a descriptor
  }

  // The project is read-only also where it lies in /tmp itself.
  function isWritable(file) {
    if (sim.isInView?.(file)) return true;
    const roots = writable.filter((root) => isBelow(file, root));
    if (roots.length === 0) return false;
    return !isBelow(file, project) || roots.some((root) => isBelow(root, project));
  }

  function exists(file) {
    return file !== undefined && linkStatOf(file) !== undefined;
  }

  // A folder or file that a variable names; not one of which the whole project is a part.
  function isNamedBy(value, target) {
    if (value.length > 1024 || value.includes('\n')) return false;
    const named = path.resolve(project, value.replace(/^file:(\/\/)?/, ''));
    return !isBelow(project, named) && isBelow(target, named);
  }

  function inWords(file) {
    return isBelow(file, project) ? path.posix.join('/var/task', path.relative(project, file)) : file;
  }

  // A folder that is not there is told as missing, as production was seen to do: what would hold it was not deployed.
  function diskError({ syscall, isMade }, first, second) {
    const [code, errno, words] = isMade ? ['ENOENT', -2, 'no such file or directory'] : ['EROFS', -30, 'read-only file system'];
    const more = { path: inWords(first), ...(second !== undefined && { dest: inWords(second) }) };
    const text = `${code}: ${words}, ${syscall} '${more.path}'${more.dest === undefined ? '' : ` -> '${more.dest}'`}`;
    return Object.assign(new Error(text), { errno, code, syscall, ...more });
  }

  return { hookDisk, diskInWords: inWords, streamTrace: () => streams.getStore()?.trace };
};
