'use strict';
// The client of lessons and of parity: requests and streams over HTTP/1.1, as bytes come, that tell how they ended, not only what they said. What is
// looked at (heads of 30 KB, an upgrade, how a body ends) `fetch` does not show.

const http = require('node:http');
const https = require('node:https');
const { makeWatch } = require('./watch.cjs');

const kPatience = 45_000;

// One request. Never rejects: { status, headers, text, bytes, ending: 'complete' | 'broken off' | 'left', firstBefore, ms }, or { ending: 'no answer' |
// code of the error } where no head came. `firstBefore`: the first byte came that many seconds before the end. `deadline`: ms; `leave`: ms after the first
// byte, at which the client goes ('left'); `most`: characters of the text that are kept; `onStart` gets the request, `onHead` the response, `onPiece` what
// comes of its body.
/** @typedef {{ method?: string, headers?: object, body?: any, deadline?: number, leave?: number, most?: number, onStart?: (request: any) => void, onHead?: (response: any) => void, onPiece?: (text: string) => void }} Asked
 *  @param {string} base @param {string} target @param {Asked} [how] @returns {Promise<any>} */
function ask(base, target, { method = 'GET', headers = {}, body, deadline = 30_000, leave, most = Infinity, onStart, onHead, onPiece } = {}) {
  const url = new URL(target, base);
  const began = performance.now();
  const since = () => performance.now() - began;
  return new Promise((done) => {
    const request = (url.protocol === 'https:' ? https : http).request(url, {
      method,
      agent: false,
      headers: { accept: '*/*', ...(body !== undefined && { 'content-length': Buffer.byteLength(body) }), ...headers },
    });
    let answer, first;
    const end = (ending) => {
      clearTimeout(timer);
      done({ ...answer, ending, ms: since(), firstBefore: first === undefined ? 0 : (since() - first) / 1000 });
      request.destroy();
    };
    const timer = deadline === Infinity ? undefined : setTimeout(() => end(answer ? 'broken off' : 'no answer'), deadline);
    request.on('error', (error) => {
      // Who refuses a body may close while it is being sent: the answer is there, or comes.
      if (!answer) end(/** @type {any} */ (error).code ?? 'no answer');
    });
    const take = (response, socket) => {
      answer = { status: response.statusCode, headers: response.headers, text: '', bytes: 0 };
      onHead?.(response);
      if (socket) {
        socket.destroy();
        return end('complete');
      }
      const decoder = new TextDecoder();
      response.on('data', (chunk) => {
        if (first === undefined && leave !== undefined) setTimeout(() => end('left'), leave);
        first ??= since();
        answer.bytes += chunk.length;
        const text = decoder.decode(chunk, { stream: true });
        if (answer.text.length < most) answer.text += text;
        onPiece?.(text);
      });
      response.on('end', () => end(response.complete ? 'complete' : 'broken off'));
      response.on('error', () => end('broken off'));
      return undefined;
    };
    request.on('response', (response) => take(response));
    request.on('upgrade', take);
    onStart?.(request);
    request.end(body);
  });
}

// A request of a lesson: { status, headers, text, json, cut, ms }. `cut`: the connection ended before the answer did. Without an answer the status is 0.
/** @param {string} base @param {string} method @param {string} path @param {{ headers?: object, body?: any, ms?: number, onStart?: (request: any) => void }} [how] */
async function request(base, method, path, { headers = {}, body, ms = kPatience, onStart } = {}) {
  const isJson = body !== undefined && !Buffer.isBuffer(body) && typeof body !== 'string';
  const { status = 0, headers: told = {}, text = '', ending, ms: took } = await ask(base, path, {
    method,
    headers: { ...(isJson && { 'content-type': 'application/json' }), ...headers },
    body: isJson ? JSON.stringify(body) : body,
    deadline: ms,
    onStart,
  });
  let json;
  try {
    json = JSON.parse(text);
  } catch {}  // it is no JSON
  return { status, headers: told, text, json, cut: ending !== 'complete', ms: took };
}

// A stream of server-sent events. `events` grows; `ended` resolves with 'complete' or 'cut'.
function stream(base, path, { headers = {} } = {}) {
  const out = { status: 0, headers: {}, events: [], text: '' };
  const { tell, until } = makeWatch(() => Boolean(out.how));
  let rest = '';
  const take = (text) => {
    out.text += text;
    const parts = (rest + text).split(/\r?\n\r?\n/);
    rest = parts.pop();
    for (const part of parts) {
      const event = {};
      for (const line of part.split(/\r?\n/)) {
        const [, key, value] = /^(\w+): ?(.*)$/.exec(line) ?? [];
        if (key) event[key] = key === 'data' && event.data !== undefined ? `${event.data}\n${value}` : value;
      }
      if (event.data !== undefined) out.events.push(event);
    }
    tell();
  };
  let req;
  out.opened = new Promise((resolve) => {
    const onHead = ({ statusCode, headers: told }) => {
      out.status = statusCode;
      out.headers = told;
      resolve(out);
    };
    const asked = ask(base, path, { headers: { accept: 'text/event-stream', ...headers }, deadline: Infinity, most: 0, onStart: (one) => (req = one), onHead, onPiece: take });
    out.ended = asked.then(({ ending }) => {
      out.how ??= ending === 'complete' ? 'complete' : 'cut';
      resolve(out);
      tell();
      return out.how;
    });
  });
  // What `probe(events)` says once it says something; undefined when the stream has ended or `ms` have passed.
  out.until = (probe, ms = kPatience) => until(() => probe(out.events), ms);
  out.close = () => {
    out.how ??= 'closed';
    req.destroy();
  };
  return out;
}

module.exports = { ask, request, stream };
