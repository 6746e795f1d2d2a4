'use strict';
// What happened on which instance, as lines of text: a column for each request in the order it began, a lane for each instance. Pure.

const kGone = {
  spent: 'gone: its one invocation is over',
  deadline: 'killed at the limit',
  stale: 'gone: the code has changed',
  failed: 'gone: it crashed',
  unresponsive: 'killed: its event loop no longer turned',
  idle: 'gone: nobody needed it',
};

// `events`: those of the requests to show and of what their instances did. Lines, none longer than `width` unless one request alone is.
function lanesOf(events, width = 100) {
  const requests = new Map();
  const lanes = new Map();
  for (const e of events) {
    if (e.t === 'invocation_started') requests.set(e.id, { method: e.method, target: e.target, order: requests.size });
    if (e.t === 'invocation_ended' && ['invocation', 'socket', 'prerender'].includes(e.traffic)) {
      const one = requests.get(e.id) ?? { order: requests.size };
      requests.set(e.id || `refused ${e.seq}`, { ...one, ...e });
    }
    if (e.t === 'instance_changed' && ['dying', 'dead'].includes(e.to) && e.why) lanes.set(e.instance, { ...lanes.get(e.instance), gone: lanes.get(e.instance)?.gone ?? kGone[e.why] });
    if (e.t === 'instance_changed' && e.to === 'frozen') lanes.set(e.instance, { ...lanes.get(e.instance), frozen: true });
    if (e.t === 'background_work' && e.verdicts?.some((v) => v.enforced)) lanes.set(e.instance, { ...lanes.get(e.instance), left: true });
  }
  const columns = [...requests.values()].filter((r) => r.traffic).sort((a, b) => a.order - b.order);
  if (columns.length === 0) return [];
  const names = [...new Set(columns.map((r) => r.instance ?? ''))].sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  const cellOf = (r) => `${r.method} ${r.status || '—'}${r.ended_by === 'platform' && r.phase !== 'request' ? ' ✂' : ''}`;
  const cells = columns.map((r) => cellOf(r));
  const cellWidth = Math.max(...cells.map((c) => c.length), String(columns.length).length) + 2;
  const nameWidth = Math.max(...names.map((n) => (n || 'no instance').length)) + 2;
  const perRow = Math.max(1, Math.floor((width - nameWidth - 2) / cellWidth));
  const out = [];
  for (let from = 0; from < columns.length; from += perRow) {
    const part = columns.slice(from, from + perRow);
    out.push(`  ${' '.repeat(nameWidth)}${part.map((_, i) => String(from + i + 1).padEnd(cellWidth)).join('')}`.trimEnd());
    const isLast = from + perRow >= columns.length;
    for (const name of names) {
      if (!part.some((r) => (r.instance ?? '') === name) && columns.length > perRow) continue;
      const lane = part.map((r, i) => ((r.instance ?? '') === name ? cells[from + i] : '·').padEnd(cellWidth)).join('');
      const { gone, frozen, left } = lanes.get(name) ?? {};
      const state = [left && 'something was left running', gone ?? (frozen && 'frozen now')].filter(Boolean).join('; ');
      const line = `  ${(name || 'no instance').padEnd(nameWidth)}${lane}`;
      out.push((isLast && state && line.length + state.length <= width ? `${line}${state}` : line).trimEnd());
    }
    if (!isLast) out.push('');
  }
  return out;
}

// "1  POST /api/rooms  201 in 12ms on i1": what the numbers of the lanes are.
function requestLines(events) {
  const started = events.filter((e) => e.t === 'invocation_started').map((e) => e.id);
  const order = (e) => (started.includes(e.id) ? started.indexOf(e.id) : started.length + e.seq);
  const ended = events.filter((e) => e.t === 'invocation_ended' && ['invocation', 'socket', 'prerender'].includes(e.traffic)).sort((a, b) => order(a) - order(b));
  return ended.map((e, i) => {
    const cut = e.ended_by === 'platform' && e.phase !== 'request' ? `, cut at ${seconds(e.limit_ms)}` : '';
    const target = e.target.length > 48 ? `${e.target.slice(0, 47)}…` : e.target;
    return `  ${String(i + 1).padStart(2)}  ${e.method} ${target}  ${e.status || 'no answer'}${cut}${e.instance ? ` on ${e.instance}` : ''}${e.code ? `  ${e.code}` : ''}`;
  });
}
const seconds = (ms) => (ms === undefined ? 'its limit' : `${Number((ms / 1000).toFixed(1))} s`);

module.exports = { lanesOf, requestLines };
