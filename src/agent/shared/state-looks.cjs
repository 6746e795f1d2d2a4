'use strict';
// What a value at the top of a module holds, and what of it is not as it was: no getter is called, nothing of the user's is changed.

const { EventEmitter } = require('node:events');
const util = require('node:util');

const kMostEntries = 256;  // of one value: of a larger collection the last ones, which are the newest
const kMostPassed = 100_000;  // of a collection: in a larger one the newest are not looked for
const kMostLeaves = 200;  // looked at in one value
const kLongest = 128;
const kNone = { changed: false, wrote: [], isNew: () => false };
// Not a getter that the user has put in their place.
const [sizeOfMap, sizeOfSet] = [Map, Set].map(({ prototype }) => /** @type {() => number} */ (Object.getOwnPropertyDescriptor(prototype, 'size')?.get));

module.exports = function (options, dataOf) {
  const { isOn, trailOf } = require('./state-trail.cjs')(kindOf);
  // For each value, which is looked at again only if it is not as it was `before`, {kind, type, size, keys, texts, held, bare, large}: enough to tell what was added. keys[i] is an entry's name, texts[i] what its value held[i]
  // comes to, bare[i] its key without the field that holds it (if that is another), `large` the containers of which not all is looked at, `isCut`: nor is it known what they hold. `trail`: what was met on the way
  // (state-trail.cjs); undefined, and `isLong`: too much.
  const look = (values, before = []) => values.map((value, i) => (before[i]?.trail && isOn(before[i].trail, value) ? before[i] : lookAt(value, before[i])));

  function lookAt(value, before) {
    isNumbered = false;
    const out = seenIn(value);
    // What a template has numbered would have the template's name in its copies.
    if (!before?.isLong && !(isNumbered && options.isTemplate)) out.trail = trailOf(value);
    out.isLong = out.trail === undefined;
    return out;
  }

  function seenIn(value) {
    const out = { kind: '', type: typeof value, size: 0, keys: [], texts: [], held: [], bare: [], large: [], isCut: false, trail: undefined, isLong: false };
    if (value === undefined || typeof value === 'function' || typeof value === 'symbol') return out;
    if (value === null || typeof value !== 'object') {
      out.kind = typeof value === 'number' ? 'number' : 'value';
      put(out, String(value).slice(0, kLongest), value);
      out.size = value === null || value === '' || value === false ? 0 : 1;
      return out;
    }
    contents(out, '', value, 2, new Set());
    out.size = out.keys.length;
    return out;
  }

  // `wrote`: the places in `after` of what was added or has another value; isNew(i): it was not there.
  function difference(before, after) {
    if (before === after) return kNone;
    const { keys, texts } = after;
    if (before.keys.length === keys.length && keys.every((key, i) => key === before.keys[i])) {
      const wrote = [];
      for (let i = 0; i < texts.length; i++) if (texts[i] !== before.texts[i]) wrote.push(i);
      return { changed: wrote.length > 0 || before.type !== after.type, wrote, isNew: () => false };
    }
    const known = new Map(before.keys.map((key, i) => [key, before.texts[i]]));
    return { changed: true, wrote: [...keys.keys()].filter((i) => known.get(keys[i]) !== texts[i]), isNew: (i) => !known.has(keys[i]) };
  }

  // A variable that is a number has one entry, its value; a field keeps its name.
  function isCount(before, after, i) {
    const from = before.type === 'number' ? before.held[0] : before.held[before.keys.lastIndexOf(after.keys[i])];
    return Number.isInteger(from) && after.held[i] === from + 1;
  }

  // Those of `words` that are keys of what is not looked at in full, or may be.
  const keysIn = ({ large, isCut }, words) => (isCut ? [...words] : [...words].filter((word) => large.some((one) => isKeyIn(one, word))));

  function isKeyIn(container, word) {
    if (Array.isArray(container)) return Array.prototype.includes.call(container, word);
    if (!util.types.isMap(container) && !util.types.isSet(container)) return Object.hasOwn(container, word);
    const { has } = util.types.isMap(container) ? Map.prototype : Set.prototype;
    return has.call(container, word) || (word !== '' && has.call(container, Number(word)));
  }

  // Entries of what holds entries; the containers in the fields of objects and of instances of classes.
  function contents(out, prefix, value, depth, met) {
    if (met.has(value) || util.types.isProxy(value)) return;
    met.add(value);
    const kind = kindOf(value);
    if (isFull(out)) out.isCut ||= !['map', 'set', 'array'].includes(kind);  // of others the fields hold more
    else entriesOf(out, prefix, value, kind, depth, met);
    if (isFull(out)) out.large.push(value);
  }

  const isFull = ({ keys }) => keys.length >= kMostEntries;

  function entriesOf(out, prefix, value, kind, depth, met) {
    if (kind === 'map') {
      out.kind ||= kind;
      for (const [key, held] of newest(value)) put(out, prefix + keyText(key), held, keyText(key));
    } else if (kind === 'set') {
      out.kind ||= kind;
      for (const held of newest(value)) put(out, prefix + keyText(held), held, keyText(held));
    } else if (kind === 'array') {
      out.kind ||= kind;
      elements(out, prefix, value);
    } else if (kind === 'emitter') {
      out.kind ||= kind;
      for (const name of EventEmitter.prototype.eventNames.call(value)) {
        EventEmitter.prototype.rawListeners.call(value, name).forEach((listener, i) => put(out, `${prefix}${String(name)} listener ${i}`, listener));
      }
    } else if (kind === 'object' || kind === 'instance') {
      for (const [key, { value: held }] of dataOf(value).slice(-kMostEntries)) {
        if (held !== null && typeof held === 'object' && kindOf(held) !== '') {
          if (depth > 0) contents(out, `${prefix}${key}.`, held, depth - 1, met);
          if (kind === 'object' && kindOf(held) === 'object') put(out, `${prefix}${key}`, held);
        } else if (typeof held !== 'function' && typeof held !== 'object' && held !== undefined) {
          put(out, `${prefix}${key}`, held);
        }
      }
      out.kind ||= 'object';
    }
  }

  function elements(out, prefix, array) {
    const { length } = array;
    for (let i = Math.max(0, length - kMostEntries); i < length; i++) {
      const own = Object.getOwnPropertyDescriptor(array, i);
      if (own && 'value' in own) put(out, prefix + elementText(own.value), own.value, elementText(own.value));
    }
  }

  // The entries of a Map or the values of a Set, in their order.
  function* newest(collection) {
    const [size, all] = util.types.isMap(collection) ? [sizeOfMap.call(collection), Map.prototype.entries.call(collection)] : [sizeOfSet.call(collection), Set.prototype.values.call(collection)];
    let passed = size > kMostPassed ? 0 : size - kMostEntries;
    let n = 0;
    for (const one of all) {
      if (passed-- > 0) continue;
      if (++n > kMostEntries) return;
      yield one;
    }
  }

  // '' for what is none of ours to look into: promises, clients, buffers, instances of packages' classes.
  function kindOf(value) {
    if (util.types.isMap(value)) return 'map';
    if (util.types.isSet(value)) return 'set';
    if (Array.isArray(value)) return 'array';
    const prototype = Object.getPrototypeOf(value);
    if (prototype === null || isPlain(prototype)) return 'object';
    if (value instanceof EventEmitter && Object.getPrototypeOf(value) === EventEmitter.prototype) return 'emitter';
    const maker = Object.getOwnPropertyDescriptor(prototype, 'constructor')?.value;
    return typeof maker === 'function' && isOwnClass(maker) ? 'instance' : '';
  }

  // Also of the edge runtime's context.
  const isPlain = (prototype) => prototype === Object.prototype || (Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, 'hasOwnProperty'));

  // A class with few members of its own that extends nothing: a store, a room, a registry of the app. A client of a package extends, has dozens
  // of fields, or comes from a file that the bundler did not compile.
  const ownClasses = new WeakMap();
  function isOwnClass(maker) {
    if (!ownClasses.has(maker)) {
      const text = Function.prototype.toString.call(maker);
      ownClasses.set(maker, /^class\s+[\w$]*\s*\{/.test(text) && text.length < 20_000);
    }
    return ownClasses.get(maker);
  }

  // Whether it holds an object that may keep something where nobody looks: of a class of a package, or with private fields.
  function holdsUnseen(value, depth = 3) {
    if (value === null || typeof value !== 'object' || depth === 0) return false;
    if (util.types.isProxy(value)) return true;
    const kind = kindOf(value);
    if (kind === '' || kind === 'instance') {
      const maker = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(value), 'constructor')?.value;
      if (isBuiltIn(maker)) return false;
      if (kind === '' || /#[\w$]/.test(Function.prototype.toString.call(maker))) return true;
    }
    const held = kind === 'map' ? Map.prototype.values.call(value) : kind === 'set' ? Set.prototype.values.call(value) : dataOf(value).map(([, one]) => one.value);
    for (const one of held) if (holdsUnseen(one, depth - 1)) return true;
    return false;
  }

  // A Date, bytes, a RegExp: what the language and the platform have by name.
  function isBuiltIn(maker) {
    return typeof maker === 'function' && Object.getOwnPropertyDescriptor(globalThis, maker.name)?.value === maker;
  }

  function put(out, key, value, bare = key) {
    if (isFull(out)) return;
    out.keys.push(key);
    out.texts.push(textOf(value));
    out.held.push(value);
    out.bare.push(bare === key ? undefined : bare);
  }

  function textOf(value) {
    if (value === null || typeof value !== 'object') return typeof value === 'string' ? value.slice(0, kLongest) : /^(number|boolean|bigint)$/.test(typeof value) ? String(value) : '';
    return textsOf(value).join('\n');
  }

  function textsOf(value) {
    const texts = [];
    leaves(value, texts, 3);
    return texts;
  }

  function leaves(value, texts, depth) {
    if (texts.length >= kMostLeaves) return;
    if (value === null || typeof value !== 'object') {
      if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint') texts.push(String(value).slice(0, kLongest));
      return;
    }
    if (depth === 0 || util.types.isProxy(value)) return;
    const kind = kindOf(value);
    if (kind === 'map') {
      for (const [key, held] of Map.prototype.entries.call(value)) {
        if (texts.length >= kMostLeaves) return;
        texts.push(keyText(key));
        leaves(held, texts, depth - 1);
      }
    } else if (kind === 'set') {
      for (const held of Set.prototype.values.call(value)) {
        if (texts.length >= kMostLeaves) return;
        leaves(held, texts, depth - 1);
      }
    } else if (kind !== '') {
      for (const [, { value: held }] of dataOf(value)) leaves(held, texts, depth - 1);
    }
  }

  let numbered = 0;
  let isNumbered = false;  // a key, since that was forgotten
  const numbers = new WeakMap();  // objects as keys: who they are in this process
  function keyText(key) {
    if (key === null || (typeof key !== 'object' && typeof key !== 'function')) return String(key).slice(0, kLongest);
    isNumbered = true;
    if (!numbers.has(key)) numbers.set(key, ++numbered);
    return `${options.instance ?? 'middleware'} object ${numbers.get(key)}`;
  }

  // Elements of arrays have no name but what they are.
  function elementText(value) {
    const texts = [];
    leaves(value, texts, 3);
    return texts.length > 0 ? texts.join('\n') : keyText(value);
  }

  return { difference, holdsUnseen, isCount, keysIn, leaves, look, textsOf };
};
