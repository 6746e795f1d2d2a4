'use strict';
// What a function of the user's code can reach at the top of modules: the variables its text names, and those that the functions it names name in
// turn. Read from outside by V8's inspector (its Runtime domain only): user code is not changed, no getter of it is called, no value is copied.
// Only what the bundler has compiled is looked into: a client of a package that Node loads itself leads to hundreds of functions of others.

const { Session } = require('node:inspector');

const kMostFunctions = 300;
const kMostNames = 400;  // of one scope
const kMostProperties = 1000;  // of one value
const kNamespace = /^__TURBOPACK__imported__module__|__WEBPACK_(IMPORTED|EXTERNAL)_MODULE_/;
const kNotUsers = /node_modules|\[externals\]|\/next\/dist\/|^next\/|compiled\/react|<builtin>/;
const kBundlers = /^(__turbopack_|__TURBOPACK__(?!imported__module__)|__webpack_|__unused|module$|exports$|require$|__dirname$|__filename$|this$)/;
const kRequire = '__webpack_require__';
const kTake = Symbol('vsim.take');

const { readsIn } = require('./state-reads.cjs');

module.exports = function (sim) {
  let session;
  let taken;
  const bundles = new Map();  // id of a script that the bundler has made → its modules, [[line, name]]

  // Nothing of the inspector stays open between two looks.
  function look(action) {
    session = new Session();
    session.connect();
    Object.defineProperty(globalThis, kTake, { configurable: true, value: (...values) => void (taken = values) });
    Object.defineProperty(globalThis, Symbol.for('vsim.take'), { configurable: true, value: globalThis[kTake] });
    try {
      return action();
    } finally {
      delete globalThis[kTake];
      delete globalThis[Symbol.for('vsim.take')];
      delete globalThis[Symbol.for('vsim.look')];
      session.disconnect();
      session = taken = undefined;
    }
  }

  function ask(method, params) {
    let failed;
    let result;
    session.post(method, params, (error, given) => {
      failed = error;
      result = given;
    });
    if (failed) throw new Error(failed.message);
    return result;
  }

  function idOf(value) {
    Object.defineProperty(globalThis, Symbol.for('vsim.look'), { configurable: true, value });
    return ask('Runtime.evaluate', { expression: 'globalThis[Symbol.for("vsim.look")]', objectGroup: 'vsim' }).result.objectId;
  }

  function internals(fn) {
    return ask('Runtime.getProperties', { objectId: idOf(fn), ownProperties: true }).internalProperties ?? [];
  }

  const placeIn = (inner) => inner.find((one) => one.name === '[[FunctionLocation]]')?.value?.value;
  const scriptOf = (inner) => placeIn(inner)?.scriptId;

  // Each compiled file is one script, known by any function in it. webpack's modules are evaluated one by one: they have its require around them.
  function noteBundles() {
    for (const loaded of sim.takeCompiled?.() ?? []) {
      const fn = functionIn(loaded.exports, 3);
      if (fn) bundles.set(scriptOf(internals(fn)), modulesIn(loaded.text));
    }
  }

  // Next internals: in a chunk of Turbopack's each module begins with a line like `"[project]/lib/x.ts [app-route] (ecmascript)", ((__turbopack_context__…`.
  function modulesIn(text) {
    const modules = [];
    let line = 0;
    let from = 0;
    for (const { 1: name, index } of String(text).matchAll(/^"(\[[^"\n]*)"\s*[,:]\s*\(/gm)) {
      for (let at = text.indexOf('\n', from); at >= 0 && at < index; at = text.indexOf('\n', from)) line++, from = at + 1;
      modules.push([line, name]);
    }
    return modules;
  }

  // The module that a function is written in, as the bundler names it: "[project]/lib/x.ts [app-route] (ecmascript)"; undefined with webpack.
  function moduleAround(inner) {
    const { scriptId, lineNumber } = placeIn(inner) ?? {};
    return bundles.get(scriptId)?.findLast(([line]) => line <= lineNumber)?.[1];
  }

  const isBundled = (inner, scopes) => bundles.has(scriptOf(inner)) || scopes.some((scope) => scope.has(kRequire));

  function functionIn(value, depth) {
    if (typeof value === 'function') return value;
    if (value === null || typeof value !== 'object' || depth === 0) return undefined;
    for (const [, { value: held }] of dataOf(value)) {
      const found = functionIn(held, depth - 1);
      if (found) return found;
    }
    return undefined;
  }

  // [Map of name → value] of the closure scopes around a function, innermost first. Only within look().
  function scopesOf(fn) {
    return scopesIn(internals(fn));
  }

  function scopesIn(inner) {
    const list = inner.find((one) => one.name === '[[Scopes]]')?.value?.objectId;
    if (list === undefined) return [];
    const scopes = [];
    for (const { value } of ask('Runtime.getProperties', { objectId: list, ownProperties: true }).result) {
      if (!value?.objectId || /^(Global|Script|With)/.test(value.description ?? '')) continue;
      const found = ask('Runtime.getProperties', { objectId: value.objectId, ownProperties: true }).result;
      if (found.length > kMostNames) continue;
      const names = found.filter((one) => one.value !== undefined && (one.name === kRequire || !kBundlers.test(one.name)));
      const objects = names.filter((one) => one.value.objectId !== undefined);
      taken = [];
      if (objects.length > 0) {
        const [first, ...rest] = objects;
        ask('Runtime.callFunctionOn', {
          objectId: first.value.objectId,
          functionDeclaration: 'function (...rest) { globalThis[Symbol.for("vsim.take")](this, ...rest); }',
          arguments: rest.map((one) => ({ objectId: one.value.objectId })),
        });
      }
      const values = new Map();
      objects.forEach((one, i) => values.set(one.name, taken[i]));
      for (const one of names) if (one.value.objectId === undefined) values.set(one.name, primitive(one.value));
      scopes.push(values);
    }
    return scopes;
  }

  function primitive({ type, value, unserializableValue, description }) {
    if (type === 'bigint' || type === 'symbol') return description;
    return unserializableValue !== undefined ? Number(unserializableValue) : value;
  }

  // Next internals: how Turbopack names a module in its code, `$5b$project$5d2f$lib$2f$x$2e$ts__…` → "lib/x.ts"; undefined for webpack's names.
  function moduleOf(name) {
    const text = name
      .replace(/^__TURBOPACK__imported__module__/, '')
      .replace(/\$((?:[0-9a-f]{2})+)\$/g, (_, hex) => Buffer.from(hex, 'hex').toString('utf8'));
    const [, file] = /^\[project\]\/(.+?\.[cm]?[jt]sx?)(__|$|\s)/.exec(text) ?? [];
    return file;
  }

  // Next internals: webpack's modules are named by their files, and their text says which of them a namespace is:
  // `_lib_x__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(/*! @/lib/x *\/ \"(rsc)/./lib/x.ts\")`.
  function webpackFile(name, file, load) {
    const factories = load?.m;
    if (!file || !factories || !name.includes('__WEBPACK_IMPORTED_MODULE_')) return undefined;
    const own = Object.keys(factories).find((id) => id.replace(/^\([\w-]+\)\//, '') === `./${file}`);
    if (own === undefined) return undefined;
    const text = Function.prototype.toString.call(factories[own]);
    const from = text.search(new RegExp(`${escaped(name)}\\s*=`));
    const [, id] = /\\?"([^"\\]+)\\?"\)/.exec(from < 0 ? '' : text.slice(from, from + 1000)) ?? [];
    return id?.includes('node_modules') ? undefined : /^(?:\([\w-]+\)\/)?\.\/(.+)$/.exec(id ?? '')?.[1];
  }

  const escaped = (name) => name.replace(/[$]/g, '\\$&');
  // As a variable: not the field of something, but also behind the dots of a spread.
  const reference = (name) => `(?<![\\w$]|(?<!\\.\\.)\\.)${escaped(name)}(?![\\w$])`;
  const mentioned = (text, name) => new RegExp(reference(name)).test(text);

  // The data that `entry` reaches: [{name, file, fn, key?}]: read again by read(). `file`: the module as the bundler names it.
  function reach(entry, entryFile) {
    return look(() => {
      const found = new Map();  // file + name → binding
      const seen = new Set();
      noteBundles();
      const its = internals(entry);
      const isAny = !isBundled(its, scopesIn(its));  // functions are not told apart where the entry itself is of no known script
      const queue = [{ fn: entry, file: entryFile }];
      const enter = (fn, file) => {
        if (typeof fn === 'function' && !seen.has(fn) && seen.size < kMostFunctions && !isNative(fn)) queue.push({ fn, file });
      };
      while (queue.length > 0) {
        const { fn, file: named } = queue.pop();
        if (seen.has(fn)) continue;
        seen.add(fn);
        const inner = internals(fn);
        const file = usersFile(moduleAround(inner)) ?? named;
        const scopes = scopesIn(inner);
        if (!isAny && !isBundled(inner, scopes)) continue;
        const text = Function.prototype.toString.call(fn);
        const load = scopes.map((scope) => scope.get(kRequire)).find(Boolean);
        scopes.forEach((scope, depth) => {
          for (const [name, value] of scope) {
            if (name === kRequire || !mentioned(text, name)) continue;
            if (kNamespace.test(name)) namespace(name, value, text, moduleOf(name) ?? webpackFile(name, file, load));
            else meet(name, value, { file, fn, depth }, text, reference(name));
          }
        });
        for (const name of globalsOf(text)) {
          const value = Object.getOwnPropertyDescriptor(globalThis, name)?.value;
          add(found, { name: `globalThis.${name}`, file, global: name }, readsIn(text, `(?:globalThis|global)(?:\\.${escaped(name)}(?![\\w$])|\\["${escaped(name)}"\\])`, value));
        }
        if (isClass(fn, text)) statics(fn, file);
      }
      return [...found.values()];

      function namespace(name, value, text, file) {
        if (file === undefined || kNotUsers.test(file) || value === null || typeof value !== 'object') return;
        for (const [, one, other] of text.matchAll(new RegExp(`${escaped(name)}(?:\\["([^"]+)"\\]|\\.([\\w$]+))`, 'g'))) {
          const key = one ?? other;
          const exported = exportOf(value, key);
          meet(key, exported, { file, ns: value, key }, text, `${escaped(name)}(?:\\["${escaped(key)}"\\]|\\.${escaped(key)}(?![\\w$]))`);
        }
      }

      // `pattern`: a pattern for how `text` names it.
      function meet(name, value, where, text, pattern) {
        if (typeof value === 'function') return enter(value, where.file);
        add(found, { name, ...where }, readsIn(text, pattern, value));
        if (value === null || typeof value !== 'object') return;
        // Methods of an object, of a class or a factory: what they name is reached too.
        for (const [, { value: member }] of dataOf(value)) enter(member, where.file);
        const prototype = Object.getPrototypeOf(value);
        const maker = prototype && Object.getOwnPropertyDescriptor(prototype, 'constructor')?.value;
        if (typeof maker === 'function' && isUsers(maker)) enter(maker, where.file);
      }

      function statics(fn, file) {
        for (const [key, { value }] of dataOf(fn)) {
          if (['length', 'name', 'prototype'].includes(key)) continue;
          if (typeof value === 'function') enter(value, file);
          else add(found, { name: `${fn.name}.${key}`, file, owner: fn, key }, { isRead: true });
        }
      }
    });
  }

  function add(found, binding, uses) {
    const key = `${binding.file}\n${binding.name}`;
    if (!found.has(key)) found.set(key, { ...binding, uses: {} });
    for (const [use, is] of Object.entries(uses)) found.get(key).uses[use] ||= is;
  }

  // The values of bindings now, in their order.
  function read(bindings) {
    return look(() => {
      const scopes = new Map();
      return bindings.map((one) => {
        if (one.global !== undefined) return Object.getOwnPropertyDescriptor(globalThis, one.global)?.value;
        if (one.owner !== undefined) return Object.getOwnPropertyDescriptor(one.owner, one.key)?.value;
        if (one.ns !== undefined) return exportOf(one.ns, one.key);
        if (!scopes.has(one.fn)) scopes.set(one.fn, scopesOf(one.fn));
        return scopes.get(one.fn)[one.depth]?.get(one.name);
      });
    });
  }

  // Exports of a module are getters of the bundler's.
  function exportOf(ns, key) {
    try {
      return ns[key];
    } catch {
      return undefined;  // not evaluated yet
    }
  }

  const globals = new Set(Object.getOwnPropertyNames(globalThis));
  function globalsOf(text) {
    const names = new Set();
    for (const [, one, other] of text.matchAll(/(?:globalThis|global)(?:\.([\w$]+)|\["([^"]+)"\])/g)) {
      const name = one ?? other;
      if (!globals.has(name) && !name.startsWith('__')) names.add(name);
    }
    return names;
  }

  const isNative = (fn) => /\{\s*\[native code\]\s*\}$/.test(Function.prototype.toString.call(fn));
  const isClass = (fn, text) => text.startsWith('class') && typeof fn.prototype === 'object';

  // The file of a module's name if the user wrote it.
  function usersFile(name) {
    const [, file] = /^\[project\]\/(.+?\.[cm]?[jt]sx?)(?:\s|$)/.exec(name ?? '') ?? [];
    return file === undefined || kNotUsers.test(name) ? undefined : file;
  }

  // Of a class that the user wrote: where it stands tells, not what its module imports. Only within look().
  function isUsers(maker) {
    const text = Function.prototype.toString.call(maker);
    if (isNative(maker) || !/^class\b/.test(text)) return false;
    const inner = internals(maker);
    const name = moduleAround(inner);
    if (name !== undefined) return usersFile(name) !== undefined;
    const scopes = scopesIn(inner);
    const load = scopes.map((scope) => scope.get(kRequire)).find(Boolean);
    return load?.m ? isInUsersFactory(text, load.m) : isBundled(inner, scopes);
  }

  // webpack's modules in development are texts that are evaluated: the one that has the class in it is its module.
  function isInUsersFactory(text, factories) {
    const written = JSON.stringify(text).slice(1, -1);
    return Object.entries(factories).some(([id, factory]) => {
      const file = /^(?:\([\w-]+\)\/)?\.\/(.+)$/.exec(id)?.[1];
      return file !== undefined && !kNotUsers.test(file) && (isIn(factory, written) || isIn(factory, text));
    });
  }

  const isIn = (fn, text) => Function.prototype.toString.call(fn).includes(text);

  // Next internals: build/templates/middleware.js, whose default export names the user's function.
  function handlerIn(adapter) {
    return look(() => {
      for (const scope of scopesOf(adapter))
        for (const name of ['handlerUserland', 'handler']) if (typeof scope.get(name) === 'function') return scope.get(name);
      return undefined;
    });
  }

  // The user's file that a text of Turbopack's names.
  const fileIn = (text) => moduleOf(/__TURBOPACK__imported__module__[\w$]+/.exec(text)?.[0] ?? '');

  return { reach, read, dataOf, fileIn, handlerIn };
};

// Own data properties, the first ones: no getter is called. Of bytes none: a buffer of some megabytes has a property for each.
function dataOf(value) {
  if (ArrayBuffer.isView(value)) return [];
  const isLong = Array.isArray(value) && value.length > kMostProperties;
  const names = isLong ? Array.from({ length: kMostProperties }, (_, i) => String(i)) : Object.getOwnPropertyNames(value).slice(0, kMostProperties);
  return names.map((name) => [name, Object.getOwnPropertyDescriptor(value, name)]).filter(([, one]) => one && 'value' in one);
}
