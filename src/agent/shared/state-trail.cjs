'use strict';
// Whether a value at the top of a module is as it was when it was looked at: asked at the begin and at the end of each invocation of each variable in its reach, of
// which hardly one has changed. What was met on the way through a value is kept in a list, and the way is gone again beside it: nothing is made for that but the
// names of objects, where a look makes texts of everything, and in a copy each page that something is made in is a page fault.
// Whatever is not surely the same counts as changed, and is looked at. No getter is called, nothing of the user's is changed.

const util = require('node:util');

const kDeepest = 7;  // a look (state-looks.cjs) goes through six
const kMostMet = 4096;  // of a value that leads further no way is kept
const kMostNames = 1000;
// Not what the user has put in their place.
const { __lookupGetter__: lookupGetter } = /** @type {any} */ (Object.prototype);
const [eachOfMap, eachOfSet] = [Map.prototype.forEach, Set.prototype.forEach];
const [sizeOfMap, sizeOfSet] = [Map, Set].map(({ prototype }) => /** @type {() => number} */ (Object.getOwnPropertyDescriptor(prototype, 'size')?.get));

module.exports = function (kindOf) {
  let trail = [];
  let met;  // objects, while a way is kept; undefined: one is gone again
  let at = 0;
  let deep = 0;
  let isSame = true;

  // What there is to meet in `value`; undefined: too much, or of a kind that cannot be gone through so.
  function trailOf(value) {
    trail = [];
    met = new Set();
    deep = 0;
    isSame = true;
    go(value);
    const kept = isSame ? trail : undefined;
    trail = [];
    met = undefined;
    return kept;
  }

  function isOn(kept, value) {
    trail = kept;
    met = undefined;
    at = deep = 0;
    isSame = true;
    go(value);
    trail = [];
    return isSame && at === kept.length;
  }

  function meet(one) {
    if (met === undefined) isSame &&= at < trail.length && Object.is(trail[at++], one);
    else if (trail.push(one) > kMostMet) isSame = false;
  }

  // What is decided when the way is kept, and known when it is gone again.
  function known(decide) {
    if (met === undefined) return trail[at++];
    const is = decide();
    trail.push(is);
    return is;
  }

  function go(value) {
    meet(value);
    if (!isSame || value === null || typeof value !== 'object') return;
    const kind = known(() => (deep === kDeepest || met.has(value) || util.types.isProxy(value) ? '' : kindOf(value)));
    if (kind === '') return;
    met?.add(value);
    deep++;
    if (kind === 'map') {
      meet(sizeOfMap.call(value));
      eachOfMap.call(value, goEntry);
    } else if (kind === 'set') {
      meet(sizeOfSet.call(value));
      eachOfSet.call(value, goValue);
    } else if (kind === 'array') {
      goElements(value);
    } else if (kind === 'object' || kind === 'instance') {
      goFields(value);
    } else {
      isSame = false;
    }
    deep--;
  }

  function goEntry(value, key) {
    if (!isSame) return;
    meet(key);
    go(value);
  }

  function goValue(value) {
    if (isSame) go(value);
  }

  function goElements(array) {
    meet(array.length);
    if (array.length > kMostNames) isSame = false;
    if (isSame) meet(Object.getOwnPropertyNames(array).length);  // fields that it may have besides
    for (let i = 0; isSame && i < array.length; i++) goField(array, i);
  }

  function goFields(value) {
    if (ArrayBuffer.isView(value)) isSame = false;
    if (!isSame) return;
    meet(Object.getPrototypeOf(value));
    const names = Object.getOwnPropertyNames(value);
    meet(names.length);
    if (names.length > kMostNames) isSame = false;
    for (let i = 0; isSame && i < names.length; i++) {
      meet(names[i]);
      if (isSame) goField(value, names[i]);
    }
  }

  function goField(value, name) {
    const isGetter = lookupGetter.call(value, name) !== undefined;
    meet(isGetter);
    if (isSame && !isGetter) go(value[name]);
  }

  return { isOn, trailOf };
};
