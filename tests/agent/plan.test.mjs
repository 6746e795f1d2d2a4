// What an instance has of its plan, and the name of its own deployment, seen by the hooks alone (machine_world.mjs).
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { run } from './machine_world.mjs';

const limited = ['/bin/sh', '-c', 'ulimit -n 128; exec "$@"', 'sh'];
const enforced = { modes: 'descriptors=enforce,descriptors_max=128', through: limited };

describe('file descriptors', () => {
  test('one too many is told at the line that is refused: promises, callbacks, sync, sockets', () => {
    const { told, results } = run(
      {
        'promises.js': "const fsp = require('node:fs/promises');\nexports.leak = async () => { const all = []; for (let i = 0; i < 200; i += 1)\n  all.push(await fsp.open('world.js')); return all.length; };\n",
        'sync.js': "const fs = require('node:fs');\nexports.leak = async () =>\n  fs.openSync('world.js');\n",
        'callback.js': "const fs = require('node:fs');\nexports.leak = () => new Promise((resolve, reject) =>\n  fs.open('world.js', (error) => error ? reject(error) : resolve()));\n",
        'socket.js': "const net = require('node:net');\nexports.leak = () => new Promise((resolve, reject) =>\n  net.connect(Number(process.env.OWN_PORT), '127.0.0.1').on('error', reject).on('connect', resolve));\n",
        'main.js': "module.exports = async ({ outcome }) => { const all = []; for (const { leak } of ['promises', 'sync', 'callback', 'socket'].map((name) => require(`./${name}.js`))) all.push(await outcome(leak)); return all; };\n",
      },
      enforced,
    );
    assert.deepEqual(results.map(({ code }) => code), ['EMFILE', 'EMFILE', 'EMFILE', 'EMFILE']);
    assert.deepEqual(told.map(({ kind, what, refused, source }) => [kind, what, refused, source]), [
      ['descriptors', 'open', true, 'promises.js:3:12'],
      ['descriptors', 'openSync', true, 'sync.js:3:6'],
      ['descriptors', 'open', true, 'callback.js:3:6'],
      ['descriptors', 'connection', true, 'socket.js:3:7'],
    ]);
  });

  test('as many as there are, and other errors, are nobody\'s mistake', () => {
    const { told, results } = run(
      {
        'sound.js': "const fsp = require('node:fs/promises');\nexports.work = async () => { for (let i = 0; i < 300; i += 1) { const file = await fsp.open('world.js'); await file.close(); }\n  await fsp.open('nowhere').catch(() => {}); return 'done'; };\n",
        'main.js': "module.exports = async ({ outcome }) => [await outcome(require('./sound.js').work)];\n",
      },
      enforced,
    );
    assert.deepEqual(results, [{ value: 'done' }]);
    assert.deepEqual(told, []);
  });

  test('under warn they are counted when a request is done, under off not', () => {
    const files = {
      'leak.js': "const fs = require('node:fs');\nexports.leak = async () => { for (let i = 0; i < 200; i += 1) fs.openSync('world.js'); return 'done'; };\n",
      'main.js': "module.exports = async ({ outcome }) => [await outcome(require('./leak.js').leak)];\n",
    };
    const warned = run(files, { modes: 'descriptors=warn,descriptors_max=128' });
    assert.deepEqual(warned.results, [{ value: 'done' }]);
    assert.equal(warned.told.length, 1);
    assert.match(warned.told[0].to, /^2\d\d files and sockets$/);
    assert.deepEqual(run(files, { modes: 'descriptors=off,descriptors_max=128' }).told, []);
  });
});

test('a function is told of as many processors as its plan has, by each way to ask', () => {
  const files = {
    'ask.js': "const os = require('node:os');\nexports.ask = async () => [os.cpus().length, os.availableParallelism(), (await import('node:os')).cpus().length, globalThis.navigator?.hardwareConcurrency ?? 1];\n",
    'main.js': "module.exports = async ({ outcome }) => [await outcome(require('./ask.js').ask)];\n",
  };
  assert.deepEqual(run(files, { modes: 'cpus=1' }).results, [{ value: [1, 1, 1, 1] }]);
  const [{ value: here }] = run(files, { modes: 'cpus=0' }).results;
  assert.equal(here[0], here[2]);
  assert.ok(here[0] >= 1);
});

describe('requests of a function to $VERCEL_URL', () => {
  const bare = "const base = `https://${process.env.VERCEL_URL}`;\nexports.ask = async () => { const res = await fetch(base + '/api/courses'); return [res.status, (await res.text()).slice(0, 4)]; };\n";
  const main = "module.exports = async ({ outcome }) => [await outcome(require('./ask.js').ask)];\n";

  test('without the header they are told, and 401 under enforce', () => {
    const warned = run({ 'ask.js': bare, 'main.js': main }, { modes: 'protection=warn' });
    assert.deepEqual(warned.results, [{ value: [200, 'mine'] }]);
    assert.deepEqual(warned.told.map(({ kind, to, source, doubt, refused }) => [kind, to, source, doubt, refused]), [['protection', `https://localhost:${warned.port}/api/courses`, 'ask.js:2:47', 'mode', false]]);
    const enforced = run({ 'ask.js': bare, 'main.js': main }, { modes: 'protection=enforce' });
    assert.deepEqual(enforced.results, [{ value: [401, 'Depl'] }]);
    assert.deepEqual(enforced.told.map(({ refused }) => refused), [true]);
    assert.deepEqual(run({ 'ask.js': bare, 'main.js': main }, { modes: 'protection=off' }).told, []);
  });

  const kBody = "(res) => { let text = ''; res.on('data', (c) => (text += c)); res.on('end', () => resolve([res.statusCode, text.slice(0, 4)])); }";
  const byRequest = (options, more = '') =>
    `const https = require('node:https');\nconst at = process.env.VERCEL_URL.split(':');\nexports.ask = () => new Promise((resolve, reject) => {\n  const req = https.request(${options}, ${kBody});\n  req.on('error', reject).setTimeout(60_000);\n  ${more}\n  req.end();\n});\n`;
  const kWays = {
    address: "`https://${process.env.VERCEL_URL}/api`",
    // As axios and got ask.
    options: "{ protocol: 'https:', hostname: at[0], port: at[1], path: '/api', agent: new https.Agent({ keepAlive: true }) }",
    both: "new URL(`https://${process.env.VERCEL_URL}/api`), { method: 'POST', headers: { 'content-type': 'text/plain' }, timeout: 60_000 }",
  };

  test('by node:https they are 401 too: an address, options, both, with a body that nobody reads', () => {
    for (const [name, options] of Object.entries(kWays)) {
      const files = { 'ask.js': byRequest(options, name === 'both' ? "req.write('x'.repeat(200_000));" : ''), 'main.js': main };
      const { told, results, port } = run(files, { modes: 'protection=enforce' });
      assert.deepEqual(results, [{ value: [401, 'Depl'] }], name);
      assert.deepEqual(told.map(({ what, to, source, doubt, refused }) => [what, to, source, doubt, refused]), [['request', `https://localhost:${port}/api`, 'ask.js:4:21', '', true]], name);
      const warned = run(files, { modes: 'protection=warn' });
      assert.deepEqual(warned.results, [{ value: [200, 'mine'] }], name);
      assert.deepEqual(warned.told.map(({ doubt, refused }) => [doubt, refused]), [['mode', false]], name);
    }
    const get = "const https = require('node:https');\nexports.ask = () => new Promise((resolve, reject) =>\n  https.get(`https://${process.env.VERCEL_URL}/api`, (res) => { res.resume(); res.on('end', () => resolve(res.statusCode)); }).on('error', reject));\n";
    assert.deepEqual(run({ 'ask.js': get, 'main.js': main }, { modes: 'protection=enforce' }).results, [{ value: 401 }]);
  });

  test('by node:https what is set until the head is written lets them pass, and they name their invocation', () => {
    const passes = "req.setHeader('x-vercel-protection-bypass', 'made');";
    const echo = "module.exports = async ({ sim, outcome }) => { const seen = []; require('node:http').Server.prototype.emit = ((emit) => function (name, req, ...rest) { if (name === 'request') seen.push(req.headers['x-vsim-parent']); return emit.call(this, name, req, ...rest); })(require('node:http').Server.prototype.emit);\n  return [await outcome(require('./ask.js').ask, { call: 'c1' }), seen]; };\n";
    for (const [name, options] of Object.entries(kWays)) {
      const { told, results } = run({ 'ask.js': byRequest(options, passes), 'main.js': echo }, { modes: 'protection=enforce' });
      assert.deepEqual([results, told], [[{ value: [200, 'mine'] }, ['c1.7']], []], name);
    }
  });

  test('with the bypass, the visitor\'s cookies, the name of production, the request\'s own host, or while it is built, they are let alone', () => {
    const asks = {
      secret: "exports.ask = async () => (await fetch(`https://${process.env.VERCEL_URL}/`, { headers: { 'x-vercel-protection-bypass': process.env.VERCEL_AUTOMATION_BYPASS_SECRET } })).status;\n",
      cookies: "exports.ask = async () => (await fetch(`https://${process.env.VERCEL_URL}/`, { headers: { cookie: 'a=b' } })).status;\n",
      production: "exports.ask = async () => (await fetch(`https://${process.env.VERCEL_PROJECT_PRODUCTION_URL ?? process.env.VERCEL_URL}/`)).status;\n",
      host: "exports.ask = async () => { const request = { url: `https://${process.env.VERCEL_URL}/` }; return (await fetch(new URL('/api', request.url))).status; };\n",
    };
    for (const [name, text] of Object.entries(asks)) {
      const { told, results } = run({ 'ask.js': text, 'main.js': main }, { modes: 'protection=enforce', env: { VERCEL_AUTOMATION_BYPASS_SECRET: 'made' } });
      assert.deepEqual([results, told], [[{ value: 200 }], []], name);
    }
    const built = run({ 'ask.js': bare, 'main.js': "module.exports = async ({ outcome }) => [await outcome(require('./ask.js').ask, { isStatic: true })];\n" }, { modes: 'protection=enforce' });
    assert.deepEqual([built.results, built.told], [[{ value: [200, 'mine'] }], []]);
  });
});

test('with the variables of the deployment nothing stands in for what it has: what one names is judged like any address', () => {
  const files = {
    'ask.js': "const net = require('node:net');\nexports.ask = () => new Promise((resolve, reject) => {\n  const url = new URL(process.env.DATABASE_URL);\n  net.connect(Number(url.port), url.hostname).on('error', reject).on('connect', resolve);\n});\n",
    'write.js': "const fs = require('node:fs');\nexports.write = async () => fs.writeFileSync(process.env.STORE + '/x.json', '1');\n",
    'main.js': "module.exports = async ({ outcome }) => [await outcome(require('./ask.js').ask), await outcome(require('./write.js').write)];\n",
  };
  const env = { DATABASE_URL: 'postgres://localhost:9/app', STORE: './public' };
  const modes = 'loopback=warn,disk=enforce';
  const strict = run(files, { modes: `${modes},strict=on`, env });
  assert.deepEqual(strict.results.map(({ code }) => code), ['ECONNREFUSED', 'EROFS']);
  assert.deepEqual(strict.told.map(({ kind, variable, refused, source }) => [kind, variable, refused, source]), [
    ['loopback', undefined, true, 'ask.js:4:7'],
    ['disk', undefined, true, 'write.js:2:32'],
  ]);
  const usual = run(files, { modes: `${modes},strict=off`, env });
  assert.deepEqual(usual.told.map(({ kind, variable, refused }) => [kind, variable, refused]), [['loopback', 'DATABASE_URL', false], ['disk', 'STORE', false]]);
});
