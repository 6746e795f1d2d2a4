// `vercel-sim check --size`: what functions weigh, of a build and of sources, and what is said of the largest.
import assert from 'node:assert/strict';
import {spawnSync} from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import {test} from 'node:test';
import {tempDir, write} from './program.mjs';
import {kBin} from './world.mjs';

const kApp = path.resolve(import.meta.dirname, '../../fixtures/apps/chat');
const kPackage = JSON.stringify({name: 'made-up', dependencies: {next: '16.4.6'}});
const size = (dir, ...args) => spawnSync(kBin, ['check', '--size', '--profile', 'hobby', ...args, dir], {encoding: 'utf8', timeout: 120_000});

function built(t) {
  const dir = write(tempDir(t), {
    'package.json': kPackage,
    '.next/next-server.js.nft.json': JSON.stringify({version: 1, files: ['../node_modules/next/dist/server.js']}),
    '.next/server/app/(shop)/cart/route.js': 'x'.repeat(1000),
    '.next/server/app/(shop)/cart/route.js.nft.json': JSON.stringify({version: 1, files: ['../../../../../node_modules/@img/lib/lib.node', '../../../../../link.node', '../../../../../gone.txt']}),
    '.next/server/pages/index.js': 'x',
    '.next/server/pages/index.js.nft.json': JSON.stringify({version: 1, files: []}),
    'node_modules/next/dist/server.js': 'x'.repeat(4000),
    'node_modules/@img/lib/lib.node': 'x'.repeat(2_000_000),
  });
  fs.symlinkSync('node_modules/@img/lib/lib.node', path.join(dir, 'link.node'));
  return dir;
}

test('of a build: each function with its largest packages, a file by two names once, and 2 where one is over the limit', (t) => {
  const dir = built(t);
  const sound = size(dir);
  assert.equal(sound.status, 0, sound.stderr);
  assert.match(sound.stdout, /^Functions by what the build of \d{4}-\d\d-\d\d \d\d:\d\d has traced, of 250\.0 MB each:\n +2\.0 MB {2}\/cart\n +@img\/lib 2\.0 MB, next 4 kB, the app itself 1 kB\n +4 kB {2}\/\n/);
  const over = size(dir, '--set', 'bundle.max=1MB');
  assert.equal(over.status, 2);
  assert.match(over.stdout, /2\.0 MB {2}\/cart {2}over the limit: the deployment fails$/m);
  assert.match(over.stdout, /^fix: outputFileTracingExcludes/m);
  const json = size(dir, '--set', 'bundle.max=1MB', '--json');
  assert.equal(json.status, 2, json.stderr);
  const {from, limit, functions, failed} = JSON.parse(json.stdout);
  assert.deepEqual([from, limit, failed], ['build', 1_000_000, []]);
  assert.deepEqual(functions.map(({route, over: isOver, packages}) => [route, isOver, packages[0].name]), [['/cart', true, '@img/lib'], ['/', false, 'next']]);
});

test('without a build: by what is traced from the sources, which is only an estimate', {skip: !fs.existsSync(path.join(kApp, 'node_modules/next')) && 'no packages'}, (t) => {
  const dir = write(tempDir(t), {
    'package.json': kPackage,
    'app/api/large/route.ts': "import { readFileSync } from 'node:fs';\nimport path from 'node:path';\nexport const GET = (): Response => new Response(readFileSync(path.join(process.cwd(), 'data/large.bin')));\n",
    'app/api/odd/route.ts': "import { readdirSync } from 'node:fs';\nexport const GET = (): Response => Response.json(readdirSync('/proc/self/fd'));\n",
    'data/large.bin': 'x'.repeat(3_000_000),
  });
  fs.mkdirSync(path.join(dir, 'node_modules'));
  fs.symlinkSync(path.join(kApp, 'node_modules/next'), path.join(dir, 'node_modules/next'));
  const found = size(dir, '--set', 'bundle.max=1MB');
  assert.equal(found.status, 0, found.stderr);
  assert.match(found.stdout, /^Functions by what is traced from the sources.*\n +3\.0 MB {2}\/api\/large {2}may be over the limit\n +the app itself 3\.0 MB/m);
  assert.match(found.stdout, /\/api\/odd$/m);
});

test('names and lists of others: one line each, nothing that drives a terminal or a log, and what cannot be read is said', (t) => {
  const dir = built(t);
  write(dir, {
    '.next/server/app/a\n::error::forged\u001b[2J\u009b##[error]/route.js': 'x',
    '.next/server/app/a\n::error::forged\u001b[2J\u009b##[error]/route.js.nft.json': '{"files": []}',
    '.next/server/app/broken/route.js.nft.json': '{"files": 5}',
    '.next/server/app/worse/route.js.nft.json': '[',
  });
  fs.mkdirSync(path.join(dir, '.next/server/app/odd'));
  fs.symlinkSync('/dev/zero', path.join(dir, '.next/server/app/odd/route.js.nft.json'));
  const {status, stdout, stderr} = size(dir);
  assert.equal(status, 0, stderr);
  assert.match(stdout, /^ +4 kB {2}\/a\?::error::forged\?\[2J\?## \[error\]$/m);
  assert.match(stdout, /^not weighed: \/broken \(route\.js\.nft\.json: it lists no files\)$/m);
  assert.match(stdout, /^not weighed: \/worse \(/m);
  assert.match(stdout, /^not weighed: \/odd \(route\.js\.nft\.json: not a regular file\)$/m);
  assert.doesNotMatch(stdout, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]|##\[|^\s*::/m);
});

test('where there is nothing to weigh it says what is missing', (t) => {
  const bare = size(write(tempDir(t), {'package.json': kPackage, 'app/page.tsx': ''}));
  assert.equal(bare.status, 64);
  assert.match(bare.stderr, /error: the package "next" is not installed in /);
  const both = spawnSync(kBin, ['check', '--size', '--format', 'sarif'], {encoding: 'utf8'});
  assert.equal(both.status, 64);
  assert.match(both.stderr, /--size and --format/);
});
