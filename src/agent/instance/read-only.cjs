'use strict';
// The disk of an instance where it is read-only for native addons and child processes too (src/process/read_only.h): what the hook in `fs` lets through
// (disk.cjs) goes by a second view of the disk; the project is opened again while something is made at build, where it can be written; and what a child process
// says of it is told. Where there is no such disk nothing of this does anything.

const childProcess = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const dressed = require('../shared/dressed.cjs');
const { linkStatOf } = require('../shared/paths.cjs');

const { realpathSync } = fs;
// As coreutils, shells, Node and Python say it.
const kRefused = /EROFS: read-only file system, \w+ '([^'\n]+)'|Read-only file system: '([^'\n]+)'|'([^'\n]+)': Read-only file system|(\S+): Read-only file system|read-only file system/i;
const kUnnamed = 'a file';
const kMostText = 64 * 1024;

module.exports = function (sim) {
  const { guard, hanging, invocations, machine, options } = sim;
  const { callerOf, textOf, isChosen, tellMachine, modeOf } = machine;
  let addon;
  let view = '';  // "/proc/self/fd/7": the disk, as writable as outside
  let isOpen = false;
  let isHeld = 0;

  // Once this process is an instance.
  function takeDisk() {
    if (!options.project) return;
    // @ts-expect-error fork.c, which the build compiles and puts beside this file
    addon = require('../fork.node');
    const number = addon.wholeDisk(options.project);
    if (number !== '') view = `/proc/self/fd/${number}`;
  }

  // ---- What is let through -------------------------------------------------------------------------------------------------------------

  // `isLink`: the call does not follow one that stands there. Links lead out of the view, and so are followed before.
  function inView(file, isLink) {
    if (isInView(file)) return file;
    const isWhole = !isLink && linkStatOf(file);
    return view + (isWhole ? realpathSync(file) : path.join(realParent(path.dirname(file)), path.basename(file)));
  }

  function realParent(folder) {
    try {
      return realpathSync(folder);
    } catch {
      return folder === '/' ? folder : path.join(realParent(path.dirname(folder)), path.basename(folder));
    }
  }

  const isInView = (file) => view !== '' && file.startsWith(`${view}/`);

  // Of an error or an answer: as the caller knows it.
  function outOfView(given) {
    if (typeof given === 'string') return given.startsWith(`${view}/`) ? given.slice(view.length) : given;
    if (!(given instanceof Error)) return given;
    for (const name of ['message', 'stack', 'path', 'dest']) if (typeof given[name] === 'string' && given[name].includes(view)) given[name] = given[name].replaceAll(view, '');
    return given;
  }

  // ---- What is made at build -------------------------------------------------------------------------------------------------------------

  // Whether one runs has changed. What still writes to it keeps it open.
  function seeStatic() {
    if (view === '') return;
    const wanted = isHeld > 0 || [...sim.running.values()].some(({ isStatic }) => isStatic);
    if (wanted !== isOpen && addon.setReadOnly(wanted ? '' : '1') === '') isOpen = wanted;
  }

  function holdDisk(by) {
    isHeld += by;
    seeStatic();
  }

  // Modules are evaluated before it is known whether the function's page is one.
  async function evaluateOpen(page, kind, evaluate) {
    const isPerhaps = kind === 'PAGES' || (kind === 'APP_PAGE' && !sim.lastRun.has(page)) || (kind === 'APP_ROUTE' && sim.next.isStaticByDefault());
    if (!isPerhaps) return evaluate();
    holdDisk(1);
    try {
      return await evaluate();
    } finally {
      holdDisk(-1);
    }
  }

  // ---- Child processes -------------------------------------------------------------------------------------------------------------------

  function hookChildren() {
    if (!options.project) return;
    // @ts-expect-error Node's types do not have it
    const { spawn } = childProcess.ChildProcess.prototype;
    // @ts-expect-error Node's types do not have it
    childProcess.ChildProcess.prototype.spawn = function joined(given, ...rest) {
      const seen = guard('children', () => starts(given?.file, given?.cwd, joined));
      const result = Reflect.apply(spawn, this, [given, ...rest]);
      if (seen && this.stderr) guard('children', () => listen(this.stderr, seen));
      return result;
    };
    for (const name of ['spawnSync', 'execFileSync', 'execSync']) {
      const real = childProcess[name];
      const asked = function (file, ...rest) {
        const given = rest.find((one) => one !== null && typeof one === 'object' && !Array.isArray(one));
        const seen = guard('children', () => starts(name === 'execSync' ? 'sh' : file, given?.cwd, asked));
        try {
          const result = Reflect.apply(real, this, [file, ...rest]);
          if (seen) guard('children', () => look(String(result?.stderr ?? ''), seen));
          return result;
        } catch (error) {
          if (seen) guard('children', () => look(String(error?.stderr ?? ''), seen));
          throw error;
        }
      };
      childProcess[name] = dressed(asked, real);
    }
  }

  // What somebody starts or opens who chooses by NODE_ENV is neither there, and may write here.
  function holdIfChosen({ all }) {
    const isOnlyHere = view !== '' && all.some(({ at, source, isPackage, isNext }) => !isNext && isChosen(textOf({ source: source ?? (isPackage ? at : undefined) })));
    if (isOnlyHere) holdDisk(1);
    return isOnlyHere;
  }

  function starts(file, cwd, below) {
    if (view === '' || isOpen) return undefined;
    const caller = callerOf(hanging.traceBelow(below));
    if (holdIfChosen(caller)) return undefined;
    const place = caller.place;
    return { name: path.basename(String(file)), cwd: typeof cwd === 'string' ? path.resolve(cwd) : process.cwd(), place, invocation: invocations.getStore() };
  }

  function listen(stream, seen) {
    const { push } = stream;
    let size = 0;
    stream.push = function (chunk, ...rest) {
      if (chunk && (size += chunk.length) < kMostText) guard('children', () => look(String(chunk), seen));
      return Reflect.apply(push, this, [chunk, ...rest]);
    };
  }

  function look(text, seen) {
    const found = kRefused.exec(text);
    if (!found || seen.isTold) return;
    seen.isTold = true;
    const file = found.slice(1).find(Boolean);
    const to = file === undefined ? kUnnamed : sim.diskInWords(path.resolve(seen.cwd, file));
    const action = () => tellMachine({ kind: 'disk', what: `a write by ${seen.name}`, to, place: seen.place, refused: modeOf('disk') === 'enforce' });
    if (seen.invocation) invocations.run(seen.invocation, action);
    else action();
  }

  return { takeDisk, hasView: () => view !== '', inView, isInView, outOfView, seeStatic, evaluateOpen, holdIfChosen, hookChildren };
};

module.exports.kUnnamed = kUnnamed;
