// The .deb: what it asks for and holds, and that dpkg installs it, it runs there, and is removed without a trace. In a root directory of its own: dpkg's
// database there is empty, so a dependency would fail.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import {test} from 'node:test';
import {check, inRoot, kBin, kDebArch, kDist, kRoot, noChroot, run, tempDir, version} from './lib.mjs';

const kDeb = path.join(kDist, `vercel-sim_${version}_${kDebArch}.deb`);
const field = (name) => check('dpkg-deb', ['--field', kDeb, name]).stdout.trim();
const files = check('dpkg-deb', ['--contents', kDeb]).stdout.split('\n').filter(Boolean).map((line) => {
  const [mode, owner, , , , name] = line.split(/\s+/);
  return {mode, owner, name: name.slice(1)};
});
const has = (name) => files.some((file) => file.name === name);

test('it depends on nothing and runs nothing when it is installed', () => {
  for (const name of ['Depends', 'Pre-Depends', 'Recommends', 'Conflicts']) assert.equal(field(name), '', name);
  assert.deepEqual([field('Version'), field('Architecture')], [version, kDebArch]);
  const scripts = check('dpkg-deb', ['--ctrl-tarfile', kDeb], {encoding: 'latin1'}).stdout.match(/\b(pre|post)(inst|rm)\b/);
  assert.equal(scripts, null);
});

test('it names the sources that are inside it, as Debian asks of static programs', () => {
  for (const source of ['glibc', 'gcc-12', 'openssl', 'boost1.81', 'yaml-cpp', 'fmtlib'])
    assert.match(field('Built-Using'), new RegExp(`(^|, )${source} \\(= \\S+\\)`));
});

test('it holds the program, its licences, and what there is of manual and completions; all owned by root', () => {
  for (const name of ['/usr/bin/vercel-sim', '/usr/share/doc/vercel-sim/copyright', '/usr/share/doc/vercel-sim/NOTICES.md.gz']) assert.ok(has(name), name);
  assert.equal(has('/usr/share/man/man1/vercel-sim.1.gz'), fs.existsSync(path.join(kRoot, 'docs/man/vercel-sim.1')));
  for (const [shell, name] of [
    ['bash', '/usr/share/bash-completion/completions/vercel-sim'], ['zsh', '/usr/share/zsh/vendor-completions/_vercel-sim'],
    ['fish', '/usr/share/fish/vendor_completions.d/vercel-sim.fish'],
  ]) assert.equal(has(name), run(kBin, ['completion', shell]).code === 0, name);
  for (const {mode, owner, name} of files) {
    assert.equal(owner, 'root/root', name);
    assert.match(mode, name.endsWith('/') || name === '/usr/bin/vercel-sim' ? /^[d-]rwxr-xr-x$/ : /^-rw-r--r--$/, name);
  }
});

test('dpkg installs it, it runs there, dpkg finds it whole, and removes all of it', {skip: noChroot()}, (t) => {
  const dir = tempDir(t);
  const database = path.join(dir, 'var/lib/dpkg');
  for (const name of ['info', 'updates', 'triggers']) fs.mkdirSync(path.join(database, name), {recursive: true});
  for (const name of ['status', 'available']) fs.writeFileSync(path.join(database, name), '');
  fs.mkdirSync(path.join(dir, 'proc'));
  const dpkg = (...args) => check('dpkg', [`--root=${dir}`, '--force-script-chrootless', '--log=/dev/null', ...args]);
  dpkg('--install', kDeb);
  assert.match(dpkg('--status', 'vercel-sim').stdout, /^Status: install ok installed$/m);
  assert.equal(check(...inRoot(dir, '/usr/bin/vercel-sim', '--version')).stdout, `vercel-sim ${version}\n`);
  assert.equal(dpkg('--verify', 'vercel-sim').stdout, '');
  dpkg('--purge', 'vercel-sim');
  const left = fs.readdirSync(dir, {recursive: true}).filter((name) => name.includes('vercel-sim'));
  assert.deepEqual(left, []);
});

// What lintian says and stays: there is no licence yet (no copyright notice), and a static-pie program looks to it like a library.
const kKnown = new Set(['copyright-without-copyright-notice', 'shared-library-lacks-prerequisites', ...fs.existsSync(path.join(kRoot, 'docs/man/vercel-sim.1')) ? [] : ['no-manual-page']]);

test('lintian finds nothing new', {skip: run('sh', ['-c', 'command -v lintian']).code !== 0 && 'needs lintian'}, () => {
  const r = run('lintian', ['--allow-root', '--tag-display-limit', '0', kDeb]);
  const said = r.stdout.split('\n').filter((line) => /^[EW]: /.test(line) && !kKnown.has(line.split(' ')[2]));
  assert.deepEqual(said, [], r.stderr);
});
