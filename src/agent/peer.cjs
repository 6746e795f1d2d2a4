'use strict';
// An instance's connection to next dev, and what next dev tells on it.

const net = require('node:net');
const { createPeer } = require('./rpc.cjs');

module.exports = function (sim) {
  const { boot, options, tell } = sim;
  let evictions = 0;
  let calls = {};
  let waiting = [];  // {from, go}: requests that came before the news they rely on

  const methods = {
    welcome(news) {
      calls = news.calls;
      for (const [field, value] of Object.entries(news.fields)) sim.fieldChanged(undefined, field, value);
      for (const [tag, note] of Object.entries(news.tags)) sim.takeTag(tag, note);
      for (const page of news.lastRun) Map.prototype.set.call(sim.lastRun, page, -1);
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
    field: (dir, field, value) => sim.fieldChanged(dir, field, value),
  };
  let welcomed;
  const ready = new Promise((resolve) => (welcomed = resolve));

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
    // next dev is gone: vercel-sim starts it again, and other instances.
    sim.peer = createPeer(socket, methods, { closed: () => sim.plainExit(0), open: (count) => tell({ t: 'call', open: count > 0 }) });
    socket.write(`${options.token} ${options.instance}\n`);
    tellWhatIsStatic();
    await ready;
  }

  // What a run has shown of a page is what next dev knows of it at the next run, wherever that is.
  function tellWhatIsStatic() {
    const { lastRun, prerenderedPaths, peer } = sim;
    const watch = (map, method, told) => {
      map[method] = function (page, value) {
        if (method === 'set' ? this.get(page) !== value : this.has(page)) peer.tell(...told(page, value));
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
    if (calls.reloadMatchers !== boot.calls.reloadMatchers) await sim.server.reloadMatchers?.();
  }

  return { connectPeer, caughtUp, seeRoutesAnew };
};
