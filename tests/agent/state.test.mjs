// What an instance tells of the memory of its modules, read as vercel-sim reads it: what is told as a difference comes to what is there.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { mock, test } from 'node:test';

const require = createRequire(import.meta.url);

// An app of one function, and what src/agent/state_reader.hpp makes of the lines about its variables. `isCopy`: a template has evaluated it.
function app(handler, isCopy = false, kind = undefined, { tell = (line) => line } = {}) {
  const told = [];
  const known = new Map();
  const sim = {
    boot: { options: { dir: '/' } }, guard: (_, action) => action(), options: { instance: isCopy ? 'template' : 'i1', isTemplate: isCopy }, plain: { setTimeout: () => ({ unref() {} }) }, tell: (line) => told.push(JSON.parse(JSON.stringify(tell(line)))),
  };
  let ahead = [];
  const { prepareCopies, prepareState, stateBegins, stateEnds } = require('../../src/agent/shared/module-state.cjs')(sim);
  if (isCopy) {
    prepareState(handler, 'app/api/a/route.ts');
    try {
      prepareCopies();
    } catch (error) {
      assert.equal(error.message, 'not told');
    }
    ahead = told.splice(0);
    assert.deepEqual(ahead.map(({ t }) => t), ahead.map(() => 'variables'));
    for (const variable of ahead.flatMap((line) => line.told)) read(variable);
    sim.options.instance = 'i1';
  }
  let id = 0;
  return {
    ahead: new Map(ahead.flatMap((line) => line.told).map((one) => [one.name, one])),
    ask(url = '/', body = '') {
      const invocation = { id: String(++id), file: 'app/api/a/route.ts', page: '/api/a/route', kind, req: { url, method: 'POST', headers: {} }, bodyText: () => body };
      stateBegins(invocation, handler);
      handler(new URL(url, 'http://localhost').searchParams);
      const isTouched = stateEnds(invocation);
      const lines = told.splice(0);
      assert.ok(lines.length <= 1);
      return { isTouched, seen: new Map((lines[0]?.seen ?? []).map(read)) };
    },
  };

  // A number alone: a variable that is as it was told last, from the beginning to the end.
  function read(told) {
    if (typeof told !== 'object') return [known.get(told).name, { ...known.get(told).rest, isFull: false, isNumber: true, bytes: JSON.stringify(told).length, had: [...known.get(told).had].sort() }];
    const { variable, name, had, gone = [], come = [], also = [], ...rest } = told;
    if (had) known.set(variable, { name, had: [...had] });
    const its = known.get(variable);
    const { kind, before, unread } = rest;
    its.rest = { kind, before, after: before, ...(unread && { unread }) };
    for (const one of gone) its.had.splice(its.had.indexOf(one), 1);
    its.had.push(...come);
    return [its.name, { ...rest, isFull: had !== undefined, bytes: JSON.stringify([had, gone, come]).length, had: [...its.had, ...also].sort() }];
  }
}

// What another process tells of the same value for the first time.
const inFull = (value) => app(Function('value', 'return () => value')(value)).ask().seen.get('value').had;

test('what is told as a difference comes to what is there', () => {
  const rooms = new Map(), log = [], names = new Set(), store = { byId: new Map(), tags: ['a', 'a'], count: 0 };
  let last;
  const steps = [
    () => rooms.set('a', { members: [1] }).set('b', 'x'),
    () => rooms.get('a').members.push(2),
    () => rooms.delete('b'),
    () => log.push('one', 'one', 'two'),
    () => log.shift(),
    () => names.add('a').add(7),
    () => store.byId.set('a', 1).set('b', 2),
    () => store.tags.push('a', 'b'),
    () => (store.count = 1),
    () => store.byId.delete('a'),
    () => (last = 'seven'),
    () => (last = 7),
    () => rooms.clear(),
    () => {},
  ];
  const { ask } = app(() => [rooms, log, names, store, last, steps.shift()?.()]);
  ask();
  while (steps.length > 0) {
    const expected = Object.fromEntries(Object.entries({ rooms, log, names, store }).map(([name, value]) => [name, inFull(value)]));
    const { seen } = ask();
    for (const [name, had] of Object.entries(expected)) {
      assert.deepEqual(seen.get(name).had, had, `${name} with ${steps.length} steps to go`);
      assert.equal(seen.get(name).isFull, false);
    }
  }
});

test('what is as it was costs nothing to tell, and what is new costs that', () => {
  const rooms = new Map(Array.from({ length: 200 }, (_, i) => [`room ${i}`, { members: i }]));
  const { ask } = app((query) => query.get('add') && rooms.set(query.get('add'), {}));
  assert.ok(ask().seen.get('rooms').bytes > 4000);
  assert.ok(ask().seen.get('rooms').bytes < 20);
  const added = ask('/?add=mine').seen.get('rooms');
  assert.equal(added.changed, true);
  assert.equal(added.from_request, true);
  assert.equal(added.wrote.length, 2);
  assert.ok(ask().seen.get('rooms').bytes < 60);
  assert.equal(ask().seen.get('rooms').changed, undefined);
});

test('what is as it was told, from the beginning to the end, is its number alone', () => {
  const rooms = new Map([['a', 1]]);
  const { ask } = app((query) => query.has('add') && rooms.set(query.get('add'), 1));
  const told = (url) => {
    const { before, after, changed = false, isNumber = false } = ask(url).seen.get('rooms');
    return [before, after, changed, isNumber];
  };
  assert.deepEqual(told(), [1, 1, false, false]);
  assert.deepEqual(told(), [1, 1, false, true]);
  assert.deepEqual(told('/?add=b'), [1, 2, true, false]);
  assert.deepEqual(told(), [2, 2, false, false]);
  assert.deepEqual(told(), [2, 2, false, true]);
  rooms.delete('a');  // between two requests
  assert.deepEqual(told(), [1, 1, false, false]);
  assert.deepEqual(told(), [1, 1, false, true]);
});

test('of a large collection the newest entries are looked at, and what the request asks for', () => {
  const many = new Map(Array.from({ length: 5000 }, (_, i) => [`key ${i}`, i]));
  const { ask } = app((query) => (query.has('set') ? many.set(query.get('set'), 1) : many.get(query.get('key'))));
  const first = ask('/?key=key 3').seen.get('many');
  assert.equal(first.more, true);
  assert.equal(first.had.length, 2 * 256 + 1);
  const missing = ask('/?key=none').seen.get('many');
  assert.equal(missing.had.length, 2 * 256);
  const { isTouched, seen } = ask('/?set=another');
  assert.equal(isTouched, true);
  assert.equal(seen.get('many').wrote.length, 2);
  assert.equal(seen.get('many').from_request, true);
  assert.equal(ask().isTouched, false);
});

test('of a large object, and of what holds large things, only what was asked for is known', () => {
  const notes = Object.fromEntries(Array.from({ length: 400 }, (_, i) => [`note ${i}`, i]));
  const store = { items: new Map(Array.from({ length: 300 }, (_, i) => [`item ${i}`, i])), count: 1 };
  const deep = { first: new Map(Array.from({ length: 300 }, (_, i) => [`a ${i}`, i])), rest: { rooms: new Map([['lobby', 1]]) } };
  const { ask } = app((query) => [query.has('note') && (notes[query.get('note')] = 1), store, deep]);
  const known = (word) => new Map([...ask(`/?key=${word}`).seen].map(([name, one]) => [name, one]));
  const without = known('nobody');
  for (const [word, name] of [['note 3', 'notes'], ['item 3', 'store'], ['count', 'store']]) {
    const seen = known(word).get(name);
    assert.equal(seen.more, true);
    assert.equal(seen.had.length, without.get(name).had.length + 1, word);
  }
  // What is deep below may be there: nobody is accused of missing it.
  assert.deepEqual([known('lobby').get('deep').had.length, without.get('deep').had.length], [2 * 256 + 256 + 1, 2 * 256 + 256 + 1]);
  const wrote = ask('/?note=mine').seen.get('notes');
  assert.equal(wrote.changed, true);
  assert.equal(wrote.from_request, true);
});

test('a getter for its size that the user has put there is not asked', () => {
  class Rooms extends Map {
    get size() { throw new Error('asked'); }
  }
  const rooms = new Rooms([['a', 1]]);
  const { ask } = app(() => rooms);
  assert.equal(ask().seen.get('rooms').had.length, 2);
});

test('no value leaves the process in clear', () => {
  const sessions = new Map([['secret-key', { token: 'secret-token' }]]);
  const { ask } = app((query) => sessions.set(query.get('key'), query.get('value')));
  const { seen } = ask('/?key=secret-new&value=secret-value');
  assert.ok(!JSON.stringify([...seen]).includes('secret'));
});

test('what is taken for as it was, would be found as it was', () => {
  const { dataOf } = require('../../src/agent/shared/scopes.cjs')({});
  const { look } = require('../../src/agent/shared/state-looks.cjs')({ instance: 'i1' }, dataOf);
  class Store {
    kept = new Map([['a', { lines: [{ amount: 1 }] }]]);
    names = new Set(['x']);
    put(key) { this.kept.set(key, 1); }
  }
  const key = {};
  const ring = { count: 1 };
  ring.self = ring;
  const values = [7, 'text', null, undefined, NaN, ring, new Store(), [1, [2, { deep: [3] }]], { a: { b: { c: { d: 1 } } } }, new Map([[key, 1], ['k', [1]]]), Object.create(null, { hidden: { value: 1, configurable: true } }),
    { get asked() { throw new Error('a getter was called'); } }, new Proxy({}, { ownKeys() { throw new Error('a trap was called'); } }), Object.assign([1], { named: 1 }), () => 1];
  const changes = [
    () => (ring.count = 2), () => ring.self.more = 1, () => delete ring.more, () => values[6].put('b'), () => values[6].kept.get('a').lines[0].amount++, () => values[6].names.add('y'), () => values[6].names.delete('x'),
    () => values[7][1][1].deep.push(4), () => (values[7][1][1].deep.length = 0), () => (values[8].a.b.c.d = 2), () => (values[8].a = { b: { c: { d: 2 } } }), () => values[9].get('k').push(2), () => values[9].set(key, 2), () => values[9].delete(key).valueOf(),
    () => Object.defineProperty(values[10], 'hidden', { value: 2, configurable: true }), () => Object.defineProperty(values[8].a, 'b', { get() { throw new Error('a getter was called'); }, configurable: true }), () => (values[13].named = 2),
    () => (values[0] = 8), () => (values[3] = 'there'), () => (values[1] = 'other'), () => (values[5] = { ...ring, self: ring }), () => Object.setPrototypeOf(values[6], null), () => {},
  ];
  const inWords = (looks) => looks.map(({ kind, type, size, keys, texts, bare }) => ({ kind, type, size, keys, texts, bare }));
  let before = look(values);
  for (const change of changes) {
    assert.deepEqual(look(values, before).map((one, i) => one === before[i]), before.map(({ trail }) => trail !== undefined));
    change();
    const after = look(values, before);
    assert.deepEqual(inWords(after), inWords(look(values)), String(change));
    before = after;
  }
});

test('what a template has told its copies do not tell again, and each tells what is another one there', () => {
  const rooms = new Map([['a', { members: [1] }], ['b', 'x']]);
  const byObject = new Map([[rooms, 1]]);
  const log = ['one'];
  const make = () => app((query) => (query.has('add') ? rooms.set(query.get('add'), 1) : query.has('log') && log.push(query.get('log')), byObject), true);
  const first = make();
  const again = first.ask().seen;
  for (const [name, value] of Object.entries({ rooms, log })) {
    assert.deepEqual([...first.ahead.get(name).had].sort(), inFull(value));
    assert.equal(again.get(name).isNumber, true);
    assert.deepEqual(again.get(name).had, inFull(value));
  }
  assert.deepEqual([again.get('rooms').kind, again.get('rooms').before, again.get('rooms').after], ['map', 2, 2]);
  // The number of an object as a key is this process's own.
  assert.equal(first.ahead.has('byObject'), false);
  assert.equal(again.get('byObject').isFull, true);
  assert.deepEqual(again.get('byObject').had, inFull(byObject));
  const added = first.ask('/?add=c').seen.get('rooms');
  assert.deepEqual([added.changed, added.had.length, added.wrote.length], [true, 4, 2]);
  assert.deepEqual(first.ask().seen.get('rooms').had, inFull(rooms));
  const second = make();
  log.push('since');  // as by what a copy does before its first request
  assert.deepEqual(second.ask('/?log=two').seen.get('log').had, inFull(['one', 'since']));
  assert.deepEqual(second.ask().seen.get('log').had, inFull(log));
});

test('what a template could not tell its copies tell in full', () => {
  const rooms = new Map([['a', 1]]);
  const tell = (line) => {
    if (line.t === 'variables') throw new Error('not told');
    return line;
  };
  const { ahead, ask } = app(() => rooms, true, undefined, { tell });
  assert.equal(ahead.size, 0);
  const { isFull, had } = ask().seen.get('rooms');
  assert.deepEqual([isFull, had], [true, inFull(rooms)]);
});

test('the first request of a copy of a route finds what its template has found, and is not looked at for that', () => {
  const { Session } = require('node:inspector');
  const log = ['one'];
  const of = (kind) => app((query) => query.has('log') && log.push(query.get('log')), true, kind);
  const asked = (action) => {
    const post = mock.method(Session.prototype, 'post');
    const result = action();
    post.mock.restore();
    return { result, times: post.mock.callCount() };
  };
  const page = of('APP_PAGE');
  const twice = asked(() => page.ask('/?log=two'));
  const route = of('APP_ROUTE');
  const once = asked(() => route.ask('/?log=three'));
  assert.equal(twice.times, 2 * once.times);
  assert.ok(once.times > 0);
  assert.deepEqual(once.result.seen.get('log').had, inFull(['one', 'two']));
  assert.equal(once.result.seen.get('log').changed, true);
  assert.equal(once.result.isTouched, true);
  assert.deepEqual(route.ask().seen.get('log').had, inFull(log));
});

test('what is left is known in full where nothing in reach keeps something unseen', () => {
  const known = (value) => {
    const sim = { boot: { options: { dir: '/' } }, guard: (_, action) => action(), options: { instance: 'i1' }, plain: {}, tell() {} };
    const { isStateKnown, prepareState } = require('../../src/agent/shared/module-state.cjs')(sim);
    const handler = Function('value', 'return () => value')(value);
    assert.equal(isStateKnown(undefined), false);
    prepareState(handler, 'proxy.ts');
    return isStateKnown(handler);
  };
  const seen = [7, 'text', new (class Store { n = 0; up() { return ++this.n; } })(), new Map([['a', { b: [1] }]]), { when: new Date(), secret: new TextEncoder().encode('x'), path: /^a/ }, new URL('http://a'), null, undefined];
  const unseen = [new (class extends Array {})(), new Proxy({}, {}), { limiter: new (class extends EventTarget {})() }, [new (class extends Date {})()], new (class Seen { #n = 0; up() { return ++this.#n; } })()];
  assert.deepEqual(seen.map(known), seen.map(() => true));
  assert.deepEqual(unseen.map(known), [true, false, false, false, false]);  // what is an array or a Map is looked into
});
