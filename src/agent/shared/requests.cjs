'use strict';
// Takes our internal fields out of requests before anyone sees them, makes invocations of those that the edge has numbered, and writes the
// function into the head of the response. In next dev and in instances.

const http = require('node:http');

module.exports = function (sim) {
  const { Invocation, next, options, kInvocation, pathOf, finished } = sim;
  let kHeadersCount;

  // Removes every x-vsim field. Returns them by their names if the edge has sent them, which `<token>.<id>` proves, and else undefined.
  function takeFields(req) {
    const { headers, rawHeaders: raw } = req;  // Node makes `headers` of the raw ones at this moment
    const fields = {};
    for (let i = raw.length - 2; i >= 0; i -= 2) {
      if (raw[i].length < 7 || raw[i].slice(0, 7).toLowerCase() !== 'x-vsim-') continue;
      const name = raw[i].toLowerCase();
      fields[name.slice(7)] = raw[i + 1];
      raw.splice(i, 2);
      delete headers[name];
    }
    // Node internals: `headersDistinct` is made of the raw fields at its first use, and counts as many as came.
    kHeadersCount ??= Object.getOwnPropertySymbols(req).find((symbol) => symbol.description === 'kHeadersCount');
    if (kHeadersCount && req[kHeadersCount] > raw.length) req[kHeadersCount] = raw.length;
    const [token, id, more] = (fields.id ?? '').split('.');
    if (options.token === '' || token !== options.token || more !== undefined || !/^[0-9]{1,20}$/.test(id ?? '')) return undefined;
    return { ...fields, id };
  }

  function makeInvocation(req, id) {
    const invocation = new Invocation(id);
    invocation.path = pathOf(req.url);
    invocation.isPartial = next.isPartial(req.headers);
    invocation.readOnly = req.method === 'GET' || req.method === 'HEAD';
    req[kInvocation] = invocation;
    return invocation;
  }

  // Whatever is rendered in this process: the response says what it is, and its end is noted.
  function watchResponse(res, invocation) {
    markHead(res, invocation);
    res.once('finish', () => finished(invocation, res.statusCode));
  }

  // A fast answer can overtake the control channel, so that its head says too which function it comes from. Written into the text of
  // the head and not as a header field: user code that lists its own headers does not see it.
  function markHead(res, invocation) {
    const { writeHead } = res;
    /** @this {any} */
    res.writeHead = function (...args) {
      const result = writeHead.apply(this, args);
      if (invocation.page !== undefined && typeof this._header === 'string' && this._header.endsWith('\r\n\r\n'))
        this._header = `${this._header.slice(0, -2)}x-vsim-meta: ${invocation.meta()}${sim.isUnseen(invocation, this) ? ';unseen=1' : ''}\r\n\r\n`;
      return result;
    };
  }

  // A WebSocket upgrade as the request that it is: whatever answers writes to its socket.
  function responseFor(req, socket) {
    const res = new http.ServerResponse(req);
    res.shouldKeepAlive = false;
    res.assignSocket(socket);
    socket.on('error', () => {});
    socket.on('drain', () => drained(res, socket));
    res.on('finish', () => {
      if (res.socket !== socket) return;  // it was handed over
      res.detachSocket(socket);
      socket.end();
      process.nextTick(() => res.emit('close'));  // as Node's server does for the responses that it makes
    });
    return res;
  }

  // Node's server tells a response that its socket takes more; from the sockets of upgrades it takes its listeners, and a response larger than the
  // socket's buffer would wait for ever.
  // Node internals: _http_server.js (socketOnDrain), internal/http.js (kNeedDrain).
  function drained(res, socket) {
    if (res.socket !== socket || res.finished) return;
    const kNeedDrain = Object.getOwnPropertySymbols(res).find((symbol) => symbol.description === 'kNeedDrain');
    if (!kNeedDrain || !res[kNeedDrain]) return;
    res[kNeedDrain] = false;
    res.emit('drain');
  }

  return { takeFields, makeInvocation, watchResponse, responseFor };
};
