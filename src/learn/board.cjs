'use strict';
// What a lesson shows and waits for, at one place for all who look: the terminal prints as it goes, the page draws this. A key is a key, wherever it was pressed.

// `state`: what is said so far. `state.keys`: what is waited for, as { key, does }.
function makeBoard() {
  const watchers = new Set();
  let state = { keys: [] };
  let waiter;
  const board = {
    get state() {
      return state;
    },
    watch: (watcher) => void watchers.add(watcher),
    set: (change) => {
      state = { ...state, ...change };
      for (const watcher of watchers) watcher();
    },
    // A new lesson: nothing of the last one stays.
    begin: (first) => {
      state = { keys: [] };
      board.set(first);
    },
    // Resolves with the one of `keys` that is pressed first, here or there.
    next: (keys) => {
      board.set({ keys });
      return new Promise((resolve) => (waiter = resolve));
    },
    forget: () => {
      waiter = undefined;
      if (state.keys.length > 0) board.set({ keys: [] });
    },
    // False: nobody waits for it.
    press: (key) => {
      if (!waiter || !state.keys.some((one) => one.key === key)) return false;
      const resolve = waiter;
      board.forget();
      resolve(key);
      return true;
    },
  };
  return board;
}

module.exports = { makeBoard };
