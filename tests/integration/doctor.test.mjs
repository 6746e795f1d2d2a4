// `vercel-sim doctor` and `explain` on made-up projects: one thing wrong at a time, what is said about it, and the exit code.
import {test} from 'node:test';
import assert from 'node:assert/strict';
import {spawn, spawnSync} from 'node:child_process';
import {once} from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import {tmpdir} from 'node:os';
import path from 'node:path';

const bin = path.resolve(process.env.VSIM_BIN ?? 'build/vercel-sim');
const base = fs.mkdtempSync(path.join(fs.realpathSync(tmpdir()), 'vsim-doctor-'));
process.on('exit', () => fs.rmSync(base, {recursive: true, force: true}));

// A project whose next is "installed"; `files` by name, null leaves one out.
let count = 0;
function project(files = {}) {
  const root = path.join(base, `p${++count}`);
  const all = {
    '.git/HEAD': '',
    'package.json': JSON.stringify({name: 'made-up', dependencies: {next: '16.4.6'}, scripts: {dev: 'next dev'}}),
    'package-lock.json': '{}',
    'node_modules/next/package.json': JSON.stringify({name: 'next', version: '16.4.6', engines: {node: '>=20.0.0'}, bin: {next: './dist/bin/next'}}),
    'node_modules/next/dist/bin/next': '',
    'app/page.tsx': 'export default function Page() { return null; }\n',
    ...files,
  };
  for (const [name, text] of Object.entries(all)) {
    if (text === null) continue;
    fs.mkdirSync(path.dirname(path.join(root, name)), {recursive: true});
    fs.writeFileSync(path.join(root, name), text);
  }
  return root;
}

function doctor(root, env = {}) {
  const clean = {...process.env, ...env};
  if (!('NODE_OPTIONS' in env)) delete clean.NODE_OPTIONS;
  const r = spawnSync(bin, ['doctor', '--json', root], {encoding: 'utf8', env: clean});
  assert.equal(r.stderr, '');
  const json = JSON.parse(r.stdout);
  assert.equal(json.version, 1);
  assert.equal(json.problems, json.checks.filter((c) => c.health === 'problem').length);
  assert.equal(json.warnings, json.checks.filter((c) => c.health === 'warning').length);
  assert.equal(r.status, json.problems ? 1 : 0);
  for (const c of json.checks) if (c.health !== 'ok') assert.ok(c.fix.length > 0 || c.id === 'sources' || c.id === 'vercel-json', `${c.id} has a fix`);
  return Object.assign((id) => json.checks.find((c) => c.id === id) ?? assert.fail(`no ${id} in ${r.stdout}`), {json});
}

test('a sound project has no problem, and every subject is looked at', () => {
  const d = doctor(project());
  assert.equal(d.json.problems, 0);
  for (const id of ['node', 'project', 'packages', 'dev-script', 'port', 'dev-server', 'vercel-json', 'profile', 'env', 'run-directory', 'localhost']) d(id);
  assert.match(d('project').message, /^made-up: next 16\.4\.6 in /);
  assert.equal(d('packages').message, 'npm (package-lock.json)');
});

test('as text: one line each, and a summary', () => {
  const r = spawnSync(bin, ['doctor', project()], {encoding: 'utf8'});
  if (['22', '24', '26'].includes(process.versions.node.split('.')[0])) assert.match(r.stdout, /^ok +node +Node\.js \d/);
  else assert.match(r.stdout, /^warning +node +Node\.js \d+ runs here.*functions run on 22, 24 and 26 on Vercel\n +fix: /);
  assert.match(r.stdout, /\n0 problems, \d+ warnings?\n$/);
  assert.equal(r.status, 0);
});

test('Node.js too old for the installed next', () => {
  const d = doctor(project({'node_modules/next/package.json': JSON.stringify({name: 'next', version: '99.0.0', engines: {node: '>=99'}, bin: {next: './dist/bin/next'}})}));
  assert.equal(d('node').health, 'problem');
  assert.match(d('node').message, />=99/);
});

test('a Node.js that Vercel no longer deploys is a warning, a project that asks for one a problem', () => {
  const path_ = fs.mkdtempSync(path.join(tmpdir(), 'vsim-doctor-'));
  const of = (version, engines) => {
    fs.writeFileSync(path.join(path_, 'node'), `#!/bin/sh\necho ${version}\n`, {mode: 0o755});
    const packageJson = {name: 'made-up', dependencies: {next: '16'}, ...(engines && {engines: {node: engines}})};
    return doctor(project({'package.json': JSON.stringify(packageJson)}), {PATH: path_})('node');
  };
  try {
    assert.equal(of('v20.19.5').health, 'warning');
    assert.match(of('v20.19.5', '>=20').message, /^Node\.js 20 runs here, and can no longer be deployed since 2026-10-01/);
    assert.equal(of('v20.19.5', '20.x').health, 'problem');
    assert.match(of('v20.19.5', '20.x').message, /^engines\.node "20\.x" of package\.json cannot be deployed/);
    assert.equal(of('v24.11.0', '>=20').health, 'ok');
    assert.match(of('v23.4.0').message, /^Node\.js 23 runs here; functions run on 22, 24 and 26/);
  } finally {
    fs.rmSync(path_, {recursive: true});
  }
});

test('no Node.js in PATH', () => {
  assert.equal(doctor(project(), {PATH: '/nowhere'})('node').message, 'Node.js is not in PATH');
});

test('a Next below 14 is named with what is supported', () => {
  const old = {'node_modules/next/package.json': JSON.stringify({name: 'next', version: '13.5.11', engines: {node: '>=16.14.0'}, bin: {next: './dist/bin/next'}})};
  const d = doctor(project(old));
  assert.equal(d('next').health, 'warning');
  assert.match(d('next').message, /^Next 13\.5\.11 is not supported, 14\.0 to 16\.4 are: /);
  assert.match(d('next').fix, /--compile-grace/);
});

test('next is named but not installed; Yarn Plug\'n\'Play; no project at all', () => {
  const gone = {'node_modules/next/package.json': null, 'node_modules/next/dist/bin/next': null};
  assert.match(doctor(project(gone))('project').message, /is not installed/);
  assert.match(doctor(project({...gone, '.pnp.cjs': ''}))('project').message, /Plug'n'Play/);
  assert.match(doctor(project({'package.json': '{"name": "x"}'}))('project').message, /has no next/);
});

test('two lock files, and none', () => {
  const two = doctor(project({'yarn.lock': ''}))('packages');
  assert.equal(two.health, 'warning');
  assert.match(two.message, /^package-lock\.json and yarn\.lock in /);
  assert.match(doctor(project({'package-lock.json': null}))('packages').message, /^no lock file/);
});

test('a custom server as dev script', () => {
  const d = doctor(project({'package.json': JSON.stringify({dependencies: {next: '16'}, scripts: {dev: 'node server.js'}}), 'server.js': ''}));
  assert.equal(d('dev-script').health, 'warning');
  assert.match(d('dev-script').message, /custom server \(server\.js\)/);
});

test('the port is taken, and by whom', async () => {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const {port} = server.address();
  const d = doctor(project({'package.json': JSON.stringify({dependencies: {next: '16'}, scripts: {dev: `next dev -p ${port}`}})}));
  server.close();
  assert.equal(d('port').health, 'warning');
  assert.match(d('port').message, new RegExp(`^port ${port} is in use by process ${process.pid}: `));
});

test('another dev server of this project runs', async () => {
  const root = project({'node_modules/next/dist/bin/next': 'process.stdout.write("up\\n"); setInterval(() => {}, 1000);\n'});
  const child = spawn(process.execPath, ['node_modules/next/dist/bin/next', 'dev'], {cwd: root, stdio: ['ignore', 'pipe', 'ignore']});
  try {
    await once(child.stdout, 'data');
    const d = doctor(root);
    assert.equal(d('dev-server').health, 'problem');
    assert.match(d('dev-server').message, new RegExp(`process ${child.pid}, `));
  } finally {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  assert.equal(doctor(root)('dev-server').health, 'ok');
});

test('vercel.json: mistakes with their line, and what it says about Fluid compute', () => {
  const broken = doctor(project({'vercel.json': '{\n  "functions": {\n}'}));
  assert.equal(broken('vercel-json').health, 'problem');
  assert.match(broken('vercel-json').message, /^vercel\.json:\d+: /);
  assert.match(doctor(project({'vercel.json': '{"fluid": true}'}))('profile').message, /hobby-fluid/);
  assert.match(doctor(project({'vercel.json': '{"fluid": false}'}))('profile').message, /--profile hobby, pro/);
});

test('.env files that set what others set', () => {
  const d = doctor(project({'.env.local': '# VERCEL_ENV=x\nA=1\nexport VERCEL_URL = x\nPORT_A=1\n'}));
  assert.equal(d('env').health, 'warning');
  assert.match(d('env').message, /: VERCEL_URL \(\.env\.local\)$/);
  assert.equal(doctor(project({'.env': 'DATABASE_URL=x\n'}))('env').health, 'ok');
});

test('NODE_OPTIONS that get in the way', () => {
  assert.match(doctor(project(), {NODE_OPTIONS: '--inspect'})('node-options').message, /--inspect: every process/);
  const d = doctor(project({'package.json': JSON.stringify({dependencies: {next: '16'}, scripts: {dev: 'NODE_OPTIONS="--require /nowhere/x.js" next dev'}})}));
  assert.equal(d('node-options').health, 'problem');
  assert.match(d('node-options').message, /^NODE_OPTIONS of the dev script preloads \/nowhere\/x\.js/);
});

test('a directory that is not there is a usage error', () => {
  const r = spawnSync(bin, ['doctor', path.join(base, 'nowhere')], {encoding: 'utf8'});
  assert.equal(r.status, 64);
  assert.match(r.stderr, /no such directory/);
});

test('explain: a code, a message, a list, nothing', () => {
  const explain = (...words) => spawnSync(bin, ['explain', ...words], {encoding: 'utf8'});
  assert.match(explain('Session ID unknown').stdout, /^SIM_POLLING_FALSE_PASS\n/);
  assert.match(explain('Session', 'ID', 'unknown').stdout, /^SIM_POLLING_FALSE_PASS\n/);
  assert.match(explain('413').stdout, /^FUNCTION_PAYLOAD_TOO_LARGE \(413\)\n/);
  assert.match(explain('socket hang up').stdout, /NO_RESPONSE_FROM_FUNCTION[^]*SIM_WEBSOCKET_REFUSED/);
  const list = explain();
  assert.equal(list.status, 0);
  for (const id of ['FUNCTION_INVOCATION_TIMEOUT', 'SIM_WEBSOCKET_REFUSED', 'socket-io-server', 'INTERNAL_UNEXPECTED_ERROR']) assert.ok(list.stdout.includes(`  ${id} `), id);
  const none = explain('zebra');
  assert.equal(none.status, 64);
  assert.equal(none.stderr, 'error: no code, rule or known message is "zebra"\n  fix: vercel-sim explain lists all codes and rules\n');
});
