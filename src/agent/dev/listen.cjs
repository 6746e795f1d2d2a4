'use strict';
// Lets Next listen on a private unix socket while it believes in the public port, and ends its server when it is told to end.

const fs = require('node:fs');
const http = require('node:http');
const net = require('node:net');

module.exports = function (sim) {
  const { dressSocket, guard, invocations, makeInvocation, options, publicAddress, responseFor, takeFields, watchResponse } = sim;

  // Next listens once, on (port, hostname), and builds banner, PORT and its own origin from server.address().
  function hookListen() {
    const listen = net.Server.prototype.listen;
    let taken = false;
    net.Server.prototype.listen = function (...args) {
      if (taken || !(this instanceof http.Server) || !asksForPublicPort(args)) return listen.apply(this, args);
      taken = true;
      const host = typeof args[0] === 'object' ? args[0].host : typeof args[1] === 'string' ? args[1] : undefined;
      prepareServer(this, host);
      try {
        fs.unlinkSync(options.appSocket);
      } catch {
        // none there
      }
      return listen.call(this, { path: options.appSocket }, ...args.filter((arg) => typeof arg === 'function'));
    };
  }

  /** @param {any[]} args */
  function asksForPublicPort([first]) {
    const port = first !== null && typeof first === 'object' ? first.port : first;
    return port !== undefined && port !== null && Number(port) === options.publicPort;
  }

  function prepareServer(server, host) {
    const sockets = new Set();
    let ending = false;
    const emit = server.emit;
    // On the instance's emit and not as listeners: Socket.IO and others remove and replace the listeners of this server.
    server.emit = function (event, ...args) {
      if (event === 'connection') {
        if (ending) return args[0].destroy(), true;
        sockets.add(args[0]);
        args[0].once('close', () => sockets.delete(args[0]));
        dressSocket(args[0]);
      } else if (args[0] instanceof http.IncomingMessage) {
        if (event === 'request') guard('notice', () => sim.addNotice(args[0], args[1]));
        const taken = guard('requests', () => takeRequest(event, ...args));
        if (taken?.isAnswered) return true;
        if (taken) return invocations.run(taken.invocation, () => emit.call(this, ...taken.event));
      }
      return emit.call(this, event, ...args);
    };
    // Bodies that the edge holds back (Expect: 100-continue): without a listener Node asks for them at once.
    if (sim.isolation) server.on('checkContinue', () => {});
    const address = publicAddress(host);
    server.address = () => (server.listening ? { ...address } : null);
    server.keepAliveTimeout = 0;  // vercel-sim closes idle connections itself: closing them here too would race with its next request
    server.once('listening', () => {
      // After Next's own listeners: before them a signal ends the process by default, and must go on to do so.
      setImmediate(() => {
        for (const signal of /** @type {NodeJS.Signals[]} */ (['SIGTERM', 'SIGINT'])) process.prependListener(signal, () => end(signal));
      });
      setTimeout(() => {
        if (!sim.hasRouter()) sim.becomeReady();  // this Next has no router-server: listening must do
      }, 2000).unref();
    });

    // Next waits for open sockets, upgraded and hung ones for ever.
    function end(signal) {
      if (ending) return;
      ending = true;
      for (const socket of sockets) socket.destroy();
      const status = signal === 'SIGINT' ? 130 : 143;
      if (process.listenerCount(signal) <= 1) process.exit(status);  // Next does not handle it (NEXT_MANUAL_SIG_HANDLE)
      setTimeout(() => process.exit(status), 2000).unref();
    }
  }

  // The invocation that a request is, and the event that Next shall see: nothing for requests of nobody. An upgrade is none unless functions
  // run in instances: there it is routed as the request that it is.
  function takeRequest(event, req, res, head) {
    const held = event === 'checkContinue';
    const fields = takeFields(req);
    const isUpgrade = event === 'upgrade' && sim.isolation !== undefined;
    if (!fields || !(res instanceof http.ServerResponse || isUpgrade)) {
      if (held) res.writeContinue();
      return held ? { invocation: undefined, event: ['request', req, res] } : undefined;
    }
    if (fields.middleware && sim.isolation && sim.answerAsked(res, fields)) return { isAnswered: true };
    const invocation = makeInvocation(req, fields.id);
    invocation.outgoing = res;
    if (!sim.isolation) {
      watchResponse(res, invocation);
      return { invocation, event: [event, req, res, head] };
    }
    if (held) askForBodyWhenRead(req, res);
    invocation.original = { ...req.headers };
    invocation.skip = (fields.skip ?? '').split(',').filter(Boolean);
    return { invocation, event: ['request', req, isUpgrade ? responseFor(req, res) : res] };
  }

  // Middleware and rewrites to elsewhere read the body in next dev; a function's body goes to its instance.
  function askForBodyWhenRead(req, res) {
    const { _read } = req;
    req._read = function (...args) {
      if (!res.headersSent && !res._sent100) res.writeContinue();
      return _read.apply(this, args);
    };
  }

  return { hookListen };
};
