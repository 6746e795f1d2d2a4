// `--record` and `vercel-sim replay` (docs/replay.md): whole requests into a private file, and the same requests once more at another port, on other
// limits. The app here is a small server.
import assert from 'node:assert/strict';
import {randomBytes, createHash} from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import {describe, test} from 'node:test';
import {eventually, program, run, tempDir, write} from './program.mjs';

// /login gives a new session to each; /me wants one that this process gave; /slow?MS; /overlap answers when two of them are there; /echo writes down
// what it got into the file that LOG names; /rogue asks its own app once more, with a mark as a replay sends it, and waits. Where there is a file "changed",
// /slow never answers and writes the file "asked", /fail is slow instead of failing, and /exit ends the process, which does not come back.
const kApp = `
const fs = require('node:fs');
const crypto = require('node:crypto');
const sessions = new Set();
const changed = fs.existsSync('changed');
let waiting = [];
require('node:http').createServer((request, response) => {
  const {pathname, search} = new URL(request.url, 'http://x');
  const chunks = [];
  request.on('data', (data) => chunks.push(data)).on('end', () => {
    const body = Buffer.concat(chunks);
    if (pathname === '/login') {
      const id = crypto.randomUUID();
      sessions.add(id);
      return response.setHeader('set-cookie', 'session=' + id + '; Path=/; HttpOnly').end('in');
    }
    if (pathname === '/me') {
      const known = sessions.has(/session=([\\w-]+)/.exec(request.headers.cookie ?? '')?.[1]);
      return response.writeHead(known ? 200 : 401).end();
    }
    if (pathname === '/slow' && changed) return fs.writeFileSync('asked', '');
    if (pathname === '/exit' && changed) {
      fs.writeFileSync('gone', '');
      process.exit(1);
    }
    if (pathname === '/fail') return changed ? undefined : response.writeHead(500).end();
    if (pathname === '/rogue') {
      const [host, port] = request.headers.host.split(':');
      return require('node:http').get({host, port, path: '/fast', agent: false, headers: {'x-vsim-replay': '0'}}, (answer) => answer.resume().on('end', () => response.end('asked')));
    }
    if (pathname === '/slow') return setTimeout(() => response.end('late'), Number(search.slice(1)));
    if (pathname === '/overlap') {
      waiting.push(response);
      if (waiting.length === 2) for (const one of waiting.splice(0)) one.end('both');
      return;
    }
    if (pathname === '/echo') {
      const {host, origin, referer, 'transfer-encoding': coding} = request.headers;
      fs.appendFileSync(process.env.LOG, JSON.stringify({host, origin, referer, coding, sha: crypto.createHash('sha1').update(body).digest('hex'), size: body.length, internal: Object.keys(request.headers).filter((name) => name.startsWith('x-vsim'))}) + '\\n');
    }
    response.end('app');
  });
}).listen(fs.existsSync('gone') ? 0 : Number(process.env.PORT));
`;
const kArgs = ['--app', 'exec node app.cjs'];

function request(port, target, {method = 'GET', headers = {}, body, chunked} = {}) {
  return new Promise((resolve, reject) => {
    const sent = http.request({host: '127.0.0.1', port, path: target, method, agent: false, headers: {host: `localhost:${port}`, ...headers, ...(body && !chunked ? {'content-length': body.length} : {})}}, (response) => {
      response.resume().on('end', () => resolve({status: response.statusCode, headers: response.headers}));
    });
    sent.on('error', reject);
    if (body) sent.write(body);
    sent.end();
  });
}

// The app, a recording, and `using(port, dir)` while it is recorded.
async function record(t, using, args = ['--profile', 'hobby-fluid']) {
  const dir = write(tempDir(t), {'app.cjs': kApp});
  const env = {LOG: path.join(dir, 'log')};
  const sim = await run(t, [...args, ...kArgs, '--record', 's.jsonl'], {cwd: dir, env});
  await using(sim.port, dir);
  const {code} = await sim.stop();
  assert.equal(code, 0, sim.text);
  const lines = () => fs.readFileSync(path.join(dir, 's.jsonl'), 'utf8').trim().split('\n').map((line) => JSON.parse(line));
  const log = () => fs.readFileSync(env.LOG, 'utf8').trim().split('\n').map((line) => JSON.parse(line));
  return {dir, env, sim, file: path.join(dir, 's.jsonl'), lines, log};
}

async function replay(t, {dir, env}, args, expected) {
  const sim = program(t, ['replay', 's.jsonl', '--port', '0', ...kArgs, ...args], {cwd: dir, env});
  const {code} = await sim.end(60000);
  assert.equal(code, expected, sim.text);
  assert.deepEqual(sim.alive(), []);
  return sim;
}

describe('--record', {concurrency: 4}, () => {
  test('whole requests with their outcomes, for the owner only, and said so', async (t) => {
    const binary = randomBytes(300_000);
    const made = await record(t, async (port) => {
      await request(port, '/echo?token=secret', {method: 'POST', body: binary, headers: {cookie: 'a=1', 'x-custom': 'yes'}});
      await request(port, '/echo', {method: 'PUT', body: Buffer.from('{"text":"ü"}'), chunked: true});
      await request(port, '/_next/static/x.js');
      await request(port, '/_vercel-sim/health');
      assert.equal((await request(port, '/echo', {method: 'POST', body: Buffer.alloc(5_000_000)})).status, 413);
    });
    assert.equal(fs.statSync(made.file).mode & 0o777, 0o600);
    assert.match(made.sim.text, /^recording to s\.jsonl: whole requests, with bodies, cookies and tokens\. Only you can read it \(mode 0600\); do not share it$/m);
    const [about, first, second, third, end] = made.lines();
    assert.equal(about.type, 'recording');
    assert.equal(about.profile, 'hobby-fluid');
    assert.equal(about.url, `http://localhost:${made.sim.port}`);
    assert.deepEqual([first.n, first.method, first.target], [1, 'POST', '/echo?token=secret']);
    assert.ok(Buffer.from(first.body.base64, 'base64').equals(binary));
    assert.ok(first.headers.some(([name, value]) => name === 'cookie' && value === 'a=1'));
    assert.equal(first.outcome.status, 200);
    assert.equal(second.body, '{"text":"ü"}');
    assert.deepEqual(third.outcome.codes, ['FUNCTION_PAYLOAD_TOO_LARGE']);
    assert.deepEqual([third.body, third.body_size, third.body_whole], ['', 5_000_000, false]);
    assert.deepEqual(end, {type: 'end', requests: 3, lost: 0}, "not the dev server's own, not ours");
  });

  test('an earlier recording is written over and loses its mode; anything else stays', async (t) => {
    const dir = write(tempDir(t), {'app.cjs': kApp, 'old.jsonl': '{"type":"recording","format":1}\nmore\n', 'package.json': '{"name":"x"}'});
    fs.chmodSync(path.join(dir, 'old.jsonl'), 0o644);
    fs.symlinkSync('package.json', path.join(dir, 'link'));
    const sim = await run(t, [...kArgs, '--record', 'old.jsonl'], {cwd: dir});
    await sim.stop();
    assert.equal(fs.statSync(path.join(dir, 'old.jsonl')).mode & 0o777, 0o600);
    assert.doesNotMatch(fs.readFileSync(path.join(dir, 'old.jsonl'), 'utf8'), /more/);
    for (const [file, why] of [['package.json', 'there is a file that is no recording, and it stays'], ['link', 'a symbolic link'], ['.', '(Is a directory|not a regular file)'], ['no/where', 'No such file or directory']]) {
      const refused = program(t, ['run', '--port', '0', ...kArgs, '--record', file], {cwd: dir});
      assert.equal((await refused.end()).code, 64);
      assert.match(refused.stderr, new RegExp(`^error: --record ${file.replace('.', '\\.')}: ${why}$`, 'm'));
    }
    assert.equal(fs.readFileSync(path.join(dir, 'package.json'), 'utf8'), '{"name":"x"}');
  });

  test('a run that fails before it begins leaves the earlier recording as it was, and the name free', async (t) => {
    const dir = write(tempDir(t), {'app.cjs': kApp});
    const file = path.join(dir, 's.jsonl');
    const sim = await run(t, [...kArgs, '--record', 's.jsonl'], {cwd: dir, env: {LOG: '/dev/null'}});
    await request(sim.port, '/a');
    const busy = program(t, ['run', '--port', String(sim.port), ...kArgs, '--record', 'other.jsonl'], {cwd: dir});
    assert.equal((await busy.end()).code, 64, busy.text);
    assert.equal(fs.readFileSync(path.join(dir, 'other.jsonl'), 'utf8'), '', 'a name that was not there: nothing is in it');
    await sim.stop();
    const earlier = fs.readFileSync(file, 'utf8');
    const fails = [
      [['run', '--port', '0', '--app', 'exit 3'], 3],
      [['test', '--port', '0', '--app', 'exit 3', '--record', 's.jsonl', '--', 'true'], 70],
    ];
    for (const [args, code] of fails) {
      const failed = program(t, args.includes('--record') ? args : [...args, '--record', 's.jsonl'], {cwd: dir});
      assert.equal((await failed.end()).code, code, failed.text);
      assert.equal(fs.readFileSync(file, 'utf8'), earlier);
    }
    const ended = program(t, ['run', '--port', '0', '--app', 'echo here; sleep 60', '--record', 's.jsonl'], {cwd: dir});
    await ended.says(/here/);
    await ended.stop('SIGINT');
    assert.equal(fs.readFileSync(file, 'utf8'), earlier);
    // And what an older version left of such a run is no file to be kept.
    fs.writeFileSync(file, '{"type":"end","requests":0,"lost":0}\n');
    const again = await run(t, [...kArgs, '--record', 's.jsonl'], {cwd: dir});
    await again.stop();
    assert.deepEqual(fs.readFileSync(file, 'utf8').trim().split('\n').map((line) => JSON.parse(line).type), ['recording', 'end']);
  });

  test('a file that another run records into is refused, and that run goes on', async (t) => {
    const made = await record(t, async (port, dir) => {
      await request(port, '/a');
      const second = program(t, ['run', '--port', '0', ...kArgs, '--record', 's.jsonl'], {cwd: dir});
      assert.equal((await second.end()).code, 64, second.text);
      assert.match(second.stderr, /^error: --record s\.jsonl: another run records into it$/m);
      await request(port, '/b');
    });
    assert.deepEqual(made.lines().map((line) => line.target ?? line.type), ['recording', '/a', '/b', 'end']);
  });

  test('a killed recorder leaves a recording that can be read, without its end', async (t) => {
    const dir = write(tempDir(t), {'app.cjs': kApp});
    const sim = await run(t, [...kArgs, '--record', 's.jsonl'], {cwd: dir, env: {LOG: '/dev/null'}});
    await request(sim.port, '/a');
    await eventually('the request is in the file', () => fs.readFileSync(path.join(dir, 's.jsonl'), 'utf8').includes('"target":"/a"'));
    sim.signal('SIGKILL');
    await sim.end();
    const again = await replay(t, {dir, env: {LOG: '/dev/null'}}, [], 0);
    assert.match(again.stdout, /^1 request recorded on hobby \(as of [\d-]+\); the recording has no end, what came after is missing, replayed on hobby$/m);
    assert.match(again.stdout, /^0 broke, 0 mended, 1 the same$/m);
  });
});

describe('replay', {concurrency: 4}, () => {
  test('what broke, what is listed, and exit code 2; on the recorded limits nothing broke, and 0', async (t) => {
    const made = await record(t, async (port) => {
      await request(port, '/slow?1500', {method: 'POST', body: Buffer.from('x')});
      await request(port, '/fast');
      await request(port, '/echo', {method: 'POST', body: Buffer.alloc(5_000_000)});
      await new Promise((resolve) => {
        const socket = net.connect(port, '127.0.0.1', () => socket.write('GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n'));
        socket.once('data', () => socket.destroy()).once('close', resolve).once('error', resolve);
      });
    });
    const broke = await replay(t, made, ['--profile', 'hobby', '--set', 'duration.default=1s', '--json', 'out.json'], 2);
    assert.match(broke.stdout, /^broke: had worked in the recording\n {2}✗ POST \/slow {2}ok -> FUNCTION_INVOCATION_TIMEOUT {2}\(#1\)$/m);
    assert.match(broke.stdout, /^ {2}- POST \/echo {2}\(#3\)\n {6}its body of 5 MB was refused unread, so it is not in the recording$/m);
    assert.match(broke.stdout, /^ {2}- GET \/ws {2}\(#4\)\n {6}a WebSocket: what was said on it is not in the recording$/m);
    assert.match(broke.stdout, /^1 broke, 0 mended, 1 the same, 2 not sent$/m);
    assert.match(broke.stderr, /^exit code 2: violations$/m);
    const json = JSON.parse(fs.readFileSync(path.join(made.dir, 'out.json'), 'utf8'));
    assert.deepEqual(json.profiles[0].requests.map((r) => r.change), ['broke', 'same', 'not_sent', 'not_sent']);
    assert.equal(json.profiles[0].report.summary.violations, 1);
    await replay(t, made, ['--profile', 'hobby', '--set', 'duration.default=1s', '--fail-on', 'none'], 0);
    const same = await replay(t, made, ['--profile', 'hobby'], 0);
    assert.match(same.stdout, /^0 broke, 0 mended, 2 the same, 2 not sent$/m);
  });

  test('bodies, Host, Origin and Referer arrive as a client at the new port would send them', async (t) => {
    const binary = randomBytes(200_000);
    const made = await record(t, async (port) => {
      const origin = `http://localhost:${port}`;
      await request(port, '/echo', {method: 'POST', body: binary, headers: {origin, referer: origin + '/page'}});
      await request(port, '/echo', {method: 'POST', body: binary, chunked: true, headers: {origin: 'https://elsewhere.example'}});
    });
    const sim = await replay(t, made, [], 0);
    const url = /ready on (http:\/\/(localhost:\d+))/.exec(sim.stderr);
    const sha = createHash('sha1').update(binary).digest('hex');
    const [, , first, second] = made.log();
    assert.deepEqual(first, {host: url[2], origin: url[1], referer: url[1] + '/page', sha, size: binary.length, internal: []});
    assert.deepEqual(second, {host: url[2], origin: 'https://elsewhere.example', coding: 'chunked', sha, size: binary.length, internal: []});
  });

  test('a session that the app gives anew is used, and said; requests that overlapped do so again', async (t) => {
    const made = await record(t, async (port) => {
      const {headers} = await request(port, '/login', {method: 'POST', body: Buffer.from('a=b')});
      const cookie = headers['set-cookie'][0].split(';')[0];
      assert.equal((await request(port, '/me', {headers: {cookie}})).status, 200);
      await Promise.all([request(port, '/overlap'), request(port, '/overlap')]);
    });
    const sim = await replay(t, made, [], 0);
    assert.match(sim.stdout, /^ {2}- cookie session as POST \/login \(request 1\) set it this time {2}\(#2\)$/m);
    assert.match(sim.stdout, /^0 broke, 0 mended, 4 the same$/m);
  });

  test('--profiles: one run after another, one table, and the worst exit code', async (t) => {
    const made = await record(t, (port) => request(port, '/slow?1200'));
    write(made.dir, {'short.yaml': 'extends: hobby\nduration:\n  default: 1s\n'});
    const sim = await replay(t, made, ['--profiles', 'hobby-fluid,./short.yaml', '--json', 'out.json'], 2);
    assert.match(sim.stdout, /^ {2}request +recorded +hobby-fluid +\.\/short\.yaml\n {2}GET \/slow +ok +ok +FUNCTION_INVOCATION_TIMEOUT$/m);
    const {profiles} = JSON.parse(fs.readFileSync(path.join(made.dir, 'out.json'), 'utf8'));
    assert.deepEqual(profiles.map((p) => [p.exit_code, p.counts.broke]), [[0, 0], [2, 1]]);
  });

  test('vercel.json chooses the profile only when none is named', async (t) => {
    const made = await record(t, (port) => request(port, '/fast'));
    write(made.dir, {'vercel.json': '{"fluid": true}'});
    const named = await replay(t, made, ['--profiles', 'hobby,pro', '--json', 'out.json'], 0);
    const {profiles} = JSON.parse(fs.readFileSync(path.join(made.dir, 'out.json'), 'utf8'));
    assert.deepEqual(profiles.map(({profile, report}) => [profile, report.run.profile]), [['hobby', 'hobby'], ['pro', 'pro']]);
    assert.doesNotMatch(named.text, /fluid: true/);
    const chosen = await replay(t, made, ['--json', 'out.json'], 0);
    assert.match(chosen.stderr, /^note: profile hobby-fluid, since vercel\.json says `fluid: true`/m);
    const [only] = JSON.parse(fs.readFileSync(path.join(made.dir, 'out.json'), 'utf8')).profiles;
    assert.deepEqual([only.profile, only.report.run.profile], ['hobby-fluid', 'hobby-fluid']);
  });

  test('what is no recording, or a wrong one, is 64 with its place, and nothing starts', async (t) => {
    const dir = write(tempDir(t), {'app.cjs': kApp, 's.jsonl': '{"type":"recording","format":1,"url":"http://localhost:1"}\n{"type":"request","n":1,"at_ms":0,"method":"GET","target":"/a b"}\n'});
    const wrong = await replay(t, {dir}, [], 64);
    assert.match(wrong.stderr, /^error: s\.jsonl:2:59: request\.target: expected a path and query that begin with \/, without spaces and control characters$/m);
    assert.doesNotMatch(wrong.text, /ready on/);
    fs.writeFileSync(path.join(dir, 's.jsonl'), 'hello\n');
    assert.match((await replay(t, {dir}, [], 64)).stderr, /^error: s\.jsonl:1:1: /m);
  });

  test('Ctrl-C ends it with 130 and leaves nothing', async (t) => {
    const made = await record(t, (port) => request(port, '/slow?1'));
    write(made.dir, {changed: ''});
    const sim = program(t, ['replay', 's.jsonl', '--port', '0', ...kArgs], {cwd: made.dir, env: made.env});
    await eventually('the request is under way', () => fs.existsSync(path.join(made.dir, 'asked')));
    sim.signal('SIGINT');
    assert.equal((await sim.end()).code, 130, sim.text);
    assert.match(sim.stdout, /^ {2}- GET \/slow {2}\(#1\)\n {6}it had not ended when the replay was interrupted$/m);
    assert.deepEqual(sim.alive(), []);
  });

  test('Ctrl-C is 130, also after a profile on which the app did not run', async (t) => {
    const made = await record(t, (port) => request(port, '/slow?1'));
    write(made.dir, {changed: ''});
    const app = '[ -e second ] && exec node app.cjs; : > second; exit 3';
    const sim = program(t, ['replay', 's.jsonl', '--port', '0', '--profiles', 'hobby,pro', '--app', app], {cwd: made.dir, env: made.env});
    await eventually('the request is under way on the second', () => fs.existsSync(path.join(made.dir, 'asked')));
    sim.signal('SIGINT');
    assert.equal((await sim.end()).code, 130, sim.text);
    assert.match(sim.stdout, /^hobby +did not run$/m);
  });

  test('what the edge answers while the app is away has broken, and is not called not sent', async (t) => {
    const made = await record(t, async (port) => {
      await request(port, '/exit');
      await request(port, '/fast');
    });
    write(made.dir, {changed: ''});
    const sim = await replay(t, made, ['--json', 'out.json'], 2);
    assert.match(sim.stdout, /^2 broke, 0 mended, 0 the same$/m);
    const {requests} = JSON.parse(fs.readFileSync(path.join(made.dir, 'out.json'), 'utf8')).profiles[0];
    assert.deepEqual(requests.map((r) => [r.change, r.replayed.broken, r.why_not]), [['broke', true, undefined], ['broke', true, undefined]]);
    assert.equal(requests[1].replayed.status, 503);
  });

  test('a replay that could send nothing is no success, and says why', async (t) => {
    const made = await record(t, async (port) => {
      assert.equal((await request(port, '/echo', {method: 'POST', body: Buffer.alloc(5_000_000)})).status, 413);
    });
    const sim = await replay(t, made, ['--fail-on', 'none'], 70);
    assert.match(sim.stdout, /^0 broke, 0 mended, 0 the same, 1 not sent$/m);
    assert.match(sim.stderr, /^warning: no request of s\.jsonl could be sent, so nothing was tested$/m);
    assert.match(sim.stderr, /^exit code 70: nothing was sent$/m);
    assert.doesNotMatch(sim.stderr, /BASE_URL/);
    const both = await replay(t, made, ['--profiles', 'hobby,pro'], 70);
    assert.match(both.stderr, /^exit code 70: nothing was sent on hobby, pro$/m);
  });

  test('--fail-on broke: what had been broken already, in another way, is listed and no failure', async (t) => {
    const made = await record(t, (port) => request(port, '/fail'));
    write(made.dir, {changed: ''});
    const args = ['--set', 'duration.default=1s'];
    const listed = await replay(t, made, [...args, '--fail-on', 'broke'], 0);
    assert.match(listed.stdout, /^broken in another way\n {2}✗ GET \/fail {2}500 -> FUNCTION_INVOCATION_TIMEOUT {2}\(#1\)$/m);
    await replay(t, made, [...args, '--fail-on', 'violations'], 2);
  });

  test('a request with a mark that another client made up is not taken for one of the recording', async (t) => {
    const made = await record(t, async (port) => {
      await request(port, '/slow?1');
      await request(port, '/rogue');
    });
    write(made.dir, {changed: ''});
    const sim = await replay(t, made, ['--set', 'duration.default=1s'], 2);
    assert.match(sim.stdout, /^ {2}✗ GET \/slow {2}ok -> FUNCTION_INVOCATION_TIMEOUT {2}\(#1\)$/m);
    assert.match(sim.stdout, /^1 broke, 0 mended, 2 the same$/m);
  });
});
