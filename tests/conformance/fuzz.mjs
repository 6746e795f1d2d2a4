#!/usr/bin/env node
// Mutated messages through the proxy, in both directions, held to what must always be true:
//   requests: what reaches the origin has one clear framing, one Host, no bare CR, LF or NUL, and no bytes that are no request;
//   responses: what reaches a client is a sequence of well-formed messages, and nothing of one case ever reaches another;
//   always: the proxy lives, and answers a plain request.
//   node fuzz.mjs --bin PATH [--proxy vercel-sim|nginx|haproxy] [--seconds 20] [--seed N] [--case N]
// A finding prints its seed and number; --seed S --case N repeats it alone. Exit code 1 on any finding.
import {parseArgs} from 'node:util';
import {RawClient} from './lib/client.mjs';
import {Origin} from './lib/origin.mjs';
import {kProxies} from './lib/proxies.mjs';
import {show} from './lib/wire.mjs';

const {values: options} = parseArgs({
  options: {
    proxy: {type: 'string', default: 'vercel-sim'},
    bin: {type: 'string', default: process.env.VSIM_BIN ?? 'build/vercel-sim'},
    seconds: {type: 'string', default: '20'},
    seed: {type: 'string', default: String(Date.now() % 1000000)},
    case: {type: 'string'},
    jobs: {type: 'string', default: '8'},
  },
});

// mulberry32
function random(seed) {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = a;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const kRequests = (p) => [
  `GET ${p} HTTP/1.1\r\nHost: h.test\r\n\r\n`,
  `POST ${p} HTTP/1.1\r\nHost: h.test\r\nContent-Length: 5\r\n\r\nhello`,
  `POST ${p} HTTP/1.1\r\nHost: h.test\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n`,
  `POST ${p} HTTP/1.1\r\nHost: h.test\r\nTransfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n5;a=b\r\nhello\r\n3\r\nabc\r\n0\r\nX-T: v\r\n\r\n`,
  `GET http://h.test${p} HTTP/1.1\r\nHost: h.test\r\nConnection: keep-alive, X-A\r\nX-A: b\r\nExpect: 100-continue\r\n\r\n`,
  `GET ${p} HTTP/1.0\r\nHost: h.test\r\nConnection: keep-alive\r\n\r\n`,
  `HEAD ${p} HTTP/1.1\r\nHost: h.test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n`,
  `PUT ${p} HTTP/1.1\r\nHost: h.test\r\nContent-Length: 0\r\n\r\nGET ${p}/next HTTP/1.1\r\nHost: h.test\r\n\r\n`,
];
const kResponses = (mark) => [
  `HTTP/1.1 200 OK\r\nX-Mark: ${mark}\r\nContent-Length: 5\r\n\r\nhello`,
  `HTTP/1.1 200 OK\r\nX-Mark: ${mark}\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n`,
  `HTTP/1.1 200 OK\r\nX-Mark: ${mark}\r\nTransfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n5;a=b\r\nhello\r\n3\r\nabc\r\n0\r\nX-T: v\r\n\r\n`,
  `HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\nHTTP/1.1 200 OK\r\nX-Mark: ${mark}\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok`,
  `HTTP/1.1 204 No Content\r\nX-Mark: ${mark}\r\n\r\n`,
  `HTTP/1.1 304 Not Modified\r\nX-Mark: ${mark}\r\nETag: "x"\r\nContent-Length: 10\r\n\r\n`,
  `HTTP/1.0 200 OK\r\nX-Mark: ${mark}\r\nKeep-Alive: timeout=5\r\nConnection: X-Mark2\r\nX-Mark2: ${mark}\r\nContent-Length: 2\r\n\r\nok`,
];
const kPieces = ['\r\n', '\n', '\r', '\0', ' ', '\t', ':', ',', ';', '=', '"', '0', '1', '-', '+', 'x', '\x0b', '\x7f', '\xff', '\r\n\r\n', '\r\n ', 'Content-Length: 3\r\n', 'Transfer-Encoding: chunked\r\n', 'Transfer-Encoding: identity\r\n', 'Content-Length: 0\r\n',
  'Host: evil.test\r\n', 'Connection: close\r\n', 'Connection: Content-Length\r\n', 'Connection: Transfer-Encoding\r\n', '0\r\n\r\n', '5\r\nhello\r\n', 'HTTP/1.1', 'chunked', '5', 'ffffffffffffffff', '2147483648', 'Upgrade: h2c\r\n', 'Expect: 100-continue\r\n', 'TE: trailers\r\n'];

function mutate(text, rnd) {
  const n = 1 + Math.floor(rnd() * 3);
  for (let i = 0; i < n; i++) {
    const at = Math.floor(rnd() * (text.length + 1));
    const piece = kPieces[Math.floor(rnd() * kPieces.length)];
    const lines = text.split('\r\n');
    switch (Math.floor(rnd() * 7)) {
      case 0: text = text.slice(0, at) + piece + text.slice(at); break;
      case 1: text = text.slice(0, at) + text.slice(at + 1 + Math.floor(rnd() * 3)); break;
      case 2: text = text.slice(0, at) + piece + text.slice(at + piece.length); break;
      case 3: {  // a line twice, or out of place
        const from = Math.floor(rnd() * lines.length);
        lines.splice(Math.floor(rnd() * lines.length), 0, lines[from]);
        text = lines.join('\r\n');
        break;
      }
      case 4: {  // a piece at the beginning of a line
        const to = 1 + Math.floor(rnd() * (lines.length - 1));
        lines[to] = piece + lines[to];
        text = lines.join('\r\n');
        break;
      }
      case 5: text = text.slice(0, at) + String.fromCharCode(Math.floor(rnd() * 256)) + text.slice(at + 1); break;
      default: text = text.slice(0, at) + text.slice(at, at + 4).toUpperCase() + text.slice(at + 4);
    }
  }
  return text;
}

// Sent in one to four pieces.
function pieces(text, rnd) {
  const cuts = Array.from({length: Math.floor(rnd() * 4)}, () => Math.floor(rnd() * text.length)).sort((a, b) => a - b);
  const out = [];
  let last = 0;
  for (const cut of [...cuts, text.length]) {
    if (cut > last) out.push(text.slice(last, cut));
    last = cut;
  }
  return out;
}

// No mutation turns the mark of one case into that of another.
const markOf = (token) => `m${token}x${(token * 7919) % 100003}m`;
const isMark = (text) => text === markOf(Number(/^m(\d+)x/.exec(text)?.[1]));

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

function judgeRequests(record) {
  for (const ex of record.requests) {
    const raw = ex.head.raw;
    if (/[^\r]\n|\r[^\n]|\0/.test(raw)) return `bare CR, LF or NUL at the origin: ${show(raw)}`;
    if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+ (\/\S*|\*) HTTP\/1\.1$/.test(ex.head.line)) return `request line at the origin: ${show(ex.head.line)}`;
    if (ex.head.all('host').length !== 1) return `Host at the origin: ${JSON.stringify(ex.head.all('host'))}`;
    const lengths = ex.head.all('content-length');
    const codings = ex.head.all('transfer-encoding');
    if (lengths.length + codings.length > 1) return `framing at the origin: ${show(raw)}`;
    if (lengths.length && !/^\d+$/.test(lengths[0])) return `length at the origin: ${lengths[0]}`;
    if (codings.length && codings[0] !== 'chunked') return `coding at the origin: ${codings[0]}`;
    if (ex.bodyError) return `chunks at the origin: ${ex.bodyError}`;
    if (ex.head.headers.some(([n]) => !/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(n))) return `field name at the origin: ${show(raw)}`;
    if (ex.trailers.some(([n]) => /^(content-length|transfer-encoding|host)$/i.test(n))) return `trailer at the origin: ${JSON.stringify(ex.trailers)}`;
  }
  if (record.garbage.some((g) => g.trim())) return `stray bytes at the origin: ${show(record.garbage[0])}`;
}

function judgeResponses(client, token, anyBody) {
  const {responses, rest} = client.parsed();
  for (const r of responses) {
    if (!r.head) {
      if (client.closed) continue;
      return `half a head at the client: ${show(r.raw ?? '')}`;
    }
    if (r.error) return `at the client: ${r.error}`;
    if (/[^\r]\n|\r[^\n]|\0/.test(r.head.raw)) return `bare CR, LF or NUL at the client: ${show(r.head.raw)}`;
    if (r.head.has('content-length') && r.head.has('transfer-encoding')) return `both lengths at the client: ${show(r.head.raw)}`;
    const mark = r.head.get('x-mark');
    if (mark !== undefined && isMark(mark) && mark !== markOf(token)) return `an answer of another case: ${mark}`;
    for (const i of r.interim) if (i.head.has('content-length') || i.head.has('transfer-encoding')) return `framing in a 1xx: ${show(i.head.raw)}`;
  }
  if (rest && !anyBody) return `stray bytes at the client: ${show(rest)}`;
}

async function one(n, seed, target, origin) {
  const rnd = random(seed * 1000003 + n);
  const token = (n + 1) * 1000003;  // far from each other: no mutation makes one of another
  const p = `/~${token}~`;
  const responseSide = rnd() < 0.5;
  const requests = kRequests(p);
  const answers = kResponses(markOf(token));
  const request = responseSide ? requests[Math.floor(rnd() * 2)] : mutate(requests[Math.floor(rnd() * requests.length)], rnd);
  let answer = responseSide ? mutate(answers[Math.floor(rnd() * answers.length)], rnd) : answers[0];
  const ends = rnd() < 0.5;
  let answerPieces = [answer];
  if (responseSide && rnd() < 0.5) {
    // Bytes that come after a whole answer may meet the next request on a pooled connection: no proxy can tell. So in pieces only with close.
    answer = answer.replace('\r\n', '\r\nConnection: close\r\n');
    answerPieces = pieces(answer, rnd);
  }
  const record = origin.expect(token, async (ex) => {
    if (!responseSide) {
      if (await ex.body()) ex.write(answer);
      return;
    }
    for (const part of answerPieces) {
      ex.write(part);
      if (answerPieces.length > 1) await sleep(2);
    }
    if (ends) {
      await sleep(5);
      ex.end();
    }
  });
  const method = /^[\r\n]*(\w+) /.exec(request)?.[1] ?? 'GET';
  const client = new RawClient(target.port, {host: target.host, methods: [method, 'GET'], deadline: 1500});
  for (const part of pieces(request, rnd)) {
    client.write(part);
    await sleep(1);
  }
  await client.until(() => client.closed || client.complete() > 0, responseSide && ends ? 1500 : 150);
  await sleep(10);
  const problem = judgeRequests(record) ?? judgeResponses(client, token, responseSide);
  client.destroy();
  // On this connection nothing may follow; on others, everything goes on.
  let after;
  if (!problem && n % 4 === 0) {
    const checkToken = token + 500000;
    origin.expect(checkToken, `HTTP/1.1 200 OK\r\nX-Mark: ${markOf(checkToken)}\r\nContent-Length: 2\r\n\r\nok`);
    // A pooled connection may be closed by the origin while the request is on its way: that is a 502 and no fault.
    for (let attempt = 0; attempt < 4; attempt++) {
      const check = new RawClient(target.port, {host: target.host, deadline: 8000});
      check.write(`GET /~${checkToken}~ HTTP/1.1\r\nHost: h.test\r\n\r\n`);
      await check.until(() => check.closed || check.complete());
      const [r] = check.responses;
      after = r?.status === 200 && r.head.get('x-mark') === markOf(checkToken) ? undefined : `the next client got ${show(check.text, 200)}`;
      check.destroy();
      if (r?.status !== 502) break;
    }
    origin.cases.delete(checkToken);
  }
  origin.cases.delete(token);
  return (problem ?? after) && {n, problem: problem ?? after, request: show(request), answer: show(answer), client: show(client.text)};
}

async function main() {
  const seed = Number(options.seed);
  const origin = new Origin();
  origin.answerAll('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');  // mutated beyond recognition
  const originPort = await origin.listen();
  const proxy = await kProxies[options.proxy](originPort, {bin: options.bin});
  const target = {host: '127.0.0.1', port: proxy.port};
  const until = Date.now() + Number(options.seconds) * 1000;
  const findings = [];
  let next = 0;
  const dead = () => proxy.child.exitCode !== null || proxy.child.signalCode !== null;
  if (options.case !== undefined) {
    const found = await one(Number(options.case), seed, target, origin);
    if (found) findings.push(found);
  } else {
    const work = async () => {
      while (Date.now() < until && findings.length < 10 && !dead()) {
        const found = await one(next++, seed, target, origin);
        if (found) findings.push(found);
      }
    };
    await Promise.all(Array.from({length: Number(options.jobs)}, work));
  }
  const died = dead();
  const said = proxy.child.said;
  await proxy.stop();
  await origin.close();
  for (const f of findings) console.log(`FINDING --seed ${seed} --case ${f.n}: ${f.problem}\n  request ${f.request}\n  answer  ${f.answer}\n  client  ${f.client}`);
  const sick = died || /\w+Sanitizer: |runtime error:/.test(said);
  if (sick) console.log(`the proxy died or a sanitizer spoke: ${said.slice(-4000)}`);
  console.log(`${next} cases, seed ${seed}: ${findings.length} findings`);
  return findings.length || sick ? 1 : 0;
}

main().then((code) => process.exit(code), (error) => {
  console.error(error);
  process.exit(70);
});
