'use strict';
// The data cache is shared by all instances, as Vercel's is. Next's own lies in files below .next; what it keeps in memory besides must be shared
// or left out: which tags were revalidated, and entries that were read.

module.exports = function (sim) {
  const { withExports } = sim;
  const notes = new Map();  // tag → what Next notes of its revalidation
  let manifest;  // Next's tagsManifest
  let tagsModule;
  let isTaking = false;
  let cache14;
  let revalidate14;

  // Next internals: tags-manifest.external.js (15, 16). In 15.0 to 15.2 `items`, an object of tag → {revalidatedAt}; from 15.3 on a Map, in 15 of
  // tag → time, in 16 of tag → {expired, stale}.
  function hookTags(real) {
    const { tagsManifest } = real;
    if (manifest || !(tagsManifest instanceof Map || tagsManifest?.items)) return undefined;
    manifest = tagsManifest instanceof Map ? watchMap(tagsManifest) : watchItems(tagsManifest);
    tagsModule = real;
    for (const [tag, note] of notes) keep(tag, note);
    return undefined;
  }

  const tell = (tag, note) => {
    if (isTaking) return;
    sim.tellRevalidated();
    sim.peer.tell('tag', tag, note);
  };

  function watchMap(map) {
    map.set = function (tag, note) {
      tell(tag, note);
      return Map.prototype.set.call(this, tag, note);
    };
    return map;
  }

  function watchItems(holder) {
    const { items } = holder;
    holder.items = new Proxy(items, {
      set(target, tag, note) {
        tell(tag, note);
        return Reflect.set(target, tag, note);
      },
    });
    return { get: (tag) => items[tag]?.revalidatedAt, set: (tag, note) => (items[tag] = note) };
  }

  function keep(tag, note) {
    isTaking = true;
    try {
      manifest.set(tag, note);
    } finally {
      isTaking = false;
    }
  }

  function hookFileCache(real) {
    const FileSystemCache = real.default;
    if (!FileSystemCache?.prototype?.set) return undefined;
    readWhatIsWritten(FileSystemCache.prototype);
    if (FileSystemCache.prototype.loadTagsManifest) hookTags14(FileSystemCache);
    // Without the memory in front of the files (until 15.3 its own): what another instance has written is everybody's.
    class SharedFiles extends FileSystemCache {
      constructor(context, ...rest) {
        super({ ...context, maxMemoryCacheSize: 0 }, ...rest);
      }
    }
    return withExports(real, { default: SharedFiles });
  }

  // What an instance has put into the cache it finds there, also while the file is being written: `unstable_cache` does not wait for that. In Next
  // the memory in front of the files has it at once, and on Vercel that of the instance.
  function readWhatIsWritten(prototype) {
    const { get, set } = prototype;
    const files = new Map();  // key → promise: is being written
    prototype.set = function (key, ...rest) {
      sim.noteCached({ value: rest[0] });
      const written = Promise.resolve(Reflect.apply(set, this, [key, ...rest]));
      const settled = written.catch(() => {}).then(() => {
        if (files.get(key) === settled) files.delete(key);
      });
      files.set(key, settled);
      lastsUntil(settled);
      return written;
    };
    prototype.get = async function (key, ...rest) {
      sim.noteShared?.('it asked the data cache');
      if (files.has(key)) await files.get(key);
      const entry = await Reflect.apply(get, this, [key, ...rest]);
      sim.noteCached(entry);
      return entry;
    };
  }

  // Next does not wait for what it writes (fetch in 14 and 15.0 to 15.2): on Vercel the instance lives on, here it may be retired at once.
  function lastsUntil(written) {
    const invocation = sim.invocations.getStore();
    if (invocation) sim.hold(invocation, written);
  }

  // Next internals: file-system-cache.js of 14 keeps the manifest for itself, and in a file that it reads once. Each route handler of 14 ends with a call
  // for the tags that it has revalidated, also if it has none.
  function hookTags14(FileSystemCache) {
    const { revalidateTag } = FileSystemCache.prototype;
    FileSystemCache.prototype.revalidateTag = async function (...args) {
      cache14 = this;
      const tags = [args[0]].flat();
      if (tags.length > 0) sim.tellRevalidated();
      const result = await revalidateTag.apply(this, args);
      for (const tag of tags) sim.peer.tell('tag', tag, true);
      return result;
    };
    revalidate14 = (tag) => revalidateTag.call(cache14, tag);
    const { loadTagsManifest } = FileSystemCache.prototype;
    FileSystemCache.prototype.loadTagsManifest = function (...args) {
      cache14 = this;
      return loadTagsManifest.apply(this, args);
    };
  }

  // Another instance has revalidated it.
  function takeTag(tag, note) {
    notes.set(tag, note);
    if (manifest) keep(tag, note);
    else if (cache14) revalidate14(tag).catch(() => {});
  }

  // Next internals: memory-cache.external.js (from 15.4 on) in front of the files, also of those that Next's bundles carry themselves.
  function hookMemoryCache(real) {
    if (typeof real.getMemoryCache !== 'function') return undefined;
    const nothing = { get: () => undefined, set: () => {}, has: () => false, remove: () => {}, reset: () => {} };
    return withExports(real, { getMemoryCache: () => nothing });
  }

  // Next internals: use-cache/handlers.js (15, 16) takes the handler of `use cache: remote` from here, as on the platform, where it is the runtime
  // cache of the region. Plain `use cache` lives in each instance's memory, there and here.
  function provideRemoteCache() {
    const symbol = Symbol.for('@next/cache-handlers');
    globalThis[symbol] = { ...globalThis[symbol], RemoteCache: remoteCache };
  }

  const kPrefix = 'use-cache:';
  const writing = new Map();  // key → promise: is being written by this instance
  const remoteCache = {
    async get(key, softTags = []) {  // the second until 15.2, where a handler looks at them itself
      sim.noteShared?.('it asked the data cache');
      await writing.get(key);
      const text = await sim.peer.call('cacheGet', kPrefix + key);
      if (text === undefined) return undefined;
      const { value, ...entry } = JSON.parse(text);
      const now = performance.timeOrigin + performance.now();
      if (now > entry.timestamp + entry.expire * 1000 || isExpired({ ...entry, tags: [...entry.tags, ...softTags] })) return undefined;
      if (tagsModule?.areTagsStale?.(entry.tags, entry.timestamp)) entry.revalidate = -1;
      return { ...entry, value: new Blob([Buffer.from(value, 'base64')]).stream() };
    },
    set(key, pending) {
      const written = (async () => {
        const { value, ...entry } = await pending;
        if (!(entry.expire > 0)) return value.cancel();
        const bytes = Buffer.from(await new Response(value).arrayBuffer());
        await sim.peer.call('cacheSet', kPrefix + key, JSON.stringify({ ...entry, value: bytes.toString('base64') }), Math.min(entry.expire, 31_536_000), entry.tags);
      })();
      const settled = written.catch(() => {}).finally(() => writing.delete(key));
      writing.set(key, settled);
      lastsUntil(settled);
      return written;
    },
    async refreshTags() {},  // they come by themselves
    async getExpiration(...tags) {  // until 15 each an argument, in 16 one array
      const times = tags.flat().map((tag) => manifest?.get(tag)).map((note) => (typeof note === 'number' ? note : note?.expired) || 0);
      return Math.max(0, ...times);
    },
    // The handler of plain `use cache` notes them, and its tags are everybody's.
    async updateTags() {},
    async expireTags() {},  // 15
    async receiveExpiredTags() {},  // 15.0 to 15.2
  };

  // 16: areTagsExpired; 15: isStale, until 15.2 isTagStale.
  function isExpired({ tags, timestamp }) {
    return (tagsModule?.areTagsExpired ?? tagsModule?.isStale ?? tagsModule?.isTagStale)?.(tags, timestamp) ?? false;
  }

  return {
    takeTag,
    provideRemoteCache,
    cacheHooks: [
      [/(^|[\\/])tags-manifest\.external(\.js)?$/, hookTags],
      [/(^|[\\/])memory-cache\.external(\.js)?$/, hookMemoryCache],
      [/(^|[\\/])file-system-cache(\.js)?$/, hookFileCache],
    ],
  };
};
