'use strict';
// What an invocation finds in the memory of the modules it reaches, and what it leaves there: told to vercel-sim, which knows what other instances hold
// (engine/state_ledger.hpp decides). Looked at when the user's handler begins and when all is over, and now and then while a response stays open. In next dev
// it is middleware that is looked at (middleware.cjs).

const { EventEmitter } = require('node:events');
const fs = require('node:fs');
const path = require('node:path');
const util = require('node:util');
const decoded = require('./decoded.cjs');

const kMostBindings = 64;
const kMostKeys = 64;  // told of one binding
const kMostLeaves = 200;  // looked at in one value
const kMostAsked = 64;
const kMostText = 64 * 1024;
const kLongest = 128;
const kLooks = [150, 1000, 5000, 15000];  // ms after the begin of a handler that goes on

module.exports = function (sim) {
  const { boot, guard, options, plain, tell } = sim;
  const { reach, read, dataOf, fileIn, fileOfId, handlerIn } = require('./scopes.cjs')(sim);
  const { isRead } = require('./state-reads.cjs');
  const reached = new WeakMap();  // the user's function → bindings

  // The first look at a function costs some milliseconds: on the way of a warmed instance it has been taken before.
  function prepareState(entry, file) {
    if (!isOn(entry)) return [];
    let bindings = reached.get(entry);
    if (!bindings) {
      bindings = guard('module state', () => reach(entry, fileOf(file)).slice(0, kMostBindings)) ?? [];
      reached.set(entry, bindings);
    }
    return bindings;
  }

  function isOn(entry) {
    return typeof entry === 'function' && process.env.NODE_ENV !== 'production';
  }

  // The handler is about to be called. Nothing of it may reach the app.
  function stateBegins(invocation, entry, file = invocation.file) {
    if (invocation.isWarming || invocation.stateBefore || !invocation.req) return;
    guard('module state', () => {
      const entries = Array.isArray(entry) ? entry : [{ fn: entry, file }];
      const bindings = bindingsOf(entries);
      if (bindings.length === 0) return;
      invocation.stateEntries = entries;
      invocation.stateBindings = bindings;
      invocation.stateBefore = look(bindings);
      let at = 0;
      const next = () => {
        if (invocation.isClosed || at === kLooks.length) return;
        plain.setTimeout(() => {
          if (!invocation.isClosed) tellState(invocation, true);
          next();
        }, kLooks[at++]).unref();
      };
      next();
    });
  }

  // Of several functions, each variable once.
  function bindingsOf(entries) {
    const all = new Map();
    for (const { fn, file } of entries)
      for (const one of prepareState(fn, file)) if (all.size < kMostBindings && !all.has(`${one.file}\n${one.name}`)) all.set(`${one.file}\n${one.name}`, one);
    return [...all.values()];
  }

  // The functions of a page and its layouts. `segments`: [{exports, file}].
  const pageEntries = (segments) => segments.flatMap(({ exports, file }) => [exports.default, exports.generateMetadata].map((fn) => ({ fn, file })));

  // Next internals: the module of a page's Server Actions exports each by its id, through a getter that names the user's module. `load(id)` has given it.
  // In 14 (next-flight-action-entry-loader.js) through a function that loads the user's module when it is called: the one that is asked for is loaded here,
  // just before. A promise if that module is one.
  function actionEntries(module, invocation, load, id) {
    const asked = invocation.req?.headers['next-action'] ?? Object.keys(module ?? {}).find((action) => asksFor(invocation, { action }));
    const factory = load.m?.[id];  // webpack's
    const late = factory && lateAction(Function.prototype.toString.call(factory), asked);
    if (!late) {
      return Object.entries(Object.getOwnPropertyDescriptors(module ?? {})).map(([action, { get, value }]) => ({
        fn: get ? module[action] : value,
        file: get && fileIn(Function.prototype.toString.call(get)),
        action,
      }));
    }
    const entry = (exports) => [{ fn: exports?.[late.name], file: late.file, action: late.action }];
    try {
      const exports = load(late.id);
      return typeof exports?.then === 'function' ? exports.then(entry, () => []) : entry(exports);
    } catch {
      return [];  // the action meets that too
    }
  }

  // `'1f3c…': () => Promise.resolve(…).then(__webpack_require__.bind(__webpack_require__, /*! … *\/ \"(rsc)/./app/actions.ts\")).then(mod => mod[\"sign\"])`
  function lateAction(text, action) {
    const from = text.indexOf(`'${action}': () =>`);
    const [, id, name] = /__webpack_require__, [^"]*?"([^"\\]+)\\?"\)\)\.then\(mod => mod\[\\?"([^"\\]+)\\?"\]/.exec(from < 0 ? '' : text.slice(from, from + 2000)) ?? [];
    return id && { action, id, name, file: fileOfId(id) };
  }

  // Of the Server Actions of a page those that were asked for: by header, or by a field of the form.
  function asksFor(invocation, { action }) {
    return invocation.req.headers['next-action'] === action || (invocation.bodyText?.() ?? '').includes(action);
  }

  // All of it is over; before `done` is told. Whether something in reach is not as it was.
  function stateEnds(invocation) {
    return invocation.stateBefore ? tellState(invocation, false) : false;
  }

  function tellState(invocation, isOpen) {
    return guard('module state', () => {
      const { stateBindings: bindings, stateBefore: before } = invocation;
      const after = look(bindings);
      const { asked, given } = wordsOf(invocation);
      const seen = [];
      // Of more than these nobody knows.
      const isTouched = bindings.length >= kMostBindings || bindings.some((_, i) => after[i].print !== before[i].print);
      const isForm = invocation.stateEntries.some(({ action }) => action !== undefined);
      const inReach = isForm && new Set(bindingsOf(invocation.stateEntries.filter((one) => asksFor(invocation, one))).map((one) => `${one.file}\n${one.name}`));
      bindings.forEach((binding, i) => {
        if (inReach && !inReach.has(`${binding.file}\n${binding.name}`)) return;
        const changed = after[i].print !== before[i].print;
        if (!after[i].kind && !before[i].kind) return;
        const { kind } = after[i].kind ? after[i] : before[i];
        if (kind === 'constant') return;
        const wrote = after[i].keys.filter((key) => after[i].values.get(key) !== before[i].values.get(key));
        const values = wrote.flatMap((key) => [key, after[i].bare.get(key), ...textsOf(after[i].held.get(key))]);
        seen.push({
          name: binding.name,
          file: binding.file ?? '',
          binding,
          kind,
          before: before[i].size,
          after: after[i].size,
          changed,
          unread: !isRead(binding.uses),
          counts: wrote.length === 1 && isCount(wrote[0], before[i], after[i]),
          from_request: changed && values.some((value) => given.has(value)),
          by_client: wrote.some((key) => key.length > 2 && clientOf(invocation).has(key)),
          // What is there, and with which value.
          had: hadIn(before[i]),
          wrote: wrote.slice(0, kMostKeys).flatMap((key) => [...(before[i].values.has(key) ? [] : names(after[i], key)), pair(after[i], key)]),
        });
      });
      if (seen.length === 0) return isTouched;
      for (const one of seen) {
        one.at = placeOf(one.binding);
        delete one.binding;
      }
      tell({ t: 'state', id: invocation.id, method: isForm || isAction(invocation) ? 'ACTION' : invocation.req.method, open: isOpen, asked: [...asked].slice(0, kMostAsked).map(digest), seen });
      return isTouched;
    });
  }

  // Of what is as it was the last time: the same list.
  const lists = new Map();  // print → list
  function hadIn(look) {
    let list = lists.get(look.print);
    if (list) return list;
    list = [];
    for (const key of look.keys.slice(0, kMostKeys)) list.push(...names(look, key), pair(look, key));
    if (lists.size >= kMostBindings) lists.delete(lists.keys().next().value);
    lists.set(look.print, list);
    return list;
  }

  const pair = ({ values }, key) => digest(`${key}\n${values.get(key)}`);
  const names = ({ bare }, key) => (bare.has(key) ? [digest(key), digest(bare.get(key))] : [digest(key)]);

  // Next sends what a Server Action is asked with the id of the action.
  const isAction = ({ req }) => req.headers['next-action'] !== undefined;

  // ---- What a value is ---------------------------------------------------------------------------------------------------------------

  // {kind, size, keys, values: key → text, held: key → value, print}: enough to tell what was added, none of it leaves this process in clear.
  function look(bindings) {
    return read(bindings).map((value) => lookAt(value));
  }

  function lookAt(value) {
    const out = { kind: '', size: 0, keys: [], values: new Map(), held: new Map(), bare: new Map(), numbers: new Map(), print: '' };
    if (value === undefined || typeof value === 'function' || typeof value === 'symbol') return out;
    if (value === null || typeof value !== 'object') {
      out.kind = typeof value === 'number' ? 'number' : 'value';
      out.print = `${typeof value}:${value}`;
      put(out, String(value).slice(0, kLongest), value);
      if (typeof value === 'number') out.numbers.set('', value);
      out.size = value === null || value === '' || value === false ? 0 : 1;
      return out;
    }
    contents(out, '', value, 2, new Set());
    out.size = out.keys.length;
    out.print = out.keys.map((key) => `${key}=${out.values.get(key)}`).join('\n');
    return out;
  }

  // Entries of what holds entries; the containers in the fields of objects and of instances of classes.
  function contents(out, prefix, value, depth, met) {
    if (met.has(value) || out.keys.length >= 4 * kMostKeys || util.types.isProxy(value)) return;
    met.add(value);
    const kind = kindOf(value);
    if (kind === 'map') {
      out.kind ||= kind;
      for (const [key, held] of Map.prototype.entries.call(value)) put(out, prefix + keyText(key), held, keyText(key));
    } else if (kind === 'set') {
      out.kind ||= kind;
      for (const held of Set.prototype.values.call(value)) put(out, prefix + keyText(held), held, keyText(held));
    } else if (kind === 'array') {
      out.kind ||= kind;
      for (let i = 0; i < value.length && i < 4 * kMostKeys; i++) {
        const own = Object.getOwnPropertyDescriptor(value, i);
        if (own && 'value' in own) put(out, prefix + elementText(own.value), own.value, elementText(own.value));
      }
    } else if (kind === 'emitter') {
      out.kind ||= kind;
      for (const name of EventEmitter.prototype.eventNames.call(value)) {
        EventEmitter.prototype.rawListeners.call(value, name).forEach((listener, i) => put(out, `${prefix}${String(name)} listener ${i}`, listener));
      }
    } else if (kind === 'object' || kind === 'instance') {
      for (const [key, { value: held }] of dataOf(value)) {
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

  // `bare`: the key alone, without the field that holds the collection.
  function put(out, key, value, bare = key) {
    if (out.keys.length >= 4 * kMostKeys) return;
    out.keys.push(key);
    if (bare !== key) out.bare.set(key, bare);
    if (typeof value === 'number') out.numbers.set(key, value);
    out.held.set(key, value);
    out.values.set(key, textOf(value));
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
    if (kind === 'map') for (const [key, held] of Map.prototype.entries.call(value)) texts.push(keyText(key)), leaves(held, texts, depth - 1);
    else if (kind === 'set') for (const held of Set.prototype.values.call(value)) leaves(held, texts, depth - 1);
    else if (kind !== '') for (const [, { value: held }] of dataOf(value)) leaves(held, texts, depth - 1);
  }

  let numbered = 0;
  const numbers = new WeakMap();  // objects as keys: who they are in this process
  function keyText(key) {
    if (key === null || (typeof key !== 'object' && typeof key !== 'function')) return String(key).slice(0, kLongest);
    if (!numbers.has(key)) numbers.set(key, `${options.instance ?? 'middleware'} object ${++numbered}`);
    return numbers.get(key);
  }

  // Elements of arrays have no name but what they are.
  function elementText(value) {
    const texts = [];
    leaves(value, texts, 3);
    return texts.length > 0 ? texts.join('\n') : keyText(value);
  }

  // A variable that is a number has one entry, its value; a field keeps its name.
  function isCount(key, before, after) {
    const [from, to] = [before, after].map(({ numbers }) => numbers.get(key) ?? numbers.get(''));
    return Number.isInteger(from) && to === from + 1;
  }

  // 53 bits of a text, the same in every instance (a hash of Bob Jenkins' kind, two halves that are mixed): nobody is to be kept from guessing a key, but
  // none is written down.
  function digest(text) {
    if (text.length === 0) return '';
    let a = 0xdeadbeef;
    let b = 0x41c6ce57;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      a = Math.imul(a ^ code, 2654435761);
      b = Math.imul(b ^ code, 1597334677);
    }
    a = Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909);
    b = Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(a ^ (a >>> 13), 3266489909);
    return (4294967296 * (2097151 & b) + (a >>> 0)).toString(36);
  }

  // ---- What a request asks for ---------------------------------------------------------------------------------------------------------

  // The body as it arrives: seen, not taken.
  function watchBody(req) {
    const parts = [];
    let size = 0;
    const { push } = req;
    const take = (chunk) => {
      parts.push(Buffer.from(chunk));
      size += chunk.length;
    };
    Object.defineProperty(req, 'push', {
      configurable: true,
      writable: true,
      value(chunk, ...rest) {
        if (chunk && size < kMostText) guard('module state', () => take(chunk));
        return Reflect.apply(push, this, [chunk, ...rest]);
      },
    });
    return () => Buffer.concat(parts).toString('utf8').slice(0, kMostText);
  }

  // Words that the request names, but for those that every request of the route has: of its path, query, cookies and body. `given`: what it
  // brings along.
  function wordsOf(invocation) {
    const { req, page = '' } = invocation;
    const asked = new Set();
    const given = new Set();
    const ofRoute = new Set(page.split('/'));
    const add = (set) => (text) => {
      const word = String(text).trim().slice(0, kLongest);
      if (word.length > 0 && set.size < 4 * kMostAsked) set.add(word);
    };
    const [pathname, query = ''] = (req.url ?? '').split('?');
    for (const part of pathname.split('/').filter((one) => one !== '' && !ofRoute.has(one))) add(asked)(decoded(part));
    for (const pair of (req.headers.cookie ?? '').split(';')) add(asked)(decoded(pair.slice(pair.indexOf('=') + 1)));
    for (const [, value] of new URLSearchParams(query)) add(given)(value);
    const body = invocation.bodyText?.() ?? '';
    if (body.length > 0) wordsOfBody(body, req.headers['content-type'] ?? '', add(given));
    for (const word of invocation.brings ?? []) add(given)(decoded(word));
    for (const word of given) add(asked)(word);
    for (const word of given) if (word.length < 2 || /^(true|false|null|undefined)$/.test(word)) given.delete(word);
    return { asked, given };
  }

  function wordsOfBody(body, type, add) {
    try {
      const texts = [];
      leaves(JSON.parse(body), texts, 6);
      return texts.forEach(add);
    } catch {
      // another form
    }
    if (/urlencoded/.test(type)) for (const [, value] of new URLSearchParams(body)) add(value);
    else if (/multipart/.test(type)) for (const [, value] of body.matchAll(/name="[^"]*"\r\n\r\n([^\r]*)\r\n/g)) add(value);
    else add(body);
  }

  // What names the visitor: a limiter counts by it.
  function clientOf({ req }) {
    return new Set([req.headers['x-forwarded-for'], req.headers['x-real-ip'], req.socket?.remoteAddress].filter(Boolean).map(String));
  }

  // ---- Where it is written -------------------------------------------------------------------------------------------------------------

  // Next 14 and 15 name with webpack what was compiled: whose text that is, its modules say.
  function fileOf(file) {
    if (!file) return undefined;
    const named = path.resolve(boot.options.dir, file.replace(/^\[project\]\//, ''));
    const { distDir } = sim.server ?? {};
    if (distDir && named.startsWith(path.resolve(boot.options.dir, distDir) + path.sep)) return undefined;
    return path.relative(boot.options.dir, named);
  }

  const places = new Map();
  // "lib/rooms.ts:3:7", by the name in the source.
  function placeOf({ name, file, global, owner, key }) {
    const id = `${file}\n${name}`;
    if (!places.has(id)) places.set(id, findPlace(name, file, global, owner && key));
    return places.get(id);
  }

  function findPlace(name, file, global, member) {
    if (!file) return '';
    let text;
    try {
      text = fs.readFileSync(path.join(boot.options.dir, file), 'utf8');
    } catch {
      return file;
    }
    const escaped = (member ?? global ?? name).replace(/[$]/g, '\\$&');
    const patterns = member !== undefined ? [new RegExp(`(static\\s+(?:readonly\\s+)?#?)(${escaped})(?![\\w$])`)] :
      global !== undefined ? [new RegExp(`(\\.)(${escaped})(?![\\w$])`)] :
      [new RegExp(`((?:let|const|var|class|function)\\s+)(${escaped})(?![\\w$])`), new RegExp(`((?:let|const|var)\\s[^;\\n]*?[^\\w$.])(${escaped})(?![\\w$])`)];
    for (const pattern of patterns) {
      const found = pattern.exec(text);
      if (!found) continue;
      const lines = text.slice(0, found.index + found[1].length).split('\n');
      return `${file}:${lines.length}:${lines.at(-1).length + 1}`;
    }
    return file;
  }

  return { actionEntries, handlerIn, pageEntries, prepareState, stateBegins, stateEnds, watchBody };
};
