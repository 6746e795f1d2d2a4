'use strict';
// Those who wait until something is so: they look again each time that something is told. Pure but for the time.

// `until(look, ms)` resolves with what `look()` says once it says something; with undefined when `ms` have passed or `isOver()`.
/** @param {() => boolean} isOver */
function makeWatch(isOver) {
  const watchers = new Set();
  const tell = () => watchers.forEach((watcher) => watcher());
  const until = (look, ms) =>
    new Promise((resolve) => {
      const finish = (found) => {
        watchers.delete(watcher);
        clearTimeout(timer);
        resolve(found);
      };
      const watcher = () => {
        const found = look();
        if (found || isOver()) finish(found || undefined);
      };
      const timer = setTimeout(() => finish(undefined), ms);
      watchers.add(watcher);
      watcher();
    });
  return { tell, until };
}

module.exports = { makeWatch };
