// The page: listens to the stream of events, or reads those that are in the file, and keeps lanes, filters, pointer and keys together.
import {apply, bytesPassed, createModel, isOpen} from './fold.mjs';
import {kNoFilter, layOut, matches, neighbour, nextMarked} from './layout.mjs';
import {duration, sentence} from './story.mjs';
import {callAt, coloursOf, draw, gutterOf, kAxis, stayAt} from './draw.mjs';
import {Actions} from './actions.mjs';
import {showLesson} from './lesson.mjs';
import {kNotInFiles, Notes, notesOf} from './notes.mjs';
import {el, showHeader, showProblems, showRequests, showRest, showStory, tipOf} from './panels.mjs';

const $ = (id) => document.getElementById(id);
const json = (id) => ($(id) ? JSON.parse($(id).textContent) : null);
const at = Object.fromEntries(['state', 'verdict', 'run', 'tiles', 'foot', 'lanes', 'space', 'canvas', 'story', 'problems', 'requests', 'rest', 'said', 'tip', 'follow', 'pause', 'span', 'empty', 'act', 'acted'].map((id) => [id, $(id)]));
const codes = json('codes') ?? {}, extras = json('extras') ?? {};
const recorded = $('events')?.textContent;
const kEndWords = 90;  // pixels
const kSpans = [100, 250, 500, 1000, 2000, 5000, 10_000, 30_000, 60_000, 300_000, 900_000, 3_600_000];

let model = createModel({codes, most: recorded === undefined ? 5000 : Infinity});
let connection = 'wait', run = '', fresh = false, offset = null;
let view = {from: 0, to: 30_000}, span = 30_000, follow = true, paused = false;
let filter = {...kNoFilter}, shown = 100, selected = null, hovered = null, storyOf = null;
let lesson = null;
const actions = recorded === undefined ? new Actions(at.act, at.acted) : null;
const notes = new Notes(touch);
let layout = null, plot = null, colours = coloursOf(document.body), shape = '', dirty = true;

function now() {
  if (recorded !== undefined || model.stopped || offset === null || connection === 'lost') return model.now;
  return Math.max(model.now, performance.now() + offset);
}

// ---- events

function listen() {
  const source = new EventSource('events');
  source.addEventListener('hello', ({data}) => {
    const hello = JSON.parse(data);
    fresh = hello.run !== run;
    if (fresh) {
      run = hello.run;
      model = createModel({codes});
      selected = hovered = null;
      closeStory(false);
      model.leftOut = hello.left_out;
    }
    offset = hello.at_ms - performance.now();
    connection = 'live';
    actions.offer(hello);
    touch();
  });
  // What is still true of what is not told any more.
  source.addEventListener('kept', ({data}) => {
    if (fresh) apply(model, {...JSON.parse(data), seq: 0});
  });
  source.addEventListener('passing', ({data}) => {
    bytesPassed(model, JSON.parse(data));
    touch();
  });
  // Of requests that came faster than a page can show them.
  source.addEventListener('left_out', ({data}) => {
    model.leftOut += JSON.parse(data).events;
    touch();
  });
  source.addEventListener('dropped', ({data}) => {
    model.dropped += JSON.parse(data).events;
    // Their ends may be among what was dropped; one that comes after all is taken.
    for (const [id, call] of model.open) {
      if (call.socket !== null) continue;
      Object.assign(call, {ended: now(), lost: true});
      model.open.delete(id);
    }
    touch();
  });
  // Told by `vercel-sim learn` alone, whose page this is then.
  source.addEventListener('lesson', ({data}) => {
    lesson = JSON.parse(data);
    showLesson($('lesson'), lesson);
  });
  addEventListener('hashchange', () => lesson && showLesson($('lesson'), lesson));
  source.onmessage = ({data}) => take(data);
  source.onerror = () => {
    connection = 'lost';
    touch();
  };
}

function take(line) {
  const event = JSON.parse(line);
  if (offset !== null) offset = Math.max(offset, event.at_ms - performance.now());
  apply(model, event);
  touch();
}

// ---- drawing

function touch() {
  dirty = true;
}

function frame(time) {
  requestAnimationFrame(frame);
  const moves = follow && !paused && connection === 'live' && !model.stopped;
  if (document.hidden || (!dirty && !moves) || time - frame.last < 30) return;
  frame.last = time;
  if (follow && !paused) {
    // Room on the right: there stand the walls that are run into.
    const from = Math.max(now() - span * 0.85, -span * 0.02);
    view = {from, to: from + span};
  }
  const width = at.lanes.clientWidth;
  if (width === 0) return;
  layout = layOut(model, view, filter);
  const height = at.lanes.clientHeight;
  at.space.style.height = `${Math.max(layout.height + kAxis + 8, height)}px`;
  at.canvas.style.marginBottom = '0';
  plot = draw(at.canvas, {model, layout, view, now: now(), scroll: at.lanes.scrollTop, width, height, colours, selected, hovered});
  at.span.textContent = duration(view.to - view.from);
  at.empty.hidden = model.calls.size > 0;
  if (dirty) panels(time);
  dirty = false;
}
frame.last = 0;

let due = 0, later = false;
function panels(time) {
  if (time < due) {
    if (!later) setTimeout(() => { later = false; touch(); }, due - time + 5);
    later = true;
    return;
  }
  due = time + 350;
  showHeader(at, model, connection, extras);
  actions?.show(model.run);
  options($('f-route'), [...model.routes].sort());
  options($('f-instance'), [...model.instances.keys()].slice(-300));
  if (storyOf) tellStory();
  const next = `${paused ? 'paused' : model.version} ${JSON.stringify(filter)} ${shown}`;
  if (next === shape) return;
  shape = next;
  showProblems(at.problems, model, tell, extras);
  showRequests(at.requests, model, filter, shown, tell, () => {
    shown += 200;
    touch();
  });
  showRest(at.rest, model, extras, actions?.kill ?? null);
}

function options(select, names) {
  const wanted = ['', ...(select.value && !names.includes(select.value) ? [select.value] : []), ...names];
  if (wanted.length === select.length && wanted.every((n, i) => select.options[i].value === n)) return;
  const value = select.value;
  select.replaceChildren(...wanted.map((n) => el('option', {value: n}, n || 'all')));
  select.value = value;
}

// ---- time

function hold() {
  follow = false;
  at.follow.setAttribute('aria-pressed', 'false');
  touch();
}

function zoom(by, around = follow ? 0.85 : 0.5) {
  const index = by < 0 ? kSpans.findLastIndex((s) => s < span * 0.99) : kSpans.findIndex((s) => s > span * 1.01);
  if (index < 0) return;
  const middle = view.from + (view.to - view.from) * around;
  span = kSpans[index];
  view = {from: middle - span * around, to: middle + span * (1 - around)};
  touch();
}

function fit() {
  const begins = [...model.calls.values()].map((c) => c.began).concat([...model.instances.values()].map((i) => i.born));
  const from = begins.reduce((a, b) => Math.min(a, b), now()), to = now();
  // Room on the right for what instances ended of.
  const room = Math.min(kEndWords / Math.max(at.lanes.clientWidth - gutterOf(at.lanes.clientWidth), 1), 0.3);
  span = Math.max(to - from, 50) / (0.98 - room);
  hold();
  view = {from: from - span * 0.02, to: from + span * 0.98};
}

function pan(pixels) {
  const moved = (pixels / Math.max(at.lanes.clientWidth - gutterOf(at.lanes.clientWidth), 1)) * (view.to - view.from);
  hold();
  view = {from: view.from + moved, to: view.to + moved};
}

function showCall(call) {
  const end = call.ended ?? now();
  if (end < view.from || call.began > view.to) {
    hold();
    const middle = end - call.began > span ? call.began + span / 2 : (call.began + end) / 2;
    view = {from: middle - span / 2, to: middle + span / 2};
  }
  layout = layOut(model, view, filter);
  const lane = layout.lanes.find((l) => l.calls.some((c) => c.call === call));
  if (!lane) return;
  const top = lane.y, bottom = lane.y + lane.height + kAxis;
  if (top < at.lanes.scrollTop) at.lanes.scrollTop = Math.max(0, top - 34);
  else if (bottom > at.lanes.scrollTop + at.lanes.clientHeight) at.lanes.scrollTop = bottom - at.lanes.clientHeight + 10;
}

// ---- one call

function select(call) {
  if (!call) return;
  selected = call;
  showCall(call);
  at.said.textContent = sentence(call, now(), codes);
  touch();
}

function openStory(call, focus = true) {
  storyOf = call;
  told = '';
  at.story.hidden = false;
  document.body.classList.add('told');
  tellStory();
  if (focus) $('h-story').focus();
  touch();
}

// What does not change any more is not written again: one may mark its text.
let told = '';
function tellStory() {
  const call = storyOf;
  if (recorded === undefined) notes.want(call, performance.now());
  const shape = isOpen(call) ? '' : [call.key, call.ended, call.verdicts.length, call.passed?.until, call.deployment?.fate, notes.version].join();
  if (shape && shape === told) return;
  told = shape;
  showStory(at.story, model, call, now(), () => closeStory(), notesOf(call, recorded === undefined ? notes : {data: null, why: kNotInFiles}));
}

let back = null;
function tell(key) {
  const call = model.calls.get(key);
  if (!call) return;
  back = document.activeElement;
  select(call);
  openStory(call);
}

function closeStory(focus = true) {
  if (!storyOf) return;
  storyOf = null;
  told = '';
  at.story.hidden = true;
  document.body.classList.remove('told');
  if (focus) (back?.isConnected ? back : at.lanes).focus({preventScroll: true});
  back = null;
  touch();
}

// ---- keys and pointer

const kKeys = {
  Enter: () => selected && openStory(selected),
  ' ': () => pause(!paused),
  '+': () => zoom(-1),
  '=': () => zoom(-1),
  '-': () => zoom(1),
  v: () => select(nextMarked(model, selected, false, filter)),
  V: () => select(nextMarked(model, selected, true, filter)),
};

function byArrow(key) {
  const next = neighbour(layout, selected, key);
  if (next !== selected || !selected) return next;
  // Nothing further in view: the next one in time.
  const all = [...model.calls.values()].filter((c) => matches(c, filter)).sort((a, b) => a.began - b.began);
  const i = all.indexOf(selected);
  return all[key === 'ArrowLeft' || key === 'ArrowUp' ? i - 1 : i + 1] ?? selected;
}

at.lanes.addEventListener('keydown', (e) => {
  if (e.ctrlKey || e.metaKey || e.altKey) return;
  const arrow = e.key.startsWith('Arrow') || e.key === 'Home' || e.key === 'End';
  if (!arrow && !kKeys[e.key]) return;
  e.preventDefault();
  if (arrow) select(byArrow(e.key));
  else kKeys[e.key]();
});
document.addEventListener('keydown', (e) => {
  if (e.key !== 'Escape') return;
  if (storyOf) return closeStory();
  selected = null;
  at.said.textContent = '';
  touch();
});

let drag = null;
const pointOf = (e) => {
  const box = at.canvas.getBoundingClientRect();
  return [e.clientX - box.left, e.clientY - box.top];
};
at.canvas.addEventListener('pointerdown', (e) => {
  if (e.button === 0) drag = {x: e.clientX, moved: false};
});
at.canvas.addEventListener('pointermove', (e) => {
  if (drag && (drag.moved || Math.abs(e.clientX - drag.x) > 5)) {
    at.canvas.setPointerCapture(e.pointerId);
    drag.moved = true;
    pan(drag.x - e.clientX);
    drag.x = e.clientX;
    return;
  }
  if (plot) hover(e, callAt(plot, ...pointOf(e)));
});
at.canvas.addEventListener('pointerup', (e) => {
  const moved = drag?.moved;
  drag = null;
  const call = plot && callAt(plot, ...pointOf(e));
  if (moved || !call) return;
  at.tip.hidden = true;
  select(call);
  openStory(call, e.pointerType === 'mouse');
});
for (const type of ['pointerleave', 'pointercancel'])
  at.canvas.addEventListener(type, () => {
    drag = null;
    hovered = null;
    at.tip.hidden = true;
    touch();
  });

function hover(e, call) {
  const [, y] = pointOf(e);
  const lane = call ? null : plot.lanes.find((l) => y >= l.top && y < l.bottom)?.lane;
  const text = call ? tipOf(model, call, now()) : lane?.instance ? instanceTip(lane.instance, e) : null;
  if (call !== hovered) touch();
  hovered = call;
  at.canvas.style.cursor = call ? 'pointer' : 'default';
  at.tip.hidden = !text || e.pointerType === 'touch';
  if (at.tip.hidden) return;
  at.tip.replaceChildren(...text);
  const {width, height} = at.tip.getBoundingClientRect();
  const x = Math.min(e.clientX + 14, window.innerWidth - width - 8);
  const top = e.clientY + 18 + height > window.innerHeight ? e.clientY - height - 12 : e.clientY + 18;
  at.tip.style.transform = `translate(${Math.max(x, 8)}px, ${Math.max(top, 8)}px)`;
}

function instanceTip(instance, e) {
  const [x] = pointOf(e), gutter = gutterOf(at.lanes.clientWidth);
  const time = x < gutter ? view.to : view.from + ((x - gutter) / (at.lanes.clientWidth - gutter)) * (view.to - view.from);
  const stay = stayAt(instance, time);
  return [el('strong', {}, instance.name), ` ${instance.group}`, el('br'), time < instance.born || !stay ? 'not there yet' : `${stay.state} since ${(stay.since / 1000).toFixed(2)} s`,
    instance.memory ? `, ${Math.round(instance.memory / 1e6)} MB` : '', instance.why ? `; let go: ${instance.why.replaceAll('_', ' ')}` : '', instance.death ? `; ${instance.death}` : ''];
}

at.lanes.addEventListener('wheel', (e) => {
  if (e.ctrlKey || e.metaKey) {
    e.preventDefault();
    const gutter = gutterOf(at.lanes.clientWidth);
    zoom(e.deltaY, follow ? 0.85 : Math.min(Math.max((pointOf(e)[0] - gutter) / (at.lanes.clientWidth - gutter), 0), 1));
  } else if (Math.abs(e.deltaX) > Math.abs(e.deltaY) || e.shiftKey) {
    e.preventDefault();
    pan(e.deltaX || e.deltaY);
  }
}, {passive: false});
at.lanes.addEventListener('scroll', touch);

function pause(on) {
  paused = on;
  at.pause.setAttribute('aria-pressed', String(on));
  touch();
}

$('pause').onclick = () => pause(!paused);
$('follow').onclick = () => {
  follow = !follow;
  at.follow.setAttribute('aria-pressed', String(follow));
  if (follow) pause(false);
  touch();
};
$('less').onclick = () => zoom(1);
$('more').onclick = () => zoom(-1);
$('fit').onclick = fit;
for (const key of ['text', 'route', 'outcome', 'instance'])
  $(`f-${key}`).addEventListener('input', (e) => {
    filter = {...filter, [key]: /** @type {HTMLInputElement} */ (e.target).value.trim()};
    shown = 100;
    touch();
  });
document.querySelector('form').addEventListener('submit', (e) => e.preventDefault());
new ResizeObserver(touch).observe(at.lanes);
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
  colours = coloursOf(document.body);
  touch();
});
setInterval(() => storyOf && isOpen(storyOf) && touch(), 1000);

const kLegend = [['before', 'before its handler'], ['run', 'handler runs'], ['stream', 'response on its way'], ['socket', 'WebSocket'], ['tick', 'bytes pass'], ['wall', 'its limit'], ['bad', 'violation'], ['warn', 'warning'],
  ['boot', 'instance starts'], ['alive', 'alive'], ['still', 'frozen']];
$('legend').replaceChildren(...kLegend.map(([key, text]) => el('li', {}, el('span', {class: `key k-${key}`}), text)));

// For whoever looks from outside, as the tests do: what is drawn, not what to draw.
window['vercelSim'] = {
  get model() { return model; },
  get drawn() { return plot?.boxes.map((b) => ({key: b.call.key, lane: b.lane.key, x: b.x, y: b.y, w: b.w, h: b.h})) ?? []; },
  get lanes() { return layout?.lanes.map((l) => ({key: l.key, group: l.group.name, calls: l.calls.map((c) => c.call.key)})) ?? []; },
  get deployments() { return plot?.deployments ?? []; },
  get view() { return {...view, follow, paused}; },
  // Whether what stands on the screen is what was last asked for: nothing moves until somebody does something.
  get settled() { return !dirty && !(follow && !paused && connection === 'live') && !later; },
};

if (recorded === undefined) {
  listen();
} else {
  connection = 'file';
  for (const line of recorded.split('\n')) if (line) apply(model, JSON.parse(line));
  model.leftOut = extras.left_out ?? 0;
  at.follow.hidden = at.pause.hidden = true;
  fit();
}
requestAnimationFrame(frame);
