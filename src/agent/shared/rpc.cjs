'use strict';
// Calls between an instance and next dev, over a unix socket of the run directory. A line is one JSON object:
//   {call, name, args}   answered by {answer, value} or {answer, error}
//   {tell, args}         not answered
// next dev never waits on an instance: it only tells. So an instance may be frozen at any time that it has no call open.

const { pack, unpack } = require('./values.cjs');

// `methods`: name → function of the arguments, for both calls and tellings. `open(count)` is called when the number of own open calls
// changes.
/** @param {import("node:net").Socket} socket @param {object} methods @param {{ closed?: () => void, open?: (count: number) => void }} [told] */
function createPeer(socket, methods, { closed = () => {}, open = () => {} } = {}) {
  const waiting = new Map();  // number → {resolve, reject}
  let numbers = 0;
  let text = '';

  socket.on('error', () => {});  // followed by close
  socket.on('close', () => {
    for (const { reject } of waiting.values()) reject(new Error('next dev is gone'));
    waiting.clear();
    closed();
  });
  socket.setEncoding('utf8').on('data', (chunk) => {
    text += chunk;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n')) {
      const line = text.slice(0, end);
      text = text.slice(end + 1);
      if (line !== '') takeLine(line);
    }
  });

  function send(message) {
    if (socket.writable) socket.write(`${JSON.stringify(message)}\n`);
  }

  // What is no message ends the connection: code of a function that writes to a descriptor of another's must not end next dev.
  function takeLine(line) {
    try {
      take(JSON.parse(line));
    } catch {
      socket.destroy();
    }
  }

  function take(message) {
    if (message.answer !== undefined) return settle(message);
    const name = message.tell ?? message.name;
    const method = Object.hasOwn(methods, name) ? methods[name] : undefined;
    const args = unpack(message.args);
    if (!Array.isArray(args)) throw new Error('no arguments');
    if (message.tell !== undefined) return void method?.(...args);
    Promise.resolve()
      .then(() => {
        if (!method) throw new Error(`no method ${name}`);
        return method(...args);
      })
      .then(
        (value) => send({ answer: message.call, value: pack(value) }),
        (error) => send({ answer: message.call, error: pack(error instanceof Error ? error : new Error(String(error))) }),
      );
  }

  function settle({ answer, value, error }) {
    const caller = waiting.get(answer);
    const given = unpack(error ?? value);
    if (!waiting.delete(answer)) return;
    if (waiting.size === 0) open(0);
    if (error !== undefined) caller.reject(given);
    else caller.resolve(given);
  }

  return {
    call(name, ...args) {
      const call = ++numbers;
      return new Promise((resolve, reject) => {
        if (!socket.writable) return reject(new Error('next dev is gone'));
        waiting.set(call, { resolve, reject });
        if (waiting.size === 1) open(1);
        send({ call, name, args: pack(args) });
      });
    },
    tell(name, ...args) {
      send({ tell: name, args: pack(args) });
    },
    end() {
      socket.destroy();
    },
  };
}

module.exports = { createPeer };
