// What is told of one call, in words and phases; how numbers read. Pure.
import {failed, isOpen} from './fold.mjs';
import {wallOf} from './layout.mjs';

// As vercel-sim's own lines: "8ms", "1.24s", "10.0s", "5m 2s"; rounded down, so that what is below a limit never reads as the limit.
export function duration(ms) {
  if (!(ms > 0)) return '0ms';
  if (ms < 1) return '<1ms';
  if (ms < 1000) return `${Math.floor(ms)}ms`;
  const s = ms / 1000;
  if (s < 10) return `${(Math.floor(s * 100) / 100).toFixed(2)}s`;
  if (s < 60) return `${(Math.floor(s * 10) / 10).toFixed(1)}s`;
  const whole = Math.floor(s);
  if (whole < 3600) return `${Math.floor(whole / 60)}m ${whole % 60}s`;
  return `${Math.floor(whole / 3600)}h ${Math.floor((whole % 3600) / 60)}m`;
}

export function size(bytes) {
  if (bytes < 1000) return `${bytes} B`;
  const [unit, n] = bytes < 1e6 ? ['KB', bytes / 1e3] : bytes < 1e9 ? ['MB', bytes / 1e6] : ['GB', bytes / 1e9];
  return `${n < 10 ? (Math.floor(n * 10) / 10).toFixed(1) : Math.floor(n)} ${unit}`;
}

export const times = (n) => (n === 1 ? 'once' : n === 2 ? 'twice' : `${n} times`);
export const count = (n, one, many = `${one}s`) => `${n} ${n === 1 ? one : many}`;

// From its head to its end: [{name, from, ms, kind}] with `from` since it began, no gaps. What is not told apart is routing.
export function phases(call, now) {
  const end = call.ended ?? Math.max(now, call.began);
  const total = end - call.began;
  const begins = Math.min(Math.max((call.handler ?? end) - call.began, 0), total);
  const known = call.handler !== null ? Math.min(call.compile + call.waited + call.init, begins) : Math.min(call.compile + call.waited, begins);
  const out = [];
  let at = 0;
  const add = (title, ms, kind) => {
    const length = Math.min(Math.max(ms, 0), total - at);
    if (length > 0) out.push({name: title, from: at, ms: length, kind});
    at += length;
  };
  const answering = call.socket ?? call.firstByte;
  if (call.handler === null && answering !== null) {
    add('compile', call.compile, 'before');
    add('answered by next dev, or by no function', answering - call.began - at, 'before');
    add(call.socket !== null ? 'socket open' : 'response', total - at, 'stream');
    return out;
  }
  add(call.handler === null ? 'edge and routing, until it ended' : 'edge and routing', begins - known, 'before');
  add('compile', Math.min(call.compile, begins - at), 'compile');
  add('waits for an instance', Math.min(call.waited, begins - at), 'wait');
  add('evaluates its modules', begins - at, 'init');
  if (call.handler === null) return out;
  if (answering !== null && answering - call.began > at) add('handler, until the first byte', answering - call.began - at, 'run');
  if (answering === null) add(call.endedBy === 'function' && call.status > 0 ? 'handler' : isOpen(call) ? 'handler, no answer yet' : 'handler, no answer', total - at, 'run');
  else add(call.socket !== null ? 'socket open' : 'streams the response', total - at, 'stream');
  return out;
}

const kFates = {reconnected: 'its client came back', ended: 'it had said all', left: 'its client went', lost: 'nobody came back'};

// What it has met of a new deployment; empty: nothing.
export function metDeployment(call) {
  const d = call.deployment;
  return d ? `stayed on the deployment before ${d.number}; ${kFates[d.fate] ?? d.fate}${d.fate === 'reconnected' ? ` after ${duration(d.took)}` : ''}` : '';
}

export function outcome(call) {
  if (isOpen(call)) return call.socket !== null ? 'socket is open' : call.handler !== null ? 'running' : 'under way';
  if (call.lost) return 'its end was not seen';
  const by = {platform: 'ended by the platform', client: 'the client left', app: 'the app broke off', emulator: 'vercel-sim ended'}[call.endedBy];
  const left = call.clientLeft && call.endedBy !== 'client' ? ', the client had left' : '';
  return (by ?? (call.traffic === 'direct' ? 'answered by next dev itself' : 'answered')) + left;
}

export const statusOf = (call) => (isOpen(call) ? (call.status || '…') : call.status || 'none');

// The one line that a screen reader hears, and the head of the story.
export function sentence(call, now, codes) {
  const told = call.verdicts[0];
  const parts = [`${call.method} ${call.target}`.trim(), isOpen(call) ? outcome(call) : `status ${statusOf(call)}`, duration((call.ended ?? now) - call.began)];
  if (call.instance) parts.push(`on ${call.instance}`);
  if (told) parts.push(`${told.violation ? 'violation' : 'warning'} ${told.code}: ${codes[told.code]?.title ?? ''}`, `Fix: ${told.fix}`);
  else if (call.code) parts.push(`${call.code}: ${codes[call.code]?.title ?? ''}`);
  else if (failed(call)) parts.push('failed');
  return parts.join(', ').replaceAll('`', '');
}

const kWays = [['o', 'out'], ['i', 'in']];
// When something passed, as far as somebody looked.
export function passedText(call) {
  if (!call.passed) return '';
  const {from, until, each, spans} = call.passed;
  const all = Math.max(Math.ceil((until - from) / each), spans.length);
  const seen = kWays.map(([way, word]) => `${word} in ${[...spans].filter((c) => c === way || c === 'b').length}`).join(' and ');
  const since = from - call.began > 2 * each ? `; looked at since ${duration(from - call.began)} after its begin` : '';
  return `${seen} of ${all} spans of ${duration(each)}${since}`;
}

// Rows of the story's table of facts: [name, text].
export function facts(call, now) {
  const out = [['Outcome', `${statusOf(call)}, ${outcome(call)}${call.phase && call.endedBy !== 'function' ? ` (${call.phase})` : ''}`]];
  if (call.deployment) out.push(['Deployment', metDeployment(call)]);
  const add = (title, text) => text && out.push([title, text]);
  add('Function', call.route);
  add('File', call.file);
  add('Instance', call.instance && `${call.instance}${call.start ? `, ${call.start}` : ''}`);
  if (call.handler !== null) add('Charged', `${duration(isOpen(call) ? now - call.handler : call.charged)}${call.limit ? ` of ${duration(call.limit)}` : ''}`);
  add('Not charged', call.own > 0 ? `${duration(call.own)} while its own requests compiled or waited` : '');
  add('Body', isOpen(call) ? '' : `${size(call.bytesIn)} in, ${size(call.bytesOut)} out`);
  add('Bytes passed', passedText(call));
  add('Kind', call.kind || (call.traffic === 'prerender' ? 'static page' : call.traffic));
  add('Request id', call.requestId);
  return out;
}

// How much of its time is left, in a sentence.
export function aboutWall(call, now) {
  const wall = wallOf(call);
  if (wall === null || !isOpen(call)) return '';
  return wall > now ? `its limit strikes in ${duration(wall - now)}` : 'its limit is due';
}
