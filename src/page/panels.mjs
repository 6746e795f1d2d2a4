// What stands beside the lanes: the verdict on top, what was said, the table of requests, the story of one. Everything of the app is set as text.
import {isBad, isMarked, isOpen, failed, violations, warnings} from './fold.mjs';
import {matches, wallOf} from './layout.mjs';
import {aboutWall, count, duration, facts, outcome, phases, statusOf, times} from './story.mjs';

export function el(tag, attributes = {}, ...children) {
  const out = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (key === 'class') out.className = value;
    else if (key === 'key') out.dataset.key = value;
    else if (key.startsWith('on')) out.addEventListener(key.slice(2), value);
    else out.setAttribute(key, value === true ? '' : value);
  }
  out.append(...children.filter((c) => c !== null && c !== undefined && c !== ''));
  return out;
}

// `code` between backticks is set as such.
export const rich = (text) => text.split('`').map((part, i) => (i % 2 ? el('code', {}, part) : part)).filter((part) => part !== '');

// Only what is surely a web address becomes a link.
export const link = (url) => (/^https?:\/\//.test(url) ? el('a', {href: url, rel: 'noreferrer noopener', target: '_blank'}, url) : url);

// New content, with the focus and the opened details where they were.
export function replace(parent, ...children) {
  const focused = parent.contains(document.activeElement) ? /** @type {HTMLElement} */ (document.activeElement).dataset.key : undefined;
  const opened = new Set([...parent.querySelectorAll('details[open]')].map((d) => d.dataset.key));
  parent.replaceChildren(...children.filter((c) => c !== null && c !== undefined));
  for (const d of parent.querySelectorAll('details')) if (opened.has(d.dataset.key)) d.open = true;
  if (focused) [...parent.querySelectorAll('[data-key]')].find((e) => e.dataset.key === focused)?.focus({preventScroll: true});
}

// What the project says is meant (`expect:` of vercel-sim.yaml): its reason, or undefined.
const withoutLine = (file) => file.replace(/(:\d+){1,2}$/, '');
function reasonOf(p, extras) {
  return extras.expected?.find((e) => e.code === p.code && e.route === p.route && e.file === withoutLine(p.file) && e.path === (p.route ? '' : p.target.split('?')[0]))?.reason;
}

export function showHeader(at, model, connection, extras) {
  const n = violations(model), profile = model.run?.profiles?.slice(-3).join(', then ') ?? '';
  const meant = [...model.problems.values()].reduce((sum, p) => sum + (p.violation && reasonOf(p, extras) !== undefined ? p.count : 0), 0);
  at.verdict.className = n > meant ? 'bad' : 'good';
  at.verdict.textContent = (n > meant ? '✗ ' : '✓ ') + (n > 0 ? count(n, 'violation') : `No violation${model.stopped || connection === 'file' ? '' : ' so far'}`)
    + (meant > 0 ? `, ${meant} expected` : '') + (profile ? ` on ${profile}` : '');
  document.title = `${n > 0 ? count(n, 'violation') : 'vercel-sim'}${profile ? ` on ${profile}` : ''}`;
  const r = model.run;
  at.run.textContent = r ? [r.app || r.url, r.asOf && `limits as of ${r.asOf}`, r.isolation && `isolation ${r.isolation}`, r.timeScale !== 1 && `limits divided by ${r.timeScale}`,
    model.command && `${model.command.text} ${model.command.ended ? `exited with ${model.command.exitCode}` : connection === 'file' ? 'did not end' : 'runs'}`,
    connection === 'file' && model.zero && new Date(model.zero).toISOString().slice(0, 16).replace('T', ' ') + ' UTC',
    connection === 'file' && !model.stopped && 'the events end before the run did: it was cut off, or its recording was'].filter(Boolean).join(' · ') : '';
  const alive = [...model.instances.values()].filter((i) => i.died === null).length;
  const tiles = [['requests', model.requests], ['violations', n], ['warnings', warnings(model)], ['cut or refused', model.cut],
    connection === 'file' ? ['instances', model.instances.size] : ['instances alive', alive], connection === 'file' ? null : ['under way', model.open.size],
    model.dropped > 0 ? ['events dropped', model.dropped] : null];
  at.tiles.replaceChildren(...tiles.filter(Boolean).map(([name, value]) => el('div', {}, el('dt', {}, name), el('dd', {}, String(value)))));
  const words = {live: 'live', lost: 'vercel-sim has ended; looking for it', file: 'recorded', wait: 'connecting'};
  at.state.className = connection;
  const text = connection === 'live' && model.app.state !== 'ready' ? `live, the app is ${model.app.state}` : words[connection];
  if (at.state.textContent !== text) at.state.textContent = text;
  at.foot.textContent = [
    `vercel-sim ${r?.version ?? ''}`, model.leftOut > 0 ? `${count(model.leftOut, 'event')} not shown` : '',
    model.dropped > 0 ? `${count(model.dropped, 'event')} dropped, because this page did not read them in time` : '', 'vercel-sim explain CODE tells more of each code',
  ].filter(Boolean).join(' · ');
}

const tagOf = (v) => el('span', {class: `tag ${v.violation ? 'bad' : 'warn'}`}, v.violation ? 'violation' : 'warning');
const fixOf = (text) => (text ? el('p', {class: 'fix'}, el('strong', {}, 'Fix. '), ...rich(text)) : null);

function sourceOf(verdict, about) {
  const from = verdict.from ?? {};
  const url = from.source || about.source || '';
  if (!url && !from.file) return null;
  return el('p', {class: 'dim'}, 'Limit: ', from.file ? el('code', {}, `${from.file}${from.line ? `:${from.line}` : ''}`) : null, from.file && url ? ', ' : null, link(url),
    from.as_of ? `, as of ${from.as_of}` : null, from.confidence ? ` (${from.confidence})` : null, from.note ? `. ${from.note}` : null);
}

// Numbers beside each other; what was seen in words needs none.
const seenText = (v) => [v.message, v.measured && (/^[\d<]/.test(v.measured) ? `measured ${v.measured}` : v.measured), v.limit && (/^\d/.test(v.limit) ? `limit ${v.limit}` : v.limit)].filter(Boolean).join('; ');
const seenOf = (v) => (seenText(v) ? el('p', {}, 'Seen: ', ...rich(seenText(v))) : null);

export function showProblems(parent, model, open, extras) {
  const groups = new Map();
  for (const p of model.problems.values()) {
    const key = `${p.code} ${p.violation}`;
    (groups.get(key) ?? groups.set(key, []).get(key)).push(p);
  }
  const sorted = [...groups.entries()].sort(([, a], [, b]) => Number(b[0].violation) - Number(a[0].violation));
  if (sorted.length === 0) return replace(parent, el('p', {class: 'dim'}, 'Nothing: no limit struck, and nothing would be lost on Vercel.'));
  replace(parent, ...sorted.map(([key, places]) => {
    const first = places[0], about = model.codes[first.code] ?? {};
    const fixes = [...new Set(places.map((p) => p.fix))];
    const all = places.reduce((n, p) => n + p.count, 0);
    return el('article', {class: 'card'},
      el('div', {class: 'head'}, tagOf(first), el('h3', {}, ...rich(about.title ?? first.code)), el('code', {class: 'dim'}, first.code), el('span', {class: 'dim'}, times(all))),
      ...fixes.slice(0, 3).map(fixOf),
      el('div', {class: 'table'}, el('table', {}, el('thead', {}, el('tr', {}, el('th', {scope: 'col'}, 'where'), el('th', {scope: 'col'}, 'seen'), el('th', {scope: 'col', class: 'n'}, 'times'))),
        el('tbody', {}, ...places.slice(0, 20).map((p) => el('tr', {}, el('td', {}, whereOf(p, open, extras)), el('td', {}, ...(seenText(p) ? rich(seenText(p)) : ['–'])), el('td', {class: 'n'}, String(p.count))))))),
      places.length > 20 ? el('p', {class: 'dim'}, `and ${places.length - 20} more places`) : null,
      el('details', {key}, el('summary', {key: `s ${key}`}, 'Why'), el('p', {}, ...rich(about.why ?? '')), sourceOf(first, about)));
  }));
}

function whereOf(p, open, extras) {
  const place = (p.file && (extras.prefix ?? '') + p.file) || p.route || (p.target ? p.target.split('?')[0] : 'the project');
  const out = el('span', {}, el('code', {}, place), p.file && p.route ? el('span', {class: 'dim'}, ` ${p.route}`) : null);
  const reason = reasonOf(p, extras);
  if (reason !== undefined) out.append(el('br'), el('span', {class: 'tag good'}, 'expected'), ` ${reason}`);
  if (p.call) out.append(el('br'), el('button', {type: 'button', key: `p ${p.key}`, onclick: () => open(p.call)}, p.count > 1 ? 'story of the last' : 'its story'));
  return out;
}

export function showRequests(parent, model, filter, most, open, more) {
  const rows = [];
  let n = 0;
  for (const call of [...model.calls.values()].sort((a, b) => b.began - a.began)) {
    if (!matches(call, filter)) continue;
    if (++n <= most) rows.push(rowOf(model, call, open));
  }
  const head = ['at', 'request', 'status', 'instance', 'time', 'said'].map((t) => el('th', {scope: 'col', class: t === 'at' || t === 'status' || t === 'time' ? 'n' : null}, t));
  replace(parent, n === 0 ? el('p', {class: 'dim'}, 'No request matches.') : el('table', {}, el('thead', {}, el('tr', {}, ...head)), el('tbody', {}, ...rows)),
    n > most ? el('button', {type: 'button', class: 'more', key: 'more', onclick: more}, `Show more (${n - most} left)`) : null);
}

function rowOf(model, call, open) {
  const said = call.verdicts[0]?.code ?? call.code;
  return el('tr', {},
    el('td', {class: 'n'}, `${(call.began / 1000).toFixed(1)} s`),
    el('td', {}, el('button', {type: 'button', class: 'mono', key: `c ${call.key}`, onclick: () => open(call.key)}, `${call.method} ${call.target}`.trim() || call.key)),
    el('td', {class: `n ${failed(call) || isBad(call) ? 'bad' : ''}`}, String(statusOf(call))),
    el('td', {}, call.instance || '–'),
    el('td', {class: 'n'}, isOpen(call) ? outcome(call) : duration(call.ended - call.began)),
    el('td', {class: isBad(call) ? 'bad' : isMarked(call) ? 'warn' : 'dim'}, said || (call.clientLeft ? 'client left' : '')));
}

// `more`: what is told of it beside events.
export function showStory(parent, model, call, now, close, more = []) {
  const total = Math.max((call.ended ?? now) - call.began, 0.001);
  const wall = wallOf(call);
  const about = aboutWall(call, now);
  const bar = (p) => {
    const fill = el('span', {class: `fill k-${p.kind}`});
    fill.style.left = `${(p.from / total) * 100}%`;
    fill.style.width = `${(p.ms / total) * 100}%`;
    const track = el('span', {class: 'track'}, fill);
    const at = wall === null ? -1 : wall - call.began;
    if (at > p.from && at <= p.from + p.ms + 60) {
      const mark = el('span', {class: 'wallmark'});
      mark.style.left = `min(${(at / total) * 100}%, calc(100% - 3px))`;
      track.append(mark);
    }
    return el('li', {}, el('span', {}, p.name), el('span', {class: 'dim'}, duration(p.ms)), track);
  };
  replace(parent,
    el('div', {class: 'top'}, el('h2', {id: 'h-story', tabindex: '-1', key: 'title'}, `${call.method} ${call.target}`.trim() || call.key), el('button', {type: 'button', key: 'close', onclick: close}, 'Close')),
    el('p', {class: failed(call) || isBad(call) ? 'bad' : 'dim'}, `${statusOf(call)}, ${outcome(call)}, ${duration(total)}${about ? `; ${about}` : ''}`),
    ...call.verdicts.map((v) => {
      const code = model.codes[v.code] ?? {};
      return el('div', {class: 'card'}, el('div', {class: 'head'}, tagOf(v), el('h3', {}, ...rich(code.title ?? v.code)), el('code', {class: 'dim'}, v.code)), fixOf(v.fix), seenOf(v),
        v.file ? el('p', {}, 'Where: ', el('code', {}, v.file)) : null, v.writer ? el('p', {}, `Written on ${v.writer}, looked for on ${call.instance}.`) : null,
        code.why ? el('p', {class: 'dim'}, ...rich(code.why)) : null, sourceOf(v, code));
    }),
    call.verdicts.length === 0 && call.code ? el('div', {class: 'card'}, el('code', {}, call.code), fixOf(model.codes[call.code]?.fix ?? ''), el('p', {}, ...rich(model.codes[call.code]?.why ?? ''))) : null,
    el('h3', {}, 'Where its time went'), el('ul', {class: 'phases'}, ...phases(call, now).map(bar)),
    el('h3', {}, 'Facts'), el('table', {}, el('tbody', {}, ...facts(call, now).map(([title, text]) => el('tr', {}, el('th', {scope: 'row'}, title), el('td', {}, text))))), ...more);
}

export function tipOf(model, call, now) {
  const v = call.verdicts[0];
  return [el('strong', {}, `${call.method} ${call.target}`.trim()), el('br'), `${statusOf(call)}, ${outcome(call)}, ${duration((call.ended ?? now) - call.began)}`,
    v ? el('p', {class: v.violation ? 'bad' : 'warn'}, ...rich(model.codes[v.code]?.title ?? v.code)) : null, v ? fixOf(v.fix) : null].filter(Boolean);
}

const table = (heads, rows) => el('div', {class: 'table', tabindex: '0', role: 'region', 'aria-label': heads[0].trim()},
  el('table', {}, el('thead', {}, el('tr', {}, ...heads.map((h) => el('th', {scope: 'col', class: h.startsWith(' ') ? 'n' : null}, h.trim())))),
    el('tbody', {}, ...rows.map((row) => el('tr', {}, ...row.map((cell, i) => el('td', {class: heads[i].startsWith(' ') ? 'n' : null}, cell)))))));
const section = (id, title, ...children) => el('section', {'aria-labelledby': id}, el('h2', {id}, title), ...children);
const kMostListed = 500;

// `kill`: what ends an instance; null: nobody may. Functions, instances, what `check` says of the sources, notes.
export function showRest(parent, model, extras, kill) {
  const functions = new Map();
  for (const c of model.calls.values()) {
    if (!c.route || c.traffic === 'prerender' || isOpen(c)) continue;
    const f = functions.get(c.route) ?? functions.set(c.route, {file: '', n: 0, cold: 0, charged: 0, longest: 0}).get(c.route);
    Object.assign(f, {file: c.file || f.file, n: f.n + 1, cold: f.cold + (c.start && c.start !== 'warm' ? 1 : 0), charged: f.charged + c.charged, longest: Math.max(f.longest, c.charged)});
  }
  const instances = [...model.instances.values()].slice(-kMostListed);
  const findings = extras.findings ?? [];
  replace(parent,
    functions.size > 0 ? section('h-functions', 'Functions', table(['function', 'file', ' requests', ' not on a warm instance', ' charged', ' longest'],
      [...functions].map(([route, f]) => [el('code', {}, route), el('code', {}, f.file && (extras.prefix ?? '') + f.file), String(f.n), String(f.cold), duration(f.charged), duration(f.longest)]))) : null,
    findings.length > 0 ? section('h-findings', 'What the sources say', table(['rule', 'where', 'what'], findings.map((f) => [
      el('span', {}, el('code', {}, f.rule), ` ${f.level} `, f.struck > 0 ? el('span', {class: 'tag bad'}, `struck ${times(f.struck)}`) : null), el('code', {}, f.place), f.message]))) : null,
    instances.length > 0 ? section('h-instances', 'All instances', el('details', {key: 'instances'}, el('summary', {key: 's instances'}, count(model.instances.size, 'instance')),
      table(['instance', 'function', ' requests', ' memory', 'end'], instances.map((i) => [i.name, el('code', {}, i.group), String(i.calls.length), i.memory ? `${Math.round(i.memory / 1e6)} MB` : '',
        i.died === null && kill ? el('button', {type: 'button', key: `k ${i.name}`, title: 'End its process, as a crash would', onclick: () => kill(i.name)}, `Kill ${i.name}`) : [i.why.replaceAll('_', ' '), i.death].filter(Boolean).join(': ')])))) : null,
    model.notices.length > 0 ? section('h-notes', 'Notes', ...model.notices.slice(-50).map((n) => el('div', {class: 'card'},
      el('p', {}, el('strong', {}, `${n.level} `), n.file ? el('code', {}, `${(extras.prefix ?? '') + n.file} `) : null, ...rich(n.message)), fixOf(n.fix)))) : null);
}
