// Plays the fleet for the agent and its instances: starts instances from the boot file, forwards dispatches to them, freezes and kills them.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import http from 'node:http';
import net from 'node:net';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { combo, kToken, Log, parseMeta, secretOf, startNext, within } from './harness.mjs';

const kSpawnMs = 60_000;
export const kCall = 'ca11ca11ca11ca11';  // marks the own requests of an invocation

const { major, bundler } = combo();
export const isGrouped = major === 16 && bundler === 'turbopack';  // several functions may share a process

// The server that the app knows as EXTERNAL_ORIGIN and by its port alone, ISO_PORT. It answers its word, and nothing at /never.
export async function startOutside() {
  const outside = { word: 'first', seen: [] };
  const server = http.createServer((req, res) => {
    outside.seen.push({ url: req.url, headers: req.headers });
    if (!req.url.startsWith('/never')) res.end(outside.word);
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address();
  outside.env = { EXTERNAL_ORIGIN: `http://127.0.0.1:${port}`, ISO_PORT: String(port) };
  outside.close = () => {
    server.closeAllConnections();
    server.close();
  };
  return outside;
}

export async function startIsolated(settings = {}) {
  const world = await startNext({ isolation: 'instance', ...settings });
  return new Fleet(world, settings);
}

class Instance {
  events = new Log();
  output = '';
  files = new Set();

  constructor(fleet, number, env) {
    const { world } = fleet;
    this.world = world;
    this.number = String(number);
    this.socketPath = join(world.folder, `i${number}.sock`);
    const { file } = world.events.all.findLast((event) => event.t === 'boot');
    const { exec } = world.events.all.findLast((event) => event.t === 'hello');
    const { NODE_OPTIONS, NODE_TEST_CONTEXT, ...outer } = process.env;
    this.child = spawn(exec, ['--max-old-space-size=512', join(world.folder, 'node_modules/vercel-sim/instance/instance.cjs')], {
      cwd: world.app,
      env: {
        ...outer,
        ...fleet.settings.env,
        NEXT_TELEMETRY_DISABLED: '1',
        VSIM_INSTANCE: this.number,
        VSIM_BOOT: file,
        VSIM_SOCKET: this.socketPath,
        VSIM_CONTROL: world.controlSocket,
        VSIM_PUBLIC_PORT: String(world.port),
        VSIM_ISOLATION: fleet.settings.policy ?? 'instance',
        ...(fleet.settings.timeScale ? { VSIM_TIME_SCALE: String(fleet.settings.timeScale) } : {}),
        ...env,
      },
    });
    this.secret = secretOf(this.number);
    this.child.stdin.write(`${this.secret}\n`);
    this.exited = new Promise((done) => this.child.on('exit', (code, signal) => done({ code, signal })));
    this.exited.then((end) => (this.end = end));
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream.on('data', (chunk) => {
        const text = stripVTControlCharacters(String(chunk));
        this.output += text;
        world.print(text);
      });
    }
    this.agent = new http.Agent({ keepAlive: true });
    world.instances.set(this.number, this);
  }

  joined(socket) {
    this.control = socket;
    return this;
  }

  take(event) {
    if (process.env.AGENT_VERBOSE) process.stderr.write(`  i${this.number}> ${JSON.stringify(event)}\n`);
    if (event.files) this.files = new Set(event.files);
    this.events.add(event);
  }

  async ready() {
    const died = this.exited.then((end) => Promise.reject(new Error(`instance ended ${JSON.stringify(end)}:\n${this.output}`)));
    died.catch(() => {});
    await Promise.race([this.events.waitFor('ready', (event) => event.t === 'ready', kSpawnMs), died]);
    return this;
  }

  tell(message) {
    this.control.write(`${JSON.stringify(message)}\n`);
  }

  of(id) {
    return this.events.all.filter((event) => event.id === id);
  }

  done(id, ms) {
    return this.events.waitFor(`done of ${id}`, (event) => event.t === 'done' && event.id === id, ms);
  }

  freeze() {
    process.kill(this.child.pid, 'SIGSTOP');
  }

  thaw() {
    process.kill(this.child.pid, 'SIGCONT');
  }

  kill() {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    this.child.kill('SIGKILL');
  }
}

class Fleet {
  #numbers = 0;
  #pools = new Map();  // name → Map of page → instance
  generation = 0;

  constructor(world, settings) {
    this.world = world;
    this.settings = settings;
  }

  async spawn(env) {
    const instance = new Instance(this, ++this.#numbers, env);
    return instance.ready();
  }

  // Whether what the instance has loaded is no longer what the project says.
  isStale(instance) {
    const changed = this.world.events.all.filter((event) => event.t === 'changed' && event.at > instance.events.all[0].at);
    return changed.some((event) => event.all || event.environment || event.files.some((file) => instance.files.has(file)));
  }

  // A request as the edge sends it: answered directly by next dev ({direct: true}), or dispatched and run on the instance that `place` gives.
  async request(path, { place, method = 'GET', headers = {}, body, id = this.world.nextId(), hold = body !== undefined, limit } = {}) {
    const skip = [];
    for (;;) {
      const routed = await this.route(path, { method, headers, body, id, hold, skip });
      if (!routed.dispatch) return { ...routed, id, direct: true };
      await this.caughtUp(routed.dispatch.generation);
      const instance = await place(routed.dispatch);
      const answer = await this.run(instance, routed, { id, body, limit });
      if (answer.headers['x-vsim-again'] !== instance.secret) return { ...answer, id, instance, dispatch: routed.dispatch };
      await instance.done(id);
      skip.push(routed.dispatch.page);
    }
  }

  // The instance of that name, for this function: one for all where several may share a process.
  on(pool, env) {
    return async ({ page }) => {
      if (!this.#pools.has(pool)) this.#pools.set(pool, new Map());
      const byPage = this.#pools.get(pool);
      const key = isGrouped ? '' : page;
      const known = byPage.get(key);
      if (known && known.end === undefined && !this.isStale(known)) return known;
      byPage.set(key, await this.spawn(env));
      return byPage.get(key);
    };
  }

  ask(path, pool, options = {}) {
    return this.request(path, { place: this.on(pool, options.env), ...options });
  }

  fresh(path, options = {}) {
    return this.request(path, { place: () => this.spawn(options.env), ...options });
  }

  assertNoHookMissing() {
    const hellos = this.world.events.all.filter((event) => event.t === 'hello');
    assert.deepEqual(hellos.map((event) => event.missing), [[]]);
    for (const instance of this.world.instances.values()) assert.deepEqual(instance.events.all.filter((event) => event.t === 'missing'), []);
  }

  // next dev asks for instances of middleware: `place` gives them.
  serveMiddleware(place) {
    this.world.middleware = async (req, res) => {
      const body = req.headers['content-length'] || req.headers['transfer-encoding'] ? (await collect(req)).bytes : undefined;
      const { 'x-vsim-middleware': key, 'x-vsim-parent': parent, host } = req.headers;
      const answer = await this.request(req.url, { place, method: req.method, headers: { host, 'x-vsim-middleware': key, 'x-vsim-parent': parent }, body }).catch(() => undefined);
      if (!answer) return res.destroy();
      if (answer.direct) throw new Error(`${req.url}: not dispatched, ${answer.status} ${answer.text}`);
      res.writeHead(answer.status, answer.headers);
      res.end(answer.bytes);
    };
  }

  caughtUp(generation) {
    if (generation === 0) return undefined;
    return this.world.events.waitFor(`change ${generation}`, (event) => event.t === 'changed' && event.generation >= generation);
  }

  async route(path, { method, headers, body, id, hold, skip }) {
    const { world } = this;
    const answer = await within(60_000, `${method} ${path} of next dev`, new Promise((done, fail) => {
      const req = http.request({
        socketPath: world.appSocket,
        method,
        path,
        agent: false,
        headers: {
          host: `localhost:${world.port}`,
          'x-forwarded-host': `localhost:${world.port}`,
          'x-forwarded-proto': 'http',
          'x-vsim-id': `${kToken}.${id}`,
          ...(skip.length > 0 ? { 'x-vsim-skip': skip.join(',') } : {}),
          ...(body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }),
          ...(hold ? { expect: '100-continue' } : {}),
          ...headers,
        },
      });
      let asked = !hold;
      req.on('continue', () => {
        asked = true;
        req.end(body);
      });
      req.on('response', (res) => collect(res, performance.now()).then((got) => done({ ...got, asked }), fail));
      req.on('error', fail);
      if (hold) req.flushHeaders();
      else req.end(body);
    }));
    if (answer.headers['x-vsim-dispatch']?.split(' ')[0] !== kToken) return answer;
    const text = method === 'HEAD' ? Buffer.from(answer.headers['x-vsim-dispatch'].split(' ')[1], 'base64') : answer.bytes;
    const end = text.indexOf(10);
    return { ...answer, dispatch: JSON.parse(text.subarray(0, end)), requestHead: text.subarray(end + 1).toString('latin1') };
  }

  // Sends the head that next dev has written, as it is.
  run(instance, { requestHead }, { id, body, limit }) {
    const [line, ...lines] = requestHead.trimEnd().split('\r\n');
    const [method, url] = line.split(' ');
    const headers = {};
    for (const one of lines) {
      const [, name, value] = /^([^:]+): ?(.*)$/.exec(one);
      headers[name] = headers[name] === undefined ? value : [headers[name], value].flat();
    }
    headers['X-Vsim-Id'] = `${instance.secret}.${id}`;
    headers['X-Vsim-Call'] = kCall;
    if (limit) headers['X-Vsim-Limit'] = String(limit);
    if (body !== undefined) headers['Content-Length'] = String(Buffer.byteLength(body));
    return within(60_000, `${method} ${url} of instance ${instance.number}`, new Promise((done, fail) => {
      const req = http.request({ socketPath: instance.socketPath, method, path: url, headers, agent: instance.agent });
      req.on('response', (res) => collect(res, performance.now(), instance.secret).then(done, fail));
      req.on('error', fail);
      req.end(body);
    }));
  }

  // The upgrade as the client sent it: {socket, head} after the instance's 101, or the answer that is none.
  async upgrade(path, place, id = this.world.nextId()) {
    const first = await rawUpgrade(this.world.appSocket, path, [`Host: localhost:${this.world.port}`, `X-Vsim-Id: ${kToken}.${id}`, ...kUpgrade]);
    const [head, ...rest] = first.text.split('\r\n\r\n');
    if (!head.includes(`x-vsim-dispatch: ${kToken}`)) return { id, direct: true, text: first.text };
    first.socket.destroy();
    const text = rest.join('\r\n\r\n');
    const dispatch = JSON.parse(text.slice(0, text.indexOf('\n')));
    const instance = await place(dispatch);
    const [line, ...lines] = text.slice(text.indexOf('\n') + 1).trimEnd().split('\r\n');
    const answer = await rawUpgrade(instance.socketPath, line.split(' ')[1], [...lines, `X-Vsim-Id: ${instance.secret}.${id}`]);
    return { ...answer, id, instance, dispatch };
  }
}

const kUpgrade = ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='];

function rawUpgrade(socketPath, path, lines) {
  const socket = net.connect(socketPath);
  socket.write(`GET ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
  let bytes = Buffer.alloc(0);
  const answer = new Promise((done) => {
    const finish = () => done({ socket, text: String(bytes) });
    socket.on('error', finish);
    socket.on('end', finish);
    socket.on('data', (chunk) => {
      bytes = Buffer.concat([bytes, chunk]);
      if (/^HTTP\/1\.1 101 /.test(bytes) && bytes.includes('\r\n\r\n')) finish();
    });
  });
  return within(60_000, `upgrade of ${path}`, answer);
}

function collect(res, head, secret) {
  return new Promise((done, fail) => {
    const chunks = [];
    res.on('data', (chunk) => chunks.push(chunk));
    res.on('error', fail);
    res.on('end', () => {
      const bytes = Buffer.concat(chunks);
      done({ status: res.statusCode, headers: res.headers, raw: res.rawHeaders, meta: parseMeta(res.rawHeaders, secret), bytes, text: String(bytes), head });
    });
  });
}
