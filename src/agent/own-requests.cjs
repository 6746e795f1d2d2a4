'use strict';
// Requests of the app to itself name the invocation that makes them (`x-vsim-parent`), so that an app which calls its own API at the cap of instances
// does not wait for itself.

const diagnostics = require('node:diagnostics_channel');
const http = require('node:http');

const kHere = new Set(['localhost', '127.0.0.1', '::1', '[::1]', '0.0.0.0']);

module.exports = function (sim) {
  const { invocations, options } = sim;

  function hookOwnRequests() {
    // fetch, and undici of the user's own.
    diagnostics.channel('undici:request:create').subscribe(({ request }) => {
      const invocation = invocations.getStore();
      if (!invocation) return;
      const { hostname, port } = new URL(request.origin);
      if (isOurs(hostname, port)) request.addHeader('x-vsim-parent', `${options.token}.${invocation.id}`);
    });
    // Every request of node:http asks its agent for a socket before it writes its head.
    const { addRequest } = http.Agent.prototype;
    http.Agent.prototype.addRequest = function (req, asked, ...rest) {
      const invocation = invocations.getStore();
      if (invocation && !req.headersSent && typeof asked === 'object' && isOurs(asked.host ?? asked.hostname, asked.port))
        req.setHeader('x-vsim-parent', `${options.token}.${invocation.id}`);
      return addRequest.call(this, req, asked, ...rest);
    };
  }

  function isOurs(host, port) {
    return Number(port) === options.publicPort && (kHere.has(host) || /\.localhost$/.test(host));
  }

  return { hookOwnRequests };
};
