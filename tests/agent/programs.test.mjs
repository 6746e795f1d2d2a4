// Programs that functions start, and a deployment does not have, seen by the hooks alone (machine_world.mjs).
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { run } from './machine_world.mjs';

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
