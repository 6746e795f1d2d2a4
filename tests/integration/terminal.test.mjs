// `run` on a terminal, as script(1) makes one: the width of its lines, its keys, its last words.
import assert from 'node:assert/strict';
import {spawnSync} from 'node:child_process';
import {describe, test} from 'node:test';
import {command, eventually, get, kServer, run, tempDir, write} from './program.mjs';
import {kBin} from './world.mjs';

const kHanging = kServer.replace("if (path === '/exit')", "if (path === '/hang') return;\n  if (path === '/exit')");
const project = (t) => write(tempDir(t), {'server.cjs': kHanging});
const kScript = spawnSync('script', ['-qec', 'true', '/dev/null']).status === 0;
const skip = !kScript && 'no script(1) to make a terminal';

// On a terminal of so many columns; `after` is run in it when vercel-sim has ended.
async function onTerminal(t, {columns = 100, args = '', input = '', after = ''} = {}) {
  const line = `stty cols ${columns} rows 40; '${kBin}' run --port 0 ${args} --set duration.default=1s --app 'exec node server.cjs' ${input}; ended=$?; ${after} echo "ended with $ended"`;
  const sim = command(t, ['script', '-qec', line, '/dev/null'], {cwd: project(t), env: {TERM: 'xterm', NO_COLOR: '1', SHELL: '/bin/bash'}, stdio: ['pipe', 'pipe', 'pipe']});
  const [, port] = await sim.says(/vercel-sim ready on http:\/\/localhost:(\d+)/);
  return Object.assign(sim, {port: Number(port), press: (keys) => sim.child.stdin.write(keys)});
}

const linesOf = (text) => text.split(/\r?\n/);

describe('On a terminal', {concurrency: 4}, () => {
  for (const columns of [60, 80, 100, 200]) {
    test(`${columns} columns: no line is longer, none is broken in a word, and what to do comes first`, {skip}, async (t) => {
      const sim = await onTerminal(t, {columns});
      assert.equal((await get(sim.port, '/hang')).status, 504);
      await sim.says(/ {4}source {2}https:/);
      sim.press('q');
      await sim.says(/^ended with 0/m);
      // One word may be longer than a line: an address stays whole, so that it can be clicked on.
      for (const line of linesOf(sim.text)) assert.ok([...line].length <= columns || /^( {4}[a-z]+ +)?\S+$/.test(line), `${[...line].length} columns: ${line}`);
      const verdict = sim.text.slice(sim.text.indexOf('✗ FUNCTION_INVOCATION_TIMEOUT'), sim.text.indexOf('https://vercel.com/docs'));
      assert.deepEqual([...verdict.matchAll(/^ {4}([a-z]+) /gm)].map(([, name]) => name), ['fix', 'seen', 'why', 'limit', 'source']);
      for (const row of linesOf(verdict.slice(verdict.indexOf('    fix'), verdict.lastIndexOf('    source'))).slice(0, -1)) assert.match(row, /^ {4}[a-z]+ +\S|^ {12}\S/, 'below its text');
    });
  }

  test('keys: help, clear, restart, quit; nothing is echoed, and the terminal is as it was', {skip}, async (t) => {
    const sim = await onTerminal(t, {after: 'stty -a;'});
    await sim.says(/press h for help, q to quit/);
    const first = JSON.parse((await get(sim.port)).text).pid;
    sim.press('xyh');
    await sim.says(/^ {2}r {2}restart the app/m);
    assert.doesNotMatch(sim.text, /xyh?\r?\n/);
    sim.press('\x1b[A');  // an arrow is no key of ours
    sim.press('c');
    await sim.says(/\x1b\[2J/);
    sim.press('r');
    await sim.says(/restarting the app/);
    const second = await eventually('the new app', async () => {
      const {status, text} = await get(sim.port);
      return status === 200 && JSON.parse(text).pid;
    });
    assert.notEqual(second, first);
    assert.doesNotMatch(sim.text, /the app stopped/, 'asked for, it is no crash');
    sim.press('q');
    await sim.says(/^ended with 0/m);
    assert.match(sim.text, /[ ;]icanon/);
    assert.match(sim.text, /[ ;]echo /);
    await sim.end();
    assert.deepEqual(sim.alive(), []);
  });

  test('no keys where standard input is something else', {skip}, async (t) => {
    const sim = await onTerminal(t, {input: '</dev/null'});
    sim.press('q');
    assert.equal((await get(sim.port)).status, 200);
    await sim.says(/ GET {2}\/ 200/);
    sim.press('\x03');
    await sim.says(/^ended with 130/m);
    assert.doesNotMatch(sim.text, /press h for help/);
  });

  test('in the background the keys are the shell’s, and what is typed there stops nobody', {skip}, async (t) => {
    const sim = command(t, ['script', '-qec', 'bash --norc -i', '/dev/null'], {cwd: project(t), env: {TERM: 'dumb', NO_COLOR: '1', SHELL: '/bin/bash'}, stdio: ['pipe', 'pipe', 'pipe']});
    const type = (text) => sim.child.stdin.write(text);
    type(`'${kBin}' run --port 0 --app 'exec node server.cjs'\n`);
    const [, port] = await sim.says(/vercel-sim ready on http:\/\/localhost:(\d+)/);
    await sim.says(/press h for help/);
    type('\x1a');
    await sim.says(/Stopped/);
    type('bg\n');
    assert.equal((await get(Number(port))).status, 200, 'it goes on');
    type('echo typed-$((40 + 2))\n');
    await sim.says(/^typed-42/m);
    assert.equal((await get(Number(port))).status, 200, 'and is not stopped');
    let from = sim.text.length;
    type('fg\n');
    await sim.says(/run --port 0/, {from});
    from = sim.text.length;
    type('h');
    await sim.says(/^ {2}h {2}this text/m, {from});
    type('q');
    await sim.says(/2 requests to 1 route/, {from});
    type('exit\n');
    await sim.end();
    assert.deepEqual(sim.alive(), []);
  });

  test('a key stops the run as Ctrl-C does, and both say what was seen', {skip}, async (t) => {
    const sim = await onTerminal(t);
    for (const path of ['/hang', '/hang?2', '/fine']) await get(sim.port, path);
    sim.press('\x03');
    await sim.says(/^ended with 130/m);
    assert.match(sim.text, /^3 requests to 2 routes in \S+: 2 violations\r?\n {2}\/hang {2}2 requests {2}✗ FUNCTION_INVOCATION_TIMEOUT 2 times\r?$/m);
  });
});

test('the last words come into a pipe too, and not with --quiet', async (t) => {
  const start = (args) => run(t, [...args, '--app', 'exec node server.cjs'], {cwd: project(t)});
  const [plain, quiet] = await Promise.all([start([]), start(['--quiet'])]);
  for (const sim of [plain, quiet]) {
    assert.equal((await get(sim.port)).status, 200);
    assert.equal((await sim.stop()).code, 0);
  }
  assert.match(plain.text, /\n1 request to 1 route in \S+: no violation\n$/);
  assert.doesNotMatch(quiet.text, /request to/);
});
