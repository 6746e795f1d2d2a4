// A raw TCP client: sends exact bytes in exact pieces, keeps every byte that comes back, and waits for events with a deadline.
import net from 'node:net';
import {parseResponses} from './wire.mjs';

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export class RawClient {
  constructor(port, {host = '127.0.0.1', methods = ['GET'], deadline = 4000} = {}) {
    this.text = '';
    this.closed = null;  // 'fin' or 'rst'
    this.methods = methods;
    this.deadline = Date.now() + deadline;
    this.waiters = new Set();
    this.socket = net.connect({port, host, allowHalfOpen: true, noDelay: true});
    this.socket.on('data', (data) => {
      this.text += data.toString('latin1');
      this.wake();
    });
    this.socket.on('end', () => this.over('fin'));
    this.socket.on('error', (error) => {
      this.error = error;
      this.over('rst');
    });
    this.socket.on('close', () => this.over('fin'));
  }
  over(how) {
    if (how === 'rst' && this.closed === 'fin') return;
    this.closed = how;
    this.wake();
  }
  write(text) {
    if (!this.socket.destroyed) this.socket.write(Buffer.from(text, 'latin1'));
  }
  end() {
    this.socket.end();
  }
  reset() {
    this.socket.resetAndDestroy();
  }
  parsed() {
    if (this.cache?.text !== this.text || this.cache?.closed !== this.closed) {
      this.cache = {text: this.text, closed: this.closed, ...parseResponses(this.text, this.methods, this.closed)};
    }
    return this.cache;
  }
  get responses() {
    return this.parsed().responses;
  }
  complete() {
    return this.responses.filter((r) => r.complete).length;
  }
  wake() {
    for (const w of [...this.waiters]) {
      if (w.test()) {
        this.waiters.delete(w);
        clearTimeout(w.timer);
        w.resolve(true);
      }
    }
  }
  // Waits until test() holds, at most until the deadline (or for `ms`).
  until(test, ms = Infinity) {
    if (test()) return Promise.resolve(true);
    const left = Math.min(ms, this.deadline - Date.now());
    if (left <= 0) return Promise.resolve(false);
    return new Promise((resolve) => {
      const w = {test, resolve};
      w.timer = setTimeout(() => {
        this.waiters.delete(w);
        resolve(test());
      }, left);
      this.waiters.add(w);
    });
  }
  // Steps: text; {pause: ms}; {end: true} half-closes; {reset: true}; {responses: n} waits for n whole responses; {interim: n} for n interim
  // ones; {sees: 'text'}; {closed: true}; or an async function of the client.
  async play(steps, context) {
    for (const step of steps) {
      if (typeof step === 'string') this.write(step);
      else if (typeof step === 'function') await step(this, context);
      else if (step.pause) await sleep(step.pause);
      else if (step.end) this.end();
      else if (step.reset) this.reset();
      else if (step.responses) await this.until(() => this.closed || this.complete() >= step.responses);
      else if (step.interim) await this.until(() => this.closed || this.text.split(/HTTP\/1\.1 1\d\d/).length > step.interim);
      else if (step.sees) await this.until(() => this.closed || this.text.includes(step.sees));
      else if (step.closed) await this.until(() => this.closed);
      else throw new Error(`unknown step ${JSON.stringify(step)}`);
    }
  }
  destroy() {
    for (const w of this.waiters) clearTimeout(w.timer);
    this.socket.destroy();
  }
}
