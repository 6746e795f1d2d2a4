// What a copy of a process has of its own (own.cjs): what the template has drawn ahead is used up before the copy gets any.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { test } from 'node:test';

const own = path.resolve(import.meta.dirname, '../../src/agent/instance/own.cjs');

test('a copy draws random numbers of its own, when it asks for the first', () => {
  const script = `
    const crypto = require('node:crypto'), v8 = require('node:v8'), vm = require('node:vm');
    const calls = { randomUUID: 0, randomInt: 0, seeds: 0, sfc: 0 };
    for (const name of ['randomUUID', 'randomInt']) {
      const real = crypto[name];
      crypto[name] = function (...args) { calls[name] += 1; return Reflect.apply(real, this, args); };
    }
    const { setFlagsFromString } = v8;
    v8.setFlagsFromString = (flag) => { calls.seeds += /^--random-seed=[1-9]/.test(flag); setFlagsFromString(flag); };
    const { randomFillSync } = crypto;
    crypto.randomFillSync = (given) => { calls.sfc += given instanceof Int32Array; return randomFillSync(given); };
    process.argv[1] = '/x/template.cjs';
    const sim = { hello: {}, ...require(${JSON.stringify(own)})({ hello: {} }) };
    sim.prepareOwn();
    const out = [];
    const step = (action) => { action(); out.push({ ...calls }); };
    step(() => { crypto.randomUUID(); Math.random(); vm.createContext({}); });
    step(() => sim.becomeOwn({ mark: 'A=b', exit() {}, pid: 7 }));
    step(() => { crypto.randomUUID(); crypto.randomUUID(); crypto.randomInt(5); });
    step(() => { Math.random(); Math.random(); });
    step(() => vm.runInNewContext('1'));
    process.removeAllListeners('exit');
    console.log(JSON.stringify({ out, pid: process.pid, mark: process.env.A, script: process.argv[1] }));
    process.kill(Number(require('node:fs').readlinkSync('/proc/self')), 'SIGKILL');
  `;
  let text;
  try {
    text = execFileSync(process.execPath, ['-e', script, 'x'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  } catch (error) {
    assert.equal(error.signal, 'SIGKILL');
    text = error.stdout;
  }
  const { out, ...rest } = JSON.parse(text);
  assert.deepEqual(rest, { pid: 7, mark: 'b', script: '/x/instance.cjs' });
  const [template, begun, uuids, random, context] = out;
  assert.deepEqual(template, { randomUUID: 1, randomInt: 0, seeds: 0, sfc: 1 });
  assert.deepEqual(begun, template, 'nothing before it is asked for');
  assert.deepEqual(uuids, { ...template, randomUUID: 1 + 128 + 2, randomInt: 1 });
  assert.deepEqual(random, { ...uuids, sfc: 2 });
  assert.equal(context.seeds >= 1, true);
});
