// A process of its own with the agent's parts and an app of a few files, without Next: what its hooks see of the machine.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after } from 'node:test';
import { fileURLToPath } from 'node:url';

const base = mkdtempSync(path.join(tmpdir(), 'vsim-machine-'));
after(() => rmSync(base, { recursive: true, force: true }));
export const agent = fileURLToPath(new URL('../../src/agent/', import.meta.url));

// The agent's parts as an instance has them, the app's files being what Next would have compiled. It prints {told, results}.
export const world = `
const { AsyncLocalStorage } = require('node:async_hooks');
const path = require('node:path');
const http = require('node:http');
const app = __dirname;
const told = [];
const sim = {
  lookAtWrite: () => {},
  guard: (_, action) => { try { return action(); } catch (error) { told.push({ broken: String(error.stack) }); } },
  lacks: (what) => told.push({ lacks: what }),
  boot: { options: { dir: app }, config: { distDir: '.next' } }, next: { dist: process.env.NEXT_DIST },
  options: { publicPort: Number(process.env.OWN_PORT), machine: process.env.MODES, isHttps: false, instance: '1', timeScale: 1, tmp: process.env.OWN_TMP, tmpKept: process.env.OWN_TMP?.split(' ') },
  plain: { setTimeout, setImmediate }, tell: (m) => (m.t === 'machine' || m.t === 'tmp') && told.push(m), invocations: new AsyncLocalStorage(),
  isUserCode: (file) => file.startsWith(app) && file !== __filename && file !== path.join(app, 'main.js'),
  originalPosition: (at) => (at.startsWith(app) ? path.relative(app, at) : undefined),
};
for (const part of ['shared/hanging', 'shared/connections', 'instance/own-requests', 'shared/machine', 'instance/network', 'instance/disk', 'instance/reads-by-name', 'instance/reads', 'instance/tmp', 'instance/programs', 'instance/plan']) Object.assign(sim, require(process.env.AGENT + part + '.cjs')(sim));
sim.hookOwnRequests(); sim.hookNetwork(); sim.hookDisk(); sim.hookReads(); sim.hookTmp(); sim.hookPrograms(); sim.hookPlan(); sim.keepSpare(); sim.hookHanging();
sim.peer = { tell: (name, { page, entry, reads }) => told.push({ name, page, entry, reads: reads.map(({ what, name, at, directory, answer }) => [what, name, at, directory, ...(answer ? [answer] : [])]) }) };
const invoke = (action, more) => { const one = { id: 7, req: { headers: { host: 'localhost:' + process.env.OWN_PORT } }, ...more };
  return sim.invocations.run(one, async () => { try { return await action(); } finally { sim.tellUntold(one); sim.tellReads(one); sim.tellTmp(one); sim.tellPlan(one); } }); };
const outcome = async (action, more) => { try { return { value: await invoke(action, more) }; } catch (error) { return { code: error.code ?? error.cause?.code, message: error.message, cause: error.cause?.message }; } };
const server = http.createServer((req, res) => res.end('mine'));
server.listen(Number(process.env.OWN_PORT), '127.0.0.1', async () => {
  const results = await require('./main.js')({ sim, invoke, outcome });
  require('node:fs').writeSync(1, JSON.stringify({ told, results, dir: app }));
  process.exit(0);
});
`;

let count = 0;
// The port that the next app takes for its own.
export const nextPort = () => String(21000 + (process.pid % 500) * 20 + count + 1);
// `through`: a command that starts the process.
export function run(files, { modes = 'self=enforce,loopback=warn,ipv6=warn,smtp=warn,disk=enforce', env = {}, through = [] } = {}) {
  const dir = path.join(base, `app${++count}`);
  for (const [name, text] of Object.entries({ 'world.js': world, ...files })) {
    mkdirSync(path.dirname(path.join(dir, name)), { recursive: true });
    writeFileSync(path.join(dir, name), text);
  }
  const port = String(21000 + (process.pid % 500) * 20 + count);
  const [program, ...args] = [...through, process.execPath, 'world.js'];
  const done = spawnSync(program, args, { cwd: dir, encoding: 'utf8', timeout: 180_000, env: { PATH: process.env.PATH, AGENT: agent, OWN_PORT: port, MODES: modes, VERCEL_URL: `localhost:${port}`, ...env } });
  assert.equal(done.status, 0, done.stderr);
  const out = JSON.parse(done.stdout);
  assert.deepEqual(out.told.filter((one) => one.broken || one.lacks), []);
  return { ...out, port };
}
