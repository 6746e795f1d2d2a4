// What the page makes of events, without a browser.
import assert from 'node:assert/strict';
import {test} from 'node:test';
import {isOpen, violations, warnings} from '../../src/page/fold.mjs';
import {ticksOf} from '../../src/page/layout.mjs';
import {metDeployment, passedText} from '../../src/page/story.mjs';
import {folded, kLost, kTimeout, scene, Scene} from './scene.mjs';

const byTarget = (model, target) => [...model.calls.values()].find((c) => c.target === target);

test('each request is one call, on its instance, with its phases', () => {
  const model = folded(scene().events());
  assert.equal(model.calls.size, 8);
  const slow = byTarget(model, '/api/slow?ms=20000');
  assert.deepEqual([slow.instance, slow.began, slow.handler, slow.ended, slow.limit, slow.status, slow.code], ['i3', 2950, 3580, 13_580, 10_000, 504, 'FUNCTION_INVOCATION_TIMEOUT']);
  const stream = byTarget(model, '/api/stream?one');
  assert.equal(stream.firstByte, 3990 + 20 + 380 + 40 + 120);
  assert.deepEqual(model.instances.get('i4').calls.map((c) => c.target), ['/api/stream?one', '/api/stream?two']);
  assert.deepEqual([...model.open.values()].map((c) => c.target).sort(), ['/api/slow?ms=30000', '/api/socket']);
});

test('a plan that is switched is the run’s from then on, and the page says what changed', () => {
  const model = folded(new Scene().run({profile: 'hobby', isolation: 'invocation'})
    .tell(5, 'profile_changed', {profile: 'hobby-fluid', profile_as_of: '2026-08-24', before: 'hobby', isolation: 'fluid', time_scale: 1, changes: [{key: 'duration.default', from: '10s', to: '300s'}]})
    .tell(9, 'profile_changed', {profile: 'hobby-fluid', before: 'hobby-fluid', isolation: 'fluid', time_scale: 5, changes: [{key: 'time_scale', from: '1', to: '5'}]}).events());
  assert.deepEqual(model.run.profiles, ['hobby', 'hobby-fluid']);
  assert.deepEqual([model.run.profile, model.run.isolation, model.run.timeScale], ['hobby-fluid', 'fluid', 5]);
  assert.deepEqual(model.notices.map((n) => n.message), ['Plan hobby-fluid for requests that came from then on: duration.default 10s → 300s', 'Time scale 5x for requests that came from then on']);
});

test('a deployment: what it met, how each went on, and the score, which asks for more where something is lost', () => {
  const model = folded(new Scene().run()
    .call(0, {target: '/ws', instance: 'i1', run: 900, traffic: 'socket', status: 101})
    .tell(500, 'deployed', {deployment: 2, name: 'dpl_vercelsim2', sockets: 2, streams: 0, requests: 1})
    .tell(1500, 'deployment_met', {deployment: 2, id: 2 ** 20, target: '/ws', socket: true, fate: 'reconnected', stayed_ms: 420, took_ms: 580})
    .tell(1900, 'deployment_scored', {deployment: 2, sockets: 2, streams: 0, reconnected: 1, ended: 0, left: 0, lost: 1, open: 0, slowest_ms: 580}).events());
  assert.equal(metDeployment(byTarget(model, '/ws')), 'stayed on the deployment before 2; its client came back after 580ms');
  assert.deepEqual(model.deployments, [{number: 2, at: 500}]);
  assert.deepEqual(model.notices.map((n) => [n.level, n.message]), [
    ['info', 'Deployment 2 met 2 open sockets and 0 streams'], ['warning', 'Deployment 2, of 2 open connections: 1 came back, 1 lost']]);
});

test('an instance goes through its states and says why it went', () => {
  const {instances} = folded(scene().events());
  assert.deepEqual(instances.get('i1').stays.map((s) => s.state), ['spawning', 'spare', 'binding', 'bound', 'leased', 'idle', 'frozen']);
  assert.deepEqual([instances.get('i3').died, instances.get('i3').why, instances.get('i3').death], [13_620, 'deadline', 'killed by SIGKILL']);
  assert.equal(instances.get('i1').memory, 71e6);
  assert.equal(instances.get('i1').group, '/api/rooms');
});

test('violations and warnings are counted as the reports count them', () => {
  const model = folded(scene().events());
  assert.equal(violations(model), 3);
  assert.equal(warnings(model), 0);
  const gentle = folded(new Scene().run()
    .call(0, {target: '/a', run: 5, verdicts: [{...kTimeout, enforced: false}]})
    .call(9, {target: '/b', run: 5, verdicts: [{code: 'SIM_NOT_READY', enforced: true}]})
    .tell(20, 'notice', {level: 'error', code: 'FUNCTION_INVOCATION_TIMEOUT', message: 'over the plan', file: 'vercel.json', line: 4}).events());
  assert.equal(violations(gentle), 1, 'what the notice says of the project');
  assert.equal(warnings(gentle), 2);
  const again = folded(new Scene().run().call(0, {target: '/api/slow', run: 5, verdicts: [kTimeout]}).call(50, {target: '/api/slow', run: 5, verdicts: [kTimeout]}).events());
  assert.deepEqual([...again.problems.values()].map((p) => p.count), [2], 'the same of the same place is one problem');
});

test('the verdict names the writer of what was lost, and has a fix where the event has none', () => {
  const model = folded(scene().events());
  const [verdict] = byTarget(model, '/api/rooms?id=kitchen').verdicts;
  assert.equal(verdict.writer, 'i1');
  assert.equal(verdict.fix, 'store it outside');
  const unknown = folded(new Scene().run().instance('i2', '/r', [[0, 'leased']]).call(0, {target: '/r', instance: 'i2', run: 5, verdicts: [kLost]}).events());
  assert.equal(byTarget(unknown, '/r').verdicts[0].writer, '', 'i1 is not known: no line to nowhere');
});

test('what comes after the end belongs to the call; what the dev server says to itself is none', () => {
  const model = folded(new Scene().run().call(0, {target: '/late', run: 5}).call(2, {target: '/_next/x.js', run: 3, traffic: 'internal'})
    .tell(40, 'background_work', {id: 1 << 20, request_id: 'x', route: '/late', instance: 'i9', verdicts: [{code: 'SIM_BACKGROUND_WORK_FROZEN', enforced: true}]}).events());
  assert.deepEqual([...model.calls.values()].map((c) => [c.target, c.verdicts.length]), [['/late', 1]]);
  assert.equal(model.requests, 1);
});

test('the oldest calls that are over go, open ones stay, and instances go with their calls', () => {
  const s = new Scene().run().call(1, {target: '/open', instance: 'i0'});
  for (let i = 0; i < 50; i++) s.call(10 + i * 10, {target: `/${i}`, instance: `n${i}`, run: 2}).instance(`n${i}`, '/x', [[10 + i * 10, 'leased'], [18 + i * 10, 'dead']]);
  const model = folded(s.events(), {most: 10});
  assert.equal(model.calls.size, 10);
  assert.ok(isOpen(byTarget(model, '/open')));
  assert.equal(model.leftOut, 41);
  assert.ok(model.instances.size <= 12, String(model.instances.size));
});

test('events that are told again change nothing', () => {
  const events = scene().events();
  const once = folded(events), twice = folded([...events, ...events]);
  assert.equal(twice.requests, once.requests);
  assert.equal(violations(twice), violations(once));
  assert.deepEqual([...twice.instances.values()].map((i) => i.stays.length), [...once.instances.values()].map((i) => i.stays.length));
});

test('a file of an older version, without starts and first bytes, still shows where time was charged', () => {
  const model = folded([{t: 'invocation_ended', seq: 1, time: '2026-11-28T10:00:12.100Z', at_ms: 12_100, id: 1, request_id: 'x', method: 'GET', target: '/old', status: 200, route: '/old', total_ms: 10_100,
    charged_ms: 10_000, compile_ms: 0, instance: 'i1', bytes_in: 0, bytes_out: 0, ended_by: 'function', phase: 'responding'}]);
  const call = byTarget(model, '/old');
  assert.deepEqual([call.began, call.handler, call.ended], [2000, 2100, 12_100]);
});

test('when bytes passed: ticks in the middle of their spans, not behind the end; in words how many spans had any', () => {
  const model = folded(new Scene().run()
    .call(0, {target: '/stream', instance: 'i1', run: 1000, first: 100})
    .tell(1021, 'bytes_passed', {id: 2 ** 20, for_ms: 910, each_ms: 200, spans: 'o.b.i'})
    .tell(1022, 'bytes_passed', {id: 7, for_ms: 910, each_ms: 200, spans: 'o'}).events());
  const stream = byTarget(model, '/stream');
  assert.deepEqual(ticksOf(stream), [{at: 211, way: 'o'}, {at: 611, way: 'b'}, {at: 1011, way: 'i'}]);
  assert.equal(passedText(stream), 'out in 2 and in in 2 of 5 spans of 200ms');
  const late = folded(new Scene().run().call(0, {target: '/ws', instance: 'i1', traffic: 'socket'}).tell(9000, 'bytes_passed', {id: 2 ** 20, for_ms: 2000, each_ms: 400, spans: '....o'}).events());
  assert.equal(passedText(byTarget(late, '/ws')), 'out in 1 and in in 0 of 5 spans of 400ms; looked at since 7.00s after its begin');
  assert.deepEqual(ticksOf(byTarget(folded(scene().events()), '/api/socket')), []);
});
