'use strict';
// What a function of the user's code can reach at the top of modules: the variables its text names, and those that the functions it names name in
// turn. Read from outside by V8's inspector (its Runtime domain only): user code is not changed, no getter of it is called, no value is copied.
// Only what the bundler has compiled is looked into: a client of a package that Node loads itself leads to hundreds of functions of others.

const { Session } = require('node:inspector');

const kLongestText = 200_000;  // of a function: longer ones are whole bundles of packages, and V8 tells the text of each
const kMostFunctions = 300;
const kMostNames = 400;  // of one scope
const kMostProperties = 1000;  // of one value

const { escaped, fileOfText, isBundlers, isConst, isMember, isNamespace, isNotUsers, kHandlers, kRequire, moduleOf, modulesIn, usersFile, webpackFile } = require('../next/chunks.cjs');
const { readsIn } = require('./state-reads.cjs');

module.exports = function (sim) {
  let session;
  let taken;
  const bundles = new Map();  // id of a script that the bundler has made → {text, modules: [[line, name, from]]}

  let kept;  // what a template has asked for its copies: {session, ids: function → its name there}

  // In a template, of what its copies will look at: half of a look is to open a session and to name the functions to it.
  function keepForCopies(bindings) {
    forgetKept();
    const fns = functionsOf(bindings);
    if (fns.length === 0) return;
    kept = { session: opened(), ids: new Map() };
    const named = look(() => namesOf(fns));
    fns.forEach((fn, i) => named[i] !== undefined && kept.ids.set(fn, named[i]));
  }

  // In a copy, of its first request: nothing of the user's has run in it but what had run in its template.
  const isAsKept = () => kept !== undefined;

  function forgetKept() {
    kept?.session.disconnect();
    kept = undefined;
  }

  function opened() {
    const own = new Session();
    own.connect();
    return own;
  }

  // Nothing of the inspector stays open between two looks, but in a copy that has one request to serve: what it has shown would be kept alive.
  function look(action) {
    session = kept?.session ?? opened();
    Object.defineProperty(globalThis, Symbol.for('vsim.take'), { configurable: true, value: (...values) => void (taken = values) });
    try {
      return action();
    } finally {
      delete globalThis[Symbol.for('vsim.take')];
      delete globalThis[Symbol.for('vsim.look')];
      if (session !== kept?.session) session.disconnect();
      session = taken = undefined;
    }
  }

  function ask(method, params) {
    /** @type {Error | undefined} */
    let failed;
    /** @type {any} */
    let result;
    session.post(method, params, (error, given) => {
      failed = error;
      result = given;
    });
    if (failed) throw new Error(/** @type {Error} */ (failed).message);
    return result;
  }

  function idOf(value) {
    Object.defineProperty(globalThis, Symbol.for('vsim.look'), { configurable: true, value });
    return ask('Runtime.evaluate', { expression: 'globalThis[Symbol.for("vsim.look")]', objectGroup: 'vsim' }).result.objectId;
  }

  const propertiesOf = (objectId) => ask('Runtime.getProperties', { objectId, ownProperties: true });

  // Of many functions at once: each question that is evaluated costs more than what it asks for.
  function internalsOf(fns) {
    if (fns.length === 0) return [];
    const ids = fns.every((fn) => kept?.ids.has(fn)) ? fns.map((fn) => kept.ids.get(fn)) : namesOf(fns);
    return ids.map((id) => (id === undefined ? [] : propertiesOf(id).internalProperties ?? []));
  }

  // What the inspector calls them.
  function namesOf(fns) {
    const ids = new Map(propertiesOf(idOf(fns)).result.map((one) => [one.name, one.value?.objectId]));
    return fns.map((_, i) => ids.get(String(i)));
  }

  const internals = (fn) => internalsOf([fn])[0];

  const placeIn = (inner) => inner.find((one) => one.name === '[[FunctionLocation]]')?.value?.value;
  const scriptOf = (inner) => placeIn(inner)?.scriptId;

  // Each compiled file is one script, known by any function in it. webpack's modules are evaluated one by one: they have its require around them.
  function noteBundles() {
    const loaded = (sim.takeCompiled?.() ?? []).map((one) => ({ ...one, fn: functionIn(one.exports, 3) })).filter(({ fn }) => fn);
    internalsOf(loaded.map(({ fn }) => fn)).forEach((inner, i) => bundles.set(scriptOf(inner), { modules: modulesIn(loaded[i].text), text: loaded[i].text }));
  }

  // The module that a function is written in, as the bundler names it: "[project]/lib/x.ts [app-route] (ecmascript)"; undefined with webpack.
  const moduleAround = (inner) => moduleAt(inner)?.name;

  function moduleAt(inner) {
    const { scriptId, lineNumber } = placeIn(inner) ?? {};
    const { modules, text } = bundles.get(scriptId) ?? {};
    const at = modules?.findLastIndex(([line]) => line <= lineNumber) ?? -1;
    return at < 0 ? undefined : { name: modules[at][1], text: () => text.slice(modules[at][2], modules[at + 1]?.[2]) };
  }

  const isBundled = (inner, scopes) => bundles.has(scriptOf(inner)) || scopes.some(([, values]) => values.has(kRequire));

  function functionIn(value, depth) {
    if (typeof value === 'function') return value;
    if (value === null || typeof value !== 'object' || depth === 0) return undefined;
    for (const [, { value: held }] of dataOf(value)) {
      const found = functionIn(held, depth - 1);
      if (found) return found;
    }
    return undefined;
  }

  // For each function [[depth, Map of name → value]] of the closure scopes around it, innermost first. `isWanted(i, name, depth)`: of function i. Only within look().
  function scopesOfAll(inners, isWanted) {
    const ids = inners.map((inner) => inner.find((one) => one.name === '[[Scopes]]')?.value?.objectId);
    const lists = take(ids.filter((id) => id !== undefined));
    let at = 0;
    return ids.map((id, i) => (id === undefined ? [] : scopesIn(lists[at++], (name, depth) => isWanted(i, name, depth))));
  }

  // What V8 has made for the inspector is an object like any other: handed over, not told property by property, which costs the text of each function in it.
  function take([first, ...rest]) {
    if (first === undefined) return [];
    ask('Runtime.callFunctionOn', {
      objectId: first,
      functionDeclaration: 'function (...rest) { globalThis[Symbol.for("vsim.take")](this, ...rest); }',
      arguments: rest.map((objectId) => ({ objectId })),
    });
    return taken;
  }

  let isPassed = false;  // a scope has more names than are looked at

  // `list`: what V8 shows as [[Scopes]], {0: {description, object}, …}, the innermost first. `object`: a copy of the variables as they are now.
  function scopesIn(list, isWanted) {
    const scopes = [];
    for (let depth = 0; depth < list.length; depth++) {
      const { description, object } = list[depth];
      if (/^(Global|Script|With)/.test(description) || !isWanted(undefined, depth)) continue;
      const names = Object.getOwnPropertyNames(object);
      if (names.length > kMostNames) {
        isPassed = true;
        continue;
      }
      const wanted = names.filter((name) => name === kRequire || (!isBundlers(name) && isWanted(name, depth)));
      scopes.push([depth, new Map(wanted.map((name) => [name, valueIn(object, name)]))]);
    }
    return scopes;
  }

  function valueIn(object, name) {
    const value = Object.getOwnPropertyDescriptor(object, name)?.value;
    return typeof value === 'symbol' ? String(value) : value;
  }

  const requireIn = (scopes) => scopes.map(([, values]) => values.get(kRequire)).find(Boolean);

  // As a variable: not the field of something, but also behind the dots of a spread.
  const reference = (name) => `(?<![\\w$]|(?<!\\.\\.)\\.)${escaped(name)}(?![\\w$])`;
  const variablesIn = (text) => new Set(text.match(/(?<![\w$]|(?<!\.\.)\.)[A-Za-z_$][\w$]*/g));

  // name of a namespace → what the text takes from it.
  function membersIn(text) {
    const members = new Map();
    for (const [, name, one, other] of text.matchAll(/(?<![\w$])([A-Za-z_$][\w$]*)(?:\["([^"]+)"\]|\.([\w$]+))/g)) {
      if (!isMember(name)) continue;
      if (!members.has(name)) members.set(name, new Set());
      members.get(name).add(one ?? other);
    }
    return members;
  }

  // [internals, scopes] of functions, with what their texts name.
  function examine(fns) {
    const inners = internalsOf(fns);
    const words = fns.map((fn) => variablesIn(Function.prototype.toString.call(fn)));
    return [inners, scopesOfAll(inners, (i, name) => name === undefined || words[i].has(name))];
  }

  // The data that `entry` reaches: [{name, file, fn, key?}]: read again by read(). `file`: the module as the bundler names it. `isWhole`: it reaches no more.
  function reach(entry, entryFile, mostFunctions = kMostFunctions) {
    return look(() => {
      const found = new Map();  // file + name → binding
      const seen = new Set();
      noteBundles();
      isPassed = false;
      const [[its], [around]] = examine([entry]);
      const isAny = !isBundled(its, around);  // functions are not told apart where the entry itself is of no known script
      let queue = [{ fn: entry, file: entryFile }];
      const enter = (fn, file) => {
        if (typeof fn === 'function' && !seen.has(fn) && seen.size < mostFunctions && isText(fn)) queue.push({ fn, file });
      };
      while (queue.length > 0) {
        const wave = [];
        for (const one of queue) if (!seen.has(one.fn) && seen.size < mostFunctions) wave.push(one), seen.add(one.fn);
        queue = [];
        const [inners, scopes] = examine(wave.map(({ fn }) => fn));
        wave.forEach((one, i) => visit(one, inners[i], scopes[i]));
      }
      return { bindings: [...found.values()], isWhole: seen.size < mostFunctions && !isPassed };

      function visit({ fn, file: named }, inner, scopes) {
        if (!isAny && !isBundled(inner, scopes)) return;
        const text = Function.prototype.toString.call(fn);
        const members = membersIn(text);
        const load = requireIn(scopes);
        const module = moduleAt(inner);
        const file = usersFile(module?.name) ?? named ?? (load?.m && fileOfText(text, load.m));
        for (const [depth, values] of scopes) {
          for (const [name, value] of values) {
            if (name === kRequire) continue;
            if (isNamespace(name)) namespace(name, value, text, members.get(name) ?? [], moduleOf(name) ?? webpackFile(name, file, load));
            else meet(name, value, { file, fn, depth, held: value !== undefined && isConst(name, file, module?.text(), load) ? value : undefined }, text, reference(name));
          }
        }
        for (const name of globalsOf(text)) {
          const value = Object.getOwnPropertyDescriptor(globalThis, name)?.value;
          add(found, { name: `globalThis.${name}`, file, global: name }, readsIn(text, `(?:globalThis|global)(?:\\.${escaped(name)}(?![\\w$])|\\["${escaped(name)}"\\])`, value));
        }
        if (isClass(fn, text)) statics(fn, text, file);
      }

      function namespace(name, value, text, keys, file) {
        if (file === undefined || isNotUsers(file) || value === null || typeof value !== 'object') return;
        for (const key of keys) meet(key, exportOf(value, key), { file, ns: value, key }, text, `${escaped(name)}(?:\\["${escaped(key)}"\\]|\\.${escaped(key)}(?![\\w$]))`);
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

      // Those that are there, and those that its text makes: a field that is only declared is left out by some compilers.
      function statics(fn, text, file) {
        const [, own] = /^class\s+([\w$]+)/.exec(text) ?? [];  // its `name` may be a field of the user's
        const made = own ? text.matchAll(new RegExp(`${reference(own)}\\.([\\w$]+)\\s*(?:\\?\\?=|\\|\\|=|=(?![=>]))`, 'g')) : [];
        for (const [, key] of made) if (!Object.hasOwn(fn, key)) add(found, { name: `${own}.${key}`, file, owner: fn, key }, { isRead: true });
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

  const isAsked = ({ fn, held }) => fn !== undefined && held === undefined;
  const functionsOf = (bindings) => [...new Set(bindings.filter(isAsked).map(({ fn }) => fn))];

  // The values of bindings now, in their order.
  function read(bindings) {
    const asked = new Map();  // fn → depths, and names there, of what is not held
    for (const { fn, depth, name } of bindings.filter(isAsked)) {
      if (!asked.has(fn)) asked.set(fn, new Set());
      asked.get(fn).add(depth).add(`${depth} ${name}`);
    }
    const fns = [...asked.keys()];
    const names = [...asked.values()];
    const isWanted = (i, name, depth) => names[i].has(name === undefined ? depth : `${depth} ${name}`);
    const scopes = new Map();
    if (fns.length > 0) look(() => scopesOfAll(internalsOf(fns), isWanted).forEach((one, i) => scopes.set(fns[i], new Map(one))));
    return bindings.map((one) => {
      if (one.held !== undefined) return one.held;
      if (one.global !== undefined) return Object.getOwnPropertyDescriptor(globalThis, one.global)?.value;
      if (one.owner !== undefined) return Object.getOwnPropertyDescriptor(one.owner, one.key)?.value;
      if (one.ns !== undefined) return exportOf(one.ns, one.key);
      return scopes.get(one.fn)?.get(one.depth)?.get(one.name);
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

  const isNative = (fn) => isNativeText(Function.prototype.toString.call(fn));
  const isNativeText = (text) => text.length < 1000 && /\{\s*\[native code\]\s*\}$/.test(text);
  const isText = (fn) => {
    const text = Function.prototype.toString.call(fn);
    return text.length <= kLongestText && !isNativeText(text);
  };
  const isClass = (fn, text) => text.startsWith('class') && typeof fn.prototype === 'object';

  // Of a class that the user wrote: where it stands tells, not what its module imports. Only within look().
  function isUsers(maker) {
    const text = Function.prototype.toString.call(maker);
    if (isNative(maker) || !/^class\b/.test(text)) return false;
    const [[inner], [scopes]] = examine([maker]);
    const name = moduleAround(inner);
    if (name !== undefined) return usersFile(name) !== undefined;
    const load = requireIn(scopes);
    return load?.m ? fileOfText(text, load.m) !== undefined : isBundled(inner, scopes);
  }

  // The user's function, which the adapter of middleware names.
  function handlerIn(adapter) {
    return look(() => {
      const [scopes] = scopesOfAll([internals(adapter)], (_, name) => name === undefined || kHandlers.includes(name));
      for (const [, values] of scopes)
        for (const name of kHandlers) if (typeof values.get(name) === 'function') return values.get(name);
      return undefined;
    });
  }

  return { reach, read, dataOf, handlerIn, keepForCopies, isAsKept, forgetKept };
};

// Own data properties, the first ones: no getter is called. Of bytes none: a buffer of some megabytes has a property for each.
/** @returns {[string, PropertyDescriptor][]} */
function dataOf(value) {
  if (ArrayBuffer.isView(value)) return [];
  const isLong = Array.isArray(value) && value.length > kMostProperties;
  const names = isLong ? Array.from({ length: kMostProperties }, (_, i) => String(i)) : Object.getOwnPropertyNames(value).slice(0, kMostProperties);
  return names.map((name) => /** @type {[string, PropertyDescriptor]} */ ([name, Object.getOwnPropertyDescriptor(value, name)])).filter(([, one]) => one && 'value' in one);
}
