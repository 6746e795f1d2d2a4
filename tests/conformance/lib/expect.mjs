// What a case asserts. A check is a function of the result that answers nothing (fine) or the reason why not. The result:
//   text, closed           what the client got, and how its connection ended ('fin', 'rst' or null: still open)
//   responses[i]           final responses (wire.mjs); responses[i].interim holds the 1xx before it
//   origin[i]              requests that reached the origin for this case (origin.mjs), in order; garbage: bytes there that were no request
import {show} from './wire.mjs';

const list = (v) => (Array.isArray(v) ? v : [v]);
const matches = (status, want) => (typeof want === 'string' ? want === `${Math.floor(status / 100)}xx` : status === want);

export function judge(check, r) {
  if (Array.isArray(check)) {
    for (const c of check) {
      const problem = judge(c, r);
      if (problem) return problem;
    }
    return undefined;
  }
  return check(r) || undefined;
}

// Checks marked so need the end of the connection, or time for it.
const awaitsEnd = (check) => Object.assign(check, {ends: true});
export const needsEnd = (check) => (Array.isArray(check) ? check.some(needsEnd) : Boolean(check.ends));

// The first of `alternatives` that holds makes it fine.
export const either = (...alternatives) => {
  const check = (r) => {
    const problems = [];
    for (const a of alternatives) {
      const problem = judge(a, r);
      if (!problem) return undefined;
      problems.push(problem);
    }
    return problems.join(' / and / ');
  };
  return alternatives.some(needsEnd) ? awaitsEnd(check) : check;
};

export const statusOf = (i, ...want) => (r) => {
  const response = r.responses[i];
  if (!response) return `no response ${i + 1}`;
  if (!want.some((w) => matches(response.status, w))) return `response ${i + 1} has status ${response.status}, expected ${want.join(' or ')}`;
};
export const status = (...want) => statusOf(0, ...want);
export const noResponse = (r) => (r.responses.length ? `client got ${show(r.text, 80)}, expected nothing` : undefined);
export const responseCount = (n) => (r) => r.responses.length !== n ? `${r.responses.length} responses, expected ${n}` : undefined;

export const reaches = (n) => (r) => r.origin.length !== n ? `origin saw ${r.origin.length} requests (${r.origin.map((e) => e.head.line).join(' | ')}), expected ${n}` : undefined;
export const atMost = (n) => (r) => (r.origin.length > n ? `origin saw ${r.origin.length} requests: ${r.origin.map((e) => e.head.line).join(' | ')}` : undefined);

// What an attacker hid in a message must never be a request of its own, nor stray bytes, at the origin.
export const noSmuggling = (r) => {
  const bad = r.origin.find((e) => /smuggled/i.test(e.target ?? '') || e.orphan);
  if (bad) return `smuggled request reached the origin: ${show(bad.head.line)}`;
  const g = r.garbage.find((t) => /smuggled/i.test(t.split('\r\n')[0]));
  if (g) return `stray bytes reached the origin: ${show(g, 120)}`;
};

export const closes = awaitsEnd((r) => (r.closed ? undefined : 'the connection stays open'));
export const staysOpen = (r) => (r.closed ? `the connection was closed (${r.closed})` : undefined);

// Refused by the proxy itself: a status of `codes`, and the origin saw nothing of it. 'close' among them: closing in silence will do.
export const refused = (...codes) => {
  if (!codes.length) codes = [400];
  return (r) => {
    if (r.origin.length) return `forwarded to the origin: ${show(r.origin[0].head.raw, 160)}`;
    if (!r.responses.length && r.closed && codes.includes('close')) return;
    return status(...codes)(r);
  };
};
export const refusedOrClosed = (...codes) => awaitsEnd(refused(...(codes.length ? codes : [400]), 'close'));

// A body that breaks off or is malformed after the head went on: no whole request at the origin, no success for the client.
export const brokenBody = awaitsEnd((r) => {
  const whole = r.origin.find((e) => e.bodyDone && !e.bodyError);
  if (whole) return `the origin got a whole request: ${show(whole.head.raw + whole.rawBody, 300)}`;
  const ok = r.responses.find((x) => x.status >= 200 && x.status < 400);
  if (ok) return `the client got ${ok.status}`;
  if (!r.responses.length && !r.closed) return 'neither answered nor closed';
});

export const request = (check, i = 0) => (r) => {
  const ex = r.origin[i];
  if (!ex) return 'the origin saw no request';
  return check(ex, r) || undefined;
};
export const line = (want) => request((ex) => ex.head.line !== want && `request line at the origin ${show(ex.head.line, 160)}, expected ${show(want, 160)}`);
export const originHas = (name, want, i = 0) => request((ex) => {
  const got = ex.head.all(name);
  if (want instanceof RegExp ? !got.some((v) => want.test(v)) : JSON.stringify(got) !== JSON.stringify(list(want))) {
    return `${name} at the origin is ${JSON.stringify(got)}, expected ${want}`;
  }
}, i);
export const originLacks = (...names) => request((ex) => {
  const bad = names.find((n) => ex.head.has(n));
  return bad && `${bad} reached the origin: ${JSON.stringify(ex.head.all(bad))}`;
});
export const originBody = (want, i = 0) => request((ex) => {
  if (ex.bodyError) return `body at the origin: ${ex.bodyError}`;
  if (!ex.bodyDone) return `body at the origin not whole: ${show(ex.bodyText, 80)}`;
  if (ex.bodyText !== want) return `body at the origin ${show(ex.bodyText, 80)}, expected ${show(want, 80)}`;
}, i);
// Exactly one framing, understood alike by everybody.
export const cleanFraming = request((ex) => {
  const lengths = ex.head.all('content-length');
  const codings = ex.head.all('transfer-encoding');
  if (lengths.length && codings.length) return 'both Content-Length and Transfer-Encoding reached the origin';
  if (lengths.length > 1) return `several Content-Length reached the origin: ${lengths}`;
  if (lengths.length && !/^\d+$/.test(lengths[0])) return `Content-Length ${JSON.stringify(lengths[0])} reached the origin`;
  if (codings.length && (codings.length > 1 || codings[0].toLowerCase() !== 'chunked')) return `Transfer-Encoding ${JSON.stringify(codings)} reached the origin`;
  if (/[^\r]\n|\r[^\n]|\0/.test(ex.head.raw)) return 'bare CR, bare LF or NUL reached the origin';
});

export const response = (check, i = 0) => (r) => {
  const x = r.responses[i];
  if (!x) return `no response ${i + 1}`;
  return check(x, r) || undefined;
};
export const clientHas = (name, want, i = 0) => response((x) => {
  const got = x.head?.all(name) ?? [];
  if (want instanceof RegExp ? !got.some((v) => want.test(v)) : JSON.stringify(got) !== JSON.stringify(list(want))) {
    return `${name} at the client is ${JSON.stringify(got)}, expected ${want}`;
  }
}, i);
export const clientLacks = (...names) => response((x) => {
  const bad = names.find((n) => x.head?.has(n));
  return bad && `${bad} reached the client: ${JSON.stringify(x.head.all(bad))}`;
});
export const clientBody = (want, i = 0) => response((x) => {
  if (x.error) return `response ${i + 1}: ${x.error}`;
  if (!x.complete) return `response ${i + 1} is not complete: ${show(x.body, 80)}`;
  if (x.body !== want) return `body at the client ${show(x.body, 80)}, expected ${show(want, 80)}`;
}, i);
export const clientFraming = (...kinds) => response((x) => !kinds.includes(x.framing) && `framed by ${x.framing}, expected ${kinds.join(' or ')}`);
// The client can tell that this is not all.
export const incomplete = awaitsEnd(response((x, r) => {
  if (x.complete) return `looks complete to the client (${x.framing}, closed by ${r.closed})`;
  if (!r.closed) return 'incomplete, but the connection stays open';
}));
export const interims = (...statuses) => response((x) => {
  const got = x.interim.map((s) => s.status);
  return JSON.stringify(got) !== JSON.stringify(statuses) && `interim responses ${JSON.stringify(got)}, expected ${JSON.stringify(statuses)}`;
});
export const nothingAfter = (r) => (r.rest ? `stray bytes after the response: ${show(r.rest, 100)}` : undefined);
export const clientNever = (text) => (r) => (r.text.includes(text) ? `${show(text)} reached the client` : undefined);
export const bodyless = response((x, r) => (r.text.length > r.text.indexOf('\r\n\r\n', r.text.indexOf(x.head?.raw)) + 4 ? `bytes after the head: ${show(r.text.slice(-80))}` : undefined));
export const fine = (body = 'ok') => [status(200), clientBody(body), nothingAfter];
