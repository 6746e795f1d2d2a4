// vercel-sim as a program with any command line: its two outputs apart, a runtime directory of its own, and a mark in the environment of
// everything it starts, so that "nothing is left" can be asked of the whole machine. Everything is ended with the test.
import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import {randomUUID} from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import {kBin} from './world.mjs';

const kMark = 'VSIM_INTEGRATION_MARK';
const kPatience = 60000;  // nothing that passes waits for it; a start can take twenty seconds on two cores with a sanitized program
const kReady = /^vercel-sim ready on (https?):\/\/localhost:(\d+) \(profile ([\w-]+), as of (\d{4}-\d\d-\d\d)\)$/m;

export function tempDir(t, base = os.tmpdir()) {
  // Short: unix sockets below it must fit into 108 bytes.
  const dir = fs.mkdtempSync(path.join(base, 'vs-i-'));
  t.after(() => fs.rmSync(dir, {recursive: true, force: true, maxRetries: 5, retryDelay: 100}));
  return dir;
}

export function write(dir, files) {
  for (const [name, text] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(dir, name)), {recursive: true});
    fs.writeFileSync(path.join(dir, name), text);
  }
  return dir;
}

// For facts that announce themselves to nobody (a port, /proc, a file): asks until the probe answers something truthy.
export async function eventually(what, probe, ms = kPatience) {
  const end = performance.now() + ms;
  for (;;) {
    const got = await probe();
    if (got) return got;
    if (performance.now() > end) assert.fail(`not within ${ms} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 15));
  }
}

// True when something takes a connection there.
export function listens(port, host = '127.0.0.1') {
  return new Promise((resolve) => {
    const socket = net.connect({port, host});
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

export async function freePort() {
  const server = net.createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const {port} = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

// One request on a connection of its own; {error} when there was no whole answer.
export function get(port, target = '/', {host = '127.0.0.1', client = http, ...options} = {}) {
  return new Promise((resolve) => {
    const request = client.get({host, port, path: target, agent: false, timeout: kPatience, ...options}, (response) => {
      let text = '';
      let bytes = 0;
      response.on('data', (data) => {
        bytes += data.length;
        if (text.length < 65536) text += data;
      });
      response.on('error', (error) => resolve({error}));
      response.on('end', () => resolve({status: response.statusCode, headers: response.headers, text, bytes}));
    });
    request.on('timeout', () => request.destroy(new Error('no answer in time')));
    request.on('error', (error) => resolve({error}));
  });
}

// Living processes anywhere on the machine that carry the mark: pid and command line.
function marked(mark) {
  const found = [];
  for (const pid of fs.readdirSync('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    try {
      if (!fs.readFileSync(`/proc/${pid}/environ`, 'latin1').includes(`${kMark}=${mark}`)) continue;
      if (/^State:\s+[ZX]/m.test(fs.readFileSync(`/proc/${pid}/status`, 'latin1'))) continue;
      found.push({pid: Number(pid), command: fs.readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' ').trim()});
    } catch {
      // gone meanwhile, or another user's
    }
  }
  return found;
}

function children(pid) {
  try {
    return fs.readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

function isGuardian(pid) {
  try {
    return fs.readFileSync(`/proc/${pid}/cmdline`, 'latin1').startsWith('vercel-sim\0__guardian');
  } catch {
    return false;
  }
}

class Program {
  constructor(t, command, {cwd, env = {}, stdio = ['ignore', 'pipe', 'pipe']} = {}) {
    this.mark = randomUUID();
    this.runtime = tempDir(t);
    this.stdout = this.stderr = '';
    this.waiting = new Set();
    const inherited = {...process.env};
    for (const name of ['PORT', 'NODE_OPTIONS', 'NODE_TEST_CONTEXT', 'NO_COLOR', 'FORCE_COLOR']) delete inherited[name];
    // A group of its own, as under a shell, so that a test may signal it as a terminal does.
    this.child = spawn(command[0], command.slice(1), {
      cwd: cwd ?? this.runtime, stdio, detached: true, env: {...inherited, XDG_RUNTIME_DIR: this.runtime, ...env, [kMark]: this.mark},
    });
    for (const name of ['stdout', 'stderr']) {
      this.child[name]?.setEncoding('utf8').on('data', (text) => {
        this[name] += text;
        this.look();
      });
    }
    this.ended = false;
    // 'close', not 'exit': all that it wrote is here then.
    this.exited = new Promise((resolve) => {
      this.child.on('error', (error) => resolve({error}));
      this.child.on('close', (code, signal) => resolve({code, signal}));
    });
    this.exited.then(() => {
      this.ended = true;
      this.look();
    });
    t.after(async () => {
      for (const {pid} of this.alive()) {
        try {
          process.kill(pid, 'SIGKILL');
        } catch {
          // gone
        }
      }
      await eventually('the processes of the test are gone', () => this.alive().length === 0);
      assert.ok(!/\w+Sanitizer: |runtime error:|terminate called/.test(this.text), `vercel-sim crashed: ${this.text.slice(-4000)}`);
    });
  }
  get text() {
    return this.stdout + this.stderr;
  }
  look() {
    for (const check of this.waiting) check();
  }
  // The match of `pattern` in what it wrote (to `where`, after `from` characters).
  says(pattern, {where = 'text', from = 0, ms = kPatience} = {}) {
    return new Promise((resolve, reject) => {
      let timer = null;
      const done = (settle, value) => {
        clearTimeout(timer);
        this.waiting.delete(check);
        settle(value);
      };
      const check = () => {
        const match = pattern.exec(this[where].slice(from));
        if (match) done(resolve, match);
        else if (this.ended) done(reject, new Error(`it ended without ${pattern} in its ${where}: ${this.text}`));
      };
      timer = setTimeout(() => done(reject, new Error(`no ${pattern} within ${ms} ms in its ${where}: ${this.text}`)), ms);
      this.waiting.add(check);
      check();
    });
  }
  async ready() {
    const [, scheme, port] = await this.says(kReady);
    this.port = Number(port);
    this.scheme = scheme;
    return this;
  }
  // Living processes of this run. The guardian has an empty environment: it is known as our child, and remembered.
  alive() {
    const found = marked(this.mark);
    for (const pid of children(this.child.pid)) if (isGuardian(pid)) this.guardian = pid;
    if (this.guardian && isGuardian(this.guardian)) found.push({pid: this.guardian, command: 'vercel-sim __guardian'});
    return found;
  }
  // Directories of runs below its runtime directory.
  runDirs() {
    const base = path.join(this.runtime, 'vercel-sim');
    return fs.existsSync(base) ? fs.readdirSync(base) : [];
  }
  signal(name) {
    this.child.kill(name);
  }
  // Waits for its end: {code, signal, ms}.
  async end(ms = kPatience) {
    const begun = performance.now();
    let timer;
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error(`no end within ${ms} ms; it wrote: ${this.text}; there are ${JSON.stringify(this.alive())}`)), ms);
    });
    const end = await Promise.race([this.exited, late]).finally(() => clearTimeout(timer));
    return {...end, ms: performance.now() - begun};
  }
  stop(name = 'SIGTERM') {
    this.signal(name);
    return this.end();
  }
}

// `vercel-sim ARGS…`
export const program = (t, args, options) => new Program(t, [kBin, ...args], options);
// Any other command around it, such as a shell or script(1).
export const command = (t, argv, options) => new Program(t, argv, options);
// `vercel-sim run --port 0 ARGS…`, once it is ready.
export const run = (t, args, options) => program(t, ['run', '--port', '0', ...args], options).ready();

// The ports on which the process listens: how a test knows the one of `--port 0` before the ready line.
export function portsOf(pid) {
  const inodes = new Set();
  for (const fd of fs.readdirSync(`/proc/${pid}/fd`)) {
    try {
      const inode = /^socket:\[(\d+)\]$/.exec(fs.readlinkSync(`/proc/${pid}/fd/${fd}`));
      if (inode) inodes.add(inode[1]);
    } catch {
      // closed meanwhile
    }
  }
  const ports = new Set();
  for (const file of ['/proc/net/tcp', '/proc/net/tcp6']) {
    if (!fs.existsSync(file)) continue;
    for (const line of fs.readFileSync(file, 'utf8').split('\n').slice(1)) {
      const fields = line.trim().split(/\s+/);
      if (fields[3] === '0A' && inodes.has(fields[9])) ports.add(parseInt(fields[1].split(':')[1], 16));
    }
  }
  return [...ports];
}

// A server that answers with its pid, its PORT and what its environment says as GREETING. What it does else is in its arguments:
//   gate=PORT      connects there and listens only when it is told to go on
//   stubborn       ignores SIGTERM and SIGINT, and says so
//   /exit?CODE     ends with that code; /big?BYTES, /big-chunked?BYTES  a body of that size
export const kServer = `
const http = require('node:http');
const net = require('node:net');
const has = (name) => process.argv.find((a) => a === name || a.startsWith(name + '='))?.split('=').at(-1);
const server = http.createServer((request, response) => {
  const [path, query] = request.url.split('?');
  if (path === '/exit') process.exit(Number(query));
  if (path.endsWith('/big')) return response.writeHead(200, {'content-length': query}).end(Buffer.alloc(Number(query), 'x'));
  if (path.endsWith('/big-chunked')) return response.flushHeaders(), response.end(Buffer.alloc(Number(query), 'x'));
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify({pid: process.pid, port: process.env.PORT, greeting: process.env.GREETING, headers: request.headers, url: request.url}));
});
if (has('stubborn')) for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => console.log('not now: ' + signal));
const listen = () => server.listen(Number(process.env.PORT), () => console.log('the app listens'));
console.log('hello on stdout');
console.error('hello on stderr');
if (has('gate')) net.connect(Number(has('gate')), '127.0.0.1').once('data', listen);
else listen();
`;

// A project whose next is that small server, made of two processes as the real one: vercel-sim starts it with the agent in it. Without Next's
// router in the server the agent calls it ready 2 s after it listens.
export const nextProject = (serverArgs = []) => ({
  'package.json': JSON.stringify({name: 'small', private: true, scripts: {dev: 'next dev'}, dependencies: {next: '16.4.6'}}),
  'node_modules/next/package.json': JSON.stringify({name: 'next', version: '16.4.6', bin: {next: './dist/bin/next'}}),
  'node_modules/next/dist/bin/next': `
const server = require('node:child_process').spawn(process.execPath, [require.resolve('../server/lib/start-server.js'), ...${JSON.stringify(serverArgs)}], {stdio: 'inherit'});
for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => server.kill(signal));
server.on('exit', (code) => process.exit(code ?? 1));
`,
  'node_modules/next/dist/server/lib/start-server.js': kServer,
});
