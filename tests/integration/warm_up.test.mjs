// `test --warm` with an app that fails while it is compiled: the command waits for its successor, and not longer than --ready-timeout. The app here is
// what the agent sees of `next dev`: a bundler that compiles what it is asked for, and no more.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import {describe, test} from 'node:test';
import {nextProject, program, tempDir, write} from './program.mjs';

// Each compile writes its page into the file "compiled". `then`: what the first one does, in a process whose number is `start`.
const project = (then) => {
  const lib = 'node_modules/next/dist/server/lib';
  const small = nextProject();
  return {
    ...small,
    'app/api/a/route.ts': 'export const GET = () => new Response("a");\n',
    'node_modules/next/dist/bin/next': small['node_modules/next/dist/bin/next'].replace("{stdio: 'inherit'}", "{stdio: 'inherit', env: {...process.env, TURBOPACK: '1'}}"),
    [`${lib}/render-server.js`]: `exports.initialize = async () => ({requestHandler: () => {}, server: {server: {}}});\n`,
    [`${lib}/router-server.js`]: `
const fs = require('node:fs');
exports.initialize = async () => {
  fs.appendFileSync('starts', 'x');
  const start = fs.readFileSync('starts', 'utf8').length;
  const ensurePage = async ({page}) => {
    fs.appendFileSync('compiled', start + page + '\\n');
    ${then}
  };
  return require('./render-server').initialize({bundlerService: {ensurePage, bundler: {hotReloader: {ensurePage, getCompilationErrors: async () => []}}}});
};
`,
    [`${lib}/start-server.js`]: `
const fs = require('node:fs');
const {initialize} = require('./router-server');  // now: what has no router is ready once it listens
require('node:http').createServer((request, response) => response.end('app')).listen(Number(process.env.PORT), () => {
  if (fs.existsSync('never')) return console.log('comes up no more');
  initialize({});
});
`,
  };
};

async function warmed(t, then, args, code) {
  const dir = write(tempDir(t), project(then));
  const sim = program(t, ['test', '--port', '0', '--isolation', 'none', '--warm', ...args, '--', 'sh', '-c', 'echo ran > ran'], {cwd: dir});
  const end = await sim.end(40_000);
  assert.equal(end.code, code, sim.text);
  assert.deepEqual(sim.alive(), []);
  const read = (name) => (fs.existsSync(path.join(dir, name)) ? fs.readFileSync(path.join(dir, name), 'utf8') : null);
  return {sim, read};
}

describe('test --warm', {concurrency: 4}, () => {
  test('the app dies while it gets warm, and its successor never gets ready: 70 after --ready-timeout', async (t) => {
    const {sim, read} = await warmed(t, `fs.writeFileSync('never', ''); process.exit(1);`, ['--ready-timeout', '10s'], 70);
    assert.equal(read('compiled'), '1/api/a/route\n');
    assert.match(sim.stderr, /^note: warming 1 route$/m);
    assert.match(sim.text, /comes up no more/);
    assert.match(sim.stderr, /^error: the app was not ready within 10s$/m);
    assert.equal(read('ran'), null);
  });

  test('its successor gets warm from the beginning, and then the command runs', async (t) => {
    const {sim, read} = await warmed(t, `if (start === 1) process.exit(1);`, [], 3);
    assert.equal(read('compiled'), '1/api/a/route\n2/api/a/route\n');
    assert.match(sim.stderr, /^note: warmed 1 route in \d+\.\ds$/m);
    assert.equal(read('ran'), 'ran\n');
  });
});
