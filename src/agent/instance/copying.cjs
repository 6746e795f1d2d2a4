'use strict';
// A template: an instance up to the point where only what is its own is missing, which is copied (fork.c) for each instance that vercel-sim asks for. While
// it waits it runs nothing: its event loop stands still. In a copy everything goes on from there. The base template has nothing of the app; that of a
// function is a copy of it that has evaluated the function's modules and walked the path of a request (warm.cjs), if nothing in them speaks against that.
// docs/decisions/0012-instances-are-forks.md has the why.

const { AsyncResource } = require('node:async_hooks');
const fs = require('node:fs');
const path = require('node:path');
const v8 = require('node:v8');
const vm = require('node:vm');

const { statSync } = fs;
const kSocket = 3;
const kIdleMs = 15000;
const kLeaveMs = 3000;
const kTrialMs = 9000;
const kChunk = 256 * 1024;  // of V8's memory
const isOfNode20 = process.versions.v8.startsWith('11.');  // whose V8 is known
// What may be open while it is copied: its output, and timers, which a copy goes on with.
const kHarmless = new Set(['PipeWrap', 'TTYWrap', 'Timeout', 'Immediate', 'TickObject', 'Microtask']);
const kThreads = 4;  // of Node: main, delayed tasks, the inspector's signal, one to spare

module.exports = function (sim) {
  const { boot, next, options } = sim;
  const manifests = new Set();  // compiled files that Next has read while the template came up
  const clean = new AsyncResource('vsim');  // as it was before modules ran, which may have entered a store of theirs (enterWith)
  let learnPages;
  let addon;  // when it has been tried
  let isAsEver = true;  // what V8 compiles and marks when
  let early;  // what was asked of next dev meanwhile, which a template has no connection to

  function nobody() {
    sim.standInForPeer((name) => {
      early ??= name;
      throw new Error(`${name} before there is a connection`);
    });
  }

  // Resolves in a copy only, with what vercel-sim has asked for.
  async function waitToBeCopied(taken) {
    // What next.config names is loaded with Next: a cache's handler.
    if (taken !== undefined) return giveUp(`${taken}, before there is a function`);
    if (!addon) await tryToBeCopied();
    else if (!(await isIdle())) return undefined;
    collect();
    return nextCopy(addon, 0);
  }

  // Whether copies of it work; else it ends.
  async function tryToBeCopied() {
    let found;
    try {
      // @ts-expect-error fork.c, which the build compiles and puts beside this file
      found = require('../fork.node');
    } catch (error) {
      return giveUp(`the addon that copies it cannot be loaded (${String(error?.message).split('\n')[0]})`);
    }
    await walkAhead().catch(() => {});  // the trial says what does not work
    if (!(await isIdle())) return undefined;
    const tried = found.try();
    if (tried === 'trial') await trial(found);  // does not come back
    if (tried === 'failed') return giveUp('a copy of this Node process did not work');
    addon = found;
    return undefined;
  }

  // Returns in a copy. Those of a function's template do what the first of them have done (`learns`).
  function nextCopy(addon, learns) {
    const [pid, text] = addon.serve(kSocket, learns, ...(isYoungEmpty() ? [{}] : [])).split(/ (.*)/s);
    const command = JSON.parse(text);
    if (learns) learnPages = addon.learn;
    const failed = options.namespace ? addon.ownTmp(options.namespace) : '';
    sim.becomeOwn({ mark: command.mark, exit: addon.exit, pid: Number(pid) });
    if (failed) throw new Error(`no /tmp and disk of its own: ${failed}`);
    return command;
  }

  // ---- The template of a function ------------------------------------------------------------------------------------------------------

  // `bound` is what there is to tell; `why` it must not be copied, if that is known already: then it is an instance as before.
  async function standAsTemplate(bound, why) {
    if (why !== undefined) return staysUncopied(bound, why);
    sim.guard('module state', () => sim.prepareCopies());
    const open = await leave();
    if (open !== undefined) {
      await sim.connectPeer();
      await sim.listen();
      return staysUncopied(bound, open);
    }
    sim.tell({ ...bound, template: true });
    await sim.leaveControl();
    compileLater();
    collect(true);
    // @ts-expect-error as above
    const command = nextCopy(require('../fork.node'), 1);
    return clean.runInAsyncScope(() => sim.beginBound(command));
  }

  // An instance as any other.
  function staysUncopied(bound, why) {
    runAsEver();
    sim.tell({ ...bound, uncopied: why });
  }

  // Closes what is its own; but for the connection to vercel-sim. Why it cannot be copied all the same.
  async function leave() {
    const end = performance.now() + kLeaveMs;
    const later = () => new Promise((resolve) => sim.plain.setTimeout(resolve, 5));
    await Promise.race([sim.unlisten(), new Promise((resolve) => sim.plain.setTimeout(resolve, kLeaveMs).unref())]);
    let hasLeft = sim.leavePeer();
    for (; !hasLeft && performance.now() < end; hasLeft = sim.leavePeer()) await later();
    if (!hasLeft) return 'it waits for next dev';
    let open = whatIsOpen();
    for (; open !== undefined && performance.now() < end; open = whatIsOpen()) await later();
    return open;
  }

  function whatIsOpen() {
    const open = openKinds();
    if (open.length > 0) return openInWords(open);
    // Those that do not keep the process alive are not among these.
    const own = new Set(['0', '1', '2', String(kSocket), String(sim.controlHandle()?.fd)]);
    const sockets = fs.readdirSync('/proc/self/fd').filter((fd) => !own.has(fd) && isSocket(fd));
    if (sockets.length > 0) return `something is open in it (${sockets.length === 1 ? 'a socket' : `${sockets.length} sockets`})`;
    const threads = fs.readdirSync('/proc/self/task').length;
    // A copy has none but the one that copied it, and those of the pool.
    return threads > 1 + poolSize() ? `it has ${threads} threads` : undefined;
  }

  function isSocket(fd) {
    try {
      return fs.readlinkSync(`/proc/self/fd/${fd}`).startsWith('socket:');
    } catch {
      return false;  // the one that the folder was read by
    }
  }

  const openKinds = () => process.getActiveResourcesInfo().filter((name) => !kHarmless.has(name));
  const openInWords = (kinds) => `something is open in it (${[...new Set(kinds)].join(', ')})`;
  const poolSize = () => Number(process.env.UV_THREADPOOL_SIZE) || 4;

  // The last word, which vercel-sim shows: it is spawned from then on.
  function giveUp(why) {
    fs.writeSync(2, `cannot be copied: ${why}\n`);
    sim.plainExit(78);
    return new Promise(() => {});
  }

  // Nothing that another thread works on, and no open socket: a copy would wait for the one and share the other.
  async function isIdle() {
    for (const end = performance.now() + kIdleMs; openKinds().length > 0 && performance.now() < end; ) await new Promise((resolve) => sim.plain.setTimeout(resolve, 10));
    if (early !== undefined) return giveUp(`it asked next dev for ${early} while it came up`);
    if (openKinds().length > 0) return giveUp(openInWords(openKinds()));
    const threads = fs.readdirSync('/proc/self/task').length;
    if (threads > kThreads + poolSize()) return giveUp(`it has ${threads} threads`);
    return true;
  }

  // What each copy does first, so that it finds the code for it compiled: a socket that is opened, a request that is taken, files that are forgotten.
  async function walkAhead() {
    sim.forget([]);
    await echoed();
  }

  // What was garbage is not copied, and what stays is moved together: in fewer pages, which a copy seldom writes to. Where requests were walked before, by
  // scavenges alone, of which the second empties the young generation: a whole collection would also drop the shapes of objects that are gone, and with them
  // what the walk has learnt.
  function collect(isWalked = false) {
    v8.setFlagsFromString('--expose-gc');
    const gc = vm.runInNewContext('gc');
    v8.setFlagsFromString('--no-expose-gc');
    if (isWalked) {
      gc({ type: 'minor' });
      gc({ type: 'minor' });
    } else {
      // Else a heap that the walk has brought near to where V8 marks all of it next would be marked in each copy.
      v8.setFlagsFromString('--heap-growing-percent=100');
      v8.setFlagsFromString('--compact-on-every-full-gc');
      gc();
      v8.setFlagsFromString('--no-compact-on-every-full-gc');
      if (isAsEver) v8.setFlagsFromString('--heap-growing-percent=0');
    }
    v8.getHeapCodeStatistics();  // which goes through all of the heap, and so has it swept: V8 would do that little by little, in each copy
  }

  // But for what was made since: less than one of the chunks that it consists of. Its memory is known in Node 20's V8 (fork_memory.h).
  function isYoungEmpty() {
    const young = v8.getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space');
    return isOfNode20 && process.arch === 'x64' && young !== undefined && young.space_used_size < kChunk / 2;
  }

  // What a function's code may call is compiled once, as its template loads it: a copy would compile all that it calls, in the way of its request (2 of the 10 ms of
  // an API call that goes through 330 modules). And no code of V8's baseline compiler: for the stack that React's development build takes for each element V8 looks up
  // where a frame of such stands from the function's beginning on, which was a fifth of a page (Node 20's V8; no difference seen on 24).
  async function compiledAhead(load) {
    isAsEver = false;
    markLater();
    if (isOfNode20) v8.setFlagsFromString('--no-sparkplug');
    v8.setFlagsFromString('--no-lazy');
    try {
      return await load();
    } finally {
      v8.setFlagsFromString('--lazy');
    }
  }

  // What the walk has left just short of being optimised each copy would optimise, in the way of its request (some functions take 4 ms), and what renders a page
  // once is not worth it. What computes long is optimised all the same, some 10 ms later; in a copy that serves again all is as ever. Node 20's V8, which
  // counts by ticks; later ones count calls, of which a request makes few.
  function compileLater() {
    if (isOfNode20) optimiseAfter(30, 0);
  }

  // What a template loads and walks brings it to where V8 marks all of its heap little by little, and to stand close to where V8 begins with that again, which each copy
  // would do. So all is collected at once, where it must be, and leaves as much room again.
  function markLater() {
    v8.setFlagsFromString('--no-incremental-marking');
    v8.setFlagsFromString('--heap-growing-percent=100');
  }

  // It is no template, or a copy that has got a second request.
  function runAsEver() {
    if (isAsEver) return;
    isAsEver = true;
    v8.setFlagsFromString('--incremental-marking');
    v8.setFlagsFromString('--heap-growing-percent=0');
    if (!isOfNode20) return;
    v8.setFlagsFromString('--sparkplug');
    optimiseAfter(3, 81);  // V8's own
  }

  function optimiseAfter(ticks, bytes) {
    v8.setFlagsFromString(`--ticks-before-optimization=${ticks}`);
    v8.setFlagsFromString(`--max-bytecode-size-for-early-opt=${bytes}`);
  }

  // In the copy that is tried: what instances live on, each of which has been seen to fail on some way of copying.
  async function trial(addon) {
    sim.plain.setTimeout(() => addon.exit(1), kTrialMs);
    try {
      const zlib = require('node:zlib');
      const { promisify } = require('node:util');
      await new Promise((resolve) => sim.plain.setTimeout(resolve, 1));
      await fs.promises.readFile(__filename);
      await promisify(zlib.gzip)('x'.repeat(1000));
      await WebAssembly.compile(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]));
      if ((await echoed()) !== 'y') addon.exit(1);
      collect();
      addon.passed();
    } catch {
      addon.exit(1);
    }
  }

  // The answer of a server of its own.
  function echoed() {
    const http = require('node:http');
    const socketPath = path.join(path.dirname(boot.rpcSocket), `trial-${fs.readlinkSync('/proc/self')}.sock`);
    return new Promise((resolve, reject) => {
      const server = http.createServer((req, res) => req.resume().on('end', () => res.end('y')));
      server.on('error', reject);
      server.listen(socketPath, () => {
        const req = http.request({ socketPath, agent: false, method: 'POST', headers: { connection: 'close' } }, (res) => {
          let text = '';
          res.setEncoding('utf8').on('data', (chunk) => (text += chunk));
          res.on('error', reject);
          res.on('end', () => server.close(() => resolve(text)));
        });
        req.on('error', reject);
        req.end('x');
      });
    });
  }

  // ---- What of the app was read, and may be compiled anew since ------------------------------------------------------------------------

  // For each request Next reads a dozen files, which a copy finds read where they are what they were. `what`: undefined where Next itself keeps what it has read.
  function reads(file, what, read) {
    manifests.add(file);
    return what === undefined ? read() : unlessChanged(what, file, read);
  }

  const readBefore = new Map();  // what was read → {state of the file, value}

  function unlessChanged(what, file, read) {
    const stat = statSync(file, { throwIfNoEntry: false });
    const state = stat ? `${stat.ino} ${stat.size} ${stat.mtimeMs} ${stat.ctimeMs}` : '';
    const before = readBefore.get(what);
    if (before?.state === state) return before.value;
    const value = read();
    readBefore.set(what, { state, value });
    return value;
  }

  function forgetWhatWasRead() {
    const distDir = path.join(boot.options.dir, boot.config.distDir) + path.sep;
    const files = [...manifests, ...Object.keys(require.cache)].filter((file) => file.startsWith(distDir));
    if (files.length > 0) sim.forget(files);
  }

  // What the first invocation of a copy has written to, later ones have before their requests come (fork.c).
  function learn() {
    learnPages?.();
    learnPages = undefined;
  }

  return { collect, runAsEver, compiledAhead, nobody, tryToBeCopied, waitToBeCopied, learn, standAsTemplate, forgetWhatWasRead, templateHooks: next.hooksOfManifests(reads), isTemplate: options.isTemplate };
};
