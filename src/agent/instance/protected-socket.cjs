'use strict';
// The connection of a request of node:https that may be answered 401 (network.cjs): nothing connects before its head is written, since until then fields
// are set that let it pass.

const { Duplex } = require('node:stream');

const kText = 'Deployment Protection (vercel-sim: network.protection)\n';
const kAnswer = `HTTP/1.1 401 Unauthorized\r\ncontent-type: text/plain\r\ncontent-length: ${kText.length}\r\nconnection: close\r\n\r\n${kText}`;

// `isRefused` is asked once, when the first bytes are written; `connect`: a socket to the server, where it was not.
function protectedSocket(isRefused, connect) {
  let to;
  let refused;
  let idle;
  const begin = () => {
    refused = isRefused();
    if (refused) return void socket.push(kAnswer);
    to = connect();
    if (idle !== undefined) to.setTimeout(idle);
    to.on('data', (chunk) => void (socket.push(chunk) || to.pause()));
    to.on('end', () => socket.push(null)).on('timeout', () => socket.emit('timeout'));
    to.on('error', (error) => socket.destroy(error)).on('close', () => socket.readableEnded || socket.destroy());
  };
  const socket = new Duplex({
    read: () => void to?.resume(),
    write(chunk, _, done) {
      if (refused === undefined) begin();
      if (refused) done();
      else to.write(chunk, done);
    },
    final: (done) => (to ? void to.end(done) : done()),
    destroy(error, done) {
      to?.destroy();
      done(error);
    },
  });
  // What a request asks of its socket.
  return Object.assign(socket, {
    setTimeout: (ms) => {
      idle = ms;
      to?.setTimeout(ms);
      return socket;
    },
    setNoDelay: () => socket, setKeepAlive: () => socket, ref: () => socket, unref: () => socket,
  });
}

module.exports = { kText, protectedSocket };
