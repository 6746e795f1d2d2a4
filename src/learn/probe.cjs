'use strict';
// A probe sends a lesson's requests and says what it expects; what vercel-sim has seen of them is judged beside it. Never by reading the code.

const { randomUUID } = require('node:crypto');
const client = require('./client.cjs');

const kToldWithin = 10_000;
const kProbeWithin = 120_000;
// What the app says comes through another pipe than the events: until something is there, and then nothing more, for this long.
const kSaidWithin = 2_000;
const kSaidAll = 100;
const kMostWords = 14;

// Runs `lesson.probe` once. { passed, checks, violations, events, trouble }: `trouble` is what kept it from judging.
async function runProbe({ lesson, sim, standIns, tell = () => {} }) {
  const first = sim.events.length;
  const logFrom = sim.log.length;
  const checks = [];
  const open = new Set();
  const wanted = new Set();
  const remember = (answer) => {
    const id = answer.headers['x-vercel-id'];
    if (id) wanted.add(lastPart(id));
    return answer;
  };
  const since = () => sim.events.slice(first);
  const send = (method, path, body, options) => client.request(sim.url, method, path, { ...options, body }).then(remember);
  const t = {
    url: sim.url,
    id: () => randomUUID().slice(0, 8),
    get: (path, options) => send('GET', path, undefined, options),
    post: (path, body, options) => send('POST', path, body, options),
    put: (path, body, options) => send('PUT', path, body, options),
    // To another server than the app: a signed address.
    putElsewhere: (url, body) => client.request(url, 'PUT', '', { body }),
    stream: (path, options) => {
      const stream = client.stream(sim.url, path, options);
      open.add(stream);
      return stream;
    },
    // A new deployment, as the key `d` makes one.
    deploy: async () => {
      const { status, text } = await client.request(sim.url, 'POST', '/_vercel-sim/api/deploy', { headers: { 'x-vercel-sim-token': sim.token() } });
      if (status !== 200) throw new Error(`a deployment was refused: ${status} ${text}`);
    },
    bytes: (megabytes) => Buffer.alloc(Math.round(megabytes * 1_000_000), 'x'),
    store: standIns.store,
    database: standIns.database,
    connectionsAllowed: standIns.connectionsAllowed,
    // Waits until `look()` is true, asked at each event of the run and ten times a second.
    until: async (look, ms = kToldWithin) => {
      const end = performance.now() + ms;
      while (!look() && performance.now() < end && !sim.isOver()) await sim.until(() => false, 100);
      return Boolean(look());
    },
    events: since,
    ended: (route) => since().filter((e) => e.t === 'invocation_ended' && e.route === route),
    // The seconds of the lesson's clock, which runs faster than the wall's.
    seconds: (n) => (n * 1000) / (lesson.run['time-scale'] ?? 1),
    check: (name, ok, said) => {
      checks.push({ name, ok: Boolean(ok), said });
      return Boolean(ok);
    },
    tell,
  };
  let trouble;
  let timer;
  try {
    await Promise.race([
      lesson.probe(t),
      new Promise((_, reject) => {
        timer = setTimeout(() => reject(new Error(`the probe has taken longer than ${kProbeWithin / 1000} s`)), kProbeWithin);
      }),
    ]);
  } catch (error) {
    trouble = `${lesson.label}/probe.cjs: ${error.message}`;
  } finally {
    clearTimeout(timer);
    for (const stream of open) stream.close();
  }
  // A client that leaves does not stop the function: what the probe has left open goes on without it, and is none of its business.
  const left = new Set([...open].filter((stream) => stream.how === 'closed').map((stream) => lastPart(stream.headers['x-vercel-id'] ?? '')));
  await settled(sim, () => own(since(), left), wanted);
  if (sim.isOver()) trouble ??= 'vercel-sim has ended while the requests were on their way';
  const events = own(since(), left);
  const allowed = new Set(lesson.after?.allows ?? []);
  const violations = violationsOf(events);
  const problem = violations.filter((v) => !allowed.has(v.code));
  const failed = checks.filter((c) => !c.ok);
  if (checks.length === 0) trouble ??= `${lesson.label}/probe.cjs: it has checked nothing`;
  const passed = !trouble && failed.length === 0 && problem.length === 0;
  const app = !passed && isBroken(events) ? await wordsOfApp(sim, logFrom) : [];
  return { passed, checks, failed, violations, problem, events, trouble, log: sim.log.slice(logFrom), app, first };
}

const isBroken = (events) => events.some((e) => e.t === 'invocation_ended' && e.status === 500 && e.traffic !== 'internal');

// What next dev has said when something of the app did not compile or threw: not what it says of each request, nor what vercel-sim says of it.
async function wordsOfApp(sim, from) {
  const words = () => sim.log.slice(from).filter((line) => line.trim() && !/^\s*(GET|POST|PUT|HEAD|OPTIONS|DELETE) |^\s*(✓|○|note:|fix|seen|why|limit|source)\s/.test(line));
  await sim.until(() => words().length > 0, kSaidWithin);
  for (let heard = -1; words().length > heard && heard < kMostWords; ) {
    heard = words().length;
    await sim.until(() => words().length > heard, kSaidAll);
  }
  return words().slice(0, kMostWords);
}

const lastPart = (id) => id.split('::').pop();

// Of this probe: not the end of what an earlier one has begun, nor what it has left open.
function own(events, left) {
  const ids = new Set([0]);
  const busy = new Set();
  for (const e of events) if (e.t === 'invocation_started' && !left.has(lastPart(e.request_id))) ids.add(e.id);
  for (const e of events) if (e.t === 'invocation_running' && !ids.has(e.id)) busy.add(e.instance);
  return events.filter((e) => (e.id === undefined || ids.has(e.id)) && !(e.t === 'instance_changed' && busy.has(e.instance) && e.to === 'leased'));
}

// Every answer has its end among the events, and what was begun has ended or is at rest.
async function settled(sim, since, wanted) {
  await sim.until(() => {
    const ended = new Set();
    const started = new Set();
    const ids = new Set();
    for (const e of since()) {
      if (e.t === 'invocation_started') started.add(e.id);
      if (e.t === 'invocation_ended') {
        ended.add(e.id);
        ids.add(lastPart(e.request_id));
      }
    }
    return [...wanted].every((id) => ids.has(id)) && [...started].every((id) => ended.has(id)) && atRest(since());
  }, kToldWithin);
}

// No instance that has served one of them is at work still: what it left behind is told when it rests.
function atRest(events) {
  const states = new Map();
  for (const e of events) if (e.t === 'instance_changed') states.set(e.instance, e.to);
  return events.every((e) => e.t !== 'invocation_ended' || !e.instance || states.get(e.instance) !== 'leased');
}

function violationsOf(events) {
  const out = [];
  for (const e of events) {
    if (e.t !== 'invocation_ended' && e.t !== 'background_work') continue;
    const verdicts = (e.verdicts ?? []).filter((v) => v.enforced);
    for (const v of verdicts) out.push({ ...v, target: e.target });
    // A crash has a code and no verdict.
    if (e.code && ['platform', 'app'].includes(e.ended_by) && !verdicts.some((v) => v.code === e.code)) out.push({ code: e.code, measured: `${e.method} ${e.target} ended with ${e.code}`, target: e.target });
  }
  return out;
}

module.exports = { runProbe, violationsOf };
