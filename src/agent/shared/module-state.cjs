'use strict';
// What an invocation finds in the memory of the modules it reaches, and what it leaves there: told to vercel-sim, which knows what other instances hold
// (engine/state_ledger.hpp decides). Looked at when the user's handler begins and when all is over, and now and then while a response stays open. In next dev
// it is middleware that is looked at (middleware.cjs).

const fs = require('node:fs');
const path = require('node:path');
const { fileIn, lateAction } = require('../next/chunks.cjs');
const { actionOf } = require('../next/names.cjs');
const decoded = require('./decoded.cjs');

const kUsual = { bindings: 64, functions: 300 };
// Of what is prerendered: its instance is kept as long as all that it reaches is as it was, and a fresh one costs more than many looks.
const kPrerendered = { bindings: 1000, functions: 2000 };
const kMostAsked = 64;
const kMostText = 64 * 1024;
const kLongest = 128;
const kRehearsals = 5;
const kLooks = [150, 1000, 5000, 15000];  // ms after the begin of a handler that goes on
const kHandlerKinds = new Set(['APP_ROUTE', 'PAGES_API']);  // may stream to clients that modules keep; nothing of the user's runs before them
const kHeads = [2, 6, 12, 25, 50];  // ms until it is asked, and asked again, whether a stream has begun

module.exports = function (sim) {
  const { boot, guard, options, plain, tell } = sim;
  const { reach, read, dataOf, handlerIn, keepForCopies, isAsKept, forgetKept } = require('./scopes.cjs')(sim);
  const { isRead } = require('./state-reads.cjs');
  const { difference, holdsUnseen, isCount, keysIn, leaves, look, textsOf } = require('./state-looks.cjs')(options, dataOf);
  const { digest, digestsOf, isTold, tellAhead, variableOf, wasSteady } = require('./state-told.cjs')((binding) => placeOf(binding));
  const reached = new Map([kUsual, kPrerendered].map((most) => [most, new WeakMap()]));  // the user's function → bindings
  const wholes = new WeakSet();  // such bindings: all that the function reaches is among them
  const known = new WeakMap();  // function → isStateKnown()
  const prepared = [];  // bindings of a template's functions

  // The first look at a function costs some milliseconds: on the way of a warmed instance it has been taken before.
  function prepareState(entry, file, most = kUsual) {
    if (!isOn(entry)) return [];
    let bindings = reached.get(most)?.get(entry);
    if (!bindings) {
      const all = guard('module state', () => reach(entry, fileOf(file), most.functions));
      bindings = all?.bindings.slice(0, most.bindings) ?? [];
      if (all?.isWhole && all.bindings.length < most.bindings) wholes.add(bindings);
      reached.get(most)?.set(entry, bindings);
      if (options.isTemplate) prepared.push(bindings);
    }
    return bindings;
  }

  // Of what is as it was when it was looked at last, that look.
  function lookAgain(bindings) {
    const looks = look(read(bindings), bindings.map(({ last }) => last));
    for (let i = 0; i < looks.length; i++) if (bindings[i].last !== looks[i]) bindings[i].last = looks[i];
    return looks;
  }

  // Of what is told, as it is now. Of the rest of what a prerendered page reaches, as it was at the last look: what has changed since then counts as changed by the render.
  // And all that a copy's first request finds, where the handler is the first that runs of the user's (what a page exports may be called before it), its template has found.
  function lookBefore({ kind }, bindings) {
    const now = isAsKept() && kHandlerKinds.has(kind) ? 0 : kUsual.bindings;
    const rest = bindings.slice(now);
    const before = lookAgain(bindings.slice(0, now));
    return before.concat(rest.every(({ last }) => last) ? rest.map(({ last }) => last) : lookAgain(rest));
  }

  // In a template: what its copies will find, as long as it is so, is looked at and told here. Looked at several times, so that V8 has compiled by then what each copy
  // would else compile for itself.
  function prepareCopies() {
    for (let i = 0; i < kRehearsals; i++) for (const bindings of prepared) lookAgain(bindings);
    for (const bindings of prepared) {
      tellAhead(bindings.slice(0, kUsual.bindings), (each) =>
        tell({ t: 'variables', told: each.map(({ binding, words }) => ({ ...words, ...inWords(binding, binding.last, binding.last) })) }));
    }
    keepForCopies(prepared.flat());
  }

  function isOn(entry) {
    return typeof entry === 'function' && process.env.NODE_ENV !== 'production';
  }

  // The handler is about to be called. Nothing of it may reach the app.
  function stateBegins(invocation, entry, file = invocation.file) {
    if (invocation.isWarming || invocation.stateBefore || !invocation.req) return;
    guard('module state', () => {
      const entries = Array.isArray(entry) ? entry : [{ fn: entry, file }];
      const { isWhole, bindings } = allOf(entries, invocation.isStatic ? kPrerendered : kUsual);
      if (bindings.length === 0 && (isWhole || !invocation.isStatic)) return;
      // Of more than these nobody knows.
      invocation.isStateBeyond = invocation.isStatic ? !isWhole : bindings.length >= kUsual.bindings;
      invocation.stateEntries = entries;
      invocation.stateBindings = bindings;
      invocation.stateBefore = lookBefore(invocation, bindings);
      let at = 0;
      const next = () => {
        if (invocation.isClosed || at === kLooks.length) return;
        plain.setTimeout(() => {
          if (!invocation.isClosed) tellState(invocation, true);
          next();
        }, kLooks[at++]).unref();
      };
      next();
      if (kHandlerKinds.has(invocation.kind)) lookAtHead(invocation, 0);
    });
  }

  // Whoever hears the first bytes of a stream may ask for something at once, elsewhere: what the stream has put somewhere is told before.
  function lookAtHead(invocation, at) {
    plain.setTimeout(() => {
      const { isClosed, res } = invocation;
      if (isClosed || !res || res.writableEnded) return;
      if (res.headersSent) tellState(invocation, true);
      else if (at + 1 < kHeads.length) lookAtHead(invocation, at + 1);
    }, kHeads[at]).unref();
  }

  // Of several functions, each variable once.
  const bindingsOf = (entries) => allOf(entries, kUsual).bindings;

  function allOf(entries, most) {
    const each = entries.filter(({ fn }) => isOn(fn)).map(({ fn, file }) => prepareState(fn, file, most));
    const isWhole = each.every((bindings) => wholes.has(bindings));
    if (each.length === 1) return { isWhole, bindings: each[0] };
    const all = new Map();
    for (const one of each.flat()) if (!all.has(`${one.file}\n${one.name}`)) all.set(`${one.file}\n${one.name}`, one);
    return { isWhole: isWhole && all.size < most.bindings, bindings: [...all.values()].slice(0, most.bindings) };
  }

  // The functions of a page and its layouts. `segments`: [{exports, file}].
  const pageEntries = (segments) => segments.flatMap(({ exports, file }) => [exports.default, exports.generateMetadata].map((fn) => ({ fn, file })));

  // Of a page's Server Actions: `load(id)` has given their module. In 14 that loads the user's when an action is called: the one that is asked for is loaded
  // here, just before. A promise if that module is one.
  function actionEntries(module, invocation, load, id) {
    const asked = actionOf(invocation.req?.headers ?? {}) ?? Object.keys(module ?? {}).find((action) => asksFor(invocation, { action }));
    const late = lateAction(load.m?.[id], asked);
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

  // Of the Server Actions of a page those that were asked for: by header, or by a field of the form.
  function asksFor(invocation, { action }) {
    return actionOf(invocation.req.headers) === action || (invocation.bodyText?.() ?? '').includes(action);
  }

  // Whether what stateEnds() says of it is all that there is to say. Asked once, before it has been called.
  function isStateKnown(entry) {
    if (typeof entry !== 'function') return false;
    if (!known.has(entry)) known.set(entry, isWholeAndSeen(entry));
    return known.get(entry);
  }

  function isWholeAndSeen(entry) {
    const bindings = reached.get(kUsual)?.get(entry);
    return bindings !== undefined && wholes.has(bindings) && guard('module state', () => !read(bindings).some((value) => holdsUnseen(value))) === true;
  }

  // All of it is over; before `done` is told. Whether something in reach is not as it was.
  function stateEnds(invocation) {
    return invocation.stateBefore ? tellState(invocation, false) : false;
  }

  function tellState(invocation, isOpen) {
    return guard('module state', () => {
      // While it goes on, what is told counts; at its end, whether anything is another.
      const bindings = isOpen ? invocation.stateBindings.slice(0, kUsual.bindings) : invocation.stateBindings;
      const before = invocation.stateBefore.slice(0, bindings.length);
      const after = lookAgain(bindings);
      const { asked, given } = wordsOf(invocation);
      const seen = [];
      const differences = before.map((one, i) => difference(one, after[i]));
      const isTouched = invocation.isStateBeyond || differences.some(({ changed }) => changed);
      const client = isTouched ? clientOf(invocation) : new Set();
      const isForm = invocation.stateEntries.some(({ action }) => action !== undefined);
      const inReach = isForm && new Set(bindingsOf(invocation.stateEntries.filter((one) => asksFor(invocation, one))).map((one) => `${one.file}\n${one.name}`));
      bindings.slice(0, kUsual.bindings).forEach((binding, i) => {
        if (inReach && !inReach.has(`${binding.file}\n${binding.name}`)) return;
        if (!after[i].kind && !before[i].kind) return;
        const isSteady = before[i] === after[i] && before[i].large.length === 0;
        if (isSteady && isTold(binding, before[i])) return void seen.push(binding.number);
        seen.push({
          ...variableOf(binding, before[i]),
          ...inWords(binding, before[i], after[i]),
          ...(before[i].large.length + after[i].large.length > 0 ? { more: true, also: keysIn(after[i], asked).map(digest) } : {}),
          ...(differences[i].changed ? wroteWords(binding, before[i], after[i], differences[i], given, client) : {}),
        });
        if (isSteady) wasSteady(binding, before[i]);
      });
      if (seen.length === 0) return isTouched;
      tell({ t: 'state', id: invocation.id, method: isForm || isAction(invocation) ? 'ACTION' : invocation.req.method, open: isOpen, asked: [...asked].slice(0, kMostAsked).map(digest), seen });
      return isTouched;
    });
  }

  const inWords = (binding, before, after) => ({ kind: after.kind || before.kind, before: before.size, after: after.size, unread: !isRead(binding.uses) || undefined });

  function wroteWords(binding, before, after, { wrote, isNew }, given, client) {
    return {
      changed: true,
      counts: (wrote.length === 1 && isCount(before, after, wrote[0])) || undefined,
      from_request: wrote.some((i) => given.has(after.keys[i]) || given.has(after.bare[i]) || textsOf(after.held[i]).some((text) => given.has(text))) || undefined,
      by_client: wrote.some((i) => after.keys[i].length > 2 && client.has(after.keys[i])) || undefined,
      wrote: wrote.flatMap((i) => digestsOf(binding, after, i).slice(isNew(i) ? 0 : -1)),
    };
  }

  // Next sends what a Server Action is asked with the id of the action.
  const isAction = ({ req }) => actionOf(req.headers) !== undefined;

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

  return { actionEntries, forgetKept, handlerIn, isStateKnown, pageEntries, prepareCopies, prepareState, stateBegins, stateEnds, watchBody };
};
