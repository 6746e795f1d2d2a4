'use strict';
// What stands in a function's place looks like it: its name, how many arguments it has, and what hangs on it (promisify's own). An instance does this some two hundred times when it starts; all
// descriptors at once cost four times as much.

const own = { value: undefined, configurable: true, enumerable: false, writable: false };

/** @template {Function} T @param {T} made @param {Function} real @returns {T} */
module.exports = function dressed(made, real) {
  own.value = real.name;
  Object.defineProperty(made, 'name', own);
  own.value = real.length;
  Object.defineProperty(made, 'length', own);
  for (const key of Reflect.ownKeys(real)) {
    if (key === 'name' || key === 'length' || key === 'prototype') continue;
    Object.defineProperty(made, key, /** @type {PropertyDescriptor} */ (Object.getOwnPropertyDescriptor(real, key)));
  }
  return made;
};
