// What of a network a deployment lacks, seen by the hooks alone (machine_world.mjs): requests of a function to its own server, and its connections.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, test } from 'node:test';
import { nextPort, run, world } from './machine_world.mjs';

describe('requests of a function to its own server', () => {
  test('by an address that the file writes out they fail as there: fetch, node:http, at the app\'s line', () => {
    const { told, results, port } = run({
      'page.js': "exports.fetched = async () => (await fetch(`http://localhost:${process.env.OWN_PORT}/api/courses`)).text();\n",
      'old.js': "const http = require('node:http');\nexports.asked = () => new Promise((resolve, reject) =>\n  http.get(`http://127.0.0.1:${process.env.OWN_PORT}/api/x`, (res) => { res.resume(); res.on('end', () => resolve('mine')); }).on('error', reject));\n",
      'main.js': "module.exports = async ({ outcome }) => [await outcome(require('./page.js').fetched), await outcome(require('./old.js').asked)];\n",
    });
    assert.deepEqual(results[0], { code: 'ECONNREFUSED', message: 'fetch failed', cause: `connect ECONNREFUSED 127.0.0.1:${port}` });
    assert.equal(results[1].message, `connect ECONNREFUSED 127.0.0.1:${port}`);
    assert.deepEqual(told.map(({ kind, refused, to, source }) => [kind, refused, to, source]), [
      ['self', true, `http://localhost:${port}/api/courses`, 'page.js:1:38'],
      ['self', true, `http://127.0.0.1:${port}/api/x`, 'old.js:3:8'],
    ]);
  });

  test('by $VERCEL_URL, by the request\'s own host and by what such a file falls back to they pass', () => {
    const { told, results } = run({
      'url.js': "const base = process.env.VERCEL_URL ? `https://${process.env.VERCEL_URL}` : 'http://localhost:3000';\nexports.fetched = async () => (await fetch(base + '/api')).text();\n",
      'host.js': "exports.fetched = async () => { const host = 'localhost:' + process.env.OWN_PORT; const protocol = host.includes('localhost') ? 'http' : 'https';\n  return (await fetch(`${protocol}://${host}/api`)).text(); };\n",
      'main.js': "module.exports = async ({ outcome }) => [await outcome(require('./url.js').fetched), await outcome(require('./host.js').fetched)];\n",
    });
    assert.deepEqual(results, [{ value: 'mine' }, { value: 'mine' }]);
    assert.deepEqual(told, []);
  });

  test('where the address may come from either, it is told as that and passes', () => {
    const { told, results } = run({
      'page.js': "exports.fetched = async (headers) => { const host = headers.get('host') ?? `//localhost:3000`; return (await fetch('http://' + host)).text(); };\n",
      'main.js': "module.exports = async ({ outcome }) => [await outcome(() => require('./page.js').fetched(new Map([['host', 'localhost:' + process.env.OWN_PORT]])))];\n",
    });
    assert.deepEqual(results, [{ value: 'mine' }]);
    assert.deepEqual(told.map(({ doubt, refused }) => [doubt, refused]), [['derived', false]]);
  });

  test('what a variable of the user\'s names is a stand-in', () => {
    const port = nextPort();
    const { told, results } = run(
      {
        'page.js': "exports.fetched = async () => (await fetch(`${process.env.API_URL}/api`)).text();\n",
        'main.js': "module.exports = async ({ outcome }) => [await outcome(require('./page.js').fetched)];\n",
      },
      { env: { API_URL: `http://localhost:${port}` } },
    );
    assert.deepEqual(results, [{ value: 'mine' }]);
    assert.deepEqual(told.map(({ variable, refused }) => [variable, refused]), [['API_URL', false]]);
  });

  test('what a file chooses by NODE_ENV or its like is left alone and remarked on, also where another file asks', () => {
    const { told, results } = run({
      'page.js': "const base = process.env.NODE_ENV === 'production' ? 'https://shop.example' : `http://localhost:${process.env.OWN_PORT}`;\nexports.fetched = async () => (await fetch(base + '/api')).text();\n",
      'main.js': "module.exports = async ({ outcome }) => [await outcome(require('./page.js').fetched)];\n",
    });
    assert.deepEqual(results, [{ value: 'mine' }]);
    assert.deepEqual(told.map(({ doubt, refused, source }) => [doubt, refused, source]), [['only-dev', false, 'page.js:2:38']]);
    const apart = run({
      'lib/config.js': "const isProd = process.env.APP === 'live';\nexports.api = isProd ? 'https://shop.example' : `http://localhost:${process.env.OWN_PORT}`;\n",
      'lib/config.js.map': JSON.stringify({ version: 3, sources: ['lib/config.js'], mappings: '' }),
      'page.js': "const { api } = require('./lib/config.js');\nexports.fetched = async () => (await fetch(api + '/api')).text();\n",
      'main.js': "module.exports = async ({ outcome }) => [await outcome(require('./page.js').fetched)];\n",
    });
    assert.deepEqual(apart.results, [{ value: 'mine' }]);
    assert.deepEqual(apart.told.map(({ doubt, refused, source }) => [doubt, refused, source]), [['only-dev', false, 'lib/config.js']]);
  });

  test('under warn it is told and passes, under off not looked at', () => {
    const files = {
      'page.js': "exports.fetched = async () => (await fetch(`http://localhost:${process.env.OWN_PORT}/api`)).text();\n",
      'main.js': "module.exports = async ({ outcome }) => [await outcome(require('./page.js').fetched)];\n",
    };
    const warned = run(files, { modes: 'self=warn' });
    assert.deepEqual([warned.results[0].value, warned.told[0].doubt, warned.told[0].refused], ['mine', 'mode', false]);
    const off = run(files, { modes: 'self=off' });
    assert.deepEqual([off.results[0].value, off.told], ['mine', []]);
  });

  test('one that a module makes while it is loaded belongs to the first request', () => {
    const { told, results } = run({
      'early.js': "exports.early = fetch(`http://localhost:${process.env.OWN_PORT}/api`).catch((error) => error.cause.code);\n",
      'main.js': "const early = require('./early.js');\nmodule.exports = async ({ outcome }) => [await outcome(() => early.early)];\n",
    });
    assert.equal(results[0].value, 'ECONNREFUSED');
    assert.deepEqual(told.map(({ id, refused }) => [id, refused]), [[7, true]]);
  });
});

describe('connections of a function to its own server', () => {
  const socket = (to) => `const net = require('node:net');\nexports.asked = () => new Promise((resolve, reject) => { const s = net.connect(${to}); s.on('connect', () => { s.destroy(); resolve('open'); }); s.on('error', reject); });\n`;
  const main = "module.exports = async ({ outcome }) => [await outcome(require('./page.js').asked)];\n";
  const kPort = 'Number(process.env.OWN_PORT)';
  const told = (done) => done.told.map(({ kind, what, to, source, doubt, refused, variable }) => [kind, what, to.replace(done.port, 'PORT'), source?.replace(/:\d+$/, ''), ...(variable ? [variable] : [doubt, refused])]);

  test('by a socket of its own, HTTP/2 and a request with a connection of its own they fail as there', () => {
    const ways = {
      "const http = require('node:http');\nexports.asked = () => new Promise((resolve, reject) => http.get({ port: process.env.OWN_PORT, agent: false }, (res) => resolve(res.resume().statusCode)).on('error', reject));\n": ['http://localhost:PORT/', 'page.js:2'],
      [socket(`${kPort}, '127.0.0.1'`)]: ['127.0.0.1:PORT', 'page.js:2'],
      [socket(`{ port: ${kPort} }`)]: ['localhost:PORT', 'page.js:2'],
      "const http2 = require('node:http2');\nexports.asked = () => new Promise((resolve, reject) => { const s = http2.connect(`http://localhost:${process.env.OWN_PORT}`); s.on('connect', () => { s.destroy(); resolve('open'); }); s.on('error', reject); });\n": ['localhost:PORT', 'page.js:2'],
      "const http = require('node:http'), net = require('node:net');\nexports.asked = () => new Promise((resolve, reject) => http.get({ host: '127.0.0.1', port: process.env.OWN_PORT, createConnection: (to) => net.connect(to) }, (res) => resolve(res.resume().statusCode)).on('error', reject));\n": ['127.0.0.1:PORT', 'page.js:2'],
    };
    for (const [page, [to, source]] of Object.entries(ways)) {
      const done = run({ 'page.js': page, 'main.js': main });
      assert.deepEqual(done.results, [{ code: 'ECONNREFUSED', message: `connect ECONNREFUSED 127.0.0.1:${done.port}` }]);
      assert.deepEqual(told(done).map(([kind, , ...more]) => [kind, ...more]), [['self', to, source, '', true]]);
      assert.deepEqual(told(run({ 'page.js': page, 'main.js': main }, { modes: 'self=warn' })).map(([, , , , doubt]) => doubt), ['mode']);
    }
  });

  test('with the host of $VERCEL_URL or of the request they pass, and what a fetch or a request opens is judged once', () => {
    const parts = "const [host, port] = process.env.VERCEL_URL.split(':');\n";
    assert.deepEqual(run({ 'page.js': parts + socket('port, host'), 'main.js': main }).results, [{ value: 'open' }]);
    const both = "const http = require('node:http');\nexports.asked = async () => { await fetch(`http://localhost:${process.env.OWN_PORT}/a`);\n  return new Promise((resolve, reject) => http.get(`http://127.0.0.1:${process.env.OWN_PORT}/b`, (res) => res.resume().on('end', () => resolve('open'))).on('error', reject)); };\n";
    assert.deepEqual(told(run({ 'page.js': both, 'main.js': main }, { modes: 'self=warn' })).map(([, what, to]) => [what, to]), [['fetch', 'http://localhost:PORT/a'], ['request', 'http://127.0.0.1:PORT/b']]);
  });

  // What the test's machine calls itself, beneath the hooks.
  const names = `const fs = require('node:fs'), dns = require('node:dns'); const { readFileSync } = fs, { lookup } = dns;
fs.readFileSync = (file, ...rest) => (file === '/etc/hosts' ? '127.0.0.1 localhost\\n127.0.1.1 shop.test www.shop.com # here\\n10.0.0.1 far.test\\n' : readFileSync(file, ...rest));
dns.lookup = (host, options, done) => (/^(shop\\.test|www\\.shop\\.com|here\\.dns\\.com)$/.test(host) ? process.nextTick(done, null, ...(options.all ? [[{ address: '127.0.0.1', family: 4 }]] : ['127.0.0.1', 4])) : lookup(host, options, done));
`.replaceAll('\\\\', '\\');
  const fetched = (host, port = '${process.env.OWN_PORT}') => `exports.asked = async () => (await fetch(\`http://${host}:${port}/x\`)).text();\n`;
  const here = (page, options) => run({ 'world.js': names + world, 'page.js': page, 'main.js': main }, options);

  test('by a name of /etc/hosts: one that no DNS has is not found, one that it may have is a stand-in; by one that DNS leads here it is refused', () => {
    const own = here(fetched('shop.test'));
    assert.equal(own.results[0].cause, 'getaddrinfo ENOTFOUND shop.test');
    assert.deepEqual(told(own), [['self', 'fetch', 'http://shop.test:PORT/x', 'page.js:1', 'hosts', true]]);
    const standIn = here(fetched('www.shop.com'));
    assert.deepEqual(standIn.results, [{ value: 'mine' }]);
    assert.deepEqual(told(standIn), [['self', 'fetch', 'http://www.shop.com:PORT/x', 'page.js:1', '/etc/hosts']]);
    const byDns = here(fetched('here.dns.com'));
    assert.equal(byDns.results[0].cause, `connect ECONNREFUSED 127.0.0.1:${byDns.port}`);
    assert.deepEqual(told(byDns), [['self', 'connection', 'here.dns.com:PORT', 'page.js:1', '', true]]);
  });

  test('so are other ports by such a name', () => {
    assert.deepEqual(told(here(socket("9, 'shop.test'"))), [['loopback', 'connection', 'shop.test:9', 'page.js:2', 'hosts', false]]);
    assert.deepEqual(told(here(socket("9, 'www.shop.com'"))), [['loopback', 'connection', 'www.shop.com:9', undefined, '/etc/hosts']]);
    assert.deepEqual(told(here(socket("9, 'here.dns.com'"))), [['loopback', 'connection', 'here.dns.com:9', 'page.js:2', 'mode', false]]);
    assert.equal(here(socket("9, 'shop.test'"), { modes: 'loopback=enforce' }).results[0].code, 'ENOTFOUND');
  });
});

describe('connections of a function', () => {
  const connects = (to) => `const net = require('node:net');\nexports.connected = () => new Promise((resolve, reject) => { const s = net.connect(${to}); s.on('connect', () => { s.destroy(); resolve('open'); }); s.on('error', reject); });\n`;
  const main = "module.exports = async ({ outcome }) => [await outcome(require('./db.js').connected)];\n";

  test('another loopback port is told once it is not the instance\'s own, and refused under enforce', () => {
    const warned = run({ 'db.js': connects('1, "127.0.0.1"'), 'main.js': main });
    assert.deepEqual(warned.told.map(({ kind, to, doubt, source }) => [kind, to, doubt, source]), [['loopback', '127.0.0.1:1', 'mode', 'db.js:2:76']]);
    const refused = run({ 'db.js': connects('{ port: 5432, host: "localhost" }'), 'main.js': main }, { modes: 'loopback=enforce' });
    assert.deepEqual([refused.results[0].message, refused.told[0].refused], ['connect ECONNREFUSED 127.0.0.1:5432', true]);
  });

  test('what OpenTelemetry sends by itself where no collector is, is dropped here as there; what one takes, and what another package connects to, is told', async () => {
    const later = (port) => `const net = require('node:net');\nexports.flushed = () => new Promise((done) => setTimeout(() => net.connect(${port}, 'localhost').on('error', () => done('dropped')).on('connect', function () { this.destroy(); done('taken'); })));\n`;
    const flush = (name, port) => {
      const file = `node_modules/${name}/index.js`;
      return run({ [file]: later(port), 'main.js': `module.exports = async ({ outcome }) => [await outcome(require('./${file}').flushed)];\n` });
    };
    for (const [name, count] of [['@opentelemetry/exporter', 0], ['@vercel/otel', 0], ['monitor', 1]]) {
      const { told, results } = flush(name, 4318);
      assert.deepEqual(results, [{ value: 'dropped' }]);
      assert.equal(told.length, count, name);
    }
    const collector = createServer().listen(0, 'localhost');
    await once(collector, 'listening');
    const { told, results } = flush('@opentelemetry/exporter', collector.address().port);
    collector.close();
    assert.deepEqual([results, told.length], [[{ value: 'taken' }], 1]);
    // No line of the app's has asked: the package is named, and no place in it.
    assert.deepEqual([told[0].what, told[0].at, told[0].source], ['connection (by the package @opentelemetry/exporter)', undefined, undefined]);
    assert.equal(run({ 'db.js': connects('4318, "localhost"'), 'main.js': main }).told.length, 1);
  });

  test('a server that the instance or a child of it has started is its own', () => {
    const child = "const s = require('node:net').createServer((c) => c.end()).listen(0, '127.0.0.1', () => console.log(s.address().port))";
    const own = "const net = require('node:net');\nconst { spawn } = require('node:child_process');\nconst open = (port) => new Promise((resolve, reject) => { const s = net.connect(port, '127.0.0.1'); s.on('connect', () => { s.destroy(); resolve('open'); }); s.on('error', reject); });\n" +
      "exports.here = () => new Promise((resolve, reject) => { const s = net.createServer((c) => c.end()).listen(0, '127.0.0.1', () => open(s.address().port).then(resolve, reject)); });\n" +
      `exports.there = () => new Promise((resolve, reject) => { const c = spawn(process.execPath, ['-e', ${JSON.stringify(child)}]); c.stdout.once('data', (d) => open(Number(d)).then((v) => { c.kill(); resolve(v); }, reject)); });\n`;
    const { told, results } = run({ 'own.js': own, 'main.js': "module.exports = async ({ outcome }) => [await outcome(require('./own.js').here), await outcome(require('./own.js').there)];\n" }, { modes: 'loopback=enforce' });
    assert.deepEqual(results, [{ value: 'open' }, { value: 'open' }]);
    assert.deepEqual(told, []);
  });

  test('a database that a variable names is a stand-in, with its port, without one, or by its host alone', () => {
    for (const env of [{ DATABASE_URL: 'postgres://me:secret@localhost:1/db' }, { DATABASE_URL: 'postgres://localhost/db' }, { PGHOST: '127.0.0.1' }]) {
      const { told } = run({ 'db.js': connects('1, "127.0.0.1"'), 'main.js': main }, { env });
      assert.deepEqual(told.map(({ variable, refused }) => [variable, refused]), [[Object.keys(env)[0], false]]);
    }
  });

  test('public IPv6 addresses and hosts that have no other are told, and unreachable under enforce; others are not', () => {
    const literal = run({ 'db.js': connects('5432, "2600:1f18::1"'), 'main.js': main }, { modes: 'ipv6=enforce' });
    assert.deepEqual([literal.results[0].message, literal.told[0].to], ['connect ENETUNREACH 2600:1f18::1:5432', '[2600:1f18::1]:5432']);
    // Names are answered by a resolver of the test's, beneath the hook.
    const names = "const dns = require('node:dns');\nconst known = dns.lookup;\ndns.lookup = (host, ...rest) => (host.endsWith('.example') ? rest.at(-1)(null, { 'db.six.example': [{ address: '2600:1f18::1', family: 6 }],\n" +
      "  'both.example': [{ address: '2600:1f18::1', family: 6 }, { address: '192.0.2.1', family: 4 }], 'lan.example': [{ address: 'fd00::1', family: 6 }] }[host]) : known(host, ...rest));\n";
    const asks = "const dns = require('node:dns');\nexports.looked = (host) => new Promise((resolve, reject) => dns.lookup(host, { all: true }, (error, all) => (error ? reject(error) : resolve(all.length))));\n";
    const mainOfNames = "module.exports = async ({ outcome }) => { const { looked } = require('./looks.js'); return [await outcome(() => looked('db.six.example')), await outcome(() => looked('both.example')), await outcome(() => looked('lan.example'))]; };\n";
    const { results, told } = run({ 'world.js': names + world, 'looks.js': asks, 'main.js': mainOfNames }, { modes: 'ipv6=enforce' });
    assert.deepEqual([results[0].code, results[1].value, results[2].value], ['ENETUNREACH', 2, 1]);
    assert.deepEqual(told.map(({ to, source }) => [to, source?.split(':')[0]]), [['db.six.example (2600:1f18::1)', 'looks.js']]);
  });

  test('so are those that a connection asks of one family, or for one address', () => {
    const names = "const dns = require('node:dns');\nconst known = dns.lookup;\nconst all = { 'db.six.example': [['2600:1f18::1', 6]], 'both.example': [['2600:1f18::1', 6], ['192.0.2.1', 4]] };\ndns.lookup = (host, options, done) => { const found = all[host]?.find(([, family]) => !options.family || options.family === family);\n" +
      "  return !all[host] ? known(host, options, done) : found ? process.nextTick(done, null, ...found) : process.nextTick(done, new Error('none')); };\n";
    const opened = (host, more) => `const net = require('node:net');\nexports.connected = () => new Promise((resolve, reject) => net.connect({ host: '${host}', port: 9, ${more} }).on('connect', resolve).on('error', reject));\n`;
    const go = (host, more) => run({ 'world.js': names + world, 'db.js': opened(host, more), 'main.js': main }, { modes: 'ipv6=enforce' });
    for (const [host, more] of [['db.six.example', 'family: 6'], ['both.example', 'family: 6'], ['db.six.example', 'autoSelectFamily: false']]) {
      const { told, results } = go(host, more);
      assert.deepEqual([results[0].code, ...told.map(({ to }) => to)], ['ENETUNREACH', `${host} (2600:1f18::1)`], `${host} ${more}`);
    }
    const looks = "const dns = require('node:dns');\nexports.connected = () => new Promise((resolve, reject) => dns.lookup('both.example', {}, (error, address) => (error ? reject(error) : resolve(address))));\n";
    const both = run({ 'world.js': names + world, 'db.js': looks, 'main.js': main }, { modes: 'ipv6=enforce' });
    assert.deepEqual([both.told, both.results], [[], [{ value: '2600:1f18::1' }]]);
  });

  test('port 25 is told, and never answers under enforce', () => {
    const { told, results } = run(
      {
        'mail.js': "const net = require('node:net');\nexports.sent = () => new Promise((resolve) => { const s = net.connect(25, '192.0.2.1'); s.setTimeout(50, () => { s.destroy(); resolve('waited'); }); s.on('error', resolve); });\n",
        'main.js': "module.exports = async ({ outcome }) => [await outcome(require('./mail.js').sent)];\n",
      },
      { modes: 'smtp=enforce' },
    );
    assert.deepEqual([results[0].value, told[0].kind, told[0].to, told[0].refused], ['waited', 'smtp', '192.0.2.1:25', true]);
  });
});
