// `vercel-sim test`: the app behind the edge, a command that tests it, one exit code (README, docs/ci.md). The app here is a small server, so a case
// takes a fraction of a second.
import {execFileSync} from 'node:child_process';
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import {describe, test} from 'node:test';
import {command, eventually, freePort, listens, nextProject, program, tempDir, write} from './program.mjs';
import {kBin} from './world.mjs';

// Answers with its path; /slow after 3 s; /die ends the process.
const kApp = `
require('node:http').createServer((request, response) => {
  if (request.url.startsWith('/slow')) return setTimeout(() => response.end('late'), 3000);
  if (request.url === '/die') process.exit(3);
  if (request.url === '/say') console.log('the app says something');
  response.end('app ' + request.url);
}).listen(Number(process.env.PORT));
`;
// The command: node -e SCRIPT with get(path) that answers {status, text}.
const kGet = `
const get = (path) => new Promise((resolve) => require('node:http').get(process.env.BASE_URL + path, {agent: false}, (response) => {
  let text = '';
  response.on('data', (data) => text += data).on('error', () => resolve({})).on('end', () => resolve({status: response.statusCode, text}));
}).on('error', (error) => resolve({error: error.code})));
`;
const script = (body) => [process.execPath, '-e', `${kGet}(async () => {${body}})();`];
const kLimit = ['--set', 'duration.default=1s'];

// Starts `vercel-sim test` on that app.
function start(t, args, tested, {app = 'exec node app.cjs', files = {}, options = {}} = {}) {
  const dir = write(tempDir(t), {'app.cjs': kApp, ...files});
  return Object.assign(program(t, ['test', '--port', '0', ...(app === null ? [] : ['--app', app]), ...args, '--', ...tested], {cwd: dir, ...options}), {dir});
}

function nothingLeft(sim) {
  assert.deepEqual(sim.alive(), []);
  assert.deepEqual(sim.runDirs(), []);
}

async function ends(t, args, tested, expected, setup) {
  const sim = start(t, args, tested, setup);
  const {code, signal} = await sim.end();
  assert.deepEqual({code, signal}, {code: expected, signal: null}, sim.text);
  nothingLeft(sim);
  return sim;
}

describe('the command', {concurrency: 4}, () => {
  test('asks the app by BASE_URL; standard output is its own to the byte', async (t) => {
    const sim = await ends(t, [], script(`process.stdout.write(JSON.stringify([await get('/a'), process.env.PORT, process.env.BASE_URL]));`), 0);
    const [answer, port, url] = JSON.parse(sim.stdout);
    assert.deepEqual(answer, {status: 200, text: 'app /a'});
    assert.equal(url, `http://localhost:${port}`);
    assert.match(sim.stderr, new RegExp(`^vercel-sim ready on ${url} `, 'm'));
    assert.match(sim.stderr, /^vercel-sim \S+, profile hobby \(as of \d{4}-\d\d-\d\d\)/m);
    assert.match(sim.stderr, /^1 request: 1 of functions/m);
    assert.match(sim.stderr, /\n\nno violation\n\nseed \d+ \(repeat with --seed \d+\)\nexit code 0\n$/);
    assert.equal(await listens(Number(port)), false);
  });

  test('its streams, directory and environment are ours', async (t) => {
    const sim = start(t, [], ['sh', '-c', 'cat; pwd; echo "$GREETING $NODE_OPTIONS $(env | grep ^VSIM_ | grep -vcE "^VSIM_(BIN|INTEGRATION_MARK)=")" >&2; echo done'], {
      options: {stdio: ['pipe', 'pipe', 'pipe'], env: {GREETING: 'hello', NODE_OPTIONS: '--no-warnings'}},
    });
    sim.child.stdin.end('typed\n');
    assert.equal((await sim.end()).code, 3, sim.text);
    assert.equal(sim.stdout, `typed\n${fs.realpathSync(sim.dir)}\ndone\n`);
    assert.match(sim.stderr, /^hello --no-warnings 0$/m);
  });

  test('runs where the user stands, whatever --cwd says', async (t) => {
    const sim = await ends(t, ['--cwd', 'app'], ['pwd'], 3, {app: 'exec node app.cjs', files: {'app/app.cjs': kApp}});
    assert.equal(sim.stdout, `${fs.realpathSync(sim.dir)}\n`);
  });

  test('what the app writes while it runs does not come between', async (t) => {
    const sim = await ends(t, [], script(`await get('/say'); console.error('mine')`), 0);
    assert.doesNotMatch(sim.text, /the app says something/);
    const loud = await ends(t, ['--verbose'], script(`await get('/say')`), 0);
    assert.match(loud.stderr, /the app says something/);
    const failed = await ends(t, [], script(`await get('/say'); process.exit(1)`), 1);
    assert.match(failed.stderr, /what the app wrote last while the command ran:\n {2}\| the app says something\n/, 'a failure is worth it');
  });

  test('a command that sent no request has tested nothing: 3, and 0 where nothing shall fail', async (t) => {
    const sim = await ends(t, [], ['true'], 3);
    assert.match(sim.stderr, /^exit code 3: the command sent no request: nothing was tested$/m);
    await ends(t, ['--fail-on', 'none'], ['true'], 0);
    assert.match(sim.stderr, /^warning: the command sent no request through vercel-sim, so nothing was tested\n {2}fix: let it ask http:\/\/localhost:\d+ /m);
  });

  test('closes its standard output early, and what it wrote is there', async (t) => {
    const sim = await ends(t, [], script(`require('fs').writeSync(1, 'first'); require('fs').closeSync(1); await get('/a')`), 0);
    assert.equal(sim.stdout, 'first');
  });

  test('with standard input closed, the command finds it empty, and none of our sockets', async (t) => {
    const dir = write(tempDir(t), {'app.cjs': kApp});
    const sim = command(t, ['sh', '-c', `exec ${kBin} test --port 0 --app 'exec node app.cjs' -- sh -c 'readlink /proc/self/fd/0; cat; echo end' <&-`], {cwd: dir});
    assert.equal((await sim.end()).code, 3, sim.text);
    assert.equal(sim.stdout, '/dev/null\nend\n');
  });

  test('starts when the app is ready, not before', async (t) => {
    const gate = (await import('node:net')).createServer();
    await new Promise((resolve) => gate.listen(0, '127.0.0.1', resolve));
    t.after(() => gate.close());
    const app = `require('node:net').connect(${gate.address().port}, '127.0.0.1').once('data', () => require('./app.cjs'));`;
    const held = new Promise((resolve) => gate.once('connection', resolve));
    const sim = start(t, [], script(`console.log((await get('/a')).status)`), {app: 'exec node gated.cjs', files: {'gated.cjs': app}});
    const socket = await held;
    assert.equal(sim.stdout, '');
    socket.end('go');
    assert.equal((await sim.end()).code, 0, sim.text);
    assert.equal(sim.stdout, '200\n');
  });
});

describe('exit codes', {concurrency: 4}, () => {
  for (const [what, tested, code] of [
    ['its own', ['sh', '-c', 'exit 7'], 7], ['its own, when it looks like ours', ['sh', '-c', 'exit 64'], 64], ['killed', ['sh', '-c', 'kill -9 $$'], 137],
    ['ended by SIGTERM', ['sh', '-c', 'kill $$'], 143], ['ended by SIGSEGV', ['sh', '-c', 'ulimit -c 0; kill -SEGV $$'], 139],
  ]) {
    test(`${what}: ${code}`, async (t) => {
      const sim = await ends(t, [], tested, code);
      assert.match(sim.stderr, new RegExp(`^exit code ${code}: the command's own$`, 'm'));
    });
  }

  test('a violation: 2, with limit, measure, route and fix; its own code when that is not 0', async (t) => {
    const sim = await ends(t, kLimit, script(`console.log((await get('/slow?q=1')).status)`), 2);
    assert.equal(sim.stdout, '504\n');
    assert.match(sim.stderr, /^ {2}✗ FUNCTION_INVOCATION_TIMEOUT {2}once\n {4}\S.*\n {4}fix {6}\S[^]*^ {4}route {4}\/slow\n {4}limit {4}1s, measured 1\.\d+s \(duration\.default, set by you\)\n[^]*^ {4}source {3}https:/m);
    assert.match(sim.stderr, /^1 violation\n\nseed \d+ .*\nexit code 2: violations\n$/m);
    await ends(t, kLimit, script(`await get('/slow'); process.exit(9)`), 9);
  });

  test('--fail-on none: the violation is told and the code stays 0', async (t) => {
    const sim = await ends(t, [...kLimit, '--fail-on', 'none'], script(`await get('/slow')`), 0);
    assert.match(sim.stderr, /✗ FUNCTION_INVOCATION_TIMEOUT {2}once/);
  });

  test('the same violation is one, with a count', async (t) => {
    const sim = await ends(t, kLimit, script(`await Promise.all([get('/slow'), get('/slow?again')])`), 2);
    assert.match(sim.stderr, /✗ FUNCTION_INVOCATION_TIMEOUT {2}2 times/);
    assert.match(sim.stderr, /^2 violations$/m);
  });

  for (const [what, args, tested, said, setup] of [
    ['no command', [], [], /expects a command after it/],
    ['a command that does not exist', [], ['no-such-command'], /^error: cannot start no-such-command: no such program in PATH\n {2}fix: /m],
    ['a command that is no program', [], ['./notes.txt'], /not executable/, {files: {'notes.txt': 'x'}}],
    ['an app that does not exist', [], ['true'], /package\.json/, {app: null}],
    ['a value out of range', ['--set', 'duration.default=soon'], ['true'], /duration\.default/],
    ['events on standard output', ['--events', '-'], ['true'], /standard output is the command's own/],
    ['an unknown option', ['--fial-on', 'none'], ['true'], /unknown option --fial-on\. Did you mean --fail-on\?/],
  ]) {
    test(`${what}: 64`, async (t) => {
      const sim = await ends(t, args, tested, 64, setup);
      assert.match(sim.stderr, said);
      assert.equal(sim.stdout, '');
    });
  }

  test('an app that never gets ready: 70, and the command does not run', async (t) => {
    const sim = await ends(t, ['--ready-timeout', '300ms'], ['echo', 'ran'], 70, {app: 'echo starting; exec sleep 1000'});
    assert.equal(sim.stdout, '');
    assert.match(sim.stderr, /^error: the app was not ready within 300ms\n {2}fix: /m);
  });

  test('reports are written when everything has stopped, and standard output stays the command’s', async (t) => {
    const sim = await ends(t, [...kLimit, '--junit', 'out/j.xml', '--sarif', 's.json', '--json', 'r.json', '--html', 'h.html', '--github'],
      script(`await get('/slow'); process.stdout.write('mine')`), 2, {options: {env: {GITHUB_STEP_SUMMARY: ''}}});
    assert.equal(sim.stdout, 'mine');
    assert.match(sim.stderr, /^::error [^]*FUNCTION_INVOCATION_TIMEOUT/m);
    const read = (name) => fs.readFileSync(path.join(sim.dir, name), 'utf8');
    assert.match(read('out/j.xml'), /^<\?xml[^]*FUNCTION_INVOCATION_TIMEOUT/);
    assert.equal(JSON.parse(read('s.json')).version, '2.1.0');
    assert.ok(JSON.parse(read('r.json')));
    assert.match(read('h.html'), /"code":"FUNCTION_INVOCATION_TIMEOUT"/);
  });

  test('a report that cannot be written: 70, unless there is a worse code', async (t) => {
    const sim = await ends(t, ['--json', '/proc/none/r.json'], script(`await get('/a')`), 70);
    assert.match(sim.stderr, /^error: --json \/proc\/none\/r\.json: /m);
    await ends(t, [...kLimit, '--json', '/proc/none/r.json'], script(`await get('/slow')`), 2);
  });

  test('an app that ends before it is ready: 70, whatever its code', async (t) => {
    const sim = await ends(t, [], ['echo', 'ran'], 70, {app: 'echo no; exit 3'});
    assert.equal(sim.stdout, '');
    assert.match(sim.stderr, /the app exited with code 3 before it was ready/);
  });

  test('an app that dies once comes back, and the command decides', async (t) => {
    const sim = await ends(t, ['--fail-on', 'none'], script(`
      await get('/die');
      for (;;) { const {status} = await get('/a'); if (status === 200) break; await new Promise((r) => setTimeout(r, 50)); }`), 0);
    assert.match(sim.stderr, /^the app stopped: exited with code 3$/m);
    assert.match(sim.stderr, /^The app stopped by itself once\.$/m);
  });

  test('an app that dies for good: 70, and the command is ended', async (t) => {
    const sim = await ends(t, [], script(`for (;;) { await get('/die'); await new Promise((r) => setTimeout(r, 20)); }`), 70);
    assert.match(sim.stderr, /^error: the app keeps stopping/m);
    assert.match(sim.stderr, /^exit code 70: the app or vercel-sim itself failed, see above$/m);
  });
});

describe('interruption and what is left', {concurrency: 4}, () => {
  // Tells its pid and waits; on the signal it says so, takes a moment as a test runner does, and ends with 0.
  const kPatient = script(`
    for (const s of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(s, () => { console.log('got ' + s); setTimeout(() => process.exit(0), 50); });
    setInterval(() => {}, 1000); console.log('started');`);

  for (const [signal, code] of [['SIGINT', 130], ['SIGTERM', 143], ['SIGHUP', 129]]) {
    test(`${signal} to vercel-sim alone: the command gets it, may end in peace, and the code is ${code}`, async (t) => {
      const sim = start(t, [], kPatient);
      await sim.says(/^started$/m, {where: 'stdout'});
      assert.equal((await sim.stop(signal)).code, code, sim.text);
      assert.equal(sim.stdout, `started\ngot ${signal}\n`);
      assert.match(sim.stderr, new RegExp(`^exit code ${code}: interrupted$`, 'm'));
      nothingLeft(sim);
    });
  }

  test('Ctrl-C in a terminal: once to the command, 130 for us', {skip: !fs.existsSync('/usr/bin/script') && 'no script(1)'}, async (t) => {
    const dir = write(tempDir(t), {'app.cjs': kApp, 'patient.cjs': kPatient[2]});
    const sim = command(t, ['script', '-qec', `${kBin} test --port 0 --app 'exec node app.cjs' -- node patient.cjs`, '/dev/null'], {cwd: dir, stdio: ['pipe', 'pipe', 'pipe']});
    await sim.says(/^started\r?$/m, {where: 'stdout'});
    sim.child.stdin.write('\x03');
    const {code} = await sim.end();
    assert.equal(code, 130, sim.text);
    assert.equal(sim.text.match(/got SIGINT/g)?.length, 1, sim.text);
    assert.deepEqual(sim.alive(), []);
  });

  test('a command that ignores it is ended by the second one', async (t) => {
    const sim = start(t, [], script(`process.on('SIGINT', () => console.log('no')); setInterval(() => {}, 1000); console.log('started');`));
    await sim.says(/^started$/m, {where: 'stdout'});
    sim.signal('SIGINT');
    await sim.says(/^no$/m, {where: 'stdout'});
    const begun = performance.now();
    assert.equal((await sim.stop('SIGINT')).code, 130, sim.text);
    assert.ok(performance.now() - begun < 8000, 'not after the grace of the first');
    nothingLeft(sim);
  });

  test('Ctrl-C before the app is ready: 130, and the command never runs', async (t) => {
    const sim = start(t, [], ['echo', 'ran'], {app: 'echo starting; exec sleep 1000'});
    await sim.says(/^starting$/m);
    assert.equal((await sim.stop('SIGINT')).code, 130, sim.text);
    assert.equal(sim.stdout, '');
    nothingLeft(sim);
  });

  test('grandchildren of the command end with it, those in a session of their own too', async (t) => {
    const sim = await ends(t, [], ['sh', '-c', 'sleep 1000 & setsid sleep 1001 & (sleep 1002 &) ; exit 0'], 3);
    nothingLeft(sim);
  });

  test('vercel-sim killed outright: command and app go too', async (t) => {
    const sim = start(t, [], ['sh', '-c', 'echo started; sleep 1000; echo after']);
    await sim.says(/^started$/m, {where: 'stdout'});
    assert.ok(sim.alive().length >= 3);
    sim.signal('SIGKILL');
    await eventually('everything gone', () => sim.alive().length === 0);
  });
});

describe('ways to start', {concurrency: 4}, () => {
  test('--upstream: the command waits until the server answers', async (t) => {
    const port = await freePort();
    const dir = tempDir(t);
    const sim = program(t, ['test', '--port', '0', '--upstream', `http://127.0.0.1:${port}`, '--', ...script(`console.log((await get('/x')).text)`)], {cwd: dir});
    await sim.says(/^warning: nothing answers at /m);
    assert.equal(sim.stdout, '');
    const server = http.createServer((request, response) => response.end('here'));
    await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
    t.after(() => server.close());
    assert.equal((await sim.end()).code, 0, sim.text);
    assert.equal(sim.stdout, 'here\n');
    assert.equal(sim.stderr.match(/^warning: nothing answers/gm).length, 1);
    nothingLeft(sim);
  });

  test('--upstream that never answers: 70', async (t) => {
    const port = await freePort();
    const sim = program(t, ['test', '--port', '0', '--ready-timeout', '400ms', '--upstream', `http://127.0.0.1:${port}`, '--', 'echo', 'ran'], {cwd: tempDir(t)});
    assert.equal((await sim.end()).code, 70, sim.text);
    assert.equal(sim.stdout, '');
    nothingLeft(sim);
  });

  test('a Next whose instances cannot be isolated: 70, unless --isolation none says that it is meant', async (t) => {
    const dir = write(tempDir(t), nextProject());  // no Next at all but by its name
    const sim = program(t, ['test', '--port', '0', '--', 'echo', 'ran'], {cwd: dir});
    assert.equal((await sim.end()).code, 70, sim.text);
    assert.equal(sim.stdout, '');
    assert.match(sim.stderr, /^error: function instances are NOT isolated: .*\n {2}fix: --isolation none/m);
    nothingLeft(sim);
  });

  test('the project’s own next dev, with none of our variables in the command', async (t) => {
    const dir = write(tempDir(t), nextProject());
    const sim = program(t, ['test', '--port', '0', '--isolation', 'none', '--', ...script(`
      console.log(JSON.stringify({status: (await get('/a')).status, ours: Object.keys(process.env).filter((n) => /^VSIM_/.test(n) && !['VSIM_BIN', 'VSIM_INTEGRATION_MARK'].includes(n)), options: process.env.NODE_OPTIONS}))`)], {cwd: dir});
    assert.equal((await sim.end()).code, 0, sim.text);
    assert.deepEqual(JSON.parse(sim.stdout), {status: 200, ours: []});
    nothingLeft(sim);
  });

  test('the default port is the one of run: a test configured for 3000 meets the limits, or fails loudly', async (t) => {
    const port = await freePort();
    const server = http.createServer();
    await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
    t.after(() => server.close());
    const sim = program(t, ['test', '--port', String(port), '--app', 'true', '--', 'echo', 'ran'], {cwd: tempDir(t)});
    assert.equal((await sim.end()).code, 64);
    assert.equal(sim.stdout, '');
    assert.match(sim.stderr, new RegExp(`port ${port} is already in use`));
  });

  test('--events: the stream goes into the file', async (t) => {
    const sim = await ends(t, [...kLimit, '--events', 'e.jsonl'], script(`await get('/slow')`), 2);
    const events = fs.readFileSync(path.join(sim.dir, 'e.jsonl'), 'utf8').trim().split('\n').map((line) => JSON.parse(line));
    assert.equal(events.find((e) => e.t === 'invocation_ended').code, 'FUNCTION_INVOCATION_TIMEOUT');
    assert.deepEqual(events.filter((e) => e.t === 'command_run').map((e) => [e.ended, e.exit_code]), [[false, undefined], [true, 0]]);
    assert.equal(events.at(-1).t, 'run_stopped');
  });

  test('--seed is told at the start and in the summary', async (t) => {
    const sim = await ends(t, ['--seed', '42'], ['true'], 3);
    assert.equal(sim.stderr.match(/^seed 42 \(repeat with --seed 42\)$/gm).length, 2);
    const other = await ends(t, [], ['true'], 3);
    assert.match(other.stderr, /^seed \d+ \(repeat/m);
  });
});

describe('vercel-sim.yaml', {concurrency: 4}, () => {
  const slow = script(`await get('/slow')`);
  const limited = (more = '') => ({files: {'vercel-sim.yaml': `set:\n  duration.default: 1s\n${more}`}});

  test('defaults for the options; the command line wins', async (t) => {
    const files = {'vercel-sim.yaml': 'profile: pro\nseed: 7\napp: exec node app.cjs\nset:\n  duration:\n    default: 1s\nfail-on: none\n'};
    const sim = await ends(t, [], slow, 0, {app: null, files});
    assert.match(sim.stderr, /^vercel-sim ready on \S+ \(profile pro,/m);
    assert.match(sim.stderr, /✗ FUNCTION_INVOCATION_TIMEOUT/);
    assert.match(sim.stderr, /^seed 7 /m);
    const other = await ends(t, ['--profile', 'hobby', '--fail-on', 'violations', '--seed', '8'], slow, 2, {app: null, files});
    assert.match(other.stderr, /\(profile hobby,/);
    assert.match(other.stderr, /^seed 8 /m);
    await ends(t, ['--set', 'duration.default=10s'], slow, 0, {app: null, files});
  });

  test('run takes the defaults too', async (t) => {
    const dir = write(tempDir(t), {'app.cjs': kApp, 'vercel-sim.yaml': 'profile: pro-fluid\napp: exec node app.cjs\nport: 0\nfail-on: none\n'});
    const sim = await program(t, ['run'], {cwd: dir}).ready();
    assert.match(sim.text, /\(profile pro-fluid,/);
    assert.equal((await sim.stop('SIGINT')).code, 130);
  });

  test('a violation that is meant keeps the code 0 and is told with its reason', async (t) => {
    const sim = await ends(t, [], slow, 0, limited('expect:\n  - code: FUNCTION_INVOCATION_TIMEOUT\n    route: /slow\n    reason: shows the error page\n'));
    assert.match(sim.stderr, /^ {4}meant {4}shows the error page$/m);
    assert.match(sim.stderr, /^1 is meant, as vercel-sim\.yaml says\nexit code 0$/m);
  });

  test('meant elsewhere, or another code: 2, and that entry is stale', async (t) => {
    const sim = await ends(t, ['--fail-on', 'none'], slow, 0, limited('expect:\n  - code: FUNCTION_INVOCATION_TIMEOUT\n    route: /other/*\n'));
    assert.doesNotMatch(sim.stderr, /is meant/);
    assert.match(sim.stderr, /^warning: vercel-sim\.yaml:4: FUNCTION_INVOCATION_TIMEOUT at \/other\/\* is expected and did not strike\n {2}fix: /m);
    await ends(t, [], slow, 2, limited('expect:\n  - code: FUNCTION_INVOCATION_FAILED\n    route: /slow\n'));
  });

  test('a stale entry is a warning: 0; when the command failed it says nothing', async (t) => {
    const stale = limited('expect:\n  - {code: URL_TOO_LONG, route: /**}\n');
    assert.match((await ends(t, [], script(`await get('/a')`), 0, stale)).stderr, /^warning: vercel-sim\.yaml:4: URL_TOO_LONG at /m);
    assert.doesNotMatch((await ends(t, [], ['false'], 1, stale)).stderr, /URL_TOO_LONG/);
  });

  test('all mistakes at once, each with its place: 64, and nothing starts', async (t) => {
    const sim = await ends(t, [], ['echo', 'ran'], 64, {files: {'vercel-sim.yaml': `profil: hobby
isolation: wild
set:
  duration.defualt: 1s
expect:
  - code: FUNCTION_INVOCATION_TIMEOUTS
    route: /slow
  - rout: /slow
`}});
    assert.equal(sim.stdout, '');
    assert.equal(sim.stderr, `vercel-sim.yaml:1:1: unknown key "profil": did you mean "profile"?
  1 | profil: hobby
    | ^~~~~~
vercel-sim.yaml:2:12: isolation: expected one of invocation, instance, fluid, none, such as "isolation: none", got "wild"
  2 | isolation: wild
    |            ^~~~
vercel-sim.yaml:4:3: unknown key "duration.defualt": did you mean "duration.default"?
  4 |   duration.defualt: 1s
    |   ^~~~~~~~~~~~~~~~
vercel-sim.yaml:6:11: code: no code is called "FUNCTION_INVOCATION_TIMEOUTS": did you mean "FUNCTION_INVOCATION_TIMEOUT"?
  6 |   - code: FUNCTION_INVOCATION_TIMEOUTS
    |           ^~~~~~~~~~~~~~~~~~~~~~~~~~~~
vercel-sim.yaml:8:5: expect: unknown key "rout": did you mean "route"?
  8 |   - rout: /slow
    |     ^~~~
vercel-sim.yaml:8:5: expect: "code" is missing: say which violation is meant, such as "code: FUNCTION_INVOCATION_TIMEOUT"
  8 |   - rout: /slow
    |     ^
vercel-sim.yaml:8:5: expect: "route" is missing: say where it is meant, such as "route: app/api/slow/route.ts", or "route: /**" for everywhere
  8 |   - rout: /slow
    |     ^
`);
  });

  test('is found beside the package.json above, and in --cwd', async (t) => {
    const dir = write(tempDir(t), {...nextProject(), 'deep/er/x': '', 'vercel-sim.yaml': 'profile: enterprise\n'});
    const sim = program(t, ['test', '--port', '0', '--isolation', 'none', '--', 'true'], {cwd: path.join(dir, 'deep/er')});
    assert.equal((await sim.end()).code, 3, sim.text);
    assert.match(sim.stderr, /\(profile enterprise,/);
  });
});

describe('check', {concurrency: 4}, () => {
  const project = {
    ...nextProject(),
    'app/api/list/route.ts': 'let seen: string[] = [];\nexport async function GET() { seen.push("x"); return Response.json(seen); }\n',
  };

  test('what is no regular file or too large is not looked at, and that is said', async (t) => {
    const dir = write(tempDir(t), {...project, 'app/big.ts': `export const big = "${'x'.repeat(2 << 20)}";\n`});
    execFileSync('mkfifo', [path.join(dir, 'app/pipe.ts')]);
    fs.symlinkSync('nowhere', path.join(dir, 'app/.#route.ts'));
    const sim = program(t, ['check'], {cwd: dir});
    assert.equal((await sim.end()).code, 0, sim.text);
    assert.match(sim.stderr, /^warning: app\/big\.ts and 1 more files are not looked at: larger than 2\.\d+ MB, no regular file or not to be read$/m);
    assert.match(sim.stdout, /app\/api\/list\/route\.ts:1:5: warning: /);
  });

  test('a spelling that git does not have is an error, a variable that only this machine defines a note, whose value nobody prints', async (t) => {
    const dir = write(tempDir(t), {
      ...nextProject(),
      'app/api/list/route.ts': 'import {a} from "../../../lib/Things";\nexport const GET = () => Response.json([a, process.env.SHOP_TOKEN, process.env.PLAN, process.env.FROM_SHELL]);\n',
      'lib/things.ts': 'export const a = 1;\n',
      '.env': 'PLAN=free\n',
      '.env.local': 'export SHOP_TOKEN=very-secret\nPLAN=paid\n',
    });
    execFileSync('git', ['init', '-q', dir]);
    execFileSync('git', ['-C', dir, 'add', '.env', 'lib', 'app']);
    const sim = program(t, ['check', '--no-color'], {cwd: dir, env: {...process.env, FROM_SHELL: 'also-secret'}});
    assert.equal((await sim.end()).code, 2, sim.text);
    assert.match(sim.stdout, /app\/api\/list\/route\.ts:1:17: error: "\.\.\/\.\.\/\.\.\/lib\/Things" names no file for Linux, where the build runs: git has lib\/things\.ts/);
    assert.match(sim.stdout, /:2:\d+: note: only \.env\.local defines SHOP_TOKEN, which is read here/);
    assert.match(sim.stdout, /:2:\d+: note: only this shell defines FROM_SHELL, which is read here/);
    assert.doesNotMatch(sim.text, /very-secret|also-secret|defines PLAN/);
  });

  test('what only the sources say is told and does not fail the test', async (t) => {
    const dir = write(tempDir(t), project);
    const sim = program(t, ['test', '--port', '0', '--isolation', 'none', '--', ...script(`await get('/a')`)], {cwd: dir});
    assert.equal((await sim.end()).code, 0, sim.text);
    assert.match(sim.stderr, /from the sources, not seen to strike in this run[^]*app\/api\/list\/route\.ts:1 {2}module-level-mutable-state/);
  });
});
