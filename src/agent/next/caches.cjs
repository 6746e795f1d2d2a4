'use strict';
// Next's data cache, in an instance: files below .next, which are everybody's, and what it keeps in memory besides, which is shared or left out: tags that were
// revalidated (which of the majors keeps them how, is in 14.cjs to 16.cjs), and entries that were read. And the handler of `use cache: remote`.

const withExports = require('./exports.cjs');

// `on`: what data-cache.cjs makes of it.
module.exports = function (next, on) {
  const tags = next.tags(on);

  function hookFileCache(real) {
    const FileSystemCache = real.default;
    if (!FileSystemCache?.prototype?.set) return undefined;
    readWhatIsWritten(FileSystemCache.prototype);
    tags.hookFiles?.(FileSystemCache);
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
      noteEntry(rest[0]);
      const written = Promise.resolve(Reflect.apply(set, this, [key, ...rest]));
      const settled = written.catch(() => {}).then(() => {
        if (files.get(key) === settled) files.delete(key);
      });
      files.set(key, settled);
      on.writes(settled);
      return written;
    };
    prototype.get = async function (key, ...rest) {
      on.asked();
      if (files.has(key)) await files.get(key);
      const entry = await Reflect.apply(get, this, [key, ...rest]);
      noteEntry(entry?.value);
      return entry;
    };
  }

  // Entries of `fetch` and `unstable_cache` have {kind: 'FETCH', revalidate}.
  function noteEntry(value) {
    on.entry({ every: value?.kind === 'FETCH' ? Number(value.revalidate) : 0, tags: Array.isArray(value?.tags) ? value.tags : [] });
  }

  // memory-cache.external.js (from 15.4 on) in front of the files, also of those that Next's bundles carry themselves.
  function hookMemoryCache(real) {
    if (typeof real.getMemoryCache !== 'function') return undefined;
    const nothing = { get: () => undefined, set: () => {}, has: () => false, remove: () => {}, reset: () => {} };
    return withExports(real, { getMemoryCache: () => nothing });
  }

  // use-cache/handlers.js (15, 16) takes the handler of `use cache: remote` from here, as on the platform, where it is the runtime cache of the region. Plain
  // `use cache` lives in each instance's memory, there and here.
  function provideRemote() {
    const symbol = Symbol.for('@next/cache-handlers');
    globalThis[symbol] = { ...globalThis[symbol], RemoteCache: remoteCache };
  }

  const kPrefix = 'use-cache:';
  const writing = new Map();  // key → promise: is being written by this instance
  const remoteCache = {
    async get(key, softTags = []) {  // the second until 15.2, where a handler looks at them itself
      on.asked();
      await writing.get(key);
      const text = await on.get(kPrefix + key);
      if (text === undefined) return undefined;
      const { value, ...entry } = JSON.parse(text);
      const now = performance.timeOrigin + performance.now();
      if (now > entry.timestamp + entry.expire * 1000 || tags.isExpired([...entry.tags, ...softTags], entry.timestamp)) return undefined;
      if (tags.areStale?.(entry.tags, entry.timestamp)) entry.revalidate = -1;
      return { ...entry, value: new Blob([Buffer.from(value, 'base64')]).stream() };
    },
    set(key, pending) {
      const written = (async () => {
        const { value, ...entry } = await pending;
        if (!(entry.expire > 0)) return value.cancel();
        const bytes = Buffer.from(await new Response(value).arrayBuffer());
        await on.set(kPrefix + key, JSON.stringify({ ...entry, value: bytes.toString('base64') }), Math.min(entry.expire, 31_536_000), entry.tags);
      })();
      const settled = written.catch(() => {}).finally(() => writing.delete(key));
      writing.set(key, settled);
      on.writes(settled);
      return written;
    },
    async refreshTags() {},  // they come by themselves
    async getExpiration(...asked) {  // until 15 each an argument, in 16 one array
      return Math.max(0, ...asked.flat().map((tag) => tags.expiredAt(tag) || 0));
    },
    // The handler of plain `use cache` notes them, and its tags are everybody's.
    async updateTags() {},
    async expireTags() {},  // 15
    async receiveExpiredTags() {},  // 15.0 to 15.2
  };

  const hooks = [
    ...tags.hooks,
    [/(^|[\\/])memory-cache\.external(\.js)?$/, hookMemoryCache],
    [/(^|[\\/])file-system-cache(\.js)?$/, hookFileCache],
  ];
  return { hooks, take: tags.take, provideRemote };
};
