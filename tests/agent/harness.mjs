// Plays vercel-sim for the agent: listens on the control channel, holds the public port, starts `next dev` with the preload and sends
// requests to Next's private socket. Everything waits for an event with a deadline.
import { execFile, spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { cp, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { cpSync, mkdirSync, statSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify, stripVTControlCharacters } from 'node:util';
import { packagesOf, partsOf } from '../next_versions.mjs';

const run = promisify(execFile);
const here = dirname(fileURLToPath(import.meta.url));
const kAgent = resolve(here, '../../src/agent');
const kCombo = process.env.AGENT_COMBO ?? '16-turbopack';
const kReadyMs = 90_000; // a cold `next dev` on two busy cores

// "16-turbopack" and so on: which Next and with which bundler.
export function combo() {
  return partsOf(kCombo);
}

export async function within(ms, what, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: not within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

// Facts that arrive one by one, and those who wait for them.
export class Log {
  all = [];
  #waiting = new Set();

  add(item) {
    this.all.push(item);
    for (const check of [...this.#waiting]) check();
  }

  waitFor(what, matches, ms = 90_000) {
    let check;
    const found = new Promise((done) => {
      check = () => {
        const item = this.all.find(matches);
        if (item !== undefined) done(item);
      };
      this.#waiting.add(check);
      check();
    });
    return within(ms, what, found).finally(() => this.#waiting.delete(check));
  }
}

const kToken = 'c0ffee0123456789c0ffee0123456789';
// Of an instance, as vercel-sim and next dev derive it.
export const secretOf = (number) => createHmac('sha256', kToken).update(`instance ${number}`).digest('hex').slice(0, 32);
const started = new Set();
const folders = new Set();

// Saves a source file in one step. Next 14 with webpack reads a file again as soon as it changes; an edge route that it finds empty, between the
// truncation and the text, is taken for one of the Node runtime and answers 404 from then on, under plain `next dev` as well.
export async function save(path, text) {
  await writeFile(`${path}~`, text);
  await rename(`${path}~`, path);
}

export async function copyApp() {
  const given = packagesOf(kCombo);
  const packages = join(given, 'node_modules');
  const folder = await mkdtemp(join(tmpdir(), 'vs-agent-'));
  folders.add(folder);
  const app = join(folder, 'app');
  await cp(join(here, 'app'), app, { recursive: true });
  await run('cp', ['-al', packages, join(app, 'node_modules')]).catch(() => run('cp', ['-a', packages, join(app, 'node_modules')]));
  await cp(join(given, 'package.json'), join(app, 'package.json'));
  return { folder, app };
}

// Starts `next dev` in a copy of the fixture. `settings`: flags, env, nodeOptions, control: false for nobody listening there.
export async function startNext(settings = {}) {
  const { major, bundler, flags } = combo();
  const { folder, app } = settings.project ?? (await copyApp());
  const scripts = join(folder, 'node_modules/vercel-sim');
  const agent = join(scripts, 'dev/agent.cjs');
  cpSync(kAgent, scripts, { recursive: true, filter: (file) => statSync(file).isDirectory() || file.endsWith('.cjs') });

  for (const [name, text] of Object.entries(settings.files ?? {})) {
    mkdirSync(dirname(join(app, name)), { recursive: true });
    await writeFile(join(app, name), text);
  }
  const world = new World();
  world.folder = folder;
  world.app = app;
  world.appSocket = join(folder, 'app.sock');
  world.controlSocket = join(folder, 'agent.sock');
  await writeFile(world.appSocket, 'stale'); // of an earlier run
  if (settings.control !== false) await world.listenControl();
  await world.holdPublicPort();
  const child = spawn(
    process.execPath,
    [join(app, 'node_modules/next/dist/bin/next'), 'dev', ...flags, ...(settings.flags ?? []), '--port', String(world.port)],
    {
      cwd: app,
      detached: true,
      env: {
        ...process.env,
        ...settings.env,
        NODE_OPTIONS: `--require=${agent}${settings.nodeOptions ? ` ${settings.nodeOptions}` : ''}`,
        NEXT_TELEMETRY_DISABLED: '1',
        NEXT_MAJOR: String(major),
        NODE_ENV: 'development',
        NODE_TEST_CONTEXT: undefined,
        VSIM_AGENT_SOCKET: world.controlSocket,
        VSIM_APP_SOCKET: world.appSocket,
        VSIM_PUBLIC_PORT: String(world.port),
        VSIM_TOKEN: kToken,
        ...(settings.timeScale ? { VSIM_TIME_SCALE: String(settings.timeScale) } : {}),
        ...(settings.isolation ? { VSIM_ISOLATION: settings.isolation, VSIM_RPC_SOCKET: join(folder, 'rpc.sock') } : {}),
      },
    },
  );
  world.child = child;
  world.exited = new Promise((done) => child.on('exit', (code, signal) => done({ code, signal })));
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => world.print(stripVTControlCharacters(String(chunk))));
  }
  started.add(world);
  world.bundler = bundler;
  if (settings.ready !== false) {
    const died = world.exited.then((end) => Promise.reject(new Error(`next dev ended ${JSON.stringify(end)}:\n${world.output}`)));
    died.catch(() => {});
    await Promise.race([
      world.events.waitFor('listening', (event) => event.t === 'listening', kReadyMs).catch((error) => {
        throw new Error(`${error.message}:\n${world.output}`);
      }),
      died,
    ]);
  }
  return world;
}

class World {
  events = new Log(); // each with `at`, the moment it came
  lines = new Log();
  output = '';
  #ids = 0;
  #control = new Set();
  tokens = [];
  publicConnections = 0;
  publicRequests = [];
  instances = new Map(); // number → Instance of isolation.mjs

  print(text) {
    this.output += text;
    this.lines.add(text);
    if (process.env.AGENT_VERBOSE) process.stderr.write(text);
  }

  waitForOutput(pattern, ms = 60_000) {
    return this.lines.waitFor(`output like ${pattern}`, () => pattern.test(this.output), ms);
  }

  async listenControl() {
    this.controlServer = net.createServer((socket) => {
      this.#control.add(socket);
      let buffer = '';
      let first = true;
      let instance;
      socket.on('error', () => {});
      socket.setEncoding('utf8').on('data', (chunk) => {
        const at = performance.now();
        buffer += chunk;
        for (let end = buffer.indexOf('\n'); end >= 0; end = buffer.indexOf('\n')) {
          const line = buffer.slice(0, end);
          buffer = buffer.slice(end + 1);
          if (first && / instance /.test(line)) instance = this.introduced(line).joined(socket);
          else if (first) {
            this.tokens.push(line);
            this.agentSocket = socket;
          }
          else if (instance) instance.take({ at, ...JSON.parse(line) });
          else {
            if (process.env.AGENT_VERBOSE) process.stderr.write(`  > ${line}\n`);
            this.events.add({ at, ...JSON.parse(line) });
          }
          first = false;
        }
      });
    });
    await new Promise((done) => this.controlServer.listen(this.controlSocket, done));
  }

  introduced(line) {
    const [secret, , number] = line.split(' ');
    if (secret !== secretOf(number)) throw new Error(`instance ${number} has come with ${secret}`);
    return this.instances.get(number);
  }

  closeControl() {
    this.controlServer.close();
    for (const socket of this.#control) socket.destroy();
  }

  // The edge: bytes between the public port and the private socket, each request numbered. As vercel-sim does, it holds the port on both
  // loopback addresses before Next starts.
  async holdPublicPort() {
    const serve = () =>
      http.createServer((req, res) => {
        this.publicConnections += 1;
        this.publicRequests.push({ url: req.url, headers: req.headers });
        if (this.middleware && req.headers['x-vsim-middleware']) return this.middleware(req, res);
        const id = this.nextId();
        const headers = { ...req.headers, 'x-vsim-id': `${kToken}.${id}` };
        const inner = http.request({ socketPath: this.appSocket, method: req.method, path: req.url, headers }, (answer) => {
          res.writeHead(answer.statusCode, answer.headers);
          answer.pipe(res);
        });
        inner.on('error', () => res.destroy());
        req.pipe(inner);
      });
    this.publicServers = [serve(), serve()];
    await new Promise((done) => this.publicServers[0].listen(0, '127.0.0.1', done));
    this.port = this.publicServers[0].address().port;
    await new Promise((done) => this.publicServers[1].listen(this.port, '::1', done));
  }

  // A line to the agent.
  tell(message) {
    this.agentSocket.write(`${JSON.stringify(message)}\n`);
  }

  nextId() {
    return `${90_000_000_000_000_000n + BigInt(++this.#ids)}`; // more than a JavaScript number holds
  }

  // One invocation through the private socket: what came back, when its head came, and what the agent said of it.
  async request(path, { method = 'GET', headers = {}, body, id = this.nextId(), token = kToken, numbered = true, ms = 60_000 } = {}) {
    const result = await within(
      ms,
      `${method} ${path}`,
      new Promise((done, fail) => {
        const req = http.request(
          {
            socketPath: this.appSocket,
            method,
            path,
            agent: false,
            headers: {
              host: `localhost:${this.port}`,
              'x-forwarded-host': `localhost:${this.port}`,
              'x-forwarded-proto': 'http',
              ...(numbered ? { 'x-vsim-id': `${token}.${id}` } : {}),
              ...headers,
            },
          },
          (res) => {
            const head = performance.now();
            let text = '';
            res.setEncoding('utf8').on('data', (chunk) => (text += chunk));
            res.on('end', () => done({ id, status: res.statusCode, headers: res.headers, raw: res.rawHeaders, text, head }));
            res.on('error', fail);
          },
        );
        req.on('error', fail).end(body);
      }),
    );
    result.meta = parseMeta(result.raw);
    return result;
  }

  of(id) {
    return this.events.all.filter((event) => event.id === id);
  }

  // The public port's own answer, as a browser gets it.
  async browse(path) {
    return await (await fetch(`http://localhost:${this.port}${path}`)).text();
  }

  async stop() {
    started.delete(this);
    if (this.child.exitCode === null && this.child.signalCode === null) {
      process.kill(-this.child.pid, 'SIGTERM');
      await within(4_000, 'next dev to end', this.exited).catch(() => {});
    }
    try {
      process.kill(-this.child.pid, 'SIGKILL');
    } catch {
      // nothing of the group is left
    }
    for (const instance of this.instances.values()) instance.kill();
    if (this.controlServer) this.closeControl();
    for (const server of this.publicServers) {
      server.closeAllConnections();
      server.close();
    }
  }
}

export function parseMeta(raw, secret = kToken) {
  for (let i = 0; i < raw.length; i += 2) {
    if (raw[i].toLowerCase() !== 'x-vsim-meta' || !raw[i + 1].startsWith(`${secret} `)) continue;
    const pairs = raw[i + 1].slice(secret.length + 1).split(';');
    const meta = Object.fromEntries(pairs.map((pair) => pair.split('=')));
    return { ...meta, page: decodeURIComponent(meta.page) };
  }
  return undefined;
}

export const readText = (path) => readFile(path, 'utf8');
export { kToken };

export async function cleanUp() {
  for (const world of [...started]) await world.stop();
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
  folders.clear();
}
