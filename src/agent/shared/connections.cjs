'use strict';
// The connections that user code and its packages open, and the requests on them that have no answer yet. A connection by itself is no work: in a pool,
// in an agent that keeps it alive, between two commands it is idle. Work is what was written on it, if nothing came back after that.

const http = require('node:http');
const net = require('node:net');
const traceBelow = require('./trace-below.cjs');
const { beginOf, refusalIn, requestIn } = require('./protocols.cjs');

const kFrames = 50;
const kMostEnded = 16;
const kMostGreetings = 8;
const kMostLooks = 100;  // at what waits behind a connection: 400 ms, and more where the machine is too busy to look so often
const kQuietMs = 60;  // between two steps of a handshake: what a server writes in pieces waits for an acknowledgement, 40 ms on Linux
const kPollMs = 4;

module.exports = function (sim) {
  const { guard, invocations, lacks, options, plain, tell } = sim;
  const connections = new WeakMap();  // socket → its record
  const live = new Set();  // records of sockets that were not seen destroyed
  const ended = [];  // the last of the others: who tries again, has a timer for it
  const counted = new Map();  // address → connections that vercel-sim was told of
  const askers = new WeakMap();  // request of node:http → where it was made

  function hookConnections() {
    const sockets = /** @type {any} */ (net.Socket.prototype);
    const { connect, _writeGeneric: write } = sockets;
    net.Socket.prototype.connect = function noted(...args) {
      opened(this, noted, args);
      return Reflect.apply(connect, this, args);
    };
    // Node internals: every write of a socket, also of TLS, comes here, before the connection is there for the first time.
    if (typeof write !== 'function') return lacks('socket writes');
    sockets._writeGeneric = function noted(isList, data, encoding, done) {
      const connection = connections.get(this) ?? beneath(this);
      if (connection && !connection.isFetch) guard('socket writes', () => wrote(connection, this, beginOf(isList, data, encoding), noted));
      return Reflect.apply(write, this, [isList, data, encoding, done]);
    };
    // Node internals: every chunk that a socket receives is pushed. A refusal is among the first: some databases look at the password before.
    const { push } = net.Socket.prototype;
    net.Socket.prototype.push = function looked(chunk, ...rest) {
      const connection = chunk ? (connections.get(this) ?? beneath(this)) : undefined;
      if (connection?.heard < kMostGreetings && !connection.isFetch) guard('socket reads', () => heard(connection, chunk));
      return Reflect.apply(push, this, [chunk, ...rest]);
    };
    // Its head is written in another turn, where nobody's frame is left.
    const agents = /** @type {any} */ (http.Agent.prototype);
    const { addRequest } = agents;
    agents.addRequest = function noted(req, ...rest) {
      if (isOpenTo(invocations.getStore())) askers.set(req, traceBelow(noted, kFrames));
      return Reflect.apply(addRequest, this, [req, ...rest]);
    };
  }

  function opened(socket, below, args) {
    const invocation = invocations.getStore();
    const connection = {
      socket,  // who was connected
      to: addressOf(args),
      top: socket,  // who is written to: TLS may lie upon it
      trace: traceBelow(below, kFrames),
      isFetch: sim.isFetching(),  // fetch tells of its requests itself
      openedBy: isOpenTo(invocation) ? invocation : undefined,
      isEarly: invocation === undefined,  // opened by modules that were evaluated ahead of a request
      request: undefined,  // the last one: {kind, by, trace, openedFor}
      askedAt: undefined,  // when the first request was written
      isHttp: false,
      hasWritten: false,
      heard: 0,  // chunks that have come, the first ones
      readBefore: 0,  // bytes that had come when something was written last
      activeAt: performance.now(),  // when it was opened, or something was written or heard, while nothing was asked for
    };
    connections.set(socket, connection);
    live.add(connection);
    if (connection.openedBy && !connection.isFetch) take(connection, invocation);
  }

  // Node internals: the arguments are as the user has them, or normalized already. Of a socket on disk nobody is told.
  function addressOf([first, second]) {
    const asked = Array.isArray(first) ? first[0] : first;
    if (asked !== null && typeof asked === 'object') return asked.port ? `${asked.host ?? 'localhost'}:${asked.port}` : undefined;
    return Number(asked) > 0 ? `${typeof second === 'string' ? second : 'localhost'}:${asked}` : undefined;
  }

  function heard(connection, chunk) {
    connection.heard += 1;
    connection.activeAt = performance.now();
    const refusal = refusalIn(chunk);
    const { openedBy, to, trace } = connection;
    if (!refusal || !openedBy || !to || options.instance === undefined) return;  // of middleware nobody is told
    const count = [...live].filter((one) => one !== connection && one.to === to && isHeld(one)).length;
    remember(to, count);
    tell({ t: 'connections', id: openedBy.id, to, count, at: sim.appPlace(trace), refusal });
  }

  function remember(to, count) {
    if (count > 0) counted.set(to, count);
    else counted.delete(to);
  }

  // Taken by the other side, which was asked for something in a protocol that is known and not HTTP.
  function isHeld(connection) {
    return connection.askedAt !== undefined && !isGone(connection) && !isOfHttp(connection);
  }

  // What is held open to each address, as far as that has changed: when a first request was written, and when an invocation is over.
  function tellConnections(invocation) {
    if (options.instance === undefined) return;
    const now = new Map();
    for (const connection of live) {
      if (!connection.to || !isHeld(connection)) continue;
      now.set(connection.to, { count: (now.get(connection.to)?.count ?? 0) + 1, trace: connection.trace });
    }
    for (const to of counted.keys()) if (!now.has(to)) now.set(to, { count: 0 });
    for (const [to, { count, trace }] of now) {
      if (counted.get(to) === count) continue;
      remember(to, count);
      tell({ t: 'connections', id: invocation.id, to, count, at: trace && invocations.run(invocation, () => sim.appPlace(trace)) });
    }
  }

  // Node internals: _parent is the socket that was given to tls.connect().
  function beneath(socket) {
    const connection = socket._parent && connections.get(socket._parent);
    if (!connection) return undefined;
    connection.top = socket;
    connections.set(socket, connection);
    return connection;
  }

  function wrote(connection, socket, { bytes, total }, below) {
    connection.hasWritten = true;
    connection.activeAt = performance.now();
    connection.readBefore = socket.bytesRead;
    const kind = requestIn(bytes, total);
    if (!kind || sim.isFetching()) return;
    const isFirst = connection.askedAt === undefined;
    // Who had it opened has it opened for this: the first request comes when it is there, in another turn.
    let by = [invocations.getStore(), isFirst ? connection.openedBy : undefined].find(isOpenTo);
    // Where its response is over and another one runs by now, what was waiting for the connection may be the other's.
    if (isFirst && by?.isDeciding && by === connection.openedBy && sim.running?.size > 1) by = undefined;
    const openedFor = by && isFirst && connection.openedBy === by ? connection.trace : undefined;
    connection.askedAt ??= performance.now();
    connection.isHttp = kind === 'HTTP request';
    if (by && isFirst && !connection.isHttp) plain.setImmediate(() => guard('connections', () => tellConnections(by)));
    connection.request = { kind, by, openedFor, trace: by && (askers.get(socket._httpMessage) ?? traceBelow(below, kFrames)) };
    if (by) (by.asked ??= new Set()).add(connection);
  }

  function isOpenTo(invocation) {
    return invocation?.req !== undefined && !invocation.isOver;
  }

  function isGone({ socket, top }) {
    return socket.destroyed || top.destroyed;
  }

  // Something was written and nothing has come since. Where a part of the answer is there, or that of an earlier request, nobody is accused.
  function isUnanswered(connection) {
    return connection.hasWritten && !isGone(connection) && connection.top.bytesRead === connection.readBefore;
  }

  // What this invocation has asked and nobody has answered: [{kind, traces, path}].
  // Node internals: _httpMessage, null in a connection that waits in its agent for a next request.
  function unansweredOf(invocation) {
    const found = [];
    for (const connection of invocation.asked ?? []) {
      const { request, top } = connection;
      if (request?.by !== invocation || !isUnanswered(connection) || top._httpMessage === null) continue;
      found.push({ kind: request.kind, traces: [request.trace, request.openedFor].filter(Boolean), path: top._httpMessage?.path });
    }
    return found;
  }

  // Nothing of an invocation that is over stays reachable by a connection that lives on.
  function forgetConnections(invocation) {
    for (const connection of invocation.opened ?? []) connection.openedBy = undefined;
    for (const connection of invocation.asked ?? []) if (connection.request?.by === invocation) connection.request = undefined;
    invocation.opened = invocation.asked = undefined;
    for (const connection of live) {
      if (!isGone(connection)) continue;
      live.delete(connection);
      if (!isOfHttp(connection)) ended.push(connection.trace);
    }
    ended.splice(0, ended.length - kMostEnded);
  }

  // A connection that is being made, or is at its first words and has asked for nothing yet `since` the response: whether a request waits behind it is
  // seen in a moment. What a client asks first may be for itself (postgres.js: which types there are).
  function isUndecided(connection, since, isQuiet) {
    const { askedAt } = connection;
    if (isGone(connection) || askedAt < since) return false;
    const isUnsaid = askedAt === undefined;
    if (!isUnsaid && isUnanswered(connection)) return false;
    const isBusy = isUnsaid && (connection.socket.connecting || connection.top.secureConnecting === true || isUnanswered(connection));
    if (isBusy) connection.activeAt = performance.now();
    return !isQuiet(connection, isBusy);
  }

  // Whether nothing has come from or gone to a connection for kQuietMs, as often as that can be looked at: where the machine is too busy to run us it is too
  // busy to run the other side.
  function quietness() {
    const seen = new Map();  // connection → {activeAt, left: looks}
    return (connection, isBusy) => {
      const { activeAt } = connection;
      const last = seen.get(connection);
      if (isBusy || last?.activeAt !== activeAt) seen.set(connection, { activeAt, left: Math.ceil((kQuietMs - (last || isBusy ? 0 : performance.now() - activeAt)) / kPollMs) });
      return seen.get(connection).left-- <= 0;
    };
  }

  // True if a moment is needed, for a connection or for what a package does in a few milliseconds; then `decided` is called after it. `isAlone`: nobody
  // else runs here, so what waits behind a connection that modules have opened when they were evaluated, ahead of the request, is this invocation's.
  // Those without an address are sockets on disk: our own channels.
  function decide(invocation, decided, isAlone = false) {
    const since = performance.now();
    const isQuiet = quietness();
    const isOpen = (connection) => isUndecided(connection, since, isQuiet);
    if (isAlone) for (const connection of live) if (connection.isEarly && connection.to && !connection.isFetch && isOpen(connection)) take(connection, invocation);
    const isSeenLater = () => invocation.opened?.filter(isOpen).length > 0 || sim.isSoonSeen(invocation);
    if (!isSeenLater()) return false;
    sim.noteLeft(invocation);
    let looks = 0;
    const look = () => {
      if (isSeenLater() && ++looks < kMostLooks) plain.setTimeout(look, kPollMs);
      else decided();
    };
    plain.setTimeout(look, kPollMs);
    return true;
  }

  function take(connection, invocation) {
    connection.openedBy = invocation;
    connection.isEarly = false;
    (invocation.opened ??= []).push(connection);
  }

  function isOfHttp({ isFetch, isHttp, top }) {
    return isFetch || isHttp || top._httpMessage !== undefined;
  }

  // Where the connections were opened that are held for more than one request of HTTP.
  function openedAt() {
    const traces = [...ended];
    for (const connection of live) if (!isOfHttp(connection)) traces.push(connection.trace);
    return traces;
  }

  return { hookConnections, unansweredOf, forgetConnections, decide, openedAt, tellConnections };
};
