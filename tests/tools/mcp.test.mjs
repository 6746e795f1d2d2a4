// `vercel-sim mcp` with the official client: what an agent finds, asks and changes.
import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import {test} from 'node:test';
import {Client} from '@modelcontextprotocol/sdk/client/index.js';
import {StdioClientTransport} from '@modelcontextprotocol/sdk/client/stdio.js';
import {answer, get, kBin, tempDir, world} from '../integration/world.mjs';

async function client(t, args = [], cwd = undefined) {
  const transport = new StdioClientTransport({command: kBin, args: ['mcp', ...args], cwd, stderr: 'inherit'});
  const c = new Client({name: 'test', version: '1'});
  t.after(() => c.close());
  await c.connect(transport);
  const said = async (name, args = {}) => {
    const {content, isError} = await c.callTool({name, arguments: args});
    return {text: content[0].text, isError};
  };
  const data = async (name, args) => {
    const {text, isError} = await said(name, args);
    assert.equal(isError, false, text);
    return JSON.parse(text);
  };
  return {c, said, data};
}

test('an agent asks what a run has seen, and switches its plan with the link of the terminal', async (t) => {
  const w = await world(t, {origin: answer('app')});
  const [, token] = /_vercel-sim\/#([0-9a-f]{16})$/m.exec(w.sim.child.said);
  const url = `http://localhost:${w.port}`, link = `${url}/_vercel-sim/#${token}`;
  const {c, said, data} = await client(t, ['--url', url]);
  assert.equal(c.getServerVersion().name, 'vercel-sim');
  assert.match(c.getServerVersion().version, /^\d+\.\d+\.\d+$/);
  const {tools} = await c.listTools();
  assert.deepEqual(tools.map((tool) => tool.name), ['run', 'verdicts', 'events', 'invocations', 'invocation', 'instances', 'plan', 'switch_plan', 'explain', 'check', 'replay']);
  assert.deepEqual((await data('verdicts')).verdicts, []);
  await w.fetch(get('/one'));
  await w.fetch(get(`/long?${'x'.repeat(20_000)}`));
  const {verdicts} = await data('verdicts', {code: 'URL_TOO_LONG'});
  assert.equal(verdicts.length, 1);
  assert.ok(verdicts[0].verdict.limit);
  const {invocations} = await data('invocations', {status: 200});
  assert.deepEqual(invocations.map((e) => e.target), ['/one']);
  assert.equal((await data('invocation', {which: invocations[0].request_id})).events.length, 2);
  assert.equal((await data('invocation', {which: String(invocations[0].id), link: url})).open, false);
  assert.ok((await data('events', {type: 'run_started'})).events[0].url);
  assert.deepEqual((await data('instances')).instances, []);
  assert.equal((await data('run')).app_changed.state, 'ready');
  // Changes need the token.
  const refused = await said('switch_plan', {profile: 'pro'});
  assert.equal(refused.isError, true);
  assert.match(refused.text, /needs its token[^]*fix: .*terminal/);
  assert.equal((await data('switch_plan', {profile: 'pro', link})).profile_changed.profile, 'pro');
  await data('switch_plan', {set: 'duration.default=7s', link});
  const plan = await data('plan');
  assert.deepEqual([plan.name, plan.values['duration.default'].value], ['pro', '7s']);
  // What is wrong is said, and nothing is asked beyond this machine.
  for (const [name, args, pattern] of [
    ['verdicts', {limit: 0}, /limit expects/], ['verdicts', {colour: 'red'}, /colour is no argument/], ['invocation', {}, /which is missing/], ['events', {limit: 'x'}, /limit expects a whole number/],
    ['invocation', {which: '99'}, /no invocation 99/], ['run', {link: 'http://example.com/'}, /this machine only/], ['run', {link: 'http://127.example.com/'}, /this machine only/], ['run', {link: 'http://localhost:1'}, /nothing runs on[^]*fix: vercel-sim run/],
    ['run', {link: `http://127.0.0.1:${w.originPort}`}, /is no run of vercel-sim/], ['switch_plan', {profile: 'gold', link}, /expects one of hobby/],
  ]) {
    const {text, isError} = await said(name, args);
    assert.ok(isError, `${name}: ${text}`);
    assert.match(text, pattern);
  }
  await assert.rejects(c.callTool({name: 'deploy_to_production', arguments: {}}), /no tool is called/);
});

test('the program\'s own commands: explain, check, replay', async (t) => {
  const dir = tempDir(t);
  fs.mkdirSync(path.join(dir, 'app/api/slow'), {recursive: true});
  fs.writeFileSync(path.join(dir, 'package.json'), '{"dependencies": {"next": "16.4.6"}}');
  fs.writeFileSync(path.join(dir, 'app/api/slow/route.js'), 'export const maxDuration = 9000;\nexport const GET = () => Response.json({});\n');
  const {said} = await client(t, [], dir);
  assert.match((await said('explain', {what: 'FUNCTION_INVOCATION_TIMEOUT'})).text, /FUNCTION_INVOCATION_TIMEOUT[^]*exit code 0$/);
  assert.match((await said('explain', {what: '--help'})).text, /no code, rule or known message[^]*exit code 64$/, 'words are words, not options');
  const {text} = await said('check', {profile: 'hobby'});
  assert.match(text, /exit code 2$/);
  assert.match(JSON.stringify(JSON.parse(text.slice(0, text.lastIndexOf('\nexit code')))), /maxDuration/);
  const replay = await said('replay', {recording: 'nothing.jsonl'});
  assert.match(replay.text, /nothing\.jsonl[^]*exit code 64$/);
});

test('only messages on standard output; broken ones are answered, and the end of the input is the end', async (t) => {
  const child = spawn(kBin, ['mcp'], {stdio: ['pipe', 'pipe', 'inherit']});
  t.after(() => child.kill('SIGKILL'));
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (data) => (text += data));
  const lines = async (count) => {
    while (text.split('\n').length <= count) await once(child.stdout, 'data');
    return text.trim().split('\n').map((line) => JSON.parse(line));
  };
  child.stdin.write('{broken\n[]\n{"jsonrpc":"2.0","id":1,"method":"nothing"}\n{"jsonrpc":"2.0","id":"a","method":"ping"}\n{"jsonrpc":"2.0","method":"notifications/initialized"}\n');
  assert.deepEqual((await lines(4)).map((m) => [m.id, m.error?.code ?? m.result]), [[null, -32700], [null, -32600], [1, -32601], ['a', {}]]);
  child.stdin.end();
  const [code] = await once(child, 'close');
  assert.equal(code, 0);
});
