'use strict';
// What an instance has of its plan: processors, as far as it asks how many there are, and file descriptors. Under `enforce` the system itself refuses one
// more (EMFILE, for addons and children too), and it is found out here at whose line; under `warn` they are counted when a request is done.

const fs = require('node:fs');
const net = require('node:net');
const os = require('node:os');
const dressed = require('../shared/dressed.cjs');

const kCalls = ['open', 'readFile', 'writeFile', 'appendFile', 'opendir', 'readdir', 'copyFile'];

module.exports = function (sim) {
  const { guard, hanging, invocations, machine } = sim;
  const { modeOf, callerOf, tellMachine } = machine;
  const { closeSync, openSync } = fs;
  const most = Number(modeOf('descriptors_max'));
  let isShort = false;  // it has been refused once: from now on it is noted who asks
  let spare;  // a descriptor for finding out whose line it was: that reads source maps

  function hookPlan() {
    hookProcessors(Number(modeOf('cpus')));
    if (modeOf('descriptors') === 'enforce') hookDescriptors();
  }

  function hookProcessors(count) {
    const { availableParallelism, cpus } = os;
    if (!(count > 0)) return;
    os.cpus = () => cpus().slice(0, count);
    if (availableParallelism) os.availableParallelism = () => Math.min(availableParallelism(), count);
    const navigator = Object.getPrototypeOf(globalThis.navigator ?? {});
    const { get } = Object.getOwnPropertyDescriptor(navigator, 'hardwareConcurrency') ?? {};
    if (get) Object.defineProperty(navigator, 'hardwareConcurrency', { get() { return Math.min(Reflect.apply(get, this, []), count); } });
  }

  function hookDescriptors() {
    for (const name of kCalls) {
      wrapCallback(name);
      wrapSync(`${name}Sync`);
      wrapPromise(name);
    }
    const { connect, destroy } = net.Socket.prototype;
    const traces = new WeakMap();
    net.Socket.prototype.connect = function asked(...args) {
      if (isShort) traces.set(this, sim.fetchTrace() ?? hanging.traceBelow(asked));
      return Reflect.apply(connect, this, args);
    };
    net.Socket.prototype.destroy = function (error, ...rest) {
      if (error?.code === 'EMFILE') guard('descriptors', () => tell('connection', `${error.address ?? ''}:${error.port ?? ''}`, traces.get(this) ?? sim.fetchTrace()));
      return Reflect.apply(destroy, this, [error, ...rest]);
    };
  }

  function wrapSync(name) {
    const real = fs[name];
    if (typeof real !== 'function') return;
    const asked = function (...args) {
      try {
        return Reflect.apply(real, this, args);
      } catch (error) {
        if (error?.code === 'EMFILE') guard('descriptors', () => tell(name, args[0], hanging.traceBelow(asked)));
        throw error;
      }
    };
    fs[name] = dressed(asked, real);
  }

  function wrapCallback(name) {
    const real = fs[name];
    const asked = function (...args) {
      const done = args.at(-1);
      if (typeof done !== 'function') return Reflect.apply(real, this, args);
      const trace = isShort ? hanging.traceBelow(asked) : undefined;
      const seen = function (error, ...rest) {
        if (error?.code === 'EMFILE') guard('descriptors', () => tell(name, args[0], trace));
        return Reflect.apply(done, this, [error, ...rest]);
      };
      return Reflect.apply(real, this, [...args.slice(0, -1), seen]);
    };
    fs[name] = dressed(asked, real);
  }

  // The error's own stack names who waits.
  function wrapPromise(name) {
    const real = fs.promises[name];
    if (typeof real !== 'function') return;
    const asked = function (...args) {
      const trace = isShort ? hanging.traceBelow(asked) : undefined;
      return Reflect.apply(real, this, args).then(undefined, (error) => {
        if (error?.code === 'EMFILE') guard('descriptors', () => tell(name, args[0], trace ?? error));
        throw error;
      });
    };
    fs.promises[name] = dressed(asked, real);
  }

  function keepSpare() {
    if (spare === undefined && modeOf('descriptors') === 'enforce') spare = openSync('/dev/null', 'r');
  }

  let isLooking = false;

  function tell(what, given, trace) {
    if (isLooking) return;
    isLooking = true;
    if (spare !== undefined) closeSync(spare);
    spare = undefined;
    try {
      look(what, given, trace);
    } finally {
      try {
        keepSpare();
      } catch {
        // somebody has taken it: the next one is told without a line
      }
      isLooking = false;
    }
  }

  function look(what, given, trace) {
    isShort = true;
    const invocation = invocations.getStore();
    if (!invocation || invocation.isWarming) return;
    const caller = trace ? callerOf(trace) : { own: [] };
    const found = { kind: 'descriptors', what, to: String(given), place: caller.place, refused: true };
    // Who is refused without a line of the app is told at the end, if nobody with one was.
    if (caller.own.length > 0) invocation.short = tellMachine(found) ?? null;
    else if (invocation.short === undefined) invocation.short = found;
  }

  function tellPlan(invocation) {
    if (invocation.short) invocations.run(invocation, () => tellMachine(invocation.short));
    if (modeOf('descriptors') !== 'warn' || invocation.isWarming || !fs.existsSync('/proc/self/fd')) return;
    const open = fs.readdirSync('/proc/self/fd').length - 1;  // one is the folder's
    if (open > most) invocations.run(invocation, () => tellMachine({ kind: 'descriptors', what: 'descriptors', to: `${open} files and sockets` }));
  }

  return { hookPlan, keepSpare, tellPlan };
};
