// How cases are written: one `suite` per file, a case per line. `{p}` in bytes is the case's own path (`/~17~`), `{t}` its token.
import {needsEnd} from '../lib/expect.mjs';

export const kHost = 'Host: h.test';

// A head from its lines.
export const head = (...lines) => lines.join('\r\n') + '\r\n\r\n';
export const get = (...headers) => head('GET {p} HTTP/1.1', kHost, ...headers);
export const post = (headers, body = '', method = 'POST') => head(`${method} {p} HTTP/1.1`, kHost, ...headers) + body;
export const chunkedPost = (body, ...headers) => post(['Transfer-Encoding: chunked', ...headers], body);
// A second request that must never be understood as one.
export const kSmuggled = 'GET {p}/smuggled HTTP/1.1\r\nHost: h.test\r\n\r\n';
export const answer = (headers, body = '', status = '200 OK') => `HTTP/1.1 ${status}\r\n` + headers.map((h) => h + '\r\n').join('') + '\r\n' + body;

export function suite(prefix, rfc) {
  const cases = [];
  const add = (level, security) => (id, what, send, expect, more = {}) => {
    cases.push({
      id: `${prefix}/${id}`, level, security, rfc, what, send, expect, ends: needsEnd(expect),
      ...more,
    });
  };
  return {cases, must: add('MUST', false), should: add('SHOULD', false), may: add('MAY', false), secure: add('MUST', true)};
}
