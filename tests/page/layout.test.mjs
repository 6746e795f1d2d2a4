// Where the page puts things, and the words of a story: pure functions.
import assert from 'node:assert/strict';
import {test} from 'node:test';
import {gridStep, kNoFilter, layOut, matches, neighbour, nextMarked, pack, stateLinks, wallOf, wallShows} from '../../src/page/layout.mjs';
import {duration, facts, phases, sentence} from '../../src/page/story.mjs';
import {folded, scene, Scene} from './scene.mjs';

const kAll = {from: 0, to: 20_000};
const model = folded(scene().events());
const call = (target) => [...model.calls.values()].find((c) => c.target === target);

test('one lane an instance, grouped by function; what no instance has seen stands last', () => {
  const {groups, lanes, height} = layOut(model, kAll);
  assert.deepEqual(groups.map((g) => [g.name, g.lanes.map((l) => l.title)]), [['/api/rooms', ['i1', 'i2']], ['/api/slow', ['i3', 'i6']], ['/api/socket', ['i5']], ['/api/stream', ['i4']],
    ['Without an instance', ['no instance']]]);
  for (let i = 1; i < lanes.length; i++) assert.ok(lanes[i].y >= lanes[i - 1].y + lanes[i - 1].height, 'lanes do not overlap');
  assert.ok(height > lanes.at(-1).y);
});

test('calls at the same time on one instance do not cover each other', () => {
  const {lanes} = layOut(model, kAll);
  assert.deepEqual(lanes.find((l) => l.title === 'i4').calls.map((c) => c.row), [0, 1]);
  for (const {calls} of lanes)
    for (const a of calls) for (const b of calls) if (a !== b && a.row === b.row) assert.ok(a.call.ended <= b.call.began || b.call.ended <= a.call.began);
});

test('only what is in view has a lane; a filter leaves lanes of what it lets through', () => {
  assert.deepEqual(layOut(model, {from: 13_700, to: 20_000}).lanes.map((l) => l.title), ['i1', 'i2', 'i6', 'i5', 'i4'], 'i3 is dead by then');
  const only = (filter) => layOut(model, kAll, {...kNoFilter, ...filter}).lanes.flatMap((l) => l.calls.map((c) => c.call.target));
  assert.deepEqual(only({outcome: 'said'}), ['/api/rooms?id=kitchen', '/api/slow?ms=20000', '/ws']);
  assert.deepEqual(only({route: '/api/stream'}), ['/api/stream?one', '/api/stream?two']);
  assert.deepEqual(only({text: 'KITCHEN', instance: 'i2'}), ['/api/rooms?id=kitchen']);
  assert.deepEqual(only({outcome: 'open'}).sort(), ['/api/slow?ms=30000', '/api/socket']);
  assert.deepEqual(only({outcome: 'socket'}).sort(), ['/api/socket', '/ws']);
  assert.ok(matches(call('/ws'), {...kNoFilter, text: 'websocket_refused'}));
});

test('the wall stands where the limit strikes, and only where it says something', () => {
  const slow = call('/api/slow?ms=20000');
  assert.equal(wallOf(slow), slow.ended, 'it ran into it');
  assert.ok(wallShows(slow, 20_000));
  assert.equal(wallOf(call('/ws')), null);
  assert.ok(!wallShows(call('/api/stream?two'), 20_000), '3 s of 10 s');
  const running = call('/api/slow?ms=30000');
  assert.ok(!wallShows(running, running.handler + 4999));
  assert.ok(wallShows(running, running.handler + 5000));
});

test('a line leads from the writer of lost state to its reader', () => {
  assert.deepEqual(stateLinks(model).map((l) => [l.from.target, l.to.target]), [['/api/rooms?name=kitchen', '/api/rooms?id=kitchen']]);
});

test('arrows lead to every call, and V to every verdict, around', () => {
  const layout = layOut(model, kAll);
  const seen = new Set();
  let at = neighbour(layout, null, 'ArrowDown');
  for (let i = 0; i < 30; i++) {
    seen.add(at);
    at = neighbour(layout, at, i < 8 ? 'ArrowUp' : 'ArrowDown');
    seen.add(neighbour(layout, at, 'ArrowLeft'));
    seen.add(neighbour(layout, at, 'ArrowRight'));
  }
  assert.equal(seen.size, model.calls.size);
  const told = [];
  for (let c = nextMarked(model, null, false), i = 0; i < 4; c = nextMarked(model, c, false), i++) told.push(c.target);
  assert.deepEqual(told, ['/api/rooms?id=kitchen', '/api/slow?ms=20000', '/ws', '/api/rooms?id=kitchen']);
  assert.equal(nextMarked(model, call('/ws'), true).target, '/api/slow?ms=20000');
});

test('the phases of a call follow each other without a gap and fill its time', () => {
  for (const c of model.calls.values()) {
    let at = 0;
    for (const p of phases(c, 20_000)) {
      assert.ok(Math.abs(p.from - at) < 1e-9, `${c.target}: ${p.name}`);
      at += p.ms;
    }
    assert.ok(Math.abs(at - ((c.ended ?? 20_000) - c.began)) < 1e-9, c.target);
  }
  assert.deepEqual(phases(call('/api/slow?ms=20000'), 0).map((p) => [p.name, p.ms]), [['edge and routing', 20], ['compile', 400], ['waits for an instance', 150], ['evaluates its modules', 60],
    ['handler, no answer', 10_000]]);
});

test('a call in a sentence has its verdict with the fix; its facts have what was charged', () => {
  const text = sentence(call('/api/slow?ms=20000'), 0, {FUNCTION_INVOCATION_TIMEOUT: {title: 'too long'}});
  assert.equal(text, 'GET /api/slow?ms=20000, status 504, 10.6s, on i3, violation FUNCTION_INVOCATION_TIMEOUT: too long, Fix: Write export const maxDuration = 60 in app/api/slow/route.ts.');
  assert.deepEqual(facts(call('/api/slow?ms=20000'), 0).find(([name]) => name === 'Charged'), ['Charged', '10.0s of 10.0s']);
});

test('5,000 calls are laid out well within a frame', () => {
  const s = new Scene().run();
  for (let i = 0; i < 5000; i++) s.call(i * 4, {target: `/api/${i % 20}`, instance: `i${i % 100}`, run: 30});
  const many = folded(s.events());
  layOut(many, kAll);
  const before = performance.now();
  for (let i = 0; i < 10; i++) layOut(many, kAll);
  assert.ok((performance.now() - before) / 10 < 100, `${(performance.now() - before) / 10} ms`);
  assert.equal(pack(many.instances.get('i7').calls).length, 50);
});

test('numbers read as in the terminal: never rounded up to a limit', () => {
  assert.deepEqual([0, 0.4, 8, 999.9, 1240, 9999, 10_000, 59_990, 302_000, 3_720_000].map(duration), ['0ms', '<1ms', '8ms', '999ms', '1.24s', '9.99s', '10.0s', '59.9s', '5m 2s', '1h 2m']);
  assert.deepEqual([gridStep(30_000), gridStep(1000), gridStep(7, 7)], [5000, 200, 1]);
});
