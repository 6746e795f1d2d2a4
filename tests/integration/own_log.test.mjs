// --log-level and --log-file: what vercel-sim itself does, for a report of its own faults.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import {describe, test} from 'node:test';
import {get, kServer, program, run, tempDir, write} from './program.mjs';

const project = (t) => write(tempDir(t), {'server.cjs': kServer});
const start = (t, dir, ...args) => run(t, [...args, '--app', 'API_TOKEN=abcdef node server.cjs --password=hunter2'], {cwd: dir});

describe('The log of vercel-sim itself', {concurrency: 4}, () => {
  test('a file has what was started, where it listens and how it ended, without secrets; the terminal stays as it is', async (t) => {
    const dir = project(t);
    const sim = await start(t, dir, '--log-file', 'own.log');
    assert.equal((await get(sim.port)).status, 200);
    await sim.stop('SIGINT');
    const log = fs.readFileSync(path.join(dir, 'own.log'), 'utf8');
    for (const line of [/^vercel-sim: its own log\n/, / info +cli +vercel-sim \d+\.\d+\.\d+, /, / debug +process started pid \d+: /, / debug +net +listens on 127\.0\.0\.1 port \d+\n/, / info +app +.* is ready after \d+ ms\n/, / debug +process pid \d+ is asked to stop, /, / info +cli +ends with exit code \d+\n$/])
      assert.match(log, line);
    assert.doesNotMatch(log, /abcdef|hunter2/);
    assert.match(log, /API_TOKEN=\*\*\*/);
    assert.doesNotMatch(sim.text, / debug /);
    assert.equal(fs.statSync(path.join(dir, 'own.log')).mode & 0o777, 0o600);
  });

  test('without a file it goes to standard error, from the level on', async (t) => {
    const sim = await start(t, project(t), '--log-level', 'info');
    await sim.stop('SIGINT');
    assert.match(sim.text, /Z info +cli +vercel-sim /);
    assert.doesNotMatch(sim.text, /Z debug /);
  });

  test('a file that is not ours stays, and nothing starts', async (t) => {
    const dir = write(project(t), {'notes.txt': 'mine\n'});
    const sim = program(t, ['run', '--port', '0', '--log-file', 'notes.txt', '--app', 'node server.cjs'], {cwd: dir});
    assert.equal((await sim.end()).code, 64);
    assert.equal(sim.stdout, '');
    assert.match(sim.stderr, /^error: --log-file notes\.txt: a file that is no log of vercel-sim\n {2}fix: /);
    assert.equal(fs.readFileSync(path.join(dir, 'notes.txt'), 'utf8'), 'mine\n');
  });

  test('a level that is none is named with those there are', async (t) => {
    const sim = program(t, ['run', '--log-level', 'loud']);
    assert.equal((await sim.end()).code, 64);
    assert.match(sim.stderr, /--log-level/);
    assert.match(sim.stderr, /debug \| info \| warn \| error|debug, info, warn/);
  });
});
