// /tmp as an instance has it, seen by the hooks alone (machine_world.mjs): what is written and missed there, and which entries of this machine's it needs.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { agent, run } from './machine_world.mjs';

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
