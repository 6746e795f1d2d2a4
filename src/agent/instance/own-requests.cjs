'use strict';
// Requests of the app to itself name the invocation that makes them (`x-vsim-parent`), so that an app which calls its own API at the cap of instances
// does not wait for itself. What it asks of `https://$VERCEL_URL`, as it would in production, goes to the plain port that vercel-sim listens on.

const diagnostics = require('node:diagnostics_channel');
const http = require('node:http');
const https = require('node:https');
const dressed = require('../shared/dressed.cjs');

const kHere = new Set(['localhost', '127.0.0.1', '::1', '[::1]', '0.0.0.0']);

const kRequestMembers = ['method', 'headers', 'body', 'duplex', 'redirect', 'signal', 'credentials', 'cache', 'integrity', 'keepalive', 'referrer', 'referrerPolicy'];

module.exports = function (sim) {
  const { invocations, options } = sim;

  function hookOwnRequests() {
    // fetch, and undici of the user's own.
    diagnostics.channel('undici:request:create').subscribe(({ request }) => {
      const invocation = invocations.getStore();
      if (!invocation?.call) return;
      const { hostname, port } = new URL(request.origin);
      if (isOurs(hostname, port)) request.addHeader('x-vsim-parent', `${invocation.call}.${invocation.id}`);
    });
    // Every request of node:http asks its agent for a socket before it writes its head.
    const agents = /** @type {any} */ (http.Agent.prototype);
    const { addRequest } = agents;
    agents.addRequest = function (req, asked, ...rest) {
      if (typeof asked === 'object' && isOurs(asked.host ?? asked.hostname, asked.port)) nameParent(req);
      return addRequest.call(this, req, asked, ...rest);
    };
    if (!options.isHttps) hookScheme();
  }

  function nameParent(req) {
    const invocation = invocations.getStore();
    if (invocation?.call && !req.headersSent) req.setHeader('x-vsim-parent', `${invocation.call}.${invocation.id}`);
  }

  // Beneath Next's fetch, which so keeps the user's address for its cache.
  function hookScheme() {
    const { fetch } = globalThis;
    const mapped = function (input, ...rest) {
      return Reflect.apply(fetch, this, [plainInput(input), ...rest]);
    };
    globalThis.fetch = dressed(mapped, fetch);
    for (const name of ['request', 'get']) {
      const real = https[name];
      https[name] = function (...args) {
        const plain = plainArguments(args);
        return plain ? Reflect.apply(http[name], http, plain) : Reflect.apply(real, this, args);
      };
    }
  }

  // `http:…` of an address of ours; undefined for all others.
  function plainAddress(address) {
    if (!/^https:/i.test(address) || !URL.canParse(address)) return undefined;
    const url = new URL(address);
    return isOurs(url.hostname, url.port) ? `http:${url.href.slice('https:'.length)}` : undefined;
  }

  function plainInput(input) {
    if (typeof input === 'string' || input instanceof URL) return plainAddress(String(input)) ?? input;
    const plain = typeof input?.url === 'string' ? plainAddress(input.url) : undefined;
    if (!plain) return input;
    if (input.mode !== 'navigate') return new Request(plain, input);
    // The mode of what a browser opens is refused in the model of a new request: all but that.
    const copied = kRequestMembers.filter((name) => input[name] !== undefined && input[name] !== null);
    return new Request(plain, Object.fromEntries(copied.map((name) => [name, input[name]])));
  }

  // Of https.request: (address, options?, callback?) or (options, callback?).
  /** @param {any[]} args */
  function plainArguments([first, ...rest]) {
    const forHttp = (given) => ({ ...given, protocol: 'http:', agent: undefined });
    if (typeof first === 'string' || first instanceof URL) {
      const plain = plainAddress(String(first));
      if (!plain) return undefined;
      return rest[0] !== null && typeof rest[0] === 'object' ? [plain, forHttp(rest[0]), ...rest.slice(1)] : [plain, ...rest];
    }
    if (first === null || typeof first !== 'object' || !isOurs(first.hostname ?? first.host, first.port)) return undefined;
    return [forHttp(first), ...rest];
  }

  function isOurs(host, port) {
    return Number(port) === options.publicPort && (kHere.has(host) || /\.localhost$/.test(host));
  }

  return { hookOwnRequests, nameParent };
};
