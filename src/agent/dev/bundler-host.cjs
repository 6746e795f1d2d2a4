'use strict';
// Isolation, in next dev: serves the calls of instances, to Next's bundler service above all, and tells them what they share: compiled files
// to forget, fields of the render server, revalidated tags of the data cache, the runtime cache.

const crypto = require('node:crypto');
const fs = require('node:fs');
const net = require('node:net');
const { createPeer } = require('../shared/rpc.cjs');

const kMostHead = 100;  // of who does not say who it is
const kMostCached = 10_000;  // entries of the runtime cache; the oldest go

module.exports = function (sim) {
  const { guard, isolation, lastRun, next, options, prerenderedPaths } = sim;
  const peers = new Set();
  const tags = new Map();  // tag of the data cache → what Next notes of its revalidation

  const runtimeCache = new Map();  // key → {text, expires, tags}: Vercel's runtime cache, which outlives instances

  const methods = {
    cacheGet(key) {
      const entry = runtimeCache.get(key);
      if (entry && entry.expires <= Date.now()) runtimeCache.delete(key);
      return runtimeCache.get(key)?.text;
    },
    cacheSet(key, text, ttl, tags) {
      runtimeCache.delete(key);  // so that the oldest is first
      runtimeCache.set(key, { text, expires: ttl ? Date.now() + ttl * 1000 : Infinity, tags: tags ?? [] });
      if (runtimeCache.size > kMostCached) runtimeCache.delete(runtimeCache.keys().next().value);
    },
    cacheDelete: (key) => void runtimeCache.delete(key),
    cacheExpire(tags) {
      for (const [key, entry] of runtimeCache) if (entry.tags.some((tag) => tags.includes(tag))) runtimeCache.delete(key);
    },
    readAtRunTime: (told) => sim.readAtRunTime(told),
    ensurePage: (asked) => sim.ensureOnce(asked),
    ...next.methodsOf(() => isolation.bundlerService, () => sim.server),
    // What the last run of a page said, for the next dispatch.
    wasDynamic: (page, dynamic) => (dynamic ? sim.sawDynamic(page) : sim.sawStatic(page)),
    hasPaths: (page, paths) => void prerenderedPaths.set(page, new Set(paths)),
    freeze: (answer) => sim.freeze(answer),
    thaw: () => sim.thaw(),
    tag(name, note) {
      sim.thawTag(name, note);
      tags.set(name, note);
      isolation.evictions += 1;
      for (const peer of peers) peer.tell('tag', name, note, isolation.evictions);
    },
  };

  // As src/agent/secrets.cpp derives it.
  function secretOf(instance) {
    return crypto.createHmac('sha256', options.token).update(`instance ${instance}`).digest('hex').slice(0, 32);
  }

  // The first line of a connection is `<secret> <instance>`; whoever does not know that instance's secret is not served.
  function serveInstances() {
    try {
      fs.unlinkSync(options.rpcSocket);
    } catch {
      // none there
    }
    const server = net.createServer((socket) => {
      let head = '';
      socket.on('error', () => socket.destroy());
      socket.on('data', function first(chunk) {
        head += chunk.toString('latin1');
        const end = head.indexOf('\n');
        if (end < 0) return void (head.length > kMostHead && socket.destroy());
        socket.off('data', first);
        const [secret, instance] = head.slice(0, end).split(' ');
        if (options.token === '' || secret !== secretOf(instance)) return socket.destroy();
        socket.pause();
        if (end + 1 < head.length) socket.unshift(Buffer.from(head.slice(end + 1), 'latin1'));
        welcome(socket);
      });
    });
    server.on('error', () => sim.lacks('instances'));
    server.listen(options.rpcSocket);
    server.unref();
  }

  function welcome(socket) {
    const peer = createPeer(socket, methods, { closed: () => peers.delete(peer) });
    peers.add(peer);
    // A frozen instance reads nothing for hours: what it is to forget is gathered then, and each file named once.
    const behind = { files: new Set(), count: 0 };
    peer.evict = (files, count) => {
      if (!socket.writableNeedDrain) return peer.tell('evict', files, count);
      for (const file of files) behind.files.add(file);
      behind.count = count;
    };
    socket.on('drain', () => {
      if (behind.count === 0) return;
      peer.tell('evict', [...behind.files], behind.count);
      behind.files.clear();
      behind.count = 0;
    });
    peer.tell('welcome', {
      evictions: isolation.evictions,
      fields: sim.serverFields(),
      calls: sim.fieldCalls(),
      tags: Object.fromEntries(tags),
      traced: sim.tracedSoFar(),
      lastRun: [...lastRun.keys()],
      hasFrozen: sim.hasFrozen(),
    });
    socket.resume();
  }

  sim.broadcast = (name, ...args) => {
    for (const peer of peers) guard('instances', () => (name === 'evict' ? peer.evict(...args) : peer.tell(name, ...args)));
  };
  return { serveInstances };
};
