'use strict';
// What an invocation leaves behind when it is over: timers that have yet to fire, requests without an answer, servers that are open. A connection is no
// work, only a request on it (connections.cjs). Recorded when it is made and cheaply: its stack is taken but not written out; who made it is looked up
// when it is told. No promise is touched: whether anybody handles its rejection stays as it is. (async_hooks would see more, and make everything slow.)

const diagnostics = require('node:diagnostics_channel');
const net = require('node:net');
const path = require('node:path');
const { AsyncLocalStorage } = require('node:async_hooks');
const { promisify } = require('node:util');
const { isDevRequest, isOfNext, isRuntime } = require('../next/names.cjs');
const { packageOf } = require('./paths.cjs');
const traceBelow = require('./trace-below.cjs');

const kMost = 10;  // told of one invocation
const kMostKept = 256;
const kPackage = /(^|[\\/])node_modules[\\/]/;
const kSoonMs = 100;

module.exports = function (sim) {
  const { invocations, isUserCode, options } = sim;

  // Wrapped beneath the time scale, whose check of the caller sees the frames above it.
  function hookHanging() {
    const timers = require('node:timers');
    const promises = require('node:timers/promises');
    promises.setTimeout = promised(promises.setTimeout);
    for (const [name, kind] of [['setTimeout', 'timeout'], ['setInterval', 'interval']]) {
      const real = globalThis[name];
      const watched = function (...args) {
        const handle = Reflect.apply(real, this, args);
        const invocation = invocations.getStore();
        if (isOpenTo(invocation)) note(invocation, kind, handle, watched);
        return handle;
      };
      const own = Object.getOwnPropertyDescriptors(real);
      if (own[promisify.custom]) own[promisify.custom] = { value: promises[name], configurable: true };
      Object.defineProperties(watched, own);
      globalThis[name] = timers[name] = watched;
    }
    hookFetches();
    sim.hookConnections();
    const { listen } = net.Server.prototype;
    net.Server.prototype.listen = function noted(...args) {
      const invocation = invocations.getStore();
      if (isOpenTo(invocation)) note(invocation, 'server', this, noted);
      return Reflect.apply(listen, this, args);
    };
    require('node:module').syncBuiltinESMExports();  // once, and for all that was hooked before: each time costs
  }

  function promised(real) {
    const watched = async function (...args) {
      const invocation = invocations.getStore();
      if (!isOpenTo(invocation)) return Reflect.apply(real, this, args);
      const handle = { _destroyed: false, _idleTimeout: Number(args[0]) };
      note(invocation, 'timeout', handle, watched);
      try {
        return await Reflect.apply(real, this, args);
      } finally {
        handle._destroyed = true;
      }
    };
    Object.defineProperty(watched, 'name', { value: real.name });
    return watched;
  }

  const fetches = new AsyncLocalStorage();  // the call of fetch in whose name something is done
  const isFetching = () => fetches.getStore() !== undefined;

  // Where a fetch was called is known at the call, with Next's own fetch not yet between; whether it has an answer is what undici says, much
  // later and only if the request is not answered by a cache.
  function hookFetches() {
    const open = new WeakMap();  // undici's request → its entry
    let inner = globalThis.fetch;
    let outer = wrapped(inner);
    function wrapped(real) {
      if (typeof real !== 'function') return real;
      const watched = function (...args) {
        const invocation = invocations.getStore();
        sim.noteTaken?.('fetch()', watched, true);
        if (!isOpenTo(invocation) || fetches.getStore()) return Reflect.apply(real, this, args);
        return fetches.run({ invocation, trace: traceBelow(watched) }, () => Reflect.apply(real, this, args));
      };
      return Object.defineProperties(watched, Object.getOwnPropertyDescriptors(real));
    }
    // Next puts its own fetch in this place, once.
    Object.defineProperty(globalThis, 'fetch', {
      configurable: true,
      enumerable: true,
      get: () => outer,
      set(value) {
        inner = value;
        outer = wrapped(inner);
      },
    });
    diagnostics.channel('undici:request:create').subscribe(({ request }) => {
      const call = fetches.getStore();
      if (!call || !isOpenTo(call.invocation) || isDevRequest(request.path)) return;
      const entry = { kind: 'fetch', handle: { destroyed: false, request }, trace: call.trace };
      open.set(request, entry.handle);
      add(call.invocation, entry);
    });
    for (const [end, isAnswered] of Object.entries({ 'undici:request:headers': true, 'undici:request:error': false })) {
      diagnostics.channel(end).subscribe(({ request }) => {
        const handle = open.get(request);
        if (handle) Object.assign(handle, { destroyed: true, isAnswered });
      });
    }
  }

  // A connection that is kept open works on in the name of the invocation that opened it, long after that is over.
  function isOpenTo(invocation) {
    return invocation?.req !== undefined && !invocation.isOver;
  }

  function note(invocation, kind, handle, below) {
    add(invocation, { kind, handle, trace: traceBelow(below) });
  }

  function add(invocation, entry) {
    invocation.left ??= [];
    if (invocation.left.length >= kMostKept) invocation.left = invocation.left.filter(isOpen);
    if (invocation.left.length < kMostKept) invocation.left.push(entry);
  }

  function isOpen({ kind, handle }) {
    if (kind === 'timeout' || kind === 'interval') return !handle._destroyed;
    return kind === 'server' ? handle.listening : !handle.destroyed;
  }

  // A package gathers what comes at once and sends it in a moment (Postgres.js connects so, analytics send so): what it then does is seen only if somebody
  // waits for it.
  function isSoonSeen(invocation) {
    const soon = (invocation.left ?? []).filter((one) => isSoon(one) && isOpen(one));
    return soon.length > 0 && invocations.run(invocation, () => soon.some((one) => kPackage.test(userFrame(one)?.by ?? '')));
  }

  const isSoon = ({ kind, handle }) => kind === 'timeout' && handle._idleTimeout <= kSoonMs;

  // Whoever waits for that moment calls this first: what is open now was left behind, also if it is done when the moment is over.
  function noteLeft({ left }) {
    for (const one of left ?? []) one.wasOpen = isOpen(one);
  }

  // Node internals: a timer that was cleared has a time of -1, one that has fired keeps its own.
  function isDoneSince({ kind, handle, wasOpen }) {
    if (!wasOpen || handle.hasRef?.() === false) return false;
    return kind === 'fetch' ? handle.isAnswered === true : kind === 'timeout' && handle._idleTimeout > 0;
  }

  // What a timer was asked for, in the app's own time. Node internals: _idleTimeout.
  function delayOf({ handle }) {
    return handle._idleTimeout > 0 ? { ms: Math.round(handle._idleTimeout * options.timeScale) } : undefined;
  }

  // [{kind, at, source, ms}] of what is still open; ms of timers only.
  function hangingOf(invocation) {
    const { left } = invocation;
    invocation.left = undefined;
    invocation.isOver = true;
    const told = invocations.run(invocation, () => [...leftOpen(left ?? []), ...leftUnanswered(invocation)]);
    sim.forgetConnections(invocation);
    return told.slice(0, kMost);
  }

  function leftOpen(left) {
    const told = [];
    for (const one of left) {
      if (told.length >= kMost) break;
      const isLeft = isOpen(one);
      if (!isLeft && !isDoneSince(one)) continue;
      const found = userFrame(one);
      if (found && (isLeft || found.isOwn) && !isHousekeeping(one, found)) told.push({ kind: one.kind, ...placeOf(found), ...delayOf(one) });
    }
    return told;
  }

  function leftUnanswered(invocation) {
    const told = [];
    for (const { kind, traces, path: asked } of sim.unansweredOf(invocation)) {
      if (isDevRequest(asked ?? '')) continue;
      const frames = traces.map((trace) => userFrame({ kind, trace })).filter(Boolean);
      const found = frames.find(({ isOwn }) => isOwn) ?? frames[0];
      if (found) told.push({ kind, ...placeOf(found) });
    }
    return told;
  }

  const placeOf = ({ at, source }) => ({ at, source });

  // A package's own timer that does not keep a process alive, as Sentry's reports of a minute, or that has a few milliseconds to go, as whoever gathers
  // what comes at once, or that belongs to its connections: how long one may be idle, when the next heartbeat or attempt is due. No work that anybody
  // misses. One of the user's code is always told.
  function isHousekeeping({ kind, handle }, { by }) {
    if (kind !== 'timeout' && kind !== 'interval') return false;
    if (!kPackage.test(by)) return false;
    if (handle.hasRef?.() === false || isSoon({ kind, handle })) return true;
    const name = packageOf(by);
    return sim.openedAt().some((trace) => framesOf(trace).some(({ file, source }) => packageOf(source ?? file) === name));
  }

  // Whose work it is: {at: place in what was compiled, source: where it was written, by: the file that asked for it, isOwn: no package's}. The first frame
  // of the app's own code, else of a package; undefined if Next alone made it, whose code is also bundled with the user's, or if it is a timer that Next
  // or React has set for itself, whoever called them (`use cache`).
  function userFrame({ kind, trace }) {
    const isTimer = kind === 'timeout' || kind === 'interval';
    let first;
    let by;
    for (const { file, at, source } of framesOf(trace)) {
      const isNext = isOfNext(source ?? file);
      if (by === undefined && isTimer && isNext) return undefined;
      by ??= source ?? file;
      if (isNext || !isUserCode(file) || isRuntime(source ?? file)) continue;
      const isOwn = !kPackage.test(source ?? file);
      if (isOwn) return { at, source, by, isOwn };
      first ??= { at, source, by, isOwn };
    }
    return first;
  }

  // The app's own line in a stack, if there is one.
  function appPlace(trace) {
    const found = userFrame({ kind: 'connection', trace });
    return found?.isOwn ? (found.source ?? found.at) : undefined;
  }

  const ofErrors = new WeakMap();  // errors are the app's, and keep their stack and their properties

  // Those of Node and of ours left out. Written out once.
  function framesOf(trace) {
    const known = trace.frames ?? ofErrors.get(trace);
    if (known) return known;
    const { prepareStackTrace } = Error;
    let sites = [];
    try {
      Error.prepareStackTrace = (error, given) => {
        sites = given;
        if (!(error instanceof Error)) return '';
        return prepareStackTrace ? prepareStackTrace(error, given) : [error, ...given].join('\n    at ');
      };
      void trace.stack;
    } finally {
      Error.prepareStackTrace = prepareStackTrace;
    }
    const frames = [];
    if (trace instanceof Error) ofErrors.set(trace, frames);
    else trace.frames = frames;
    // A file of a package that Node loads itself stays what it is, whatever source its own map names ("../../src/monitor.ts").
    for (const site of sites) {
      const file = site.getScriptNameOrSourceURL?.() ?? site.getFileName();
      if (!file || file.startsWith('node:') || file.startsWith(path.dirname(__dirname))) continue;
      const at = `${file}:${site.getLineNumber()}:${site.getColumnNumber()}`;
      frames.push({ file, at, source: isUserCode(file) && !kPackage.test(file) ? sim.originalPosition(at) : undefined });
    }
    return frames;
  }

  const hanging = { add, isOpen, isOpenTo, userFrame, framesOf, traceBelow };
  return { hookHanging, hangingOf, isSoonSeen, noteLeft, isFetching, fetchTrace: () => fetches.getStore()?.trace, hanging, appPlace };
};
