// What of a disk a deployment lacks, seen by the hooks alone (machine_world.mjs): writes, reads of what is not deployed, and what stays writable.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { agent, run } from './machine_world.mjs';

const nextDist = path.join(import.meta.dirname, 'next16/node_modules/next/dist');

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
  fs.readFileSync('package.json'); fs.readFileSync('.env');
  fs.readFileSync('node_modules/x/index.js');
  require('x')(path.join(__dirname, '.next/server/a.js'));
};
`;
  const files = { 'read.js': reader, 'folder/x.txt': '', 'package.json': '{}', '.env': '', '.env.local': '', '.next/server/a.js': '', 'node_modules/x/index.js': "module.exports = (file) => require('node:fs').readFileSync(file);\n", ...Object.fromEntries([...'abcde'].map((name) => [`${name}.txt`, ''])) };

  test('are asked about once a function and file, at the line that reads: sync, promises, callbacks, streams, descriptors, folders', () => {
    const { told } = run({ ...files, 'main.js': `module.exports = async ({ outcome }) => [await outcome(require('./read.js').all, ${more}), await outcome(require('./read.js').all, ${more})];\n` }, { modes });
    const at = (line) => told[0].reads.find(([, , place]) => place.startsWith(`read.js:${line}:`))?.slice(0, 2).join(' ');
    assert.equal(told.length, 1);
    assert.deepEqual([told[0].name, told[0].page, told[0].entry, told[0].reads.length], ['readAtRunTime', '/a/route', 'app/a/route.js', 6]);
    assert.deepEqual([3, 5, 6, 7, 8, 9].map(at), ['readFile a.txt', 'readFile b.txt', 'readFile c.txt', 'createReadStream d.txt', 'open e.txt', 'readdir folder']);
    assert.deepEqual(told[0].reads.map(([, , , directory]) => directory), [false, false, false, false, false, true]);
  });

  test('however a file is named: asked about, copied, as a blob, by a program, a thread, a require of its own', () => {
    const ways = {
      statSync: "fs.statSync('a.txt')", stat: "await fs.promises.stat('a.txt')", access: "await fs.promises.access('a.txt')", copyFile: "await fs.promises.copyFile('a.txt', '/tmp/vsim-copied')",
      cp: "fs.cpSync('folder', `/tmp/vsim-copied-${process.pid}`, { recursive: true })", openAsBlob: "await fs.openAsBlob('a.txt')", 'a program': "require('node:child_process').execFileSync('cat', ['a.txt'])",
      'a program that is awaited': "await new Promise((done) => require('node:child_process').fork('a.cjs').on('exit', done))", 'new Worker': "await new Promise((done) => new (require('node:worker_threads').Worker)('./a.cjs').on('exit', done))",
      require: "require('node:module').createRequire(__filename)('./a.json')",
    };
    const made = (way) => ({ ...files, 'a.cjs': '', 'a.json': '{}', 'page.js': `const fs = require('node:fs');\nexports.all = async () => void (${way});\n` });
    const main = `module.exports = async ({ sim, outcome }) => { sim.takeTraced({ untraced: ['a.txt', 'folder', 'a.cjs', 'a.json'].map((name) => '/a/route ' + name), traced: [] }); return [await outcome(require('./page.js').all, ${more})]; };\n`;
    for (const [name, way] of Object.entries(ways)) {
      const { told } = run({ ...made(way), 'main.js': main }, { modes });
      assert.deepEqual(told.map(({ reads }) => reads.map(([what, file, at]) => [what, /^(a\.\w+|folder)$/.test(file), at.split(':')[1]])), [[[name.replace(/Sync$| that is awaited$/, '').replace('require', 'readFile'), true, '2']]], name);
      if (name !== 'new Worker' && !name.startsWith('a program')) assert.ok(run({ ...made(way), 'main.js': main }, { modes: 'reads=enforce' }).results[0].code, name);
    }
    assert.match(run({ ...made(ways['a program']), 'main.js': main }, { modes: 'reads=enforce' }).results[0].message, /\/var\/task\/a\.txt: No such file/);
    // A question alone is none, but where it is answered as there.
    const asks = made("globalThis.there = fs.existsSync('a.txt')");
    const answer = `${main.slice(0, -5)}.concat(globalThis.there); };\n`;
    assert.deepEqual(run({ ...asks, 'main.js': answer }, { modes }).told, []);
    assert.equal(run({ ...asks, 'main.js': answer }, { modes: 'reads=enforce' }).results[1], false);
  });

  test('of what this machine alone has, by the app itself: its own secrets, the repository; not where it knows that they may be missing, or git has them', () => {
    const page = (way) => ({ ...files, '.env.production.local': '', '.git/HEAD': 'ref', 'page.js': `const fs = require('node:fs');\nexports.all = async () => { ${way} };\n`, 'main.js': `module.exports = async ({ outcome }) => [await outcome(require('./page.js').all, ${more})];\n` });
    const read = (way, add, mode = modes) => run({ ...page(way), ...add }, { modes: mode }).told.flatMap(({ reads }) => reads.map(([what, name]) => `${what} ${name}`));
    assert.deepEqual(read("fs.readFileSync('.env.local'); fs.readFileSync('.env.production.local'); fs.readFileSync('.git/HEAD')"), ['readFile .env.local', 'readFile .env.production.local', 'readFile .git/HEAD']);
    if (process.loadEnvFile) assert.deepEqual(read("process.loadEnvFile('.env.local')", { '.git/index': 'DIRC' }), ['loadEnvFile .env.local']);
    assert.deepEqual(read("try { fs.readFileSync('.env.local'); fs.readFileSync('.git/HEAD'); } catch { return; }"), []);
    assert.deepEqual(read("if (fs.existsSync('.env.local')) fs.readFileSync('.env.local');"), []);
    assert.deepEqual(read("require('x')('.env.local')"), []);
    assert.deepEqual(read("fs.readFileSync('.env.local'); fs.readFileSync('.env');", { '.env': '', '.git/index': 'DIRC\0\0\n.env.local\0' }), []);
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

test('what is traced is of the project: a source that names the home folder or that of temporary files does not have it walked through', { skip: !existsSync(nextDist) && 'tests/agent/next16 is not installed' }, () => {
  const reads = "import fs from 'node:fs';\nimport os from 'node:os';\nimport path from 'node:path';\nexport const GET = () => [fs.readdirSync(os.homedir()), fs.readFileSync(path.join(os.homedir(), 'a.txt')), fs.readFileSync(path.join(os.tmpdir(), process.argv[2]))];\n";
  const { results } = run({
    'app/a/route.js': reads,
    'data/b.txt': '',
    'home/c.txt': '',
    'main.js': `const { traced } = require(process.env.AGENT + 'shared/trace.cjs');
module.exports = async () => {
  for (const name of ['HOME', 'TMPDIR']) process.env[name] = require('node:path').join(__dirname, 'home');
  return [...await traced({ dir: __dirname, nextDist: process.env.NEXT_DIST }, [__dirname + '/app/a/route.js'])].map((file) => require('node:path').relative(__dirname, file));
};
`,
  }, { env: { NEXT_DIST: nextDist } });
  assert.deepEqual(results, ['app/a/route.js']);
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
