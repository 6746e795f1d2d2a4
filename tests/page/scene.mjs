// An invented run as events: what the page's tests fold, lay out and look at.
import {apply, createModel} from '../../src/page/fold.mjs';

const kFrom = {profile: 'hobby-fluid', file: 'profiles/hobby-fluid.yaml', line: 21, source: 'https://vercel.com/docs/functions/limitations', as_of: '2026-08-03', confidence: 'DOC'};
const kZero = Date.parse('2026-11-28T10:00:00Z');

export class Scene {
  #events = [];
  #id = 0;
  tell(at, t, fields = {}) {
    this.#events.push({at, t, fields});
    return this;
  }
  run(fields = {}) {
    return this.tell(0, 'run_started', {version: '0.1.0', url: 'http://localhost:3000', profile: 'hobby-fluid', profile_as_of: '2026-08-24', app: 'next 16.4.6', isolation: 'fluid', time_scale: 1, ...fields})
      .tell(0, 'app_changed', {state: 'ready'});
  }
  // `states`: [at, state, more fields] in order.
  instance(name, fn, states) {
    states.forEach(([at, to, more], i) => this.tell(at, 'instance_changed', {instance: name, ...(i > 0 && {from: states[i - 1][1]}), to, ...(i > 0 && {function: fn}), ...more}));
    return this;
  }
  // A request in its events. `run`: what its handler takes; undefined: it goes on.
  call(at, {target, method = 'GET', route = target.split('?')[0], instance, start = 'warm', routing = 20, compile = 0, waited = 0, init = 0, run, first, limit = 10_000, status = 200, ...more}) {
    const id = ++this.#id * 2 ** 20;
    const head = {id, request_id: `iad1::${id}`, method, target};
    const before = routing + compile + waited + init;
    this.tell(at, 'invocation_started', head);
    if (instance) this.tell(at + before, 'invocation_running', {id, route, file: `app${route}/route.ts`, instance, start, limit_ms: limit});
    if (more.traffic === 'socket') this.tell(at + before + 1, 'socket_opened', {id, request_id: head.request_id, target, instance});
    if (run === undefined) return this;
    return this.tell(at + before + run, 'invocation_ended', {
      ...head, traffic: 'invocation', status, route, file: `app${route}/route.ts`, kind: 'app_route', total_ms: before + run, compile_ms: compile,
      ...(instance && {instance, start, limit_ms: limit, charged_ms: run}), waited_ms: waited, init_ms: init, ...(first !== undefined && {first_byte_ms: before + first}), bytes_in: 0, bytes_out: 10,
      ended_by: 'function', phase: 'responding', ...more,
    });
  }
  events() {
    return this.#events.map((e, i) => ({...e, i})).sort((a, b) => a.at - b.at || a.i - b.i)
      .map(({at, t, fields}, i) => ({t, seq: i + 1, time: new Date(kZero + at).toISOString(), at_ms: at, ...fields}));
  }
}

export const kTimeout = {code: 'FUNCTION_INVOCATION_TIMEOUT', enforced: true, limit_key: 'duration.default', limit: '10s', measured: '10.0s', route: '/api/slow', file: 'app/api/slow/route.ts:3',
  fix: 'Write `export const maxDuration = 60` in app/api/slow/route.ts.', from: kFrom};
export const kLost = {code: 'SIM_STATE_NOT_SHARED', enforced: true, limit_key: 'isolation', limit: 'every instance has its own memory',
  measured: '`rooms` has no entry for what this request asks for on i2: it was put there by POST /api/rooms on i1', route: '/api/rooms', file: 'app/api/rooms/store.ts:3', from: kFrom};

// A writer and a reader on two instances, one that is cut at its limit and killed, a stream beside another, a socket, a refused upgrade, one that runs.
export const scene = () => new Scene().run()
  .instance('i1', '/api/rooms', [[100, 'spawning'], [700, 'spare'], [1000, 'binding'], [1200, 'bound'], [1210, 'leased'], [1600, 'idle'], [2200, 'frozen', {memory: 71e6}]])
  .instance('i2', '/api/rooms', [[120, 'spawning'], [800, 'spare'], [2300, 'leased'], [2700, 'idle']])
  .call(900, {method: 'POST', target: '/api/rooms?name=kitchen', instance: 'i1', start: 'cold', compile: 150, waited: 60, init: 80, run: 220, first: 200})
  .call(2280, {target: '/api/rooms?id=kitchen', instance: 'i2', start: 'spare', waited: 60, init: 90, run: 90, first: 80, status: 404, verdicts: [kLost]})
  .instance('i3', '/api/slow', [[3000, 'spawning'], [3500, 'leased'], [13_580, 'dying', {why: 'deadline'}], [13_620, 'dead', {why: 'deadline', death: 'killed by SIGKILL'}]])
  .call(2950, {target: '/api/slow?ms=20000', instance: 'i3', start: 'cold', compile: 400, waited: 150, init: 60, run: 10_000, status: 504, code: 'FUNCTION_INVOCATION_TIMEOUT', ended_by: 'platform', phase: 'running',
    verdicts: [kTimeout]})
  .instance('i4', '/api/stream', [[4000, 'spawning'], [4400, 'leased']])
  .call(3990, {target: '/api/stream?one', instance: 'i4', start: 'cold', waited: 380, init: 40, run: 8000, first: 120})
  .call(5200, {target: '/api/stream?two', instance: 'i4', run: 3000, first: 80})
  .instance('i5', '/api/socket', [[6000, 'spawning'], [6500, 'leased']])
  .call(5990, {target: '/api/socket', instance: 'i5', start: 'cold', waited: 480, init: 60, traffic: 'socket', limit: 300_000})
  .instance('i6', '/api/slow', [[7000, 'spawning'], [7300, 'leased']])
  .call(7000, {target: '/api/slow?ms=30000', instance: 'i6', start: 'cold', waited: 300})
  .tell(6800, 'invocation_ended', {id: 0, request_id: 'iad1::r', method: 'GET', target: '/ws', traffic: 'socket', status: 404, total_ms: 2, charged_ms: 0, compile_ms: 0, bytes_in: 0, bytes_out: 0,
    ended_by: 'platform', phase: 'request', code: 'SIM_WEBSOCKET_REFUSED', verdicts: [{code: 'SIM_WEBSOCKET_REFUSED', enforced: true, limit_key: 'websocket.mode'}]})
  .tell(14_000, 'notice', {level: 'warning', message: 'vercel.json says `"fluid": false`', file: 'vercel.json', line: 2});

const codes = {FUNCTION_INVOCATION_TIMEOUT: {title: 'too long', fix: 'general', violation: true}, SIM_STATE_NOT_SHARED: {title: 'lost', fix: 'store it outside', violation: true},
  SIM_NOT_READY: {title: 'not ready', fix: '', violation: false}};
export const folded = (events, options = {}) => {
  const model = createModel({codes, ...options});
  for (const event of events) apply(model, event);
  return model;
};
