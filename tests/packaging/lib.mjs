// What the tests of the packages share: where the packages are, directories that go away, processes that are ended with their test.
import assert from 'node:assert/strict';
import {spawn, spawnSync} from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';

export const kRoot = path.resolve(import.meta.dirname, '../..');
export const kDist = path.resolve(process.env.VSIM_DIST ?? path.join(kRoot, 'dist'));
export const kSystem = `linux-${process.arch}`;
export const kDebArch = {x64: 'amd64', arm64: 'arm64'}[process.arch];
export const kBin = path.join(kDist, `vercel-sim-${kSystem}`);
const kPatience = 30000;

if (!fs.existsSync(kBin)) throw new Error(`${kBin} does not exist: run packaging/package.sh --out ${kDist}, or name another directory in VSIM_DIST`);

export const version = fs.readFileSync(path.join(kRoot, 'CMakeLists.txt'), 'utf8').match(/^project\(vercel-sim VERSION (\S+)/m)[1];

export function tempDir(t) {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'vs-pkg-'));
  t.after(() => fs.rmSync(dir, {recursive: true, force: true}));
  return dir;
}

// The environment without what a test runner, npm or a user's shell adds.
export function plainEnv(more = {}) {
  const env = {...process.env};
  for (const name of Object.keys(env)) if (/^(npm_|NODE_|PORT$|NO_COLOR$|FORCE_COLOR$|GITHUB_|VERCEL_SIM)/.test(name)) delete env[name];
  return {...env, npm_config_update_notifier: 'false', ...more};
}

// Runs to its end: {code, signal, stdout, stderr}.
export function run(command, args, {input = '', ...options} = {}) {
  const r = spawnSync(command, args, {encoding: 'utf8', input, timeout: kPatience * 4, env: plainEnv(), ...options});
  if (r.error) throw r.error;
  return {code: r.status, signal: r.signal, stdout: r.stdout, stderr: r.stderr};
}

export function check(command, args, options) {
  const r = run(command, args, options);
  assert.equal(r.code, 0, `${command} ${args.join(' ')}: ${r.signal ?? r.code}\n${r.stdout}${r.stderr}`);
  return r;
}

// A process with its output so far; in a group of its own, as a shell would start it.
export class Running {
  constructor(t, command, args, options = {}) {
    this.text = '';
    this.looks = new Set();
    this.child = spawn(command, args, {stdio: ['ignore', 'pipe', 'pipe'], env: plainEnv(), detached: true, ...options});
    const take = (data) => {
      this.text += data;
      for (const look of this.looks) look();
    };
    this.child.stdout.setEncoding('utf8').on('data', take);
    this.child.stderr.setEncoding('utf8').on('data', take);
    this.ended = new Promise((resolve, reject) => {
      this.child.on('error', reject);
      this.child.on('close', (code, signal) => resolve({code, signal}));
    });
    this.ended.then(() => {
      this.over = true;
      for (const look of this.looks) look();
    }, () => {});
    t.after(async () => {
      try {
        process.kill(-this.child.pid, 'SIGKILL');
      } catch {
        // gone
      }
      await this.ended.catch(() => {});
    });
  }

  // The first match of the pattern in what it wrote.
  saw(pattern) {
    return new Promise((resolve, reject) => {
      const done = (f, value) => {
        clearTimeout(timer);
        this.looks.delete(look);
        f(value);
      };
      const timer = setTimeout(() => done(reject, new Error(`no ${pattern} within ${kPatience} ms:\n${this.text}`)), kPatience);
      const look = () => {
        const match = this.text.match(pattern);
        if (match) done(resolve, match);
        else if (this.over) done(reject, new Error(`it ended without ${pattern}:\n${this.text}`));
      };
      this.looks.add(look);
      look();
    });
  }

  // How it ended, in time.
  async end() {
    let timer;
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error(`still running after ${kPatience} ms:\n${this.text}`)), kPatience);
    });
    return Promise.race([this.ended, late]).finally(() => clearTimeout(timer));
  }
}

// A server that answers its path, or what is given; its port.
export async function origin(t, answer = (request, response) => response.end(`origin ${request.url}`)) {
  const server = http.createServer(answer);
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return server.address().port;
}

export async function text(url) {
  const response = await fetch(url, {signal: AbortSignal.timeout(kPatience)});
  return `${response.status} ${await response.text()}`;
}

// Why a test that needs its own root directory cannot run here, or false.
export function noChroot() {
  if (process.getuid() !== 0) return 'needs root for chroot';
  const tried = spawnSync('unshare', ['--mount', 'sh', '-c', 'mount -t proc proc /proc'], {encoding: 'utf8'});
  return tried.status === 0 ? false : `no mount namespace here: ${(tried.stderr ?? String(tried.error)).trim()}`;
}

// The command in its own root directory with a /proc, gone with it.
export const inRoot = (dir, ...command) =>
  ['unshare', ['--mount', 'sh', '-c', 'mount -t proc proc "$0/proc" && exec chroot "$0" "$@"', dir, ...command]];
