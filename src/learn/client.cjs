'use strict';
// The client that a probe works with: requests and streams that tell how they ended, not only what they said.

const http = require('node:http');

const kPatience = 45_000;

// { status, headers, text, json, cut, ms }. `cut`: the connection ended before the answer did. Never rejects: without an answer the status is 0.
/** @param {string} base @param {string} method @param {string} path @param {{ headers?: object, body?: any, ms?: number, onStart?: (response: any) => void }} [how] */
function request(base, method, path, { headers = {}, body, ms = kPatience, onStart } = {}) {
  const url = new URL(path, base);
  const isJson = body !== undefined && !Buffer.isBuffer(body) && typeof body !== 'string';
  const bytes = body === undefined ? undefined : Buffer.from(isJson ? JSON.stringify(body) : body);
  const began = performance.now();
  return new Promise((resolve) => {
    const answer = { status: 0, headers: {}, text: '', json: undefined, cut: false, ms: 0 };
    const done = (cut) => {
      clearTimeout(timer);
      answer.cut = cut;
      answer.ms = performance.now() - began;
      try {
        answer.json = JSON.parse(answer.text);
      } catch {}  // it is no JSON
      resolve(answer);
    };
    const req = http.request(url, { method, agent: false, headers: { accept: '*/*', ...(isJson && { 'content-type': 'application/json' }), ...(bytes && { 'content-length': bytes.length }), ...headers } }, (res) => {
      answer.status = res.statusCode;
      answer.headers = res.headers;
      res.setEncoding('utf8');
      res.on('data', (text) => {
        answer.text += text;
      });
      res.on('end', () => done(!res.complete));
      res.on('error', () => done(true));
    });
    const timer = setTimeout(() => req.destroy(), ms);
    req.on('error', () => answer.status === 0 && done(true));
    onStart?.(req);
    req.end(bytes);
  });
}

// A stream of server-sent events. `events` grows; `ended` resolves with 'complete' or 'cut'.
function stream(base, path, { headers = {} } = {}) {
  const out = { status: 0, headers: {}, events: [], text: '' };
  const watchers = new Set();
  const tell = () => watchers.forEach((watcher) => watcher());
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
    out.ended = new Promise((over) => {
      const end = (how) => {
        out.how ??= how;
        resolve(out);
        over(out.how);
        tell();
      };
      req = http.request(new URL(path, base), { agent: false, headers: { accept: 'text/event-stream', ...headers } }, (res) => {
        out.status = res.statusCode;
        out.headers = res.headers;
        res.setEncoding('utf8');
        res.on('data', take);
        res.on('end', () => end(res.complete ? 'complete' : 'cut'));
        res.on('error', () => end('cut'));
        resolve(out);
      });
      req.on('error', () => end('cut'));
      req.end();
    });
  });
  // What `probe(events)` says once it says something; undefined when the stream has ended or `ms` have passed.
  out.until = (probe, ms = kPatience) =>
    new Promise((resolve) => {
      const look = () => {
        const found = probe(out.events);
        if (!found && !out.how) return;
        finish(found || undefined);
      };
      const finish = (found) => {
        watchers.delete(look);
        clearTimeout(timer);
        resolve(found);
      };
      const timer = setTimeout(() => finish(undefined), ms);
      watchers.add(look);
      look();
    });
  out.close = () => {
    out.how ??= 'closed';
    req.destroy();
  };
  return out;
}

module.exports = { request, stream };
