// The events of a run, folded into what the page draws: instances with the states they were in, calls, what was said of them. Pure: no clock,
// no document. Reads the fields of docs/events.md and ignores what it does not know.

// `codes`: what each code means (page.cpp). `most`: calls that are kept; the oldest that are over go first.
export function createModel({codes = {}, most = 5000} = {}) {
  return {
    codes, most, run: null, app: {state: 'starting', detail: ''}, command: null, stopped: null, deployments: [], now: 0, zero: 0, last: 0,
    instances: new Map(), calls: new Map(), open: new Map(), problems: new Map(), routes: new Set(), notices: [],
    requests: 0, cut: 0, leftOut: 0, dropped: 0, version: 0, structure: 0,
  };
}

export function apply(model, event) {
  if (event.seq && event.seq <= model.last) return; // told again after a reconnection
  model.last = Math.max(model.last, event.seq ?? 0);
  model.now = Math.max(model.now, event.at_ms ?? 0);
  if (event.time) model.zero = Date.parse(event.time) - event.at_ms;
  model.version++;
  if (Object.hasOwn(kFolds, event.t)) kFolds[event.t](model, event);
}

// When bytes passed on a stream or socket: of one that has ended an event, of one that is open the latest word on it.
export function bytesPassed(model, e) {
  const call = model.calls.get(String(e.id));
  if (call && e.each_ms > 0) call.passed = {from: e.at_ms - e.for_ms, until: e.at_ms, each: e.each_ms, spans: e.spans};
}

export const isOpen = (call) => call.ended === null;
export const isBad = (call) => call.verdicts.some((v) => v.violation);
export const isMarked = (call) => call.verdicts.length > 0 || Boolean(call.code);
export const failed = (call) => !isOpen(call) && (call.status >= 500 || (call.status === 0 && !call.clientLeft));

const kFolds = {
  run_started(model, e) {
    model.run = {version: e.version, url: e.url, profile: e.profile, profiles: [e.profile], asOf: e.profile_as_of, app: e.app ?? '', isolation: e.isolation, timeScale: e.time_scale ?? 1, at: e.at_ms};
  },
  profile_changed(model, e) {
    const only = e.changes?.length === 1 && e.changes[0].key === 'time_scale';
    const what = only ? `Time scale ${e.time_scale}x` : `Plan ${e.profile}`;
    remark(model, {level: 'info', message: `${what} for requests that came from then on${only ? '' : `: ${(e.changes ?? []).map((c) => `${c.key} ${c.from} → ${c.to}`).join(', ')}`}`, fix: '', file: ''});
    if (!model.run) return;
    if (e.profile !== model.run.profile) model.run.profiles.push(e.profile);
    Object.assign(model.run, {profile: e.profile, asOf: e.profile_as_of ?? '', isolation: e.isolation ?? '', timeScale: e.time_scale ?? 1});
    model.structure++;
  },
  deployed(model, e) {
    remark(model, {level: 'info', message: `Deployment ${e.deployment} met ${e.sockets ?? 0} open sockets and ${e.streams ?? 0} streams`, fix: '', file: ''});
    model.deployments.push({number: e.deployment, at: e.at_ms});
    model.structure++;
  },
  deployment_met(model, e) {
    const call = model.calls.get(String(e.id));
    if (call) call.deployment = {number: e.deployment, fate: e.fate, took: e.took_ms ?? 0};
  },
  deployment_scored(model, e) {
    if (!e.sockets && !e.streams) return;
    const parts = [['reconnected', 'came back'], ['ended', 'had ended'], ['left', 'left'], ['open', 'still open'], ['lost', 'lost']];
    const words = parts.filter(([key]) => e[key] || key === 'lost').map(([key, word]) => `${e[key] ?? 0} ${word}`);
    remark(model, {level: e.lost ? 'warning' : 'info', message: `Deployment ${e.deployment}, of ${e.sockets + e.streams} open connections: ${words.join(', ')}`, fix: e.lost ? 'reconnect when a socket or stream ends: EventSource and Socket.IO do, a plain WebSocket does not' : '', file: ''});
  },
  run_stopped(model, e) {
    model.stopped = {reason: e.reason, exitCode: e.exit_code, at: e.at_ms};
    for (const call of model.open.values()) call.ended = e.at_ms;
    model.open.clear();
  },
  app_changed(model, e) {
    model.app = {state: e.state, detail: e.detail ?? ''};
  },
  command_run(model, e) {
    model.command = {text: e.command, ended: e.ended, exitCode: e.exit_code};
  },
  invocation_started(model, e) {
    if (model.open.has(e.id)) return;
    model.open.set(e.id, addCall(model, String(e.id), e, e.at_ms));
  },
  invocation_running(model, e) {
    const call = model.open.get(e.id);
    if (!call) return;
    Object.assign(call, {handler: e.at_ms, limit: e.limit_ms ?? 0, start: e.start ?? ''});
    name(model, call, e);
    settle(model, call, e.instance);
  },
  socket_opened(model, e) {
    const call = model.open.get(e.id);
    if (!call) return;
    Object.assign(call, {socket: e.at_ms, status: 101, traffic: 'socket'});
    settle(model, call, e.instance);
  },
  bytes_passed: bytesPassed,
  invocation_ended(model, e) {
    const late = model.calls.get(String(e.id));
    const known = e.id ? model.open.get(e.id) ?? (late?.lost ? late : undefined) : undefined;
    if (known) model.open.delete(e.id);
    if (e.traffic === 'internal' && !e.verdicts) {
      if (known) forget(model, known);
      return;
    }
    const call = known ?? addCall(model, e.id && !model.calls.has(String(e.id)) ? String(e.id) : `refused-${e.seq}`, e, e.at_ms - e.total_ms);
    model.requests++;
    Object.assign(call, {
      lost: false, began: e.at_ms - e.total_ms, ended: e.at_ms, requestId: e.request_id, traffic: e.traffic ?? 'invocation', status: e.status ?? 0, kind: e.kind ?? '',
      charged: e.charged_ms ?? 0, compile: e.compile_ms ?? 0, waited: e.waited_ms ?? 0, init: e.init_ms ?? 0, own: e.own_requests_ms ?? 0,
      limit: e.limit_ms ?? call.limit, start: e.start ?? call.start, bytesIn: e.bytes_in ?? 0, bytesOut: e.bytes_out ?? 0, endedBy: e.ended_by, phase: e.phase,
      code: e.code ?? '', clientLeft: e.client_left ?? false,
    });
    if (e.first_byte_ms) call.firstByte = call.began + e.first_byte_ms;
    if (call.handler === null && call.charged > 0) call.handler = Math.max(call.began, call.ended - call.charged - call.own);
    name(model, call, e);
    settle(model, call, e.instance);
    if (call.endedBy === 'platform' && call.code) model.cut++;
    for (const verdict of e.verdicts ?? []) say(model, call, verdict);
    trim(model);
  },
  background_work(model, e) {
    const call = model.calls.get(String(e.id)) ?? addCall(model, `late-${e.seq}`, {method: '', target: e.route ?? '', request_id: e.request_id}, e.at_ms);
    if (isOpen(call)) call.ended = e.at_ms;
    name(model, call, e);
    settle(model, call, e.instance);
    for (const verdict of e.verdicts ?? []) say(model, call, verdict, true);
  },
  instance_changed(model, e) {
    const instance = instanceOf(model, e.instance, e.at_ms);
    const last = instance.stays.at(-1);
    if (last && last.since === e.at_ms && last.state === e.to) return;
    if (last && e.at_ms < last.since) return;
    if (!last && e.from) instance.stays.push({state: e.from, since: e.at_ms});
    instance.stays.push({state: e.to, since: e.at_ms});
    if (e.function && e.function !== instance.group) {
      instance.group = e.function;
      model.routes.add(e.function);
      model.structure++;
    }
    if (e.why) instance.why = e.why;
    if (e.death) instance.death = e.death;
    if (e.memory) instance.memory = Math.max(instance.memory, e.memory);
    if (e.pid) instance.pid = e.pid;
    if (e.to === 'dead') instance.died = e.at_ms;
  },
  notice(model, e) {
    if (!model.codes[e.code]) {
      if (e.message) remark(model, {level: e.level, message: e.message, fix: e.fix ?? '', file: placeOf(e)});
      return;
    }
    // A verdict on the project itself: this deployment would fail, or behave otherwise than here.
    problem(model, {code: e.code, enforced: e.level === 'error', route: '', file: placeOf(e), message: e.message, fix: e.fix ?? '', measured: '', limit: '', from: null}, null);
  },
};

const placeOf = (e) => (e.file ? e.file + (e.line ? `:${e.line}` : '') : '');

function addCall(model, key, e, began) {
  const call = {
    key, requestId: e.request_id, method: e.method ?? '', target: e.target ?? '', began, ended: null, route: '', file: '', instance: '', start: '', kind: '',
    traffic: 'invocation', status: 0, handler: null, firstByte: null, socket: null, limit: 0, charged: 0, compile: 0, waited: 0, init: 0, own: 0,
    bytesIn: 0, bytesOut: 0, endedBy: '', phase: '', code: '', clientLeft: false, verdicts: [], gone: false, lost: false, deployment: null, passed: null,
  };
  model.calls.set(key, call);
  model.structure++;
  return call;
}

const kMostNotices = 500;
function remark(model, notice) {
  if (model.notices.length < kMostNotices) model.notices.push(notice);
}

function name(model, call, e) {
  if (e.route) call.route = e.route;
  if (e.file) call.file = e.file;
  if (call.route) model.routes.add(call.route);
}

function instanceOf(model, id, at) {
  let instance = model.instances.get(id);
  if (!instance) {
    instance = {name: id, group: '', stays: [], born: at, died: null, why: '', death: '', memory: 0, pid: 0, calls: []};
    model.instances.set(id, instance);
    model.structure++;
  }
  return instance;
}

// The call is on that instance from now on.
function settle(model, call, id) {
  if (!id || call.instance === id) return;
  if (call.instance) {
    const before = model.instances.get(call.instance);
    if (before) before.calls = before.calls.filter((c) => c !== call);
  }
  call.instance = id;
  const instance = instanceOf(model, id, call.handler ?? call.began);
  if (!instance.group && call.route) instance.group = call.route;
  instance.calls.push(call);
  model.structure++;
}

// The writer of what a reader did not find is named in the words of the verdict: "… on i3".
function writerOf(model, call, verdict) {
  if (verdict.code !== 'SIM_STATE_NOT_SHARED' || !call.instance) return '';
  return (verdict.measured ?? '').match(/\bi\d+\b/g)?.find((id) => id !== call.instance && model.instances.has(id)) ?? '';
}

function say(model, call, given, late = false) {
  const verdict = {
    code: given.code, enforced: given.enforced, violation: given.enforced && model.codes[given.code]?.violation !== false, limitKey: given.limit_key ?? '',
    limit: given.limit ?? '', measured: given.measured ?? '', route: given.route ?? call.route, file: given.file ?? call.file,
    fix: given.fix || model.codes[given.code]?.fix || '', from: given.from ?? null, late, writer: writerOf(model, call, given), message: '',
  };
  call.verdicts.push(verdict);
  problem(model, verdict, call);
}

function problem(model, verdict, call) {
  const key = [verdict.code, verdict.enforced, verdict.route, verdict.file, verdict.route ? '' : (call?.target ?? '').split('?')[0], verdict.message, verdict.limit].join('\n');
  let known = model.problems.get(key);
  if (!known) {
    const about = model.codes[verdict.code] ?? {};
    known = {key, ...verdict, violation: verdict.enforced && about.violation !== false, fix: verdict.fix || about.fix || '', count: 0, call: '', method: call?.method ?? '', target: call?.target ?? ''};
    model.problems.set(key, known);
  }
  known.count++;
  if (call) known.call = call.key;
}

export const violations = (model) => sum(model, true);
export const warnings = (model) => sum(model, false);
function sum(model, violation) {
  let n = 0;
  for (const p of model.problems.values()) if (p.violation === violation) n += p.count;
  return n;
}

function forget(model, call) {
  call.gone = true;
  model.calls.delete(call.key);
  model.structure++;
  const instance = model.instances.get(call.instance);
  if (!instance) return;
  const at = instance.calls.indexOf(call);
  if (at >= 0) instance.calls.splice(at, 1);
  if (instance.calls.length === 0 && instance.died !== null) model.instances.delete(instance.name);
}

function trim(model) {
  if (model.calls.size <= model.most) return;
  for (const call of model.calls.values()) {
    if (model.calls.size <= model.most) return;
    if (!isOpen(call)) {
      forget(model, call);
      model.leftOut++;
    }
  }
}
