'use strict';
// The data cache is shared by all instances, as Vercel's is. Next's own lies in files below .next; what it keeps in memory besides must be shared
// or left out: which tags were revalidated, and entries that were read.

module.exports = function (sim) {
  const { withExports } = sim;
  const notes = new Map();  // tag → what Next notes of its revalidation
  let manifest;  // Next's tagsManifest
  let isTaking = false;
  let cache14;
  let revalidate14;

  // Next internals: tags-manifest.external.js (15, 16). A Map: in 15 of tag → time, in 16 of tag → {expired, stale}.
  function hookTags(real) {
    const { tagsManifest } = real;
    if (!(tagsManifest instanceof Map) || manifest) return undefined;
    manifest = tagsManifest;
    for (const [tag, note] of notes) manifest.set(tag, note);
    manifest.set = function (tag, note) {
      if (!isTaking) sim.peer.tell('tag', tag, note);
      return Map.prototype.set.call(this, tag, note);
    };
    return undefined;
  }

  // Next internals: file-system-cache.js of 14 keeps the manifest for itself, and in a file that it reads once.
  function hookFileCache(real) {
    const FileSystemCache = real.default;
    if (!FileSystemCache?.prototype?.loadTagsManifest) return undefined;
    const { revalidateTag } = FileSystemCache.prototype;
    FileSystemCache.prototype.revalidateTag = async function (...args) {
      cache14 = this;
      const result = await revalidateTag.apply(this, args);
      for (const tag of [args[0]].flat()) sim.peer.tell('tag', tag, true);
      return result;
    };
    revalidate14 = (tag) => revalidateTag.call(cache14, tag);
    const { loadTagsManifest } = FileSystemCache.prototype;
    FileSystemCache.prototype.loadTagsManifest = function (...args) {
      cache14 = this;
      return loadTagsManifest.apply(this, args);
    };
    return undefined;
  }

  // Another instance has revalidated it.
  function takeTag(tag, note) {
    isTaking = true;
    try {
      notes.set(tag, note);
      if (manifest) manifest.set(tag, note);
      else if (cache14) revalidate14(tag).catch(() => {});
    } finally {
      isTaking = false;
    }
  }

  // Next internals: memory-cache.external.js (15, 16) in front of the files.
  function hookMemoryCache(real) {
    if (typeof real.getMemoryCache !== 'function') return undefined;
    const nothing = { get: () => undefined, set: () => {}, has: () => false, remove: () => {}, reset: () => {} };
    return withExports(real, { getMemoryCache: () => nothing });
  }

  return {
    takeTag,
    cacheHooks: [
      [/(^|[\\/])tags-manifest\.external(\.js)?$/, hookTags],
      [/(^|[\\/])memory-cache\.external(\.js)?$/, hookMemoryCache],
      [/(^|[\\/])file-system-cache(\.js)?$/, hookFileCache],
    ],
  };
};
