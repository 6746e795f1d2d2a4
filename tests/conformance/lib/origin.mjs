// The scripted origin: one raw TCP listener behind the proxy under test. It knows cases by a token in what they send (`/~17~/…`), records
// exactly the bytes it got, and answers with exactly the bytes of the case's script. It never repairs anything.
import net from 'node:net';
import {Head, readChunked} from './wire.mjs';

export const kTokenPattern = /~(\d+)~/;

export const kOk = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: text/plain\r\n\r\nok';

// One request on one connection, as the script sees it.
class Exchange {
  constructor(connection, head, record) {
    this.connection = connection;
    this.socket = connection.socket;
    this.head = head;
    [this.method, this.target, this.version] = head.line.split(' ');
    this.record = record;
    this.bodyText = '';      // decoded
    this.rawBody = '';
    this.bodyDone = false;
    this.bodyError = null;
    this.trailers = [];
    this.chunks = [];
    this.orphan = false;
    this.waiters = new Set();
    this.closed = false;
    this.index = record ? record.requests.length : 0;
    this.onConnection = connection.served++;
    this.connectionId = connection.id;
  }
  write(text) {
    if (!this.socket.destroyed) this.socket.write(Buffer.from(text, 'latin1'));
  }
  end() {
    this.socket.end();
  }
  reset() {
    this.connection.buffer = '';
    this.socket.resetAndDestroy();
  }
  // Waits until test() holds; false when the connection ended first.
  until(test) {
    if (test()) return Promise.resolve(true);
    if (this.closed) return Promise.resolve(false);
    return new Promise((resolve) => this.waiters.add({test, resolve}));
  }
  wake() {
    for (const w of [...this.waiters]) {
      const ok = w.test();
      if (ok || this.closed) {
        this.waiters.delete(w);
        w.resolve(ok);
      }
    }
  }
  body() {
    return this.until(() => this.bodyDone);
  }
  // After a 101: everything from now on is raw text in `tunnel`.
  takeover() {
    this.connection.raw = this;
    this.tunnel = this.connection.buffer;
    this.connection.buffer = '';
  }
}

class Connection {
  constructor(origin, socket) {
    this.origin = origin;
    this.socket = socket;
    this.id = ++origin.connections;
    this.buffer = '';
    this.current = null;
    this.served = 0;
    this.ended = false;
    this.lastRecord = null;
    this.raw = null;
    socket.setNoDelay(true);
    socket.on('data', (data) => {
      const text = data.toString('latin1');
      if (this.raw) {
        this.raw.tunnel += text;
        this.raw.wake();
        return;
      }
      this.buffer += text;
      this.advance();
    });
    socket.on('error', () => {});
    socket.on('end', () => {
      this.ended = true;
      if (this.current) this.current.sawEnd = true;
      this.current?.wake();
      socket.end();
    });
    socket.on('close', () => {
      origin.open.delete(this);
      if (this.current) {
        this.current.closed = true;
        this.current.wake();
      }
      if (this.buffer && !this.current) this.leftover();
    });
  }
  // Bytes that never became a request: evidence of a framing error.
  leftover() {
    const token = kTokenPattern.exec(this.buffer);
    const record = token ? this.origin.cases.get(Number(token[1])) : this.lastRecord;
    record?.garbage.push(this.buffer);
  }
  advance() {
    if (this.current) {
      this.feedBody();
      return;
    }
    if (!this.buffer) return;
    const end = this.buffer.indexOf('\r\n\r\n');
    if (end < 0) return;
    const raw = this.buffer.slice(0, end + 4);
    this.buffer = this.buffer.slice(end + 4);
    const token = kTokenPattern.exec(raw);
    let record = (token && this.origin.cases.get(Number(token[1]))) || this.origin.anything;
    const orphan = !record;
    record ??= this.lastRecord;
    const ex = new Exchange(this, new Head(raw), record);
    ex.orphan = orphan;
    this.lastRecord = record;
    this.current = ex;
    if (record) record.requests.push(ex);
    else this.origin.strangers.push(ex);
    this.feedBody();
    this.play(ex);
  }
  feedBody() {
    const ex = this.current;
    if (ex.bodyDone || ex.bodyError) return;
    if (ex.head.has('transfer-encoding')) {
      const body = readChunked(this.buffer, 0);
      ex.bodyText = body.data.join('');
      ex.chunks = body.chunks;
      ex.extensions = body.extensions;
      ex.bodyError = body.error;
      ex.rawBody = this.buffer.slice(0, body.at);
      if (body.done) {
        ex.trailers = body.trailers;
        ex.bodyDone = true;
        this.buffer = this.buffer.slice(body.at);
      }
    } else {
      const n = Number(ex.head.get('content-length') ?? 0);
      ex.bodyText = this.buffer.slice(0, n);
      ex.rawBody = ex.bodyText;
      if (this.buffer.length >= n) {
        ex.bodyDone = true;
        this.buffer = this.buffer.slice(n);
      }
    }
    ex.wake();
  }
  async play(ex) {
    const script = ex.record?.script ?? kOk;
    try {
      await runScript(ex, script);
    } catch (error) {
      ex.scriptError = error;
    }
    ex.answered = true;
    if (this.raw) return;
    await ex.body();  // the next request begins after this one's body
    if (ex.closed || !ex.bodyDone) return;
    this.current = null;
    this.advance();
  }
}

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// A script: text (written when the body is whole), a list of steps, a function of the exchange, or {each: [script, …]}, one per request.
// Steps: text; {pause: ms}; {end: true}; {reset: true}; {body: true} waits for the whole body; {bytes: n} for n body bytes;
// {hold: true} answers nothing more until the proxy closes. A list begins at the head, without waiting for the body.
async function runScript(ex, script) {
  if (script.each) script = script.each[Math.min(ex.index, script.each.length - 1)];
  if (typeof script === 'function') return script(ex);
  if (typeof script === 'string') script = [{body: true}, script];
  for (const step of script) {
    if (typeof step === 'string') ex.write(step);
    else if (step.pause) await sleep(step.pause);
    else if (step.end) ex.end();
    else if (step.reset) ex.reset();
    else if (step.body) {
      if (!(await ex.body())) return;
    } else if (step.bytes) {
      if (!(await ex.until(() => ex.bodyText.length >= step.bytes))) return;
    } else if (step.hold) await ex.until(() => ex.closed);
    else throw new Error(`unknown step ${JSON.stringify(step)}`);
  }
}

export class Origin {
  constructor() {
    this.cases = new Map();
    this.strangers = [];
    this.anything = null;  // the record of requests without a token
    this.open = new Set();
    this.connections = 0;
    this.server = net.createServer({allowHalfOpen: true, noDelay: true}, (socket) => this.open.add(new Connection(this, socket)));
  }
  listen(port = 0, host = '127.0.0.1') {
    return new Promise((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(port, host, () => resolve(this.server.address().port));
    });
  }
  expect(token, script) {
    const record = {token, script: script ?? kOk, requests: [], garbage: []};
    this.cases.set(token, record);
    return record;
  }
  answerAll(script) {
    this.anything = {script: script ?? kOk, requests: [], garbage: []};
    return this.anything;
  }
  close() {
    for (const c of this.open) c.socket.destroy();
    return new Promise((resolve) => this.server.close(resolve));
  }
}
