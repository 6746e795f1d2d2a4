// What `check` and the command line say of variables: their sum, and a list that is not there.
import assert from 'node:assert/strict';
import {spawnSync} from 'node:child_process';
import {test} from 'node:test';
import {tempDir, write} from './program.mjs';
import {kBin} from './world.mjs';

const kFiles = {
  'package.json': JSON.stringify({name: 'made-up', dependencies: {next: '16.4.6'}}),
  'node_modules/next/package.json': JSON.stringify({name: 'next', version: '16.4.6', engines: {node: '>=20.0.0'}, bin: {next: './dist/bin/next'}}),
  'node_modules/next/dist/bin/next': '',
  'app/api/a/route.ts': 'export const GET = () => Response.json(process.env.ONLY_HERE);\n',
};
const check = (dir) => spawnSync(kBin, ['check', '--profile', 'hobby', dir], {encoding: 'utf8'});

test('more than 64 KB of variables is a warning, and only feared where .env.local has them', (t) => {
  const large = `A="${'x'.repeat(40_000)}"\n`;
  const dir = write(tempDir(t), {...kFiles, '.env': large});
  assert.doesNotMatch(check(dir).stderr, /variables of/);
  write(dir, {'.env.local': `ONLY_HERE=${'y'.repeat(30_000)}\n`});
  const feared = check(dir);
  assert.match(feared.stderr, /^warning: the variables of the \.env files take about 70 KB, and 64KiB is all that a deployment may have: it fails if/m);
  assert.match(feared.stdout, /only \.env\.local defines ONLY_HERE/);
  assert.doesNotMatch(feared.stdout + feared.stderr, /yyy/, 'no value is shown');
  write(dir, {'.env.production': `B=${'z'.repeat(30_000)}\n`});
  assert.match(check(dir).stderr, /^warning: the variables of the deployment take about 70 KB/m);
  // What `vercel env pull` has written is what the settings have.
  write(dir, {'.env.production': '', '.env.local': `# Created by Vercel CLI\nONLY_HERE=${'y'.repeat(30_000)}\n`});
  const pulled = check(dir);
  assert.match(pulled.stderr, /^warning: the variables of the deployment take/m);
  assert.doesNotMatch(pulled.stdout, /ONLY_HERE/);
});

test('a list that is not there, and a word that is none, are told', (t) => {
  const dir = write(tempDir(t), kFiles);
  const run = (...args) => spawnSync(kBin, ['run', '--port', '0', ...args], {encoding: 'utf8', cwd: dir, timeout: 30_000});
  const none = run('--env-file', 'nowhere');
  assert.equal(none.status, 64);
  assert.match(none.stderr, /--env-file nowhere: no such file/);
  const word = run('--env', 'strikt');
  assert.equal(word.status, 64);
  assert.match(word.stderr, /--env expects one of strict, all, such as --env strict/);
});
