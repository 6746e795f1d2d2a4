'use strict';
// The stores in which Next notes, for one request, that something asked for it, which makes a page dynamic at build time: request stores get `usedDynamic`
// (15, 16), work stores `forceDynamic`.

module.exports = function (next) {
  const kWatched = Symbol('vsim.watched');
  let workUnits;

  // [pattern, hook]. `isWatched()`: a request that somebody wants to know of; `becameDynamic()`.
  function hooksOfStores({ isWatched, becameDynamic, guard }) {
    function watchStores(storage, see) {
      if (Object.hasOwn(storage, 'run')) return;
      const { run } = storage;
      storage.run = function (store, ...rest) {
        if (store && typeof store === 'object' && !store[kWatched] && isWatched()) {
          guard('static', () => {
            Object.defineProperty(store, kWatched, { value: true });
            see(store);
          });
        }
        return run.call(this, store, ...rest);
      };
    }

    function watch(store, name, dynamic) {
      let value = store[name];
      if (value === dynamic) becameDynamic();
      Object.defineProperty(store, name, {
        configurable: true,
        enumerable: true,
        get: () => value,
        set(given) {
          value = given;
          if (given === dynamic) becameDynamic();
        },
      });
    }

    function hookWorkUnits(real) {
      workUnits = real.workUnitAsyncStorage;
      watchStores(workUnits, (store) => {
        if (store.type === 'request') watch(store, 'usedDynamic', true);
      });
    }

    function hookWork(real) {
      watchStores(real.workAsyncStorage ?? real.staticGenerationAsyncStorage, (store) => {
        for (const [name, dynamic] of Object.entries(next.kDynamic)) watch(store, name, dynamic);
      });
    }

    return [
      [/(^|[\\/])work-unit-async-storage\.external(\.js)?$/, hookWorkUnits],
      [/(^|[\\/])(work|static-generation)-async-storage\.external(\.js)?$/, hookWork],
    ];
  }

  // Inside of `unstable_cache` and the like it is none.
  const isOfRequest = () => workUnits?.getStore()?.type === 'request';

  return { hooksOfStores, isOfRequest, kDynamic: { forceDynamic: true } };
};
