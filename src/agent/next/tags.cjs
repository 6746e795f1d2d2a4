'use strict';
// Revalidated tags where Next keeps them in tags-manifest.external.js (15, 16): in a Map, or (15.0 to 15.2) in an object. What is told of one is told to all.
// `timeOf(note)`: when it expired; `namesOfExpired`: the exports that say whether an entry is too old, of which a version has one.

module.exports = function (on, { timeOf, namesOfExpired, watchOther = (_given, _tell) => undefined }) {
  const notes = new Map();  // tag → what Next notes of its revalidation
  let manifest;  // Next's tagsManifest
  let real;
  let isTaking = false;

  const tell = (tag, note) => {
    if (isTaking) return;
    on.revalidated();
    on.tag(tag, note);
  };

  function hook(given) {
    const { tagsManifest } = given;
    if (manifest) return;
    manifest = tagsManifest instanceof Map ? watchMap(tagsManifest) : watchOther(tagsManifest, tell);
    if (!manifest) return;
    real = given;
    for (const [tag, note] of notes) keep(tag, note);
  }

  function watchMap(map) {
    map.set = function (tag, note) {
      tell(tag, note);
      return Map.prototype.set.call(this, tag, note);
    };
    return map;
  }

  function keep(tag, note) {
    isTaking = true;
    try {
      manifest.set(tag, note);
    } finally {
      isTaking = false;
    }
  }

  // Another instance has revalidated it.
  function take(tag, note) {
    notes.set(tag, note);
    if (manifest) keep(tag, note);
  }

  return {
    hooks: [[/(^|[\\/])tags-manifest\.external(\.js)?$/, hook]],
    take,
    expiredAt: (tag) => timeOf(manifest?.get(tag)),
    isExpired: (tags, timestamp) => namesOfExpired.map((name) => real?.[name]).find(Boolean)?.(tags, timestamp) ?? false,
    areStale: (tags, timestamp) => real?.areTagsStale?.(tags, timestamp),
  };
};
