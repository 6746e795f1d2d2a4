// The program by itself: one file, small, quick, and in need of nothing but a kernel: it runs in a root directory that holds no library.
import assert from 'node:assert/strict';
import {spawnSync} from 'node:child_process';
import dgram from 'node:dgram';
import {once} from 'node:events';
import fs from 'node:fs';
import https from 'node:https';
import path from 'node:path';
import {test} from 'node:test';
import {check, inRoot, kBin, noChroot, origin, run, Running, tempDir, text, version} from './lib.mjs';

const kSkip = {skip: noChroot()};

test('it asks for no loader and no shared library', () => {
  assert.doesNotMatch(check('readelf', ['--program-headers', '--wide', kBin]).stdout, /INTERP/);
  assert.doesNotMatch(check('readelf', ['--dynamic', '--wide', kBin]).stdout, /NEEDED|RPATH|RUNPATH/);
});

test('it is position independent, with a stack that cannot be executed', () => {
  assert.match(check('readelf', ['--file-header', kBin]).stdout, /Type:\s+DYN/);
  assert.match(check('readelf', ['--program-headers', '--wide', kBin]).stdout, /GNU_STACK.* RW /);
});

test('it is under 15 MB', () => {
  const {size} = fs.statSync(kBin);
  assert.ok(size < 15e6, `${size} bytes`);
});

test('--version takes under 30 ms, starting the process included', () => {
  const took = Array.from({length: 31}, () => {
    const begin = performance.now();
    spawnSync(kBin, ['--version']);
    return performance.now() - begin;
  }).sort((a, b) => a - b);
  console.log(`--version: median ${took[15].toFixed(1)} ms, longest ${took[30].toFixed(1)} ms`);
  assert.ok(took[15] < 30, `median ${took[15]} ms`);
});

// A root directory with the program, an empty /proc and /tmp, and these files.
function emptyRoot(t, files = {}) {
  const dir = tempDir(t);
  for (const name of ['proc', 'tmp', 'bin', 'dev']) fs.mkdirSync(path.join(dir, name));
  fs.copyFileSync(kBin, path.join(dir, 'bin/vercel-sim'));
  for (const [name, content] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(dir, name)), {recursive: true});
    fs.writeFileSync(path.join(dir, name), content);
  }
  return dir;
}

test('in an empty root directory: commands that only print, and check', kSkip, (t) => {
  const dir = emptyRoot(t, {
    'app/package.json': '{"dependencies": {"next": "16.4.6"}}',
    'app/pages/api/socket.js': 'import {Server} from "socket.io";\nexport default (q, r) => { r.socket.server.io ??= new Server(r.socket.server); r.end(); };\n',
  });
  const inside = (...args) => run(...inRoot(dir, '/bin/vercel-sim', ...args));
  assert.equal(inside('--version').stdout, `vercel-sim ${version}\n`);
  assert.match(inside('profiles', 'show', 'hobby').stdout, /^name: hobby$/m);
  const found = inside('check', '/app');
  assert.equal(found.code, 2, found.stderr);
  assert.match(found.stdout, /socket-io-server/);
});

// Names of --upstream; the modules that this nsswitch.conf names are there, and whoever loads one dies of it.
const kForeign = 'hosts: mymachines resolve [!UNAVAIL=return] mdns4_minimal [NOTFOUND=return] files myhostname dns\n';

function trap(t, dir) {
  const source = path.join(tempDir(t), 'trap.c');
  fs.writeFileSync(source, '__attribute__((constructor)) static void loaded(void) { __builtin_trap(); }\n');
  fs.mkdirSync(path.join(dir, 'lib'));
  for (const name of ['mymachines', 'resolve', 'mdns4_minimal', 'myhostname'])
    check('cc', ['-shared', '-fPIC', '-nostdlib', '-o', path.join(dir, `lib/libnss_${name}.so.2`), source]);
}
for (const [what, host, files] of [
  ['a number', '127.0.0.1', {}],
  ['localhost without /etc/hosts', 'localhost', {}],
  ['a name below localhost', 'app.localhost', {}],
  ['a name of /etc/hosts', 'app.test', {'etc/hosts': '127.0.0.1 app.test\n'}],
  ['a name of /etc/hosts beside modules for names', 'app.test', {'etc/hosts': '127.0.0.1 app.test\n', 'etc/nsswitch.conf': kForeign}],
]) {
  test(`in an empty root directory: run --upstream with ${what}`, kSkip, async (t) => {
    const dir = emptyRoot(t, files);
    trap(t, dir);
    const port = await origin(t);
    const sim = new Running(t, ...inRoot(dir, '/bin/vercel-sim', 'run', '--port', '0', '--upstream', `http://${host}:${port}`));
    const [, url] = await sim.saw(/^vercel-sim ready on (\S+)/m);
    assert.equal(await text(`${url}/x`), '200 origin /x');
    process.kill(sim.child.pid, 'SIGINT');
    assert.deepEqual(await sim.end(), {code: 130, signal: null});
  });
}

// A DNS server for one name: its address for a question of type A, nothing for other types, "no such name" for others.
async function nameServer(t, address, name) {
  const server = dgram.createSocket('udp4');
  server.on('message', (query, from) => {
    let end = 12;
    const labels = [];
    for (; query[end] !== 0; end += query[end] + 1) labels.push(query.toString('latin1', end + 1, end + 1 + query[end]));
    const question = query.subarray(12, end + 5);
    const known = labels.join('.') === name;
    const a = known && query.readUInt16BE(end + 1) === 1;
    const head = Buffer.from([query[0], query[1], 0x81, known ? 0x80 : 0x83, 0, 1, 0, a ? 1 : 0, 0, 0, 0, 0]);
    const record = a ? Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1]) : Buffer.alloc(0);
    server.send(Buffer.concat([head, question, record]), from.port, from.address);
  });
  server.bind(53, address);
  await once(server, 'listening');
  t.after(() => server.close());
}

test('in an empty root directory: run --upstream with a name of DNS, by the search list of resolv.conf', kSkip, async (t) => {
  await nameServer(t, '127.0.0.54', 'web.cluster.test');
  const dir = emptyRoot(t, {'etc/resolv.conf': 'nameserver 127.0.0.54\nsearch cluster.test\n', 'etc/nsswitch.conf': kForeign});
  trap(t, dir);
  const port = await origin(t);
  const sim = new Running(t, ...inRoot(dir, '/bin/vercel-sim', 'run', '--port', '0', '--upstream', `http://web:${port}`));
  const [, url] = await sim.saw(/^vercel-sim ready on (\S+)/m);
  assert.equal(await text(`${url}/dns`), '200 origin /dns');
  process.kill(sim.child.pid, 'SIGINT');
  assert.deepEqual(await sim.end(), {code: 130, signal: null});
});

test('in an empty root directory: a name that does not exist is said, whatever nsswitch.conf names', kSkip, (t) => {
  const dir = emptyRoot(t, {'etc/nsswitch.conf': kForeign, 'etc/hosts': ''});
  trap(t, dir);
  const r = run(...inRoot(dir, '/bin/vercel-sim', 'run', '--port', '0', '--upstream', 'http://nowhere.invalid:80'));
  assert.equal(r.code, 64);
  assert.match(r.stdout + r.stderr, /cannot find the host "nowhere.invalid" of --upstream/);
});

test('in an empty root directory: an app is started, served, and ended with all it started', {
  skip: kSkip.skip || (!fs.existsSync('/bin/busybox') && 'needs busybox-static'),
}, async (t) => {
  const dir = emptyRoot(t, {'www/index.html': 'from busybox\n', 'dev/null': ''});
  for (const name of ['sh', 'busybox']) fs.copyFileSync('/bin/busybox', path.join(dir, 'bin', name));
  const sim = new Running(t, ...inRoot(dir, '/bin/vercel-sim', 'run', '--port', '0', '--app', 'busybox httpd -f -p $PORT -h /www'),
                          {env: {PATH: '/bin:/usr/bin:/usr/sbin', TMPDIR: '/tmp'}});
  const [, url] = await sim.saw(/^vercel-sim ready on (\S+)/m);
  assert.equal(await text(`${url}/index.html`), '200 from busybox\n');
  process.kill(sim.child.pid, 'SIGINT');
  assert.deepEqual(await sim.end(), {code: 130, signal: null});
  assert.deepEqual(fs.readdirSync(path.join(dir, 'tmp')), []);
});

test('in an empty root directory: run --https makes its certificate and speaks TLS, whatever openssl.cnf says', kSkip, async (t) => {
  const config = 'openssl_conf = o\n[o]\nproviders = p\n[p]\nfoo = f\n[f]\nmodule = /lib/foo.so\nactivate = 1\n';
  const dir = emptyRoot(t, {'usr/lib/ssl/openssl.cnf': config});
  const port = await origin(t);
  const sim = new Running(t, ...inRoot(dir, '/bin/vercel-sim', 'run', '--https', '--port', '0', '--upstream', `http://127.0.0.1:${port}`));
  const [, url] = await sim.saw(/^vercel-sim ready on (https:\S+)/m);
  const answer = await new Promise((resolve, reject) => {
    https.get(`${url}/tls`, {rejectUnauthorized: false, timeout: 20000}, (response) => {
      response.setEncoding('utf8').on('data', resolve).on('error', reject);
    }).on('error', reject);
  });
  assert.equal(answer, 'origin /tls');
  process.kill(sim.child.pid, 'SIGTERM');
  assert.deepEqual(await sim.end(), {code: 0, signal: null});
});
