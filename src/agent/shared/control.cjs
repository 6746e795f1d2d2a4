'use strict';
// The control channel to vercel-sim: JSON lines over its unix socket, both ways (docs/agent-protocol.md). In next dev and in instances.

const net = require('node:net');

// `first` is the line that says who we are; `closed` is called when vercel-sim is gone, `failed` when it cannot be reached at all.
function openControl({ socketPath, first, closed, failed, received }) {
  const socket = net.connect(socketPath);
  let connected = false;
  let left;  // told when it is closed, which we do ourselves
  let text = '';
  socket.on('connect', () => (connected = true));
  socket.on('error', (error) => {
    if (!connected) failed(error);
  });
  socket.on('close', () => {
    if (left) left();
    else if (connected) closed();
  });
  socket.setEncoding('utf8').on('data', (chunk) => {
    text += chunk;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n')) {
      const line = text.slice(0, end);
      text = text.slice(end + 1);
      if (line !== '') take(line);
    }
  });
  socket.write(`${first}\n`);

  function take(line) {
    let message;
    try {
      message = JSON.parse(line);
    } catch {
      return;  // not of ours
    }
    if (message !== null && typeof message === 'object') received?.(message);
  }

  return {
    socket,
    // Written at once and not batched: libuv writes in the same call, so that `handler` leaves before a handler that never yields.
    tell(message) {
      if (socket.writable) socket.write(`${JSON.stringify(message)}\n`);
    },
    // Resolves when all that was told is read, and the connection closed by both.
    leave() {
      return new Promise((resolve) => {
        left = resolve;
        socket.end();
      });
    },
  };
}

module.exports = { openControl };
