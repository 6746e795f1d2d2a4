// `vercel-sim parity` in front of a stand-in that answers the probes at once: captures, what two of them differ in, and what is refused.
// tests/e2e/parity.test.mjs asks the app itself.
import assert from 'node:assert/strict';
import {execFile} from 'node:child_process';
import {once} from 'node:events';
import fs from 'node:fs';
import http from 'node:http';
import {createRequire} from 'node:module';
import path from 'node:path';
import {test} from 'node:test';
import {kBin, tempDir} from '../integration/world.mjs';

const require = createRequire(import.meta.url);
const {compare, differences, render} = require('../../src/parity/compare.cjs');
const {answerOf, kOutputs} = require('../../src/parity/outputs.cjs');
const {idForm, kProbes, words} = require('../../src/parity/probes.cjs');
const kRows = JSON.parse(fs.readFileSync(new URL('../../docs/fidelity.json', import.meta.url), 'utf8'));

const parity = (dir, args, env = {}) =>
  new Promise((resolve) => {
    execFile(kBin, ['parity', ...args], {cwd: dir, env: {...process.env, ...env}, timeout: 120_000}, (error, stdout, stderr) => resolve({code: error ? error.code : 0, stdout, stderr}));
  });

async function standIn(t, answerOf = () => undefined) {
  const seen = [];
  const server = http.createServer(async (req, res) => {
    seen.push(req);
    await once(req.resume(), 'end');  // who answers before has closed the connection when the rest comes: EPIPE
    const {pathname, searchParams} = new URL(req.url, 'http://x');
    const answer = answerOf(req) ?? (pathname === '/api/parity' ? [200, {parity: 1}] : pathname.startsWith('/api/cut-') && searchParams.get('for') !== '0' ? [504, 'cut'] : [200, {instance: 'one', count: 2, after: 1000, of: null}]);
    const [status, body] = answer;
    res.writeHead(status, {'x-vercel-id': 'fra1::iad1::abcde-1788404659531-3f5e664e07b3', ...(status >= 500 && {'x-vercel-error': 'FUNCTION_INVOCATION_TIMEOUT'})});
    if (searchParams.get('how') === 'stream') res.write('line\n', () => setTimeout(() => res.destroy(), 50));
    else res.end(typeof body === 'string' ? body : JSON.stringify(body));
  });
  server.on('upgrade', (_, socket) => socket.end('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n'));
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  t.after(() => void (server.closeAllConnections(), server.close()));
  return {url: `http://127.0.0.1:${server.address().port}`, seen};
}

test('a capture is written once, has every probe and no secret, and is the same as itself', {timeout: 200_000}, async (t) => {
  const dir = tempDir(t);
  const {url, seen} = await standIn(t);
  const env = {VERCEL_AUTOMATION_BYPASS_SECRET: 'very-secret-indeed'};
  const {code, stdout, stderr} = await parity(dir, ['record', url, '--out', 'a.json'], env);
  assert.equal(code, 0, stderr);
  assert.match(stdout, new RegExp(`^a\\.json: \\d+ of ${kProbes.length} probes answered\n$`));
  assert.ok(seen.every(({headers}) => headers['x-vercel-protection-bypass'] === 'very-secret-indeed'));
  const text = fs.readFileSync(path.join(dir, 'a.json'), 'utf8');
  assert.doesNotMatch(text, /very-secret/);
  const capture = JSON.parse(text);
  assert.deepEqual([capture.host, capture.region], [new URL(url).host, 'iad1']);
  assert.deepEqual(capture.probes.map(({probe}) => probe).sort(), kProbes.map(({name}) => name).sort());
  assert.deepEqual(capture.probes.find(({probe}) => probe === 'cut-of-file').answer, {whole: {status: 504, error: 'FUNCTION_INVOCATION_TIMEOUT', ending: 'complete'}, stream: {status: 504, error: 'FUNCTION_INVOCATION_TIMEOUT', ending: 'broken off', seconds: 0}});

  const again = await parity(dir, ['record', url, '--out', 'a.json']);
  assert.deepEqual([again.code, again.stdout], [64, '']);
  assert.match(again.stderr, /a\.json is there already/);
  assert.equal(fs.readFileSync(path.join(dir, 'a.json'), 'utf8'), text);

  const same = await parity(dir, ['compare', 'a.json', 'a.json']);
  assert.equal(same.code, 0, same.stdout);
  assert.match(same.stdout, /^same {8}A request body over 4\.5 MB is 413$/m);
  assert.match(same.stdout, /the same, 0 differ, /);

  capture.probes.find(({probe}) => probe === 'request-body').answer.above = {status: 413, error: 'FUNCTION_PAYLOAD_TOO_LARGE', ending: 'complete'};
  delete capture.probes.find(({probe}) => probe === 'ipv6').answer;
  capture.probes.find(({probe}) => probe === 'ipv6').unknown = 'no network';
  fs.writeFileSync(path.join(dir, 'b.json'), JSON.stringify(capture));
  const other = await parity(dir, ['compare', 'a.json', 'b.json']);
  assert.equal(other.code, 1);
  assert.match(other.stdout, /^differs {5}A request body over 4\.5 MB is 413\n +request-body above\.status: 200 \| 413\n +request-body above\.error: nothing \| "FUNCTION_PAYLOAD_TOO_LARGE"$/m);
  assert.match(other.stdout, /^not probed {2}IPv6 addresses are not reached {2}\(ipv6: no network\)$/m);
  const {rows} = JSON.parse((await parity(dir, ['compare', 'a.json', 'b.json', '--json'])).stdout);
  assert.deepEqual(rows.filter(({result}) => result === 'differs').map(({id}) => id), ['request-body']);
  assert.deepEqual(rows.map(({id}) => id), kRows.map(({id}) => id));
});

test('what is no app of probes, no capture or no address is said, and nothing is written', async (t) => {
  const dir = tempDir(t);
  const write = (name, value) => fs.writeFileSync(path.join(dir, name), typeof value === 'string' ? value : JSON.stringify(value));
  const empty = await standIn(t, () => [404, 'not here']);
  const behind = await standIn(t, () => [401, 'log in']);
  write('none.json', 'x');
  write('old.json', {parity: 0, probes: []});
  write('wrong.json', {parity: 1, host: 'a', recorded: '2026-01-01', probes: [{probe: 'disk', rows: ['disk']}]});
  write('bare.json', {parity: 1, host: 'a', recorded: '2026-01-01', probes: []});
  write('host.json', {parity: 1, host: '::error::a', recorded: '2026-01-01', probes: []});
  write('version.json', {parity: '\u001b[2J\n::error::b', probes: []});
  for (const [args, code, said] of [
    [['compare', 'host.json', 'bare.json'], 64, /"host" is no host/],
    [['compare', 'version.json', 'bare.json'], 64, /a capture of version \?\[2J\?::error::b;/],
    [['compare', '/dev/zero', 'bare.json'], 64, /cannot read \/dev\/zero: not a regular file/],
    [['record', empty.url], 70, /the app of probes is not at [^]*answered with 404\n {2}fix: deploy/],
    [['record', behind.url], 70, /is protected[^]*fix: .*VERCEL_AUTOMATION_BYPASS_SECRET/],
    [['record', 'http://127.0.0.1:1'], 70, /no answer \(ECONNREFUSED\)/],
    [['record', 'my.vercel.app'], 64, /expects an address that begins with https/],
    [['compare', 'nothing.json', 'none.json'], 64, /cannot read nothing\.json/],
    [['compare', 'none.json', 'none.json'], 64, /none\.json is no capture/],
    [['compare', 'old.json', empty.url], 64, /version 0; .* record it again/],
    [['compare', 'wrong.json', 'bare.json'], 64, /wrong\.json is no capture: probes\[0\] expects/],
    [['compare', 'bare.json', 'bare.json'], 64, /nothing is compared/],
  ]) {
    const done = await parity(dir, args);
    assert.equal(done.code, code, `${args}: ${done.stderr}`);
    assert.match(done.stderr, said);
  }
  assert.deepEqual(fs.readdirSync(dir).sort(), ['bare.json', 'host.json', 'none.json', 'old.json', 'version.json', 'wrong.json']);
});

test('what no request shows is read from what the CLI has printed, in a file that is named for it', async (t) => {
  for (const [name, text, answer] of [
    ['build-fails', '⨯ useSearchParams() should be wrapped in a suspense boundary at page "/variant".', {isRefused: true}],
    ['case', "Module not found: Can't resolve '../../../lib/variant'", {isRefused: true}],
    ['bundle', 'Build Completed in /vercel/output [30s]\nError: A Serverless Function has exceeded the unzipped maximum size of 250 MB.', {isRefused: true, limit: {megabytes: 250}}],
    ['bundle', 'Functions by what tracing finds, of 250.0 MB each:\n  262.0 MB  /api/variant  over the limit: the deployment fails\n', {isRefused: true, limit: {megabytes: 250}}],
    ['bundle', 'Functions by what tracing finds, of 250.0 MB each:\n    3.8 MB  /api/socket\n', {isRefused: false}],
    ['bundle', 'Build Completed in /vercel/output [30s]\nDeployment completed', {isRefused: false}],
    ['edge-bundle', 'Error: The Edge Function "api/variant" size is 4.5 MB and your plan size limit is 1 MB.', {isRefused: true, limit: {megabytes: 1}}],
    ['environment-size', 'Error: The total size of your environment variables must not exceed 64 KB', {isRefused: true, limit: {megabytes: 0.064}}],
    ['case', 'Error: The specified token is not valid', {unknown: 'it failed in other words: Error: The specified token is not valid'}],
    ['case', 'Production: https://x.vercel.app', {unknown: 'it says neither that it was refused nor that it was built'}],
    ['crons', '{"message":"parity-cron method=GET agent=vercel-cron/1.0 schedule=0_5_*_*_* authorization=none"}', {method: 'GET', agent: 'vercel-cron/1.0', schedule: '0_5_*_*_*', authorization: 'none'}],
    ['crons', 'GET /api/parity', {unknown: 'no line that begins with parity-cron: nothing has called the route'}],
  ])
    assert.deepEqual(answerOf(name, text), answer, `${name}: ${text}`);
  for (const {rows} of kOutputs) for (const id of rows) assert.ok(kRows.some((row) => row.id === id), id);

  const dir = tempDir(t);
  fs.mkdirSync(path.join(dir, 'here'));
  fs.writeFileSync(path.join(dir, 'case.log'), "\u001b[31mModule not found: Can't resolve '../../../lib/variant'\u001b[39m");
  fs.writeFileSync(path.join(dir, 'here', 'case.log'), 'Route (app)\n');
  fs.writeFileSync(path.join(dir, 'bundle.log'), 'no such thing');
  const {code, stdout} = await parity(dir, ['record', 'case.log', '--out', 'case.json']);
  assert.deepEqual([code, stdout], [0, 'case.json: 1 of 1 probes answered\n']);
  const {code: differs, stdout: rows} = await parity(dir, ['compare', 'case.json', 'here/case.log']);
  assert.equal(differs, 1);
  assert.match(rows, /^differs {5}File names have case\n +case isRefused: true \| false$/m);
  const nothing = await parity(dir, ['record', 'bundle.log']);
  assert.deepEqual([nothing.code, nothing.stderr], [64, 'error: bundle.log: it says neither that it was refused nor that it was built\n']);
  assert.match((await parity(dir, ['record', 'none.log'])).stderr, /expects an address .*, or a file that is named for what its output is of \(build-fails, case, /);
});

test('what timers and networks add is no difference; ids, hosts and mark-up are nobody\'s promise', () => {
  assert.deepEqual(differences({seconds: 300, a: {megabytes: 500}}, {seconds: 304, a: {megabytes: 525}}), []);
  assert.deepEqual(differences({seconds: 10}, {seconds: 15}), [{item: 'seconds', left: 10, right: 15}]);
  assert.deepEqual(differences({names: ['a', 'b']}, {names: ['b', 'c']}), [{item: 'names', left: ['a'], right: ['c']}]);
  assert.deepEqual(differences({a: null}, {}), [{item: 'a', left: null, right: undefined}]);
  assert.equal(idForm('fra1::iad1::mh9pw-1788404659531-3f5e664e07b3'), 'region::region::id');
  assert.equal(idForm('dev1::k448-1788404659436-bace01b5a9cd'), 'region::id');
  const page = {headers: {'content-type': 'text/html'}, text: '<title>500</title><h1>500: <b>X</b></h1>\n<p>ID: iad1::mh9pw-1788404659531-3f5e664e07b3 at my.host</p>'};
  assert.equal(words(page, 'my.host'), '500: X ID: ID at HOST');
  const capture = (answer) => ({probes: [{probe: 'disk', rows: ['disk'], answer}]});
  const [row] = compare(capture({write: 'done'}), capture({write: 'EROFS'}), [{id: 'disk', says: 'read-only'}]);
  const [odd] = compare(capture({'\n::error::a': '\u009b2J'}), capture({}), [{id: 'disk', says: 'read-only'}]);
  assert.match(render([odd], 'a', 'b'), /^ {14}disk \?::error::a: "\?2J" \| nothing$/m);
  assert.equal(render([row], 'a', 'b'), 'a | b\ndiffers     read-only\n              disk write: "done" | "EROFS"\n0 the same, 1 differs, 0 not probed, of which 0 have no probe\n');
});
