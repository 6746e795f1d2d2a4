'use strict';
// Takes our internal fields out of requests before anyone sees them, makes invocations of those that the edge has numbered, and writes the
// function into the head of the response.

const http = require('node:http');

module.exports = function (sim) {
  const { Invocation, options, kInvocation, pathOf, finished } = sim;
  let kHeadersCount;

  // Removes our fields from the request and makes it an invocation if the edge says so. An upgrade never is one: its `res` is a socket.
  function takeRequest(req, res) {
    const raw = req.rawHeaders;
    let id = '';
    for (let i = raw.length - 2; i >= 0; i -= 2) {
      if (raw[i].length < 7 || raw[i].slice(0, 7).toLowerCase() !== 'x-vsim-') continue;
      const name = raw[i].toLowerCase();
      if (name === 'x-vsim-id') id = raw[i + 1];
      raw.splice(i, 2);
      delete req.headers[name];
    }
    // Node internals: `headersDistinct` is made of the raw fields at its first use, and counts as many as came.
    kHeadersCount ??= Object.getOwnPropertySymbols(req).find((symbol) => symbol.description === 'kHeadersCount');
    if (kHeadersCount && req[kHeadersCount] > raw.length) req[kHeadersCount] = raw.length;
    const dot = id.indexOf('.');
    if (!(res instanceof http.ServerResponse) || options.token === '' || dot < 0 || id.slice(0, dot) !== options.token) return undefined;
    const number = id.slice(dot + 1);
    if (!/^[0-9]{1,20}$/.test(number)) return undefined;
    const invocation = new Invocation(number);
    invocation.path = pathOf(req.url);
    invocation.readOnly = req.method === 'GET' || req.method === 'HEAD';
    req[kInvocation] = invocation;
    markHead(res, invocation);
    res.once('finish', () => finished(invocation, res.statusCode));
    return invocation;
  }

  // A fast answer can overtake the control channel, so that its head says too which function it comes from. Written into the text of
  // the head and not as a header field: user code that lists its own headers does not see it.
  function markHead(res, invocation) {
    const writeHead = res.writeHead;
    res.writeHead = function (...args) {
      const result = writeHead.apply(this, args);
      if (invocation.page !== undefined && typeof this._header === 'string' && this._header.endsWith('\r\n\r\n'))
        this._header = `${this._header.slice(0, -2)}x-vsim-meta: ${invocation.meta()}\r\n\r\n`;
      return result;
    };
  }

  return { takeRequest, markHead };
};
