// What the machine of a deployment lacks, seen by the hooks alone: a process of its own for each case, with an app of a few files and no Next.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { agent, nextPort, run, world } from './machine_world.mjs';

const nextDist = path.join(import.meta.dirname, 'next16/node_modules/next/dist');

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

describe('writes of a function', () => {
  const ways = {
    'writeFile of promises': "fsp.writeFile('./data.json', '1')",
    'writeFileSync': "fs.writeFileSync('data.json', '1')",
    'writeFile': "called((done) => fs.writeFile('data.json', '1', done))",
    'appendFile': "fsp.appendFile('./public/there.txt', '1')",
    'open for writing': "fsp.open('./data.json', 'w')",
    'open by numbers': "fs.openSync('data.json', fs.constants.O_WRONLY | fs.constants.O_CREAT)",
    'a stream': "pipeline(Readable.from(['1']), fs.createWriteStream('./data.bin'))",
    'a new folder': "fsp.mkdir('./uploads', { recursive: true })",
    'mkdtemp': "fsp.mkdtemp('./work-')",
    'rename': "fsp.rename('./public/there.txt', './public/moved.txt')",
    'unlink': "fsp.unlink('./public/there.txt')",
    'rm': "fsp.rm('./public', { recursive: true })",
    'copyFile': "fsp.copyFile('./public/there.txt', './copy.txt')",
    'cp': "fsp.cp('./public', './copies', { recursive: true })",
    'truncate': "fsp.truncate('./public/there.txt')",
    'symlink': "fsp.symlink('./public', './link')",
    'utimes': "fsp.utimes('./public/there.txt', 1, 1)",
    'by an absolute path': "fsp.writeFile(require('node:path').join(process.cwd(), 'data.json'), '1')",
    'by a URL': "fsp.writeFile(require('node:url').pathToFileURL(__dirname + '/data.json'), '1')",
  };
  const head = "const fs = require('node:fs');\nconst fsp = require('node:fs/promises');\nconst os = require('node:os');\nconst { pipeline } = require('node:stream/promises');\nconst { Readable } = require('node:stream');\nconst called = (take) => new Promise((resolve, reject) => take((error, value) => (error ? reject(error) : resolve(value))));\n";
  const appOf = (actions) => ({
    'public/there.txt': 'there',
    'route.js': `${head}module.exports = {\n${Object.entries(actions).map(([name, action]) => `${JSON.stringify(name)}: async () => ${action},`).join('\n')}\n};\n`,
    'main.js': "module.exports = async ({ outcome }) => { const out = {}; for (const [name, action] of Object.entries(require('./route.js'))) out[name] = await outcome(action); out.left = require('node:fs').readdirSync(__dirname).sort().join(' ') + ' ' + require('node:fs').readdirSync(__dirname + '/public').join(' '); return out; };\n",
  });

  test('each way fails with the error of there, at its line, and nothing is written', () => {
    const { told, results } = run(appOf(ways));
    for (const [index, name] of Object.keys(ways).entries()) {
      assert.equal(results[name].code, name === 'a new folder' ? 'ENOENT' : 'EROFS', name);
      assert.match(results[name].message, /^(EROFS: read-only file system|ENOENT: no such file or directory), [a-z]+ '\/var\/task\/[\w./-]+'/, name);
      assert.match(told[index]?.source ?? '', new RegExp(`^route\\.js:${8 + index}:`), name);
      assert.deepEqual([told[index].kind, told[index].refused], ['disk', true], name);
    }
    assert.equal(told.length, Object.keys(ways).length);
    assert.equal(results['a stream'].message, "EROFS: read-only file system, open '/var/task/data.bin'");
    assert.equal(results.left, 'main.js public route.js world.js there.txt');
  });

  test('reading, /tmp, a folder that is there and a file that is not are as ever', () => {
    const { told, results } = run(
      appOf({
        read: "fsp.readFile('./public/there.txt', 'utf8')",
        stream: "(async () => { let all = ''; for await (const part of fs.createReadStream('./public/there.txt')) all += part; return all; })()",
        temporary: "(async () => { const dir = await fsp.mkdtemp(os.tmpdir() + '/vsim-w-'); await fsp.writeFile(dir + '/a', '1'); await fsp.rm(dir, { recursive: true }); return 'ok'; })()",
        null: "fsp.writeFile('/dev/null', '1')",
        folder: "fsp.mkdir('./public', { recursive: true })",
        gone: "fsp.rm('./nothing', { force: true })",
        missing: "fsp.unlink('./nothing')",
        probe: "fsp.access('./public/there.txt', fs.constants.W_OK)",
      }),
    );
    assert.deepEqual([results.read.value, results.stream.value, results.temporary.value], ['there', 'there', 'ok']);
    assert.ok('value' in results.folder || !results.folder.code);
    assert.deepEqual([results.missing.code, results.probe.code, results.gone.code, results.null.code], ['ENOENT', 'EROFS', undefined, undefined]);
    assert.deepEqual(told, []);
  });

  test('what a package writes, what a file with NODE_ENV writes, what a variable names and what a build may write are told and pass', () => {
    const files = {
      'node_modules/store/index.js': "exports.save = (name) => require('node:fs').promises.writeFile(name, '1');\n",
      'a.js': "exports.a = () => require('store').save('./by-package.json');\n",
      'b.js': "exports.b = async () => { if (process.env.NODE_ENV !== 'production') require('node:fs').writeFileSync('./debug.json', '1'); };\n",
      'c.js': "exports.c = async () => require('node:fs').writeFileSync(process.env.UPLOAD_DIR + '/x.bin', '1');\n",
      'd.js': "exports.d = async () => require('node:fs').writeFileSync('./public/feed.xml', '1');\n",
      'public/there.txt': '',
      'up/there.txt': '',
      'main.js': "module.exports = async ({ outcome }) => [await outcome(require('./a.js').a), await outcome(require('./b.js').b), await outcome(require('./c.js').c), await outcome(require('./d.js').d, { isStatic: true })];\n",
    };
    const { told, results } = run(files, { env: { UPLOAD_DIR: './up' } });
    assert.deepEqual(results.map(({ code }) => code), [undefined, undefined, undefined, undefined]);
    assert.deepEqual(told.map(({ doubt, variable, refused }) => [doubt, variable, refused]), [['package', undefined, false], ['only-dev', undefined, false], ['', 'UPLOAD_DIR', false]]);
  });

  test('under warn it is told and passes, under off not looked at', () => {
    const one = { write: "fsp.writeFile('./data.json', '1')" };
    const warned = run(appOf(one), { modes: 'disk=warn' });
    assert.deepEqual([warned.results.write.code, warned.told[0].doubt, warned.told.length], [undefined, 'mode', 1]);
    const off = run(appOf(one), { modes: 'disk=off' });
    assert.deepEqual([off.results.write.code, off.told], [undefined, []]);
  });
});

describe('reads of the project', () => {
  const modes = 'reads=warn';
  const more = "{ page: '/a/route', kind: 'APP_ROUTE', file: 'app/a/route.js' }";
  const reader = `const fs = require('node:fs'); const path = require('node:path');
exports.all = async () => {
  fs.readFileSync(path.join(__dirname, 'a.txt'));
  fs.readFileSync(path.join(__dirname, 'a.txt'));
  await fs.promises.readFile('b.txt', 'utf8');
  await new Promise((done) => fs.readFile(path.join(__dirname, 'c.txt'), done));
  await fs.createReadStream(path.join(__dirname, 'd.txt')).toArray();
  await (await fs.promises.open('e.txt')).close();
  fs.readdirSync('folder');
};
exports.none = async () => {
  fs.readFileSync('/etc/hostname');
  fs.writeFileSync(path.join(require('node:os').tmpdir(), 'vsim-written'), '');
  try { fs.readFileSync('not-there.txt'); } catch {}
  fs.readFileSync('package.json'); fs.readFileSync('.env.local');
  fs.readFileSync('node_modules/x/index.js');
  require('x')(path.join(__dirname, '.next/server/a.js'));
};
`;
  const files = { 'read.js': reader, 'folder/x.txt': '', 'package.json': '{}', '.env.local': '', '.next/server/a.js': '', 'node_modules/x/index.js': "module.exports = (file) => require('node:fs').readFileSync(file);\n", ...Object.fromEntries([...'abcde'].map((name) => [`${name}.txt`, ''])) };

  test('are asked about once a function and file, at the line that reads: sync, promises, callbacks, streams, descriptors, folders', () => {
    const { told } = run({ ...files, 'main.js': `module.exports = async ({ outcome }) => [await outcome(require('./read.js').all, ${more}), await outcome(require('./read.js').all, ${more})];\n` }, { modes });
    const at = (line) => told[0].reads.find(([, , place]) => place.startsWith(`read.js:${line}:`))?.slice(0, 2).join(' ');
    assert.equal(told.length, 1);
    assert.deepEqual([told[0].name, told[0].page, told[0].entry, told[0].reads.length], ['readAtRunTime', '/a/route', 'app/a/route.js', 6]);
    assert.deepEqual([3, 5, 6, 7, 8, 9].map(at), ['readFile a.txt', 'readFile b.txt', 'readFile c.txt', 'createReadStream d.txt', 'open e.txt', 'readdir folder']);
    assert.deepEqual(told[0].reads.map(([, , , directory]) => directory), [false, false, false, false, false, true]);
  });

  test('of packages, of the build, of what is not there or not of the project, and of pages that are made at build are not', () => {
    const { told } = run({ ...files, 'main.js': `module.exports = async ({ outcome }) => [await outcome(require('./read.js').none, ${more}), await outcome(require('./read.js').all, { ...${more}, isStatic: true })];\n` }, { modes });
    assert.deepEqual(told, []);
  });

  test('by a path that a variable names, and in a file that chooses by NODE_ENV, are let alone', () => {
    const named = "const fs = require('node:fs');\nexports.all = async () => fs.readFileSync(process.env.DATA_FILE);\n";
    const chosen = "const fs = require('node:fs');\nexports.all = async () => (process.env.NODE_ENV === 'production' ? 0 : fs.readFileSync('a.txt'));\n";
    const main = `module.exports = async ({ outcome }) => [await outcome(require('./named.js').all, ${more}), await outcome(require('./chosen.js').all, ${more})];\n`;
    assert.deepEqual(run({ ...files, 'named.js': named, 'chosen.js': chosen, 'main.js': main }, { modes, env: { DATA_FILE: './folder/x.txt' } }).told, []);
  });
});

describe('reads of what was found missing', () => {
  const files = {
    'templates/a.txt': 'a',
    'page.js': `const fs = require('node:fs'), fsp = fs.promises;
exports.promise = async () => fsp.readFile('templates/a.txt', 'utf8');
exports.sync = async () => fs.readFileSync('templates/a.txt', 'utf8');
exports.callback = () => new Promise((resolve, reject) => fs.readFile('templates/a.txt', 'utf8', (error, text) => (error ? reject(error) : resolve(text))));
exports.stream = async () => { let all = ''; for await (const part of fs.createReadStream('templates/a.txt')) all += part; return all; };
exports.folder = async () => fs.readdirSync('templates').length;
`,
    'b.js': "exports.other = async () => process.env.NODE_ENV === 'production' ? '' : require('node:fs').readFileSync('templates/a.txt', 'utf8');\n",
    'main.js': `const { promise, sync, callback, stream, folder } = require('./page.js');
module.exports = async ({ sim, outcome }) => {
  sim.takeTraced({ untraced: ['/mail templates/a.txt', '/mail templates'], traced: [] });
  const out = [];
  for (const call of [promise, sync, callback, stream, folder]) out.push(await outcome(call, { page: '/mail' }));
  const others = [await outcome(promise, { page: '/other' }), await outcome(promise, { page: '/mail', isStatic: true }), await outcome(require('./b.js').other, { page: '/mail' })];
  sim.takeTraced({ untraced: [], traced: [] });
  return { out, others: [...others, await outcome(promise, { page: '/mail' })] };
};
`,
  };

  test('fail under enforce with the words of there, however they are read; other functions, development and the build read on', () => {
    const { results } = run(files, { modes: 'reads=enforce' });
    const missing = (syscall, name) => ({ code: 'ENOENT', message: `ENOENT: no such file or directory, ${syscall} '/var/task/${name}'` });
    assert.deepEqual(results.out, [...Array(4).fill(missing('open', 'templates/a.txt')), missing('scandir', 'templates')]);
    assert.deepEqual(results.others.map(({ value }) => value), ['a', 'a', 'a', 'a']);
    assert.deepEqual(run(files, { modes: 'reads=warn' }).results.out.map(({ value }) => value), ['a', 'a', 'a', 'a', 1]);
  });

  const first = {
    'templates/a.txt': 'a',
    'posts/b.md': 'b',
    'app/a/route.js': `import fs from 'node:fs';
import path from 'node:path';
const parts = (name) => ['templates', name];
export const GET = () => fs.readFileSync([process.cwd(), ...parts('a.txt')].join('/'), 'utf8');
export const POST = () => fs.readFileSync(path.join(process.cwd(), 'posts', 'b.md'), 'utf8');
`,
    'compiled.js': `const fs = require('node:fs'), path = require('node:path');
exports.untraced = () => fs.readFileSync('templates/a.txt', 'utf8');
exports.traced = () => fs.promises.readFile('posts/b.md', 'utf8');
`,
    'main.js': `const { untraced, traced } = require('./compiled.js');
module.exports = async ({ sim, outcome }) => {
  const paused = [];
  const more = { page: '/a/route', kind: 'APP_ROUTE', file: 'app/a/route.js', compileStarted: () => paused.push('start'), compileEnded: () => paused.push('end') };
  sim.running = new Map([[1, 1], [2, 2]]);
  const shared = await outcome(untraced, { ...more, page: '/other/route' });
  sim.running = new Map([[1, 1]]);
  return { shared, alone: [await outcome(() => [1, 2].map(() => { try { return untraced(); } catch (error) { return error.message; } }), more), await outcome(traced, more), await outcome(traced, more)], paused };
};
`,
  };

  test('fail at the first read too, while the function waits for the answer and its clock stands still; not where others wait with it', { skip: !existsSync(nextDist) && 'tests/agent/next16 is not installed' }, () => {
    const { told, results } = run(first, { modes: 'reads=enforce', env: { NEXT_DIST: nextDist } });
    const gone = "ENOENT: no such file or directory, open '/var/task/templates/a.txt'";
    assert.deepEqual(results.shared, { value: 'a' });
    assert.deepEqual(results.alone, [{ value: [gone, gone] }, { value: 'b' }, { value: 'b' }]);
    assert.deepEqual(results.paused, ['start', 'end', 'start', 'end']);
    assert.deepEqual(told.map(({ page, reads }) => [page, ...reads.map(([, name, , , answer]) => `${name} ${answer?.missing.length}`)]), [['/other/route', 'templates/a.txt undefined'], ['/a/route', 'templates/a.txt 1'], ['/a/route', 'posts/b.md 0']]);
  });
});

describe('/tmp of an instance', () => {
  const name = `vsim-own-${process.pid}`;
  after(() => rmSync(`/tmp/${name}`, { recursive: true, force: true }));
  const own = { modes: 'tmp=enforce', env: { OWN_TMP: '/tmp/vsim-kept' } };
  const missed = (told) => told.filter(({ kind }) => kind === 'tmp').map(({ what, to, source }) => [what, to, source]);
  const main = (calls, more = '{}') => `const page = require('./page.js');\nmodule.exports = async ({ outcome }) => { const out = []; for (const call of ${JSON.stringify(calls)}) out.push(await outcome(page[call], ${more})); return out; };\n`;

  test('what is written there is told, in its order; what is not there is told with the line that looked for it', () => {
    const { told } = run(
      {
        'page.js': `const fs = require('node:fs'), fsp = fs.promises, os = require('node:os');
const dir = os.tmpdir() + '/${name}';
exports.write = async () => { fs.mkdirSync(dir, { recursive: true }); await fsp.writeFile(dir + '/a', '1'); await new Promise((done) => fs.writeFile(dir + '/b', '2', done)); await fsp.rename(dir + '/b', dir + '/c'); };
exports.stream = () => new Promise((done) => fs.createWriteStream(dir + '/s').end('x').on('close', done));
exports.back = async () => fsp.readFile(dir + '/a', 'utf8');
exports.gone = async () => { fs.rmSync(dir, { recursive: true }); };
exports.other = async () => fsp.readFile(dir + '/other', 'utf8');
exports.listed = async () => fs.readdirSync(dir + '/others');
exports.kept = async () => fsp.readFile('/tmp/vsim-kept/x');
`,
        'main.js': main(['write', 'stream', 'back', 'other', 'listed', 'kept', 'gone']),
      },
      own,
    );
    const dir = `/tmp/${name}`;
    assert.deepEqual(told.filter(({ t }) => t === 'tmp').map(({ wrote, removed }) => wrote ?? `-${removed}`), [dir, `${dir}/a`, `${dir}/b`, `-${dir}/b`, `${dir}/c`, `${dir}/s`, `-${dir}`]);
    assert.deepEqual(missed(told), [
      ['readFile', `${dir}/other`, 'page.js:7:33'],
      ['readdir', `${dir}/others`, 'page.js:8:33'],
    ]);
  });

  test('a cache, which makes what it has not found, and a question that nothing failed by, are not told', () => {
    const files = {
      'page.js': `const fs = require('node:fs'), fsp = fs.promises;
const file = '/tmp/${name}/cache.json';
exports.cached = async () => { try { return await fsp.readFile(file, 'utf8'); } catch { await fsp.mkdir('/tmp/${name}', { recursive: true }); await fsp.writeFile(file, '1'); return '1'; } };
exports.asked = async () => fs.existsSync(file + '.no') || fs.statSync(file + '.no', { throwIfNoEntry: false }) !== undefined;
`,
    };
    const good = run({ ...files, 'main.js': main(['cached', 'asked'], '{ res: { statusCode: 200 } }') }, own);
    assert.deepEqual(good.results, [{ value: '1' }, { value: false }]);
    assert.deepEqual(missed(good.told), []);
    const bad = run({ ...files, 'main.js': main(['asked'], '{ res: { statusCode: 404 } }') }, own);
    assert.deepEqual(missed(bad.told), [['existsSync', `/tmp/${name}/cache.json.no`, 'page.js:4:32']]);
  });

  test('a question whose next lines read what it is about is told, whatever is answered; one before something is taken away is not', () => {
    const files = {
      'page.js': `const fs = require('node:fs');
const path = require('node:path');
/* a comment
   of two lines */
exports.all = () => (fs.existsSync(path.join('/tmp', '${name}.json')) ? JSON.parse(fs.readFileSync(path.join('/tmp', '${name}.json'), 'utf8')) : []);
exports.clean = (file = '/tmp/${name}.old') => { if (fs.existsSync(file)) fs.rmSync(file); return fs.readFileSync(__filename, 'utf8').length > 0; };
`,
    };
    const { told, results } = run({ ...files, 'main.js': main(['all', 'clean'], '{ res: { statusCode: 200 } }') }, own);
    assert.deepEqual(results, [{ value: [] }, { value: true }]);
    assert.deepEqual(missed(told), [['existsSync', `/tmp/${name}.json`, 'page.js:5:25']]);
  });

  test('what is looked for where a page is made at build, and written there, is said to be; what is warmed up is left alone, as all of it is where /tmp is shared', () => {
    const files = { 'page.js': `const fsp = require('node:fs/promises');\nexports.read = async () => fsp.readFile('/tmp/${name}/none');\n` };
    assert.deepEqual(missed(run({ ...files, 'main.js': main(['read'], '{ isWarming: true }') }, own).told), []);
    const isMade = '{ isStatic: true, res: { statusCode: 200 } }';
    assert.deepEqual(run({ ...files, 'main.js': main(['read'], isMade) }, own).told.map(({ kind, doubt }) => [kind, doubt]), [['tmp', 'at-build']]);
    const writes = { 'page.js': `exports.write = async () => require('node:fs').writeFileSync('/tmp/${name}.made', '');\n` };
    after(() => rmSync(`/tmp/${name}.made`, { force: true }));
    for (const [more, build] of [[isMade, true], ['{}', undefined]]) assert.deepEqual(run({ ...writes, 'main.js': main(['write'], more) }, own).told.map(({ wrote, build: is }) => [wrote, is]), [[`/tmp/${name}.made`, build]]);
    assert.deepEqual(missed(run({ ...files, 'main.js': main(['read']) }, { modes: 'tmp=enforce,tmp_max=500000000' }).told), []);
  });

  test('where it is shared, the sum of what was written is a warning when it is over', () => {
    const files = {
      'page.js': `const fs = require('node:fs');\nexports.fill = async () => { fs.mkdirSync('/tmp/${name}', { recursive: true }); fs.writeFileSync('/tmp/${name}/large', Buffer.alloc(2000)); };\n`,
      'main.js': main(['fill', 'fill']),
    };
    const full = (modes) => run(files, { modes }).told.filter(({ kind }) => kind === 'tmp-full').map(({ refused, doubt }) => [refused, doubt]);
    assert.deepEqual(full('tmp=warn,tmp_max=1000'), [[false, 'mode']]);
    assert.deepEqual(full('tmp=warn,tmp_max=1000000'), []);
    assert.deepEqual(full('tmp=off,tmp_max=1000'), []);
  });
});

describe('entries of this machine\'s /tmp that instances need', () => {
  test('those that the app runs of and that variables name; a database that stands in it needs all', async () => {
    const { namesInTmp } = await import(path.join(agent, 'dev/tmp-names.cjs')).then(({ default: it }) => it);
    const dir = mkdtempSync('/tmp/vsim-names-');
    const file = `${dir}.db`;
    writeFileSync(file, '');
    after(() => [dir, file].map((one) => rmSync(one, { recursive: true, force: true })));
    const of = (env, paths = []) => namesInTmp(env, paths);
    assert.deepEqual(of({}, [`${dir}/app`, '/usr/bin/node']), { entries: [dir], standIns: [], shared: undefined });
    assert.deepEqual(of({ DATABASE_URL: `file:${dir}/dev.db?mode=rw` }), { entries: [dir], standIns: [`DATABASE_URL names ${dir}`], shared: undefined });
    assert.deepEqual(of({ DATABASE_URL: `sqlite:///${file}` }).shared, `DATABASE_URL names ${file}, a database that stands in it`);
    const other = `${dir}.auth`;
    writeFileSync(other, '');
    after(() => rmSync(other));
    assert.deepEqual(of({ XAUTHORITY: other }), { entries: [other], standIns: [], shared: undefined });
    assert.deepEqual(of({ KEY_FILE: other }), { entries: [other], standIns: [`KEY_FILE names ${other}`], shared: undefined });
    assert.deepEqual(of({ PATH: `/bin:${dir}/bin`, TMPDIR: `${dir}/t`, NODE_OPTIONS: `--require "${dir}/a.js"` }), { entries: [dir], standIns: [], shared: undefined });
    for (const value of [`/var${dir}`, `.${dir}`, '/tmp', '/tmp/', '/tmp/vsim-that-is-not-there', 'tmp']) assert.deepEqual(of({ A: value }).entries, [], value);
    assert.equal(of({ TMPDIR: dir }).entries.length, 0);
    assert.ok(of({}, ['/tmp']).shared);
  });
});

describe('what of the disk stays writable', () => {
  test('what variables name does, with the folder of a database; where that cannot be known all of it does, and it is said why', async () => {
    const { namesOnDisk } = await import(path.join(agent, 'dev/disk-names.cjs')).then(({ default: it }) => it);
    const root = mkdtempSync('/var/tmp/vsim-disk-');
    after(() => rmSync(root, { recursive: true, force: true }));
    const dir = path.join(root, 'app');
    for (const name of ['app/prisma', 'app/data', 'app/content', 'other']) mkdirSync(path.join(root, name), { recursive: true });
    for (const name of ['app/prisma/dev.db', 'app/data/a.sqlite', 'app/root.db', 'other/x.db', 'app/list.txt']) writeFileSync(path.join(root, name), '');
    const of = (env) => {
      const { project, writable, open } = namesOnDisk(env, dir);
      assert.equal(project, dir);
      return { writable: writable.filter((one) => one !== '/tmp').map((one) => path.relative(root, one)), open };
    };
    assert.deepEqual(of({}), { writable: [], open: undefined });
    assert.deepEqual(of({ DATABASE_URL: 'file:./dev.db' }), { writable: ['app/prisma'], open: undefined });
    assert.deepEqual(of({ DATABASE_URL: 'file:./data/a.sqlite?mode=rw', OTHER: `${root}/other/x.db` }), { writable: ['app/data', 'other'], open: undefined });
    assert.deepEqual(of({ A: './content', B: `${root}/other`, C: 'list.txt' }), { writable: ['app/content', 'other', 'app/list.txt'], open: undefined });
    assert.deepEqual(of({ A: `${root}/app`, B: root, C: '/', PWD: `${root}/other`, MODEL: 'openai/gpt-4', URL: 'https://a.example/b', PG: 'postgres://a@b/c', API: '/api', EMPTY: '' }), { writable: [], open: undefined });
    assert.match(of({ DATABASE_URL: 'file:root.db' }).open, /^DATABASE_URL names root\.db, a database, which writes to the folder/);
    assert.match(of({ DATABASE_URL: 'file:./new.db' }).open, /^DATABASE_URL names \.\/new\.db, which may come to be anywhere$/);
    assert.match(of({ UPLOAD_DIR: './uploads' }).open, /^UPLOAD_DIR names \.\/uploads, which is not there yet$/);
    assert.deepEqual(of({ NODE_V8_COVERAGE: `${root}/other` }).writable, ['other']);
    writeFileSync(path.join(dir, 'package.json'), '{"dependencies":{"next":"1","pg":"1"}}');
    assert.equal(of({}).open, undefined);
    writeFileSync(path.join(dir, 'package.json'), '{"dependencies":{"next":"1"},"devDependencies":{"@prisma/adapter-libsql":"7"}}');
    assert.match(of({}).open, /^@prisma\/adapter-libsql can keep a database in a file, and what it would be refused could not be told$/);
    // A package of the workspace, which depends on the app in turn; what is installed is its author's.
    for (const [folder, needs] of [['packages/db', { app: '*', 'better-sqlite3': '1' }], ['app/node_modules/orm', { sqlite3: '5' }]]) {
      mkdirSync(path.join(root, folder), { recursive: true });
      writeFileSync(path.join(root, folder, 'package.json'), JSON.stringify({ dependencies: needs }));
    }
    mkdirSync(path.join(root, 'node_modules/@acme'), { recursive: true });
    symlinkSync('../../packages/db', path.join(root, 'node_modules/@acme/db'));
    symlinkSync('../app', path.join(root, 'node_modules/app'));
    writeFileSync(path.join(dir, 'package.json'), '{"dependencies":{"next":"1","orm":"1"}}');
    assert.equal(of({}).open, undefined);
    writeFileSync(path.join(dir, 'package.json'), '{"dependencies":{"orm":"1","@acme/db":"workspace:*"}}');
    assert.match(of({}).open, /^better-sqlite3 \(of @acme\/db\) can keep a database in a file/);
  });
});

describe('programs that functions start', () => {
  // Not below /tmp, where what an app has unpacked lies.
  const bin = mkdtempSync('/var/tmp/vsim-bin-');
  after(() => rmSync(bin, { recursive: true, force: true }));
  const program = (file) => writeFileSync(file, '#!/bin/sh\necho here $1\n', { mode: 0o755 });
  for (const name of ['ffmpeg', 'git', 'mytool', 'pandoc']) program(path.join(bin, name));
  const env = { PATH: `${bin}:${process.env.PATH}` };
  const ways = `const cp = require('node:child_process');
const { promisify } = require('node:util');
exports.spawn = () => new Promise((done, failed) => cp.spawn('ffmpeg', ['1'], { stdio: 'pipe' }).on('error', failed).on('close', done));
exports.execFile = async () => (await promisify(cp.execFile)('ffmpeg', ['2'])).stdout.trim();
exports.execFileSync = async () => cp.execFileSync('ffmpeg', ['3'], { encoding: 'utf8' }).trim();
exports.spawnSync = async () => { const { error, stdout } = cp.spawnSync('${bin}/git', ['4'], { encoding: 'utf8' }); if (error) throw error; return stdout.trim(); };
exports.exec = async () => (await promisify(cp.exec)('LANG=C ffmpeg 5 | cat')).stdout.trim();
exports.execSync = async () => cp.execSync('ffmpeg 6', { encoding: 'utf8' }).trim();
`;
  const main = (calls, more = '{}') => `const page = require('./page.js');\nmodule.exports = async ({ outcome }) => { const out = []; for (const call of ${JSON.stringify(calls)}) out.push(await outcome(page[call], ${more})); return out; };\n`;
  const kAll = ['spawn', 'execFile', 'execFileSync', 'spawnSync', 'exec', 'execSync'];

  test('that no function has are told at the line, each way they are started, and run', () => {
    const { told, results } = run({ 'page.js': ways, 'main.js': main(kAll) }, { modes: 'program=warn', env });
    assert.deepEqual(results.map(({ value, code }) => code ?? value), [0, 'here 2', 'here 3', 'here 4', 'here 5', 'here 6']);
    const seen = (what, name, line, doubt) => ['program', what, path.join(bin, name), `page.js:${line}`, doubt, false];
    assert.deepEqual(told.map(({ kind, what, to, source, doubt, refused }) => [kind, what, to, source.replace(/:\d+$/, ''), doubt, refused]), [
      seen('spawn', 'ffmpeg', 3, 'mode'),
      seen('spawn', 'ffmpeg', 4, 'mode'),
      seen('execFileSync', 'ffmpeg', 5, 'mode'),
      seen('spawnSync', 'git', 6, 'mode'),
      seen('spawn', 'ffmpeg', 7, 'unseen'),
      seen('execSync', 'ffmpeg', 8, 'unseen'),
    ]);
  });

  test('are not there under enforce, by the words of there; what a shell starts is told and runs', () => {
    const { told, results } = run({ 'page.js': ways, 'main.js': main(kAll) }, { modes: 'program=enforce', env });
    assert.deepEqual(results.map(({ code, value }) => code ?? value), ['ENOENT', 'ENOENT', 'ENOENT', 'ENOENT', 'here 5', 'here 6']);
    assert.deepEqual(results.slice(0, 4).map(({ message }) => message), ['spawn ffmpeg ENOENT', 'spawn ffmpeg ENOENT', 'spawnSync ffmpeg ENOENT', `spawnSync ${bin}/git ENOENT`]);
    assert.deepEqual(told.map(({ refused }) => refused), [true, true, true, true, false, false]);
  });

  test('that the project brings, that lie in /tmp, that every function has or nobody knows, are let alone', () => {
    const files = {
      'page.js': `const cp = require('node:child_process');
exports.all = async () => ['./node_modules/ffmpeg-static/ffmpeg', './node_modules/.bin/ffmpeg', '/bin/sh', process.execPath, 'mytool', '${bin}/mytool'].map((file) => cp.spawnSync(file, ['--version']).status);
exports.none = async () => cp.spawnSync('wkhtmltopdf-that-is-not-here').error.code;
`,
      'main.js': `const fs = require('node:fs');
fs.mkdirSync('node_modules/.bin', { recursive: true }); fs.mkdirSync('node_modules/ffmpeg-static', { recursive: true });
fs.writeFileSync('node_modules/ffmpeg-static/ffmpeg', '#!/bin/sh\\n', { mode: 0o755 }); fs.symlinkSync('../ffmpeg-static/ffmpeg', 'node_modules/.bin/ffmpeg');
${main(['all', 'none'])}`,
    };
    for (const modes of ['program=enforce', 'program=warn']) {
      const { told, results } = run(files, { modes, env });
      assert.equal(results[1].value, 'ENOENT');
      assert.deepEqual(told, []);
    }
    assert.deepEqual(run({ 'page.js': ways, 'main.js': main(kAll) }, { modes: 'program=off', env }).told, []);
  });

  test('by a package alone, in a file that chooses by NODE_ENV, at build and by a variable they are told as that, and run', () => {
    const files = {
      'node_modules/cut/index.js': "exports.cut = () => require('node:child_process').spawnSync('ffmpeg').status;\n",
      'a.js': "exports.a = async () => require('cut').cut();\n",
      'b.js': "exports.b = async () => process.env.NODE_ENV === 'production' || require('node:child_process').spawnSync('git').status;\n",
      'c.js': "exports.c = async () => require('node:child_process').spawnSync(process.env.PANDOC).status;\n",
      'd.js': "exports.d = async () => require('node:child_process').spawnSync('git').status;\n",
      'main.js': "module.exports = async ({ outcome }) => [await outcome(require('./a.js').a), await outcome(require('./b.js').b), await outcome(require('./c.js').c), await outcome(require('./d.js').d, { isStatic: true })];\n",
    };
    const { told, results } = run(files, { modes: 'program=enforce', env: { ...env, PANDOC: path.join(bin, 'pandoc') } });
    assert.deepEqual(results.map(({ value }) => value), [0, 0, 0, 0]);
    assert.deepEqual(told.map(({ doubt, variable, refused }) => [doubt, variable, refused]), [['package', undefined, false], ['only-dev', undefined, false], ['', 'PANDOC', false]]);
  });
});
