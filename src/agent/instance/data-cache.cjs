'use strict';
// The data cache is shared by all instances, as Vercel's is: what an instance puts into it or revalidates there, and what it is told of others.

module.exports = function (sim) {
  const caches = sim.next.caches({
    asked: () => sim.noteShared?.('it asked the data cache'),
    entry: (entry) => sim.noteCached(entry),
    // Next does not wait for what it writes (fetch in 14 and 15.0 to 15.2): on Vercel the instance lives on, here it may be retired at once.
    writes(settled) {
      const invocation = sim.invocations.getStore();
      if (invocation) sim.hold(invocation, settled);
    },
    revalidated: () => sim.tellRevalidated(),
    tag: (tag, note) => sim.peer.tell('tag', tag, note),
    get: (key) => sim.peer.call('cacheGet', key),
    set: (key, text, seconds, tags) => sim.peer.call('cacheSet', key, text, seconds, tags),
  });

  return { takeTag: caches.take, provideRemoteCache: caches.provideRemote, cacheHooks: caches.hooks };
};
