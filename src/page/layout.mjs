// Where everything stands: groups of lanes from top to bottom, calls in rows of a lane, time from left to right. Pure.
import {failed, isMarked, isOpen} from './fold.mjs';

export const kRow = 16, kLanePad = 5, kGroupHead = 30, kMostRows = 12;

export const kNoFilter = {route: '', outcome: '', instance: '', text: ''};

export function matches(call, filter) {
  if (filter.route && call.route !== filter.route) return false;
  if (filter.instance && call.instance !== filter.instance) return false;
  if (filter.outcome && !kOutcomes[filter.outcome](call)) return false;
  if (!filter.text) return true;
  const text = filter.text.toLowerCase();
  return [call.target, call.method, call.route, call.file, call.instance, call.code, String(call.status), call.requestId, ...call.verdicts.map((v) => v.code)]
    .some((s) => s && s.toLowerCase().includes(text));
}

export const kOutcomes = {
  said: (call) => isMarked(call),
  failed: (call) => failed(call),
  open: (call) => isOpen(call),
  socket: (call) => call.traffic === 'socket' || call.socket !== null,
  good: (call) => !isOpen(call) && !isMarked(call) && !failed(call),
};

const isFiltered = (filter) => Boolean(filter.route || filter.outcome || filter.instance || filter.text);

// {groups: [{name, y, lanes: [lane]}], lanes: [lane], height}; lane = {key, instance, title, y, height, rows: [[call]], calls: [{call, row}]}
export function layOut(model, view, filter = kNoFilter) {
  const groups = new Map();
  const groupOf = (title) => groups.get(title) ?? groups.set(title, {name: title, lanes: []}).get(title);
  const filtered = isFiltered(filter);
  for (const instance of model.instances.values()) {
    const until = instance.died ?? Infinity;
    if (instance.born > view.to || until < view.from) continue;
    const calls = inView(instance.calls, view, filter);
    if (filtered && calls.length === 0 && filter.instance !== instance.name) continue;
    groupOf(instance.group || kSpares).lanes.push(lane(instance.name, instance, calls));
  }
  const loose = new Map();
  for (const call of model.calls.values()) {
    if (call.instance || !overlaps(call, view) || !matches(call, filter)) continue;
    const title = call.route || kLoose;
    (loose.get(title) ?? loose.set(title, []).get(title)).push(call);
  }
  for (const [title, calls] of loose) groupOf(title).lanes.push(lane(`loose ${title}`, null, calls));

  const order = (g) => (g.name === kLoose ? 2 : g.name === kSpares ? 1 : 0);
  const sorted = [...groups.values()].sort((a, b) => order(a) - order(b) || (a.name < b.name ? -1 : 1));
  let y = 0;
  const lanes = [];
  for (const group of sorted) {
    group.y = y;
    y += kGroupHead;
    for (const one of group.lanes) {
      one.y = y;
      one.group = group;
      y += one.height;
      lanes.push(one);
    }
    y += 8;
  }
  return {groups: sorted, lanes, height: y};
}

export const kLoose = 'Without an instance', kSpares = 'Spare instances';

const overlaps = (call, view) => call.began <= view.to && (call.ended ?? Infinity) >= view.from;

function inView(calls, view, filter) {
  return calls.filter((call) => overlaps(call, view) && matches(call, filter));
}

function lane(key, instance, calls) {
  const placed = pack(calls);
  const rows = Math.max(1, placed.reduce((most, p) => Math.max(most, p.row + 1), 0));
  return {key, instance, title: instance ? instance.name : 'no instance', calls: placed, height: rows * kRow + 2 * kLanePad, y: 0, group: null};
}

// Each call in the first row that is free; beyond the last one they share it.
export function pack(calls) {
  const ends = [];
  return [...calls].sort((a, b) => a.began - b.began).map((call) => {
    let row = ends.findIndex((end) => end <= call.began);
    if (row < 0) row = Math.min(ends.length, kMostRows - 1);
    ends[row] = Math.max(ends[row] ?? 0, call.ended ?? Infinity);
    return {call, row};
  });
}

// The instant at which the limit strikes; null where there is none, or its clock has not begun.
export function wallOf(call) {
  return call.limit > 0 && call.handler !== null ? call.handler + call.own + call.limit : null;
}

// Whether its wall is worth drawing: it was met, is being run into, or is half reached.
export function wallShows(call, now) {
  const wall = wallOf(call);
  if (wall === null) return false;
  if (hitWall(call)) return true;
  return (call.ended ?? now) - call.handler - call.own >= call.limit / 2;
}

const kTimeouts = new Set(['FUNCTION_INVOCATION_TIMEOUT', 'EDGE_FUNCTION_INVOCATION_TIMEOUT', 'MIDDLEWARE_INVOCATION_TIMEOUT', 'SIM_WEBSOCKET_CLOSED_AT_LIMIT']);
export const hitWall = (call) => kTimeouts.has(call.code) || call.verdicts.some((v) => kTimeouts.has(v.code));

// From the writer's last call before it to the call that missed it.
export function stateLinks(model) {
  const links = [];
  for (const p of model.problems.values()) {
    if (!p.writer) continue;
    const reader = model.calls.get(p.call);
    const writer = model.instances.get(p.writer);
    if (!reader || !writer) continue;
    const before = writer.calls.filter((c) => c.began <= reader.began);
    const wrote = before.filter((c) => !['GET', 'HEAD', 'OPTIONS'].includes(c.method)).at(-1) ?? before.at(-1);
    if (wrote) links.push({from: wrote, to: reader});
  }
  return links;
}

// Distances of the grid's lines, at most `most` of them: 1, 2 or 5 times a power of ten.
export function gridStep(span, most = 8) {
  const raw = Math.max(span, 1e-6) / most;
  const power = 10 ** Math.floor(Math.log10(raw));
  return [1, 2, 5, 10].map((n) => n * power).find((n) => n >= raw);
}

// The neighbour of `call` in a direction of the arrow keys; the first or last of all where there is none selected.
export function neighbour(layout, call, key) {
  const flat = layout.lanes.filter((l) => l.calls.length > 0);
  if (flat.length === 0) return null;
  const at = call ? flat.findIndex((l) => l.calls.some((c) => c.call === call)) : -1;
  if (at < 0) return flat.at(-1).calls.at(-1).call;
  const own = flat[at].calls.map((c) => c.call);
  const i = own.indexOf(call);
  if (key === 'ArrowLeft') return own[Math.max(0, i - 1)];
  if (key === 'ArrowRight') return own[Math.min(own.length - 1, i + 1)];
  if (key === 'Home') return own[0];
  if (key === 'End') return own.at(-1);
  const next = flat[Math.min(flat.length - 1, Math.max(0, at + (key === 'ArrowDown' ? 1 : -1)))];
  return next.calls.map((c) => c.call).reduce((best, c) => (Math.abs(c.began - call.began) < Math.abs(best.began - call.began) ? c : best));
}

// The next call that something was said of, in the order of time; around the end.
export function nextMarked(model, call, backwards, filter = kNoFilter) {
  const marked = [...model.calls.values()].filter((c) => isMarked(c) && matches(c, filter)).sort((a, b) => a.began - b.began);
  if (marked.length === 0) return null;
  const at = marked.indexOf(call);
  if (at < 0) return backwards ? marked.at(-1) : marked[0];
  return marked[(at + (backwards ? marked.length - 1 : 1)) % marked.length];
}
