'use strict';
// Next 15: the render server matches the request itself, and compiles by that; a tag's note is a time.

const common = require('./common.cjs');
const manifestOfTags = require('./tags.cjs');

module.exports = (given) => common(given, (next) => ({
  // In a module of its own from 15.4 on.
  noFallback: () => (next.loadFirst('shared/lib/no-fallback-error.external.js') ?? next.load('server/base-server.js')).NoFallbackError,
  tags: (on) => manifestOfTags(on, { timeOf: (note) => note, namesOfExpired: ['isStale', 'isTagStale'], watchOther: watchItems }),
}));

// 15.0 to 15.2: `items`, an object of tag → {revalidatedAt}.
function watchItems(holder, tell) {
  const { items } = holder ?? {};
  if (!items) return undefined;
  holder.items = new Proxy(items, {
    set(target, tag, note) {
      tell(tag, note);
      return Reflect.set(target, tag, note);
    },
  });
  return { get: (tag) => items[tag]?.revalidatedAt, set: (tag, note) => (items[tag] = note) };
}
