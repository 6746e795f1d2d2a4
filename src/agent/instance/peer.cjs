'use strict';
// An instance's connection to next dev, and what next dev tells on it.

const net = require('node:net');
const { createPeer } = require('../shared/rpc.cjs');

module.exports = function (sim) {
  const { boot, next, options, tell } = sim;
  let evictions = 0;
  let calls = {};
  let waiting = [];  // {from, go}: requests that came before the news they rely on
  let connected;  // the connection that is
  let isAgain = false;
  let asking = 0;  // calls that are open
  let reloaded;  // how often next dev had told of other routes when those here were read, if not as the boot file says

  const methods = {
    welcome(news) {
      calls = news.calls;
      // What a copy has of its template's time may have been taken back since.
      Map.prototype.clear.call(sim.lastRun);
      if (isAgain && news.evictions > evictions) sim.forgetWhatWasRead();
      isAgain = true;
      for (const [field, value] of Object.entries(news.fields)) sim.fieldChanged(undefined, field, value);
      for (const [tag, note] of Object.entries(news.tags)) sim.takeTag(tag, note);
      sim.takeTraced(news.traced);
      for (const page of news.lastRun) Map.prototype.set.call(sim.lastRun, page, -1);
      if (news.hasFrozen && !sim.isFreezing()) sim.peer.tell('thaw');
      welcomed();
      caughtUpTo(news.evictions);
    },
    evict(files, count) {
      sim.forget(files);
      caughtUpTo(count);
    },
    tag(name, note, count) {
      sim.takeTag(name, note);
      caughtUpTo(count);
    },
    traced: (all) => sim.takeTraced(all),
    field: (dir, field, value) => sim.fieldChanged(dir, field, value),
  };
  let welcomed;

  function caughtUpTo(count) {
    evictions = Math.max(evictions, count);
    const all = waiting;
    waiting = [];
    for (const one of all) one.from <= evictions ? one.go() : waiting.push(one);
  }

  // Resolves when everything has been heard that next dev had told when it dispatched a request: its connection and this one are not one.
  // Undefined if that is so already.
  function caughtUp(from = 0) {
    if (from <= evictions) return undefined;
    return new Promise((go) => waiting.push({ from, go }));
  }

  async function connectPeer() {
    const socket = net.connect(boot.rpcSocket);
    const ready = new Promise((resolve) => (welcomed = resolve));
    connected = socket;
    sim.peer = createPeer(socket, methods, {
      // next dev is gone: vercel-sim starts it again, and other instances.
      closed: () => connected === socket && sim.plainExit(0),
      open: (count) => {
        asking = count;
        tell({ t: 'call', open: count > 0 });
      },
    });
    socket.write(`${options.token} ${options.instance}\n`);
    tellWhatIsStatic();
    await ready;
  }

  // Of a template, before it is copied.
  function standInForPeer(refuse) {
    sim.peer = { call: async (name) => refuse(name), tell: refuse };
  }

  // A template is nobody's instance: its copies connect. False while next dev is asked for something.
  function leavePeer() {
    if (asking > 0) return false;
    connected = undefined;
    sim.peer.end();
    return true;
  }

  // What a run has shown of a page is what next dev knows of it at the next run, wherever that is.
  function tellWhatIsStatic() {
    const { lastRun, prerenderedPaths } = sim;
    if (Object.hasOwn(lastRun, 'set')) return;  // in a copy
    const watch = (map, method, told) => {
      map[method] = function (page, value) {
        if (method === 'set' ? this.get(page) !== value : this.has(page)) sim.peer.tell(...told(page, value));
        return Reflect.apply(Map.prototype[method], this, [page, value]);
      };
    };
    watch(lastRun, 'set', (page) => ['wasDynamic', page, true]);
    watch(lastRun, 'delete', (page) => ['wasDynamic', page, false]);
    watch(prerenderedPaths, 'set', (page, paths) => ['hasPaths', page, [...paths]]);
  }

  // Next's render server has read the folders of routes when it came up, and is told by a call when there are others. A copy of a template has missed
  // those between the template's begin and its own.
  async function seeRoutesAnew() {
    const told = calls[next.kRoutesChanged];
    if (told === (reloaded ?? boot.calls[next.kRoutesChanged])) return;
    reloaded = told;
    await next.seeRoutesAnew(sim.server);
  }

  return { connectPeer, leavePeer, standInForPeer, caughtUp, seeRoutesAnew };
};
