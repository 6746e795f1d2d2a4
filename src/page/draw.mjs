// The lanes on a canvas: what is in view is drawn, nothing else. Keeps where each call stands, for the pointer.
import {hitWall, kGroupHead, kLanePad, kRow, gridStep, stateLinks, ticksOf, wallOf, wallShows} from './layout.mjs';
import {failed, isBad, isMarked, isOpen} from './fold.mjs';
import {duration} from './story.mjs';

const kNames = ['bg', 'fg', 'dim', 'line', 'strong', 'focus', 'run', 'stream', 'before', 'socket', 'bad', 'warn', 'link', 'alive', 'busy', 'boot', 'still', 'dying', 'wall', 'ink'];
export const kAxis = 24;
const kStayColours = {spawning: 'boot', binding: 'boot', spare: 'alive', bound: 'alive', idle: 'alive', leased: 'busy', frozen: 'still', retired: 'dying', dying: 'dying'};

export function coloursOf(element) {
  const style = getComputedStyle(element);
  return Object.fromEntries(kNames.map((n) => [n, style.getPropertyValue(`--${n}`).trim()]));
}

export function draw(canvas, {model, layout, view, now, scroll, width, height, colours, selected, hovered}) {
  const scale = window.devicePixelRatio || 1;
  if (canvas.width !== Math.round(width * scale) || canvas.height !== Math.round(height * scale)) {
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
    canvas.style.height = `${height}px`;
  }
  const c = canvas.getContext('2d');
  c.setTransform(scale, 0, 0, scale, 0, 0);
  c.clearRect(0, 0, width, height);
  c.textBaseline = 'middle';
  const gutter = gutterOf(width);
  const plot = {
    c, colours, view, now, width, gutter, boxes: [], lanes: [], deployments: [], selected, hovered,
    x: (at) => gutter + ((at - view.from) / (view.to - view.from)) * (width - gutter),
    y: (y) => y - scroll + kAxis,
  };
  drawGrid(plot, height);
  c.save();
  c.beginPath();
  c.rect(0, kAxis, width, height - kAxis);
  c.clip();
  for (const group of layout.groups) drawGroup(plot, group, height);
  drawLinks(plot, model);
  c.restore();
  drawAxis(plot, model, height);
  drawDeployments(plot, model, height);
  return plot;
}

export const gutterOf = (width) => (width < 560 ? 64 : 132);

const stepOf = ({view, width, gutter}) => gridStep(view.to - view.from, Math.max(2, Math.floor((width - gutter) / 90)));

function eachLine(plot, tell) {
  const step = stepOf(plot);
  for (let n = Math.max(0, Math.ceil(plot.view.from / step)); n * step <= plot.view.to; n++) {
    const at = Math.round(plot.x(n * step)) + 0.5;
    if (at >= plot.gutter) tell(at, n * step, step);
  }
}

function drawGrid(plot, height) {
  const {c, colours} = plot;
  c.strokeStyle = colours.line;
  c.beginPath();
  eachLine(plot, (at) => {
    c.moveTo(at, 0);
    c.lineTo(at, height);
  });
  c.stroke();
}

function drawAxis(plot, model, height) {
  const {c, colours, view, x, width, now} = plot;
  c.font = '11px system-ui, sans-serif';
  c.fillStyle = colours.dim;
  c.textAlign = 'left';
  eachLine(plot, (at, time, step) => c.fillText(label(time, step), at + 4, kAxis / 2));
  c.fillStyle = colours.line;
  c.fillRect(0, kAxis - 1, width, 1);
  if (!model.stopped && now <= view.to && now >= view.from) {
    c.fillStyle = colours.focus;
    c.fillRect(x(now) - 1, 0, 1.5, height);
  }
}

// Requests to the right of it went to the new one; what is open stays where it is.
function drawDeployments({c, colours, view, x, gutter, deployments}, model, height) {
  c.font = '600 11px system-ui, sans-serif';
  c.textAlign = 'left';
  for (const {number, at} of model.deployments) {
    const left = Math.round(x(at)) + 0.5;
    if (at > view.to || left < gutter) continue;
    deployments.push({number, x: left});
    c.strokeStyle = colours.link;
    c.setLineDash([2, 3]);
    c.beginPath();
    c.moveTo(left, 0);
    c.lineTo(left, height);
    c.stroke();
    c.setLineDash([]);
    const text = `deployment ${number}`;
    c.fillStyle = colours.bg;
    c.fillRect(left + 1, 1, c.measureText(text).width + 8, kAxis - 3);
    c.fillStyle = colours.link;
    c.fillText(text, left + 5, kAxis / 2);
  }
}

function label(at, step) {
  const s = at / 1000;
  return step < 1000 ? `${s.toFixed(step < 10 ? 3 : step < 100 ? 2 : 1)}s` : s < 60 ? `${Math.round(s)}s` : `${Math.floor(s / 60)}m${Math.round(s % 60) ? ` ${Math.round(s % 60)}s` : ''}`;
}

function drawGroup(plot, group, height) {
  const {c, colours, y, width} = plot;
  const bottom = group.lanes.at(-1);
  if (y(bottom.y + bottom.height) < kAxis || y(group.y) > height) return;
  const top = y(group.y);
  c.fillStyle = colours.bg;
  c.fillRect(0, top + 1, width, kGroupHead - 2);
  c.fillStyle = colours.fg;
  c.font = '600 12.5px system-ui, sans-serif';
  c.textAlign = 'left';
  const n = group.lanes.filter((l) => l.instance).length;
  c.fillText(group.name, 10, top + kGroupHead / 2 + 2);
  const w = c.measureText(group.name).width;
  c.fillStyle = colours.dim;
  c.font = '12px system-ui, sans-serif';
  if (n > 0) c.fillText(`${n} ${n === 1 ? 'instance' : 'instances'}`, 20 + w, top + kGroupHead / 2 + 2);
  c.fillStyle = colours.line;
  c.fillRect(0, top, width, 1);
  for (const lane of group.lanes) if (y(lane.y + lane.height) >= kAxis && y(lane.y) <= height) drawLane(plot, lane);
}

function drawLane(plot, lane) {
  const {c, colours, y, gutter, width, view} = plot;
  const top = y(lane.y);
  plot.lanes.push({lane, top, bottom: top + lane.height});
  c.save();
  c.beginPath();
  c.rect(gutter, top, width - gutter, lane.height);
  c.clip();
  if (lane.instance) drawLife(plot, lane, top);
  const crowd = new Map();
  for (const {call, row} of lane.calls) drawCall(plot, lane, call, top + kLanePad + row * kRow, crowd);
  c.restore();
  c.fillStyle = colours.dim;
  c.font = '12px ui-monospace, Menlo, Consolas, monospace';
  c.textAlign = 'left';
  const middle = top + lane.height / 2;
  c.fillText(lane.title, 10, middle);
  if (!lane.instance || gutter < 100) return;
  const stay = stayAt(lane.instance, view.to);
  c.font = '11px system-ui, sans-serif';
  c.textAlign = 'right';
  c.fillText(stay ? stay.state : '', gutter - 10, middle);
}

export const stayAt = (instance, at) => instance.stays.findLast((s) => s.since <= at) ?? instance.stays[0];

function drawLife({c, colours, x, view, now, width, gutter}, lane, top) {
  const {stays, died, why} = lane.instance;
  const h = lane.height - 2;
  for (let i = 0; i < stays.length; i++) {
    const colour = kStayColours[stays[i].state];
    const until = stays[i + 1]?.since ?? died ?? now;
    if (!colour || until < view.from || stays[i].since > view.to) continue;
    const from = Math.max(x(stays[i].since), gutter), to = Math.min(x(until), width);
    c.fillStyle = colours[colour];
    c.fillRect(from, top + 1, Math.max(to - from, 1), h);
    if (stays[i].state === 'frozen') hatch(c, colours.strong, from, top + 1, to - from, h, 7);
  }
  if (died === null || died > view.to || died < view.from) return;
  const at = x(died), middle = top + lane.height / 2;
  c.strokeStyle = ['deadline', 'unresponsive', 'failed', 'memory_limit', 'init_timeout', 'spawn_timeout'].includes(why) ? colours.bad : colours.dim;
  c.lineWidth = 1.5;
  c.beginPath();
  c.moveTo(at + 2, middle - 4);
  c.lineTo(at + 10, middle + 4);
  c.moveTo(at + 10, middle - 4);
  c.lineTo(at + 2, middle + 4);
  c.stroke();
  c.lineWidth = 1;
  if (!why || at > width - 40) return;
  c.fillStyle = c.strokeStyle;
  c.font = '11px system-ui, sans-serif';
  c.textAlign = 'left';
  c.fillText(why.replaceAll('_', ' '), at + 15, middle);
}

function hatch(c, colour, x, y, w, h, every) {
  if (w < 2) return;
  c.save();
  c.beginPath();
  c.rect(x, y, w, h);
  c.clip();
  c.strokeStyle = colour;
  c.beginPath();
  for (let at = x - h; at < x + w; at += every) {
    c.moveTo(at, y + h);
    c.lineTo(at + h, y);
  }
  c.stroke();
  c.restore();
}

// A bar: before its handler, running, answering; a mark where something was said; a wall where its limit is.
function drawCall(plot, lane, call, top, crowd) {
  const {c, colours, x, now, width, gutter, boxes} = plot;
  const h = kRow - 4, y = top + 2;
  const left = Math.max(x(call.began), gutter - 2), right = Math.min(Math.max(x(call.ended ?? now), left + 3), width + 2);
  const chosen = call === plot.selected || call === plot.hovered;
  // Where hundreds share a pixel, one of them stands for all that look alike.
  const looks = `${top} ${isBad(call)} ${isMarked(call)}`;
  if (!chosen && right - left <= 3.5 && left - (crowd.get(looks) ?? -9) < 1) return;
  crowd.set(looks, left);
  boxes.push({x: left, y, w: right - left, h, call, lane});

  const at = (t) => Math.min(Math.max(x(t), left), right);
  const handler = call.handler ?? call.ended ?? now;
  const answer = call.socket ?? call.firstByte ?? call.ended ?? now;
  const paint = (from, to, colour) => {
    if (to <= from) return;
    c.fillStyle = colour;
    c.fillRect(from, y, to - from, h);
  };
  if (right - left <= 3.5) {
    paint(left, right, isBad(call) || failed(call) ? colours.bad : isMarked(call) ? colours.warn : call.handler === null ? colours.strong : colours.run);
  } else if (call.handler === null) {
    paint(left, right, colours.before);
    paint(at(answer), right, call.socket !== null ? colours.socket : colours.strong);
  } else {
    paint(left, at(handler), colours.before);
    paint(at(handler), at(Math.max(answer, handler)), colours.run);
    paint(at(Math.max(answer, handler)), right, call.socket !== null ? colours.socket : colours.stream);
    if (call.firstByte !== null && call.socket === null) paint(at(answer), at(answer) + 1.5, colours.fg);
    if (call.socket !== null && !call.passed) hatch(c, colours.bg, at(answer), y, right - at(answer), h, 6);
  }
  if (isOpen(call)) {
    c.strokeStyle = colours.focus;
    c.strokeRect(left + 0.5, y + 0.5, right - left, h - 1);
  }
  if (wallShows(call, now) || (chosen && wallOf(call) !== null)) drawWall(plot, call, y, h);
  if (isMarked(call) || failed(call)) mark(c, isBad(call) || failed(call) ? colours.bad : colours.warn, Math.min(right, width - 6), y + h / 2, isBad(call) || failed(call));
  if (chosen) {
    c.strokeStyle = call === plot.selected ? colours.fg : colours.focus;
    c.lineWidth = 2;
    c.strokeRect(left - 1, y - 1, right - left + 2, h + 2);
    c.lineWidth = 1;
  }
  const from = call.handler === null ? left : at(handler);
  // Its limit stands before the wall, which may be some way before the end.
  const end = hitWall(call) && wallOf(call) !== null ? at(wallOf(call)) - 44 : right - 8;
  const labelled = right - from >= 70 && end > from;
  const text = `${call.method} ${call.target}`;
  c.font = '11px system-ui, sans-serif';
  const until = labelled ? Math.min(from + 10 + c.measureText(text).width, end) : from;
  if (call.passed) drawTicks(plot, call, y, h, until);
  if (!labelled) return;
  if (call.socket !== null) paint(Math.max(from, at(answer)), until, colours.socket);  // no hatching under words
  c.save();
  c.beginPath();
  c.rect(from, y, end - from, h);
  c.clip();
  c.textAlign = 'left';
  c.fillStyle = call.handler === null ? colours.fg : colours.ink;
  c.fillText(text, from + 6, y + h / 2 + 0.5);
  c.restore();
}

// To the client in the lower half, from it in the upper one; behind its label.
function drawTicks({c, colours, x, gutter, width}, call, y, h, label) {
  c.fillStyle = colours.ink;
  const half = h / 2 - 1, last = {i: -9, o: -9};
  for (const {at, way} of ticksOf(call)) {
    const left = Math.round(x(at));
    if (left < Math.max(gutter, label) || left > width) continue;
    for (const [one, top] of [['i', y + 1], ['o', y + h - half]]) {
      if ((way !== one && way !== 'b') || left - last[one] < 2) continue;
      last[one] = left;
      c.fillRect(left, top, 1.5, half - 1);
    }
  }
}

const limitText = (ms) => duration(ms).replace(/\.0+s$/, 's');

function drawWall({c, colours, x, width, now}, call, y, h) {
  const at = x(hitWall(call) && call.ended !== null ? Math.min(wallOf(call), call.ended) : wallOf(call));
  if (at > width + 10) return;
  c.fillStyle = colours.wall;
  c.fillRect(at - 1, y - 3, 4, h + 6);
  hatch(c, colours.wall, at + 3, y - 2, 9, h + 4, 4);
  const inside = (call.ended ?? now) >= wallOf(call) - 1;
  c.font = '600 11px system-ui, sans-serif';
  c.textAlign = inside ? 'right' : 'left';
  c.fillStyle = inside ? colours.ink : colours.wall;
  c.fillText(limitText(call.limit), at + (inside ? -10 : 16), y + h / 2 + 0.5);
}

function mark(c, colour, x, y, bad) {
  c.fillStyle = colour;
  c.beginPath();
  if (bad) {
    c.moveTo(x - 5, y);
    c.lineTo(x, y - 5);
    c.lineTo(x + 5, y);
    c.lineTo(x, y + 5);
  } else {
    c.arc(x, y, 4, 0, 7);
  }
  c.fill();
}

function drawLinks({c, colours, boxes}, model) {
  const box = new Map(boxes.map((b) => [b.call, b]));
  c.strokeStyle = c.fillStyle = colours.link;
  c.lineWidth = 1.5;
  for (const {from, to} of stateLinks(model)) {
    const a = box.get(from), b = box.get(to);
    if (!a || !b) continue;
    const x1 = a.x + a.w, y1 = a.y + a.h / 2, x2 = b.x, y2 = b.y + b.h / 2;
    c.setLineDash([4, 3]);
    c.beginPath();
    c.moveTo(x1, y1);
    c.bezierCurveTo(x1 + 30, y1, x2 - 30, y2, x2 - 5, y2);
    c.stroke();
    c.setLineDash([]);
    c.beginPath();
    c.moveTo(x2, y2);
    c.lineTo(x2 - 7, y2 - 4);
    c.lineTo(x2 - 7, y2 + 4);
    c.fill();
  }
  c.lineWidth = 1;
}

// The call under the pointer, or near it: small ones are easy to miss.
export function callAt(plot, x, y) {
  let best = null, nearest = 7;
  for (const b of plot.boxes) {
    if (y < b.y - 3 || y > b.y + b.h + 3) continue;
    const far = x < b.x ? b.x - x : x > b.x + b.w ? x - b.x - b.w : 0;
    if (far < nearest || (far === 0 && nearest === 0)) {
      nearest = far;
      best = b.call;
    }
  }
  return best;
}
