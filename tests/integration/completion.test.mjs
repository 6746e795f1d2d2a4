// `vercel-sim completion`: the scripts, asked in the shells themselves. zsh and fish only where they are installed; bash always.
import {test} from 'node:test';
import assert from 'node:assert/strict';
import {spawnSync} from 'node:child_process';
import {mkdtempSync, mkdirSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';

const bin = path.resolve(process.env.VSIM_BIN ?? 'build/vercel-sim');
const script = (shell) => {
  const r = spawnSync(bin, ['completion', shell], {encoding: 'utf8'});
  assert.equal(r.status, 0, r.stderr);
  return r.stdout;
};
const installed = (shell) => spawnSync(shell, ['-c', 'true']).status === 0;

const directory = mkdtempSync(path.join(tmpdir(), 'vsim-completion-'));
mkdirSync(path.join(directory, 'apps'));
writeFileSync(path.join(directory, 'staging.yaml'), '');
process.on('exit', () => rmSync(directory, {recursive: true, force: true}));

// What bash offers for a line whose words these are; the last one is being typed.
function bash(...words) {
  const file = path.join(directory, 'vercel-sim.bash');
  writeFileSync(file, script('bash'));
  const quoted = words.map((w) => `'${w}'`).join(' ');
  const r = spawnSync('bash', ['--norc', '-c', `compopt() { :; }; source ${file}
COMP_WORDS=(vercel-sim ${quoted}); COMP_CWORD=${words.length}; _vercel_sim; printf '%s\\n' "\${COMPREPLY[@]}"`], {encoding: 'utf8', cwd: directory});
  assert.equal(r.stderr, '');
  return r.stdout.split('\n').filter(Boolean);
}

test('bash: the script is sound and registers itself', () => {
  const file = path.join(directory, 'registered.bash');
  writeFileSync(file, script('bash'));
  const r = spawnSync('bash', ['--norc', '-c', `source ${file} && complete -p vercel-sim`], {encoding: 'utf8'});
  assert.equal(r.stdout, 'complete -F _vercel_sim vercel-sim\n');
  assert.equal(r.stderr, '');
});

test('bash: commands, options and values', () => {
  assert.deepEqual(bash('pro'), ['profiles']);
  for (const command of ['run', 'test', 'check', 'explain', 'doctor', 'completion', 'help']) assert.ok(bash('').includes(command), command);
  assert.deepEqual(bash('run', '--pl'), ['--placement']);
  assert.deepEqual(bash('run', '--isolation', 'f'), ['fluid']);
  assert.deepEqual(bash('run', '--profile', 'hobby-'), ['hobby-fluid']);
  assert.deepEqual(bash('run', '--profile', 'stag'), ['staging.yaml']);
  assert.deepEqual(bash('run', '--profile', '=', 'hobby-'), ['hobby-fluid']);
  assert.deepEqual(bash('run', '--profile', '='), bash('run', '--profile', ''));
  assert.deepEqual(bash('run', '--set', 'duration.d'), ['duration.default=']);
  assert.deepEqual(bash('run', '--cwd', ''), ['apps']);
  assert.deepEqual(bash('check', '--format', 'sa'), ['sarif']);
  assert.deepEqual(bash('check', ''), ['apps']);
  assert.deepEqual(bash('doctor', '--j'), ['--json']);
  assert.ok(bash('test', '--').includes('--fail-on'));
  assert.ok(bash('test', '--').includes('--profile'));
});

test('bash: codes and rules, profiles, shells, and the command after --', () => {
  assert.deepEqual(bash('explain', 'FUNCTION_INVOCATION_T'), ['FUNCTION_INVOCATION_TIMEOUT']);
  assert.deepEqual(bash('explain', 'socket-io-s'), ['socket-io-server']);
  assert.deepEqual(bash('profiles', 's'), ['show', 'staging.yaml']);
  assert.ok(bash('profiles', 'diff', 'pro').includes('pro-fluid'));
  assert.deepEqual(bash('completion', 'z'), ['zsh']);
  assert.ok(bash('run', '--', 'bas').includes('bash'));
});

test('zsh: the script is sound and offers commands and options', {skip: !installed('zsh') && 'zsh is not installed'}, () => {
  const file = path.join(directory, '_vercel-sim');
  writeFileSync(file, script('zsh'));
  assert.equal(spawnSync('zsh', ['-n', file], {encoding: 'utf8'}).stderr, '');
  const r = spawnSync('zsh', ['-f', '-c', `autoload -U compinit && compinit -D -u && source ${file} && print $_comps[vercel-sim]`], {encoding: 'utf8'});
  assert.equal(r.stdout, '_vercel_sim\n', r.stderr);
  assert.equal(r.stderr, '');
});

test('fish: commands, options and values', {skip: !installed('fish') && 'fish is not installed'}, () => {
  const file = path.join(directory, 'vercel-sim.fish');
  writeFileSync(file, script('fish'));
  const offered = (line) => {
    const r = spawnSync('fish', ['--no-config', '-c', `source ${file}; complete -C '${line}'`], {encoding: 'utf8', cwd: directory, env: {...process.env, HOME: directory}});
    assert.equal(r.stderr, '');
    return r.stdout.split('\n').filter(Boolean).map((l) => l.split('\t')[0]);
  };
  assert.deepEqual(offered('vercel-sim prof'), ['profiles']);
  assert.deepEqual(offered('vercel-sim run --pla'), ['--placement']);
  assert.deepEqual(offered('vercel-sim run --isolation fl'), ['fluid']);
  assert.deepEqual(offered('vercel-sim explain FUNCTION_INVOCATION_T'), ['FUNCTION_INVOCATION_TIMEOUT']);
});
