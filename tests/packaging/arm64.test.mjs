// The program for arm64, under an emulator of the processor (qemu-user-static): what runs without starting other programs, which would need the emulator as well.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import {test} from 'node:test';
import {check, kDist, origin, run, Running, tempDir, text, version} from './lib.mjs';

const kBinary = path.join(kDist, 'vercel-sim-linux-arm64');
const kOptions = {
  skip: (!fs.existsSync(kBinary) && 'packaging/package.sh was run without --arm64') ||
        (run('sh', ['-c', 'command -v qemu-aarch64-static']).code !== 0 && 'needs qemu-user-static'),
};
const emulated = (...args) => ['qemu-aarch64-static', [kBinary, ...args]];

test('arm64: an ARM program, static, under 15 MB', kOptions, () => {
  assert.match(check('readelf', ['--file-header', kBinary]).stdout, /Machine:\s+AArch64/);
  assert.doesNotMatch(check('readelf', ['--program-headers', '--wide', kBinary]).stdout, /INTERP/);
  assert.ok(fs.statSync(kBinary).size < 15e6, `${fs.statSync(kBinary).size} bytes`);
});

test('arm64: it prints what the other prints', kOptions, () => {
  const native = path.join(kDist, 'vercel-sim-linux-x64');
  assert.equal(check(...emulated('--version')).stdout, `vercel-sim ${version}\n`);
  for (const args of [['profiles'], ['profiles', 'show', 'pro-fluid'], ['--help']]) {
    const expected = fs.existsSync(native) && process.arch === 'x64' ? check(native, args).stdout : undefined;
    const {stdout} = check(...emulated(...args));
    if (expected !== undefined) assert.equal(stdout, expected);
    else assert.match(stdout, /hobby/);
  }
});

test('arm64: check reads sources', kOptions, (t) => {
  const dir = tempDir(t);
  fs.mkdirSync(path.join(dir, 'pages/api'), {recursive: true});
  fs.writeFileSync(path.join(dir, 'package.json'), '{"dependencies": {"next": "16.4.6"}}');
  fs.writeFileSync(path.join(dir, 'pages/api/socket.ts'),
                   'import {Server} from "socket.io";\nexport default (q: any, r: any) => { r.socket.server.io ??= new Server(r.socket.server); r.end(); };\n');
  const found = run(...emulated('check', dir));
  assert.equal(found.code, 2, found.stderr);
  assert.match(found.stdout, /socket-io-server/);
});

test('arm64: run --upstream passes a request on, cuts a function at its limit, ends at Ctrl-C', kOptions, async (t) => {
  const port = await origin(t, (request, response) => {
    if (request.url !== '/never') response.end(`origin ${request.url}`);
  });
  const sim = new Running(t, ...emulated('run', '--port', '0', '--set', 'duration.default=1s', '--upstream', `http://localhost:${port}`));
  const [, url] = await sim.saw(/^vercel-sim ready on (\S+)/m);
  assert.equal(await text(`${url}/arm`), '200 origin /arm');
  assert.match(await text(`${url}/never`), /^504 [^]*FUNCTION_INVOCATION_TIMEOUT/);
  process.kill(sim.child.pid, 'SIGINT');
  assert.deepEqual(await sim.end(), {code: 130, signal: null});
});

test('arm64: the packages hold this program and say so', kOptions, (t) => {
  const dir = tempDir(t);
  check('tar', ['xzf', path.join(kDist, `vercel-sim-linux-arm64-${version}.tgz`)], {cwd: dir});
  const {os, cpu} = JSON.parse(fs.readFileSync(path.join(dir, 'package/package.json'), 'utf8'));
  assert.deepEqual({os, cpu}, {os: ['linux'], cpu: ['arm64']});
  check('dpkg-deb', ['--extract', path.join(kDist, `vercel-sim_${version}_arm64.deb`), path.join(dir, 'deb')]);
  for (const name of ['package/bin/vercel-sim', 'deb/usr/bin/vercel-sim'])
    assert.ok(fs.readFileSync(path.join(dir, name)).equals(fs.readFileSync(kBinary)), name);
});
