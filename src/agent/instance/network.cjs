'use strict';
// What a function on Vercel cannot reach: its own server by a loopback name, another server of this machine, a host that has IPv6 addresses only, port 25.
// Told with the app's own line (machine.cjs); what is certain fails as there. Seen where Node connects: not what a native addon or a child process does.
// A request to its own port is judged where it is made, and else where it connects: a socket of the app's own, HTTP/2, undici of the user's own.

const diagnostics = require('node:diagnostics_channel');
const dns = require('node:dns');
const { existsSync, readFileSync, readdirSync, readlinkSync } = require('node:fs');
const http = require('node:http');
const https = require('node:https');
const net = require('node:net');
const tls = require('node:tls');
const { evaluatedIn, sourceName } = require('../next/chunks.cjs');
const { isDevRequest, isSocketOfNext } = require('../next/names.cjs');
const decoded = require('../shared/decoded.cjs');
const dressed = require('../shared/dressed.cjs');
const { isItself, isLoopback, learn, oddity, patternsOf } = require('./loopback-names.cjs');

const kJudged = Symbol('judged');  // the options of a connection, whose request was looked at
// By what an address may be made of the request or of the deployment's name, which are the same here and not there.
const kDerived = /VERCEL_(URL|BRANCH_URL|PROJECT_PRODUCTION_URL)|\bheaders\s*\(|\bheaders\s*\.|\bheaders\s*\[|\bhost\b|nextUrl|\b(req|request)\w*\s*\.\s*url\b|\borigin\b/i;
const kGiven = /\bVERCEL_(BRANCH_)?URL\b/;
const kPassing = /VERCEL_PROJECT_PRODUCTION_URL|VERCEL_AUTOMATION_BYPASS_SECRET|x-vercel-protection-bypass|nextUrl|\bheaders\s*\(|\b(req|request)\w*\s*\.\s*(url|headers)\b|\borigin\b/i;
// Of Next's dev server alone.
const kNodeModules = /[\\/]node_modules[\\/]/;
const kHostsFile = '/etc/hosts';
const kGlobalUnicast = /^[23][0-9a-f]{0,3}:/i;

module.exports = function (sim) {
  const { guard, invocations, options, machine } = sim;
  const { modeOf, callerOf, textOf, projectText, isChosen, variablesThat, tellMachine } = machine;

  const bare = (host) => String(host ?? '').replace(/^\[(.*)\]$/, '$1');
  const spell = (host) => (net.isIPv6(host) ? `[${host}]` : host);

  function hookNetwork() {
    if (modeOf('self') !== 'off') {
      hookFetchCalls();
      hookRequests();
    }
    if (modeOf('protection') !== 'off') hookProtection();
    hookConnects();
    if (modeOf('ipv6') !== 'off') hookLookups();
  }

  // ---- Its own server ------------------------------------------------------------------------------------------------------------

  // Beneath Next's fetch, as in production: what a cache answers is not asked.
  function hookFetchCalls() {
    const { fetch } = globalThis;
    if (typeof fetch !== 'function') return;
    const asked = function (input, ...rest) {
      const refused = guard('network', () => {
        const address = typeof input === 'string' || input instanceof URL ? String(input) : input?.url;
        const url = typeof address === 'string' && URL.canParse(address) ? new URL(address) : undefined;
        return url && isOwnAddress(url) && toItself(url, 'fetch', sim.fetchTrace() ?? sim.hanging.traceBelow(asked), sim.fetchTrace() !== undefined);
      });
      if (refused) return Promise.reject(Object.assign(new TypeError('fetch failed'), { cause: refused }));
      return Reflect.apply(fetch, this, [input, ...rest]);
    };
    globalThis.fetch = dressed(asked, fetch);
  }

  function hookRequests() {
    // `https://$VERCEL_URL` becomes plain HTTP beneath (own-requests.cjs).
    let isSecure = false;
    let isUnnamed = false;
    for (const name of ['request', 'get']) {
      const plain = http[name];
      http[name] = dressed(function (...args) {
        const [asked] = args;
        isUnnamed = asked !== null && typeof asked === 'object' && !(asked instanceof URL) && !asked.host && !asked.hostname;
        try {
          return Reflect.apply(plain, this, args);
        } finally {
          isUnnamed = false;
        }
      }, plain);
      const real = https[name];
      https[name] = function (...args) {
        isSecure = true;
        try {
          return Reflect.apply(real, this, args);
        } finally {
          isSecure = false;
        }
      };
    }
    const agents = /** @type {any} */ (http.Agent.prototype);
    const { addRequest } = agents;
    agents.addRequest = function joined(req, asked, ...rest) {
      const refused = guard('network', () => {
        if (asked === null || typeof asked !== 'object' || asked.socketPath) return undefined;
        const host = bare(asked.host ?? asked.hostname ?? 'localhost');
        asked[kJudged] = isLoopback(host);
        const url = new URL(`${isSecure || this.protocol === 'https:' ? 'https' : 'http'}://${spell(host)}:${asked.port ?? 80}`);
        if (!isOwnAddress(url)) return undefined;
        const { origin, hostname, protocol, pathname } = new URL(req.path ?? '/', url);
        return toItself({ origin, hostname, protocol, pathname, isUnnamed }, 'request', sim.hanging.traceBelow(joined), true);
      });
      if (!refused) return Reflect.apply(addRequest, this, [req, asked, ...rest]);
      req.onSocket(undefined, refused);  // Node internals: as its agent says that there is no connection
    };
    // undici of the user's own is refused where it connects, and watched on a connection that it has.
    diagnostics.channel('undici:request:create').subscribe(({ request }) => {
      if (sim.isFetching()) return;
      guard('network', () => {
        const url = new URL(request.path, request.origin);
        if (!isOwnAddress(url)) return;
        const asked = { url, trace: sim.hanging.traceBelow(undefined) };
        asking = asked;
        process.nextTick(() => {
          if (asking !== asked) return;
          asking = undefined;
          guard('network', () => toItself(url, 'request', asked.trace, false, false));
        });
      });
    });
    diagnostics.channel('undici:client:beforeConnect').subscribe(() => {
      isOfUndici = true;
      process.nextTick(() => (isOfUndici = false));
    });
  }

  let asking;  // undici's request of this turn, to the own port
  let isOfUndici = false;  // that which connects

  function isOwnAddress({ protocol, hostname, port, pathname }) {
    if (!/^https?:$/.test(protocol) || Number(port || (protocol === 'http:' ? 80 : 443)) !== options.publicPort || !isLoopback(bare(hostname))) return false;
    return !isDevRequest(pathname) && !invocations.getStore()?.isWarming && !machine.isUnjudged();
  }

  // A connection that no request has asked for which was looked at.
  /** @param {any} asked @param {string} host @param {() => any} traceOf */
  function toOwnPort(asked, host, traceOf) {
    if (modeOf('self') === 'off' || asked?.[kJudged] || machine.isUnjudged()) return undefined;
    if (isOfUndici) {
      const own = asking;
      asking = undefined;
      const error = own && toItself(own.url, 'request', own.trace, false);
      return error && { error };
    }
    const isUnnamed = asked === undefined || asked === null || (typeof asked === 'object' && !asked.host) || typeof asked !== 'object';
    const error = toItself({ hostname: host, protocol: 'tcp:', isUnnamed }, 'connection', traceOf(), true);
    return error && { error };
  }

  // The error that the function gets, or undefined: nobody has written that address, or it was let through. `isDirect`: the trace begins with who asked,
  // and not with Next's fetch.
  function toItself(url, what, trace, isDirect, canRefuse = true) {
    const host = bare(url.hostname);
    const caller = callerOf(trace);
    // Next's own; but for the WebSocket that it gives to the app, where Node has none.
    if (!caller.first || (caller.first.isNext && (caller.own.length === 0 || (isDirect && !isSocketOfNext(caller.first.at))))) return undefined;
    const known = judge(host, options.publicPort, caller, url);
    // `https://$VERCEL_URL` is this port too.
    if (known === undefined || (url.protocol === 'https:' && (known.doubt !== '' || !known.isWritten))) return undefined;
    const odd = oddity(host);
    const variable = known.variable ?? (odd === 'stand-in' ? kHostsFile : undefined);
    const isCertain = known.doubt === '' && !variable;
    const refused = isCertain && canRefuse && modeOf('self') === 'enforce';
    const doubt = variable ? '' : isCertain && odd ? odd : refused ? '' : isCertain ? (canRefuse ? 'mode' : 'unseen') : known.doubt;
    const to = url.origin ? `${url.origin}${url.pathname}` : `${spell(host)}:${options.publicPort}`;
    tellMachine({ kind: 'self', what, to, place: known.by ? { source: known.by } : caller.place, variable, doubt, refused });
    return refused ? errorOf(host, options.publicPort) : undefined;
  }

  // Who has made this address: {variable}, {doubt}, or undefined: nobody has written it, so it comes from the request or from $VERCEL_URL. `by`: the file
  // that chooses it, if that is another one than asks.
  function judge(host, port, { own }, { protocol, isUnnamed }) {
    const { address, alone } = patternsOf(host);
    // A socket has a host and no address; without one it goes to `localhost`.
    const isIt = (text) => address.test(text) || (protocol === 'tcp:' && alone.test(text));
    const texts = own.map(textOf);
    const variables = variablesOf(host, port);
    const isWritten = texts.some(isIt) || (isUnnamed === true && own.length > 0);
    const isNamed = texts.some((text) => variables.some((name) => text.includes(name)));
    if (isWritten && texts.some(isChosen)) return { doubt: 'only-dev' };
    if (isWritten && !isNamed && !texts.some((text) => kDerived.test(text))) return { doubt: '', isWritten };
    if (variables.length > 0) return { variable: variables[0] };
    const writers = isWritten ? [] : filesThat(host, isIt);
    const by = writers.find((name) => isChosen(projectText(name)));
    if (by) return { doubt: 'only-dev', by };
    if (!mayBeDerived(host, port)) return { doubt: '' };
    return isWritten || writers.length > 0 ? { doubt: 'derived' } : undefined;
  }

  // Next has `localhost` in request.url whatever the client asked for.
  function mayBeDerived(host, port) {
    const authority = `${spell(host)}:${port}`;
    const { headers } = invocations.getStore()?.req ?? { headers: {} };
    return host === 'localhost' || !invocations.getStore() || [headers.host, headers['x-forwarded-host'], process.env.VERCEL_URL].includes(authority);
  }

  // Files of the app that this instance has loaded, of those that name the host.
  function filesThat(host, isIt) {
    return [...ownSources(patternsOf(host))].filter((name) => isIt(projectText(name)));
  }

  const read = new Map();  // compiled file, and host → the app's own sources in it

  function ownSources({ somewhere, spelled }) {
    const all = new Set();
    for (const file of Object.keys(require.cache)) {
      if (!file.endsWith('.js') || kNodeModules.test(file) || !sim.isUserCode(file)) continue;
      const key = `${file} ${spelled}`;
      if (!read.has(key)) read.set(key, guard('network', () => sourcesIn(file, somewhere)) ?? []);
      for (const name of read.get(key)) all.add(name);
    }
    return all;
  }

  // Turbopack names them in the map beside the file, webpack in what it evaluates (there quotes are escaped).
  function sourcesIn(file, somewhere) {
    const names = [];
    const text = readFileSync(file, 'utf8');
    if (!somewhere.test(text)) return names;
    if (existsSync(`${file}.map`)) {
      const map = JSON.parse(readFileSync(`${file}.map`, 'utf8'));
      for (const part of map.sections?.map((section) => section.map) ?? [map]) names.push(...(part.sources ?? []));
    }
    names.push(...evaluatedIn(text));
    return names
      .filter((name) => typeof name === 'string' && !kNodeModules.test(name))
      .map((name) => decoded(sourceName(name)));
  }

  // ---- Everything that connects --------------------------------------------------------------------------------------------------

  function hookConnects() {
    const { connect } = net.Socket.prototype;
    net.Socket.prototype.connect = function joined(...args) {
      const verdict = guard('network', () => toOthers(this, args, () => sim.fetchTrace() ?? sim.hanging.traceBelow(joined)));
      return Reflect.apply(connect, this, verdict ? nowhere(args, verdict.error) : args);
    };
  }

  // Arguments of a connection that fails so, or without an error never comes: at its name, since who connects may look at the socket meanwhile (HTTP/2).
  /** @param {any[]} args @param {any} error */
  function nowhere([first, ...rest], error) {
    const asked = Array.isArray(first) ? first[0] : first;
    const done = (Array.isArray(first) ? first.slice(1) : rest).find((one) => typeof one === 'function');
    const lookup = (host, options, answer) => void (error && process.nextTick(answer, error));
    return [{ ...(typeof asked === 'object' ? asked : { port: asked }), host: 'refused.invalid', lookup }, ...(done ? [done] : [])];
  }

  /** @param {any} socket @param {any[]} args @param {() => any} traceOf */
  function toOthers(socket, [first, second], traceOf) {
    const asked = Array.isArray(first) ? first[0] : first;
    const isObject = asked !== null && typeof asked === 'object';
    const port = Number(isObject ? asked.port : asked);
    const host = bare(isObject ? asked.host ?? 'localhost' : typeof second === 'string' ? second : 'localhost');
    if (!(port > 0) || (isObject && asked.path) || invocations.getStore()?.isWarming) return undefined;
    const toThisMachine = (trace) => (port === options.publicPort ? toOwnPort(asked, host, trace) : toNeighbour(host, port, trace));
    if (isLoopback(host)) return toThisMachine(traceOf);
    if (net.isIPv6(host) && kGlobalUnicast.test(host)) return told('ipv6', `${spell(host)}:${port}`, traceOf, () => ({ error: connectError('ENETUNREACH', -101, host, port) }));
    if (port === 25) return told('smtp', `${spell(host)}:25`, traceOf, () => ({}));
    if (net.isIP(host) === 0) watchAnswer(socket, host, traceOf(), toThisMachine);
    return undefined;
  }

  // A name that DNS gives the loopback's address, as it does there.
  /** @param {any} socket @param {string} host @param {any} trace @param {(traceOf: () => any) => any} toThisMachine */
  function watchAnswer(socket, host, trace, toThisMachine) {
    socket.once('lookup', (error, address) => {
      if (error || !isItself(bare(address))) return;
      learn(host);
      const verdict = guard('network', () => toThisMachine(() => trace));
      if (verdict?.error) socket.destroy(verdict.error);
    });
  }

  /** @param {string} kind @param {string} to @param {() => any} traceOf @param {() => object} refusal
   *  @param {(caller: any) => any} [choiceFor] @param {(caller: any) => boolean} [isSame] @param {string} [odd] */
  function told(kind, to, traceOf, refusal, choiceFor = () => undefined, isSame = () => false, odd = '') {
    let mode = modeOf(kind);
    if (mode === 'off') return undefined;
    // Nothing of this machine stands in for what the deployment has: its variables are the deployment's (decision 0020).
    if (kind === 'loopback' && modeOf('strict') === 'on') mode = 'enforce';
    const caller = callerOf(traceOf());
    if (!caller.first || (caller.first.isNext && caller.own.length === 0) || isSame(caller)) return undefined;
    const chosen = choiceFor(caller);
    const refused = mode === 'enforce' && !chosen;
    tellMachine({ kind, what: 'connection', to, place: chosen ? { source: chosen } : caller.place, doubt: chosen ? 'only-dev' : odd || (refused ? '' : 'mode'), refused });
    return refused ? refusal() : undefined;
  }

  function toNeighbour(host, port, traceOf) {
    if (modeOf('loopback') === 'off') return undefined;
    const odd = oddity(host);
    const variable = variablesOf(host, port)[0] ?? (odd === 'stand-in' ? kHostsFile : undefined);
    if ((!variable || odd) && isOfThisInstance(port)) return undefined;
    // Traces that no collector here takes are dropped here as there; those that one takes are lost there.
    const isSame = ({ first, own }) => first.isTelemetry && own.length === 0 && listenersOn(port).size === 0;
    if (!variable) return told('loopback', `${spell(host)}:${port}`, traceOf, () => ({ error: errorOf(host, port) }), (caller) => choiceOf(host, caller), isSame, odd);
    tellMachine({ kind: 'loopback', what: 'connection', to: `${spell(host)}:${port}`, variable });
    return undefined;
  }

  // The file that writes a loopback address out and chooses it by where it runs.
  function choiceOf(host, { own }) {
    const { address, alone } = patternsOf(host);
    const isIt = (text) => (address.test(text) || alone.test(text)) && isChosen(text);
    return own.find((frame) => isIt(textOf(frame)))?.source ?? filesThat(host, isIt)[0];
  }

  // Its own listener, or that of a child it has started (a browser, a query engine): there too.
  function isOfThisInstance(port) {
    const inodes = listenersOn(port);
    return inodes.size === 0 ? false : [process.pid, ...descendants(process.pid)].some((pid) => hasSocket(pid, inodes));
  }

  function listenersOn(port) {
    const found = new Set();
    const wanted = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
    for (const table of ['tcp', 'tcp6']) {
      let text = '';
      try {
        text = readFileSync(`/proc/self/net/${table}`, 'utf8');
      } catch {
        // no IPv6, or no Linux
      }
      for (const line of text.split('\n')) {
        const fields = line.trim().split(/\s+/);
        if (fields[3] === '0A' && fields[1]?.endsWith(wanted)) found.add(fields[9]);
      }
    }
    return found;
  }

  function descendants(pid, found = []) {
    let threads = [];
    try {
      threads = readdirSync(`/proc/${pid}/task`);
    } catch {
      // ended
    }
    for (const thread of threads) {
      let children = '';
      try {
        children = readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8');
      } catch {
        // ended, or a kernel without it
      }
      for (const child of children.split(' ').filter(Boolean)) {
        found.push(Number(child));
        descendants(Number(child), found);
      }
    }
    return found;
  }

  function hasSocket(pid, inodes) {
    try {
      return readdirSync(`/proc/${pid}/fd`).some((fd) => {
        try {
          return inodes.has(/^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1]);
        } catch {
          return false;
        }
      });
    } catch {
      return false;
    }
  }

  // The user's own variables that name a loopback address with this port, or with none at all (DB_HOST=localhost).
  function variablesOf(host, port) {
    const { spelled } = patternsOf(host);
    const full = new RegExp(`(^|//|@|,)${spelled}:${port}(?!\\d)`, 'i');
    const withoutPort = new RegExp(`^[a-z][a-z0-9+.-]*://([^/@]*@)?${spelled}(/|$)`, 'i');
    const alone = new RegExp(`^${spelled}$|^::1$`, 'i');
    return variablesThat((value) => full.test(value) || (port !== options.publicPort && (withoutPort.test(value) || alone.test(value))));
  }

  // ---- Its own deployment, by the name that the platform gives it -------------------------------------------------------------------------

  function hookProtection() {
    const { fetch } = globalThis;
    const asked = function (input, ...rest) {
      const refused = guard('protection', () => {
        const address = typeof input === 'string' || input instanceof URL ? String(input) : input?.url;
        if (typeof address !== 'string' || !URL.canParse(address)) return false;
        const fields = new Headers(rest[0]?.headers ?? input?.headers);
        const trace = () => sim.fetchTrace() ?? sim.hanging.traceBelow(asked);
        return toDeployment(new URL(address), 'fetch', (name) => fields.has(name), trace);
      });
      if (refused) return Promise.resolve(new Response(require('./protected-socket.cjs').kText, { status: 401 }));
      return Reflect.apply(fetch, this, [input, ...rest]);
    };
    globalThis.fetch = dressed(asked, fetch);
    for (const name of ['request', 'get']) {
      const real = https[name];
      https[name] = function joined(...args) {
        const given = guard('protection', () => withProtection(args, sim.hanging.traceBelow(joined), () => req));
        const req = Reflect.apply(real, this, given ?? args);
        if (given) sim.nameParent(req);
        return req;
      };
    }
  }

  // The arguments of https.request, with a connection that asks whether the request may pass; undefined where it is for others. Without an agent: none of
  // this keeps connections.
  /** @param {any[]} args @param {any} trace @param {() => any} requestOf */
  function withProtection([first, second, ...rest], trace, requestOf) {
    const isAddress = typeof first === 'string' || first instanceof URL;
    if (isAddress ? !URL.canParse(String(first)) : first === null || typeof first !== 'object') return undefined;
    const { hostname, port } = isAddress ? new URL(String(first)) : { hostname: first.hostname ?? first.host, port: first.port };
    const invocation = invocations.getStore();
    if (!invocation || !isOwnPort(port) || !isItself(bare(hostname))) return undefined;
    const isRefused = () => {
      const req = requestOf();
      return guard('protection', () => invocations.run(invocation, () => toDeployment(new URL(req.path, `https://${spell(bare(hostname))}:${port}`), 'request', (field) => req.hasHeader(field), () => trace)));
    };
    /** @param {any} to */
    const judged = (to) => ({ ...to, [kJudged]: true });
    const connect = (to) => (options.isHttps ? tls.connect(judged({ servername: to.host, ...to })) : net.connect(judged({ port: to.port, host: to.host })));
    const createConnection = (to) => require('./protected-socket.cjs').protectedSocket(isRefused, () => connect(to));
    const own = { agent: undefined, createConnection };
    if (!isAddress) return [{ ...first, ...own }, second, ...rest];
    return second !== null && typeof second === 'object' ? [first, { ...second, ...own }, ...rest] : [first, own, second, ...rest];
  }

  // True: it is answered 401. What carries a bypass, or the visitor's own cookies, may pass there.
  function toDeployment(url, what, has, traceOf) {
    if (url.protocol !== 'https:' || !isOwnPort(url.port) || !isItself(bare(url.hostname))) return false;
    const invocation = invocations.getStore();
    if (!invocation || invocation.isWarming || invocation.isStatic || machine.isUnjudged()) return false;
    if (has('x-vercel-protection-bypass') || has('cookie') || url.searchParams.has('x-vercel-protection-bypass')) return false;
    const caller = callerOf(traceOf());
    if (caller.own.length === 0 || !isOfPlatform(caller.own.map(textOf))) return false;
    const refused = modeOf('protection') === 'enforce';
    tellMachine({ kind: 'protection', what, to: `${url.origin}${url.pathname}`, place: caller.place, doubt: refused ? '' : 'mode', refused });
    return refused;
  }

  const isOwnPort = (port) => Number(port || 443) === options.publicPort;

  // By $VERCEL_URL, as far as the sources say. The name of production, which has the same value here, is not protected.
  function isOfPlatform(texts) {
    const isIt = (text) => kGiven.test(text);
    if (texts.some((text) => kPassing.test(text))) return false;
    if (texts.some(isIt)) return true;
    return !options.isHttps && filesThat('localhost', isIt).length > 0 && filesThat('localhost', (text) => kPassing.test(text)).length === 0;
  }

  // ---- Names ---------------------------------------------------------------------------------------------------------------------

  // Node asks for all addresses of a host before it connects; for one where it does not choose itself, or the app wants one of a family.
  function hookLookups() {
    const { lookup } = dns;
    const resolved = function (host, ...rest) {
      const done = rest.at(-1);
      const asked = rest.length > 1 ? rest[0] : undefined;
      const family = familyOf(asked);
      if (typeof done !== 'function' || family === 4 || isItself(bare(host)) || invocations.getStore()?.isWarming) return Reflect.apply(lookup, this, [host, ...rest]);
      const trace = guard('network', () => sim.fetchTrace() ?? sim.hanging.traceBelow(resolved));
      const decide = (addresses, go) => {
        const verdict = guard('network', () => told('ipv6', `${host} (${addresses[0].address})`, () => trace, () => ({ error: connectError('ENETUNREACH', -101, addresses[0].address) })));
        return verdict ? done(verdict.error) : go();
      };
      const answered = (error, given, ...more) => {
        const go = () => done(error, given, ...more);
        const addresses = Array.isArray(given) ? given : [{ address: given, family: more[0] }];
        if (error || !trace || addresses.length === 0 || !addresses.every(isPublic6)) return go();
        if (family === 6 || Array.isArray(given)) return decide(addresses, go);
        Reflect.apply(lookup, this, [host, { family: 4 }, (none) => (none ? decide(addresses, go) : go())]);
      };
      return Reflect.apply(lookup, this, [host, ...rest.slice(0, -1), answered]);
    };
    dns.lookup = /** @type {typeof lookup} */ (dressed(resolved, lookup));
  }

  const familyOf = (asked) => Number(String((asked !== null && typeof asked === 'object' ? asked.family : asked) ?? 0).replace('IPv', ''));
  const isPublic6 = ({ address, family }) => family === 6 && kGlobalUnicast.test(address);

  // What comes of a loopback name there: where /etc/hosts alone has it, it is none.
  function errorOf(host, port) {
    if (oddity(host) !== 'hosts') return connectError('ECONNREFUSED', -111, host, port);
    return Object.assign(new Error(`getaddrinfo ENOTFOUND ${host}`), { errno: -3008, code: 'ENOTFOUND', syscall: 'getaddrinfo', hostname: host });
  }

  function connectError(code, errno, host, port) {
    const address = isLoopback(host) && net.isIP(host) === 0 ? '127.0.0.1' : host;
    const text = `connect ${code} ${address}${port === undefined ? '' : `:${port}`}`;
    return Object.assign(new Error(text), { errno, code, syscall: 'connect', address, ...(port !== undefined && { port }) });
  }

  return { hookNetwork, sourcesWith: (somewhere) => [...ownSources({ somewhere, spelled: String(somewhere) })] };
};
