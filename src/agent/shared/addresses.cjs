'use strict';
// What a server on a unix socket says of itself and of its connections: the public port, and this machine.

const net = require('node:net');

module.exports = function (sim) {
  const { options } = sim;

  function publicAddress(host) {
    const port = options.publicPort;
    if (!host) return { address: '::', family: 'IPv6', port };
    const family = net.isIP(host);
    return { address: family ? host : '127.0.0.1', family: family === 6 ? 'IPv6' : 'IPv4', port };
  }

  // A unix socket has no addresses; code that reads them (rate limiters, loggers) finds those of a connection from this machine.
  function dressSocket(socket) {
    const addresses = { remoteAddress: '127.0.0.1', remoteFamily: 'IPv4', localAddress: '127.0.0.1', localPort: options.publicPort };
    for (const [name, value] of Object.entries(addresses)) Object.defineProperty(socket, name, { value, configurable: true });
  }

  return { dressSocket, publicAddress };
};
