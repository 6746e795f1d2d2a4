// HTTP/1.1 messages as raw bytes, read for judgement and not for use: a parser that keeps what it saw (raw head, field lines in order) and
// says what is wrong instead of repairing it. Text is latin1 throughout, so that one character is one byte.

const kHeadEnd = '\r\n\r\n';

export function parseFields(lines) {
  return lines.map((line) => {
    const colon = line.indexOf(':');
    if (colon < 0) return [line, '', 'no colon'];
    return [line.slice(0, colon), line.slice(colon + 1).replace(/^[ \t]+|[ \t]+$/g, '')];
  });
}

export class Head {
  constructor(raw) {
    this.raw = raw;
    const lines = raw.slice(0, -kHeadEnd.length).split('\r\n');
    this.line = lines.shift();
    this.headers = parseFields(lines);
  }
  all(name) {
    return this.headers.filter(([n]) => n.toLowerCase() === name.toLowerCase()).map(([, v]) => v);
  }
  get(name) {
    return this.all(name)[0];
  }
  has(name) {
    return this.all(name).length > 0;
  }
  // Elements of a comma list over all lines, in lower case.
  list(name) {
    return this.all(name).join(',').split(',').map((e) => e.trim().toLowerCase()).filter(Boolean);
  }
}

// Reads one chunked body from `text` at `at`. `done`: trailers included; `error`: why it is none.
export function readChunked(text, at) {
  const out = {data: [], size: 0, chunks: [], trailers: [], done: false, error: null, at, extensions: []};
  for (;;) {
    const eol = text.indexOf('\r\n', out.at);
    if (eol < 0) {
      if (text.length - out.at > 70000) out.error = 'endless chunk size line';
      return out;
    }
    const line = text.slice(out.at, eol);
    const match = /^([0-9A-Fa-f]+)[ \t]*(;.*)?$/.exec(line);
    if (!match) {
      out.error = `bad chunk size line ${JSON.stringify(line.slice(0, 60))}`;
      return out;
    }
    if (match[2]) out.extensions.push(match[2]);
    const size = parseInt(match[1], 16);
    if (size === 0) {
      let p = eol + 2;
      for (;;) {
        const end = text.indexOf('\r\n', p);
        if (end < 0) return out;
        if (end === p) {
          out.at = p + 2;
          out.done = true;
          out.trailers = parseFields(out.trailers);
          return out;
        }
        out.trailers.push(text.slice(p, end));
        p = end + 2;
      }
    }
    const start = eol + 2;
    if (text.length < start + size) {
      out.data.push(text.slice(start));
      out.size += text.length - start;
      return out;
    }
    out.data.push(text.slice(start, start + size));
    out.size += size;
    out.chunks.push(size);
    if (text.length < start + size + 2) return out;
    if (text.slice(start + size, start + size + 2) !== '\r\n') {
      out.error = 'chunk data without CRLF';
      return out;
    }
    out.at = start + size + 2;
  }
}

// Responses in `text`, in order. `methods[i]` is the method that the i-th final response answers; `closed` says that no byte follows.
// Each: {interim, status, version, reason, head, body, complete, framing, trailers, error}.
export function parseResponses(text, methods = ['GET'], closed = false) {
  const responses = [];
  let at = 0;
  let finals = 0;
  let interim = [];
  while (at < text.length) {
    const end = text.indexOf(kHeadEnd, at);
    if (end < 0) {
      responses.push({status: 0, head: null, body: '', complete: false, error: 'head not complete', raw: text.slice(at), interim});
      return {responses, rest: ''};
    }
    const head = new Head(text.slice(at, end + 4));
    const match = /^HTTP\/(\d\.\d) (\d{3})(?: (.*))?$/.exec(head.line);
    if (!match) {
      responses.push({status: 0, head, body: '', complete: false, error: `not a status line: ${JSON.stringify(head.line.slice(0, 80))}`, interim});
      return {responses, rest: text.slice(at)};
    }
    const status = Number(match[2]);
    const r = {status, version: match[1], reason: match[3] ?? '', head, body: '', complete: false, framing: 'none', trailers: [], error: null, interim};
    at = end + 4;
    if (status >= 100 && status < 200 && status !== 101) {
      interim.push(r);
      r.complete = true;
      continue;
    }
    interim = [];
    const method = methods[Math.min(finals, methods.length - 1)];
    finals++;
    responses.push(r);
    if (status === 101) {
      r.complete = true;
      r.framing = 'tunnel';
      r.body = text.slice(at);
      return {responses, rest: ''};
    }
    const codings = head.list('transfer-encoding');
    if (method === 'HEAD' || status === 204 || status === 304) {
      r.complete = true;
    } else if (codings.length) {
      r.framing = 'chunked';
      if (codings.at(-1) !== 'chunked') {
        r.error = 'transfer coding does not end in chunked';
        return {responses, rest: text.slice(at)};
      }
      const body = readChunked(text, at);
      r.body = body.data.join('');
      r.complete = body.done;
      r.error = body.error;
      r.trailers = body.trailers;
      r.chunks = body.chunks;
      if (!body.done) return {responses, rest: ''};
      at = body.at;
    } else if (head.has('content-length')) {
      r.framing = 'length';
      const lengths = [...new Set(head.all('content-length'))];
      if (lengths.length > 1 || !/^\d+$/.test(lengths[0])) {
        r.error = `bad Content-Length ${JSON.stringify(head.all('content-length'))}`;
        return {responses, rest: text.slice(at)};
      }
      const n = Number(lengths[0]);
      r.body = text.slice(at, at + n);
      r.complete = r.body.length === n;
      if (!r.complete) return {responses, rest: ''};
      at += n;
    } else {
      r.framing = 'close';
      r.body = text.slice(at);
      r.complete = closed === 'fin';
      return {responses, rest: ''};
    }
  }
  return {responses, rest: '', dangling: interim};
}

export function show(text, limit = 700) {
  const short = text.length > limit ? text.slice(0, limit) + `… (${text.length} bytes)` : text;
  return JSON.stringify(short).slice(1, -1).replace(/\\"/g, '"');
}
