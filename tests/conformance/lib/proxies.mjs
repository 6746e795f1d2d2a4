// Starts the proxy under test in front of the origin: vercel-sim, or nginx or HAProxy, on which the table is calibrated. Each start answers
// {port, stop()}.
import {spawn} from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';

function freePort() {
  return new Promise((resolve) => {
    const server = net.createServer().listen(0, '127.0.0.1', () => {
      const {port} = server.address();
      server.close(() => resolve(port));
    });
  });
}

async function waitForPort(port, child, ms = 10000) {
  const deadline = Date.now() + ms;
  for (;;) {
    if (child.exitCode !== null) throw new Error(`proxy exited with ${child.exitCode}: ${child.said}`);
    const ok = await new Promise((resolve) => {
      const socket = net.connect(port, '127.0.0.1', () => {
        socket.destroy();
        resolve(true);
      });
      socket.on('error', () => resolve(false));
    });
    if (ok) return;
    if (Date.now() > deadline) throw new Error(`nobody listens on port ${port}: ${child.said}`);
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
}

function run(command, args, options = {}) {
  const child = spawn(command, args, {stdio: ['ignore', 'pipe', 'pipe'], ...options});
  child.said = '';
  const hear = (data) => {
    child.said += data;
    if (child.said.length > 1 << 20) child.said = child.said.slice(-65536);
    child.emit('said');
  };
  child.stdout.on('data', hear);
  child.stderr.on('data', hear);
  child.gone = new Promise((resolve) => {
    child.on('error', (error) => {
      child.said += error.message;
      child.emit('said');
      resolve();
    });
    child.on('exit', resolve);
  });
  return child;
}

async function stop(child, signal = 'SIGTERM') {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill(signal);
  const timer = setTimeout(() => child.kill('SIGKILL'), 5000);
  await child.gone;
  clearTimeout(timer);
}

// Waits for `pattern` in what the child says.
export function heard(child, pattern, ms = 15000) {
  return new Promise((resolve, reject) => {
    const done = (f, v) => {
      clearTimeout(timer);
      child.off('said', look);
      child.off('exit', look);
      f(v);
    };
    const look = () => {
      const match = pattern.exec(child.said);
      if (match) done(resolve, match);
      else if (child.exitCode !== null || child.signalCode !== null) done(reject, new Error(`exited (${child.exitCode ?? child.signalCode}): ${child.said}`));
    };
    const timer = setTimeout(() => done(reject, new Error(`no ${pattern} in: ${child.said}`)), ms);
    child.on('said', look);
    child.on('exit', look);
    look();
  });
}

export async function startVercelSim(originPort, {bin, args = [], profile = 'hobby-fluid', port = 0, env} = {}) {
  const child = run(bin, ['run', '--upstream', `http://127.0.0.1:${originPort}`, '--profile', profile, '--port', String(port), '--allowed-hosts', '*', ...args],
                    env ? {env: {...process.env, ...env}} : {});
  const ready = await heard(child, /vercel-sim ready on https?:\/\/[^\s:]+:(\d+)/);
  return {port: Number(ready[1]), child, stop: (signal) => stop(child, signal)};
}

async function startNginx(originPort) {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'conf-nginx-'));
  const port = await freePort();
  const temp = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((n) => `${n}_temp_path ${dir}/${n};`).join(' ');
  fs.writeFileSync(path.join(dir, 'nginx.conf'), `
daemon off; worker_processes 1; pid ${dir}/pid; error_log ${dir}/error.log;
events { worker_connections 2048; }
http {
  access_log off; ${temp} proxy_buffering off; proxy_request_buffering off;
  map $http_upgrade $connection_for_upstream { default upgrade; '' ''; }
  upstream origin { server 127.0.0.1:${originPort}; keepalive 16; }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://origin; proxy_http_version 1.1;
      proxy_set_header Host $http_host; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $connection_for_upstream;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; proxy_set_header Via "1.1 nginx";
    }
  }
}`);
  const child = run('/usr/sbin/nginx', ['-c', path.join(dir, 'nginx.conf'), '-p', dir]);
  await waitForPort(port, child);
  return {port, child, stop: async () => (await stop(child), fs.rmSync(dir, {recursive: true, force: true}))};
}

async function startHaproxy(originPort) {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'conf-haproxy-'));
  const port = await freePort();
  fs.writeFileSync(path.join(dir, 'haproxy.cfg'), `
global
  maxconn 2000
defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
  timeout tunnel 30s
  option http-keep-alive
  option forwardfor
frontend f
  bind 127.0.0.1:${port}
  http-request set-header Via "1.1 haproxy"
  default_backend b
backend b
  http-reuse safe
  server s 127.0.0.1:${originPort}
`);
  const child = run('/usr/sbin/haproxy', ['-f', path.join(dir, 'haproxy.cfg'), '-db']);
  await waitForPort(port, child);
  return {port, child, stop: async () => (await stop(child), fs.rmSync(dir, {recursive: true, force: true}))};
}

export const kProxies = {
  'vercel-sim': startVercelSim,
  nginx: startNginx,
  haproxy: startHaproxy,
};
