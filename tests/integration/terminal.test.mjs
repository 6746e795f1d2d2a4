// `run` on a terminal, as script(1) makes one: the width of its lines, its keys, its last words.
import assert from 'node:assert/strict';
import {spawnSync} from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import {describe, test} from 'node:test';
import {command, eventually, get, kServer, run, tempDir, write} from './program.mjs';
import {kBin} from './world.mjs';

const kHanging = kServer.replace("if (path === '/exit')", "if (path === '/hang') return;\n  if (path === '/exit')");
const project = (t) => write(tempDir(t), {'server.cjs': kHanging});
const kScript = spawnSync('script', ['-qec', 'true', '/dev/null']).status === 0;
const skip = !kScript && 'no script(1) to make a terminal';

// On a terminal of so many columns; `after` is run in it when vercel-sim has ended.
async function onTerminal(t, {columns = 100, args = '', input = '', after = '', env = {}} = {}) {
  const dir = project(t);
  const line = `stty cols ${columns} rows 40; '${kBin}' run --port 0 ${args} --set duration.default=1s --app 'exec node server.cjs' ${input}; ended=$?; ${after} echo "ended with $ended"`;
  const sim = command(t, ['script', '-qec', line, '/dev/null'], {cwd: dir, env: {TERM: 'xterm', NO_COLOR: '1', SHELL: '/bin/bash', ...env}, stdio: ['pipe', 'pipe', 'pipe']});
  const [, port] = await sim.says(/vercel-sim ready on http:\/\/localhost:(\d+)/);
  return Object.assign(sim, {dir, port: Number(port), press: (keys) => sim.child.stdin.write(keys)});
}

// A PATH with what a shell needs, and no browser.
function withoutBrowser(t) {
  const dir = tempDir(t);
  for (const name of ['script', 'sh', 'bash', 'node', 'stty', 'uname']) fs.symlinkSync(spawnSync('which', [name]).stdout.toString().trim(), path.join(dir, name));
  return dir;
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

  test('keys: the next plan and the time scale, for what comes from then on', {skip}, async (t) => {
    const sim = await onTerminal(t, {args: '--profile hobby --events events.jsonl'});
    sim.press('p');
    await sim.says(/^plan hobby-fluid \(as of \d{4}-\d\d-\d\d\) for requests that come from now on, after hobby;/m);
    await sim.says(/^ {2}websocket.policy +reject → tunnel\r?$/m);
    assert.doesNotMatch(sim.text, /duration.default +\S+ → /, 'what was set stays, whatever the plan');
    sim.press('sduration.default=7s\r');
    await sim.says(/^ {2}duration.default +1s → 7s\r?$/m);
    sim.press('sduration.defualt=7s\r');
    await sim.says(/did you mean "duration.default"/);
    sim.press('sduration.default=1s\r');
    await sim.says(/^ {2}duration.default +7s → 1s\r?$/m);
    sim.press('t');
    await sim.says(/^time scale 2x for requests that come from now on/m);
    assert.equal((await get(sim.port, '/hang')).status, 504);
    sim.press('ttt');
    await sim.says(/^time scale 1x for/m);
    sim.press('ppppp');
    await sim.says(/^plan hobby \(as of .*after enterprise-fluid;/m);
    sim.press('i');
    await sim.says(/^note: there are no instances: all requests share one process/m);
    sim.press('q');
    await sim.says(/^ended with 0/m);
    const events = fs.readFileSync(path.join(sim.dir, 'events.jsonl'), 'utf8').trim().split('\n').map((line) => JSON.parse(line));
    const changed = events.filter((e) => e.t === 'profile_changed');
    assert.deepEqual(changed.map((e) => `${e.profile} ${e.time_scale}`), ['hobby-fluid 1', 'hobby-fluid 1', 'hobby-fluid 1', 'hobby-fluid 2', 'hobby-fluid 5', 'hobby-fluid 10', 'hobby-fluid 1', 'pro 1', 'pro-fluid 1', 'enterprise 1', 'enterprise-fluid 1', 'hobby 1']);
    assert.deepEqual(changed[3].changes, [{key: 'time_scale', from: '1', to: '2'}]);
    assert.deepEqual(changed[0].changes.find((c) => c.key === 'compute'), {key: 'compute', from: 'serverless', to: 'fluid'});
  });

  // A browser that writes down what it is asked for.
  const kBrowser = '#!/bin/sh\necho "$1" >> "$ASKED"\n';
  async function withBrowser(t, settings) {
    const dir = tempDir(t), asked = path.join(dir, 'asked'), browser = path.join(dir, 'browser');
    fs.writeFileSync(browser, kBrowser, {mode: 0o755});
    const sim = await onTerminal(t, {...settings, env: {BROWSER: `/nowhere/none:${browser}`, ASKED: asked, CI: '', ...settings.env}});
    return Object.assign(sim, {asked: () => (fs.existsSync(asked) ? fs.readFileSync(asked, 'utf8') : '')});
  }
  const urlOf = (sim) => `http://localhost:${sim.port}\n`;

  test('o opens the app in the browser, --open does so once it is ready', {skip}, async (t) => {
    const sim = await withBrowser(t, {args: '--open'});
    await eventually('the browser', () => sim.asked() === urlOf(sim));
    sim.press('o');
    await eventually('it again', () => sim.asked() === urlOf(sim).repeat(2));
    sim.press('q');
    await sim.says(/^ended with 0/m);
  });

  test('o where nobody looks, and where there is no browser: the address is said, and the run goes on', {skip}, async (t) => {
    const [ci, none] = await Promise.all([withBrowser(t, {env: {CI: '1'}}), onTerminal(t, {env: {BROWSER: '/nowhere/none', CI: '', PATH: withoutBrowser(t)}})]);
    for (const [sim, says] of [[ci, /^CI is set: no browser is opened; the app is at http:\/\/localhost:\d+\r?$/m], [none, /^no browser was found; open http:\/\/localhost:\d+\r?$/m]]) {
      sim.press('o');
      await sim.says(says);
      assert.equal((await get(sim.port)).status, 200);
      sim.press('q');
      await sim.says(/^ended with 0/m);
    }
    assert.equal(ci.asked(), '');
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
