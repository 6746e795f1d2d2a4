// What is left of an invocation when its response is done, and what of it is told: timers, requests, pools of connections, on real instances.
import assert from 'node:assert/strict';
import net from 'node:net';
import { after, before, describe, test } from 'node:test';
import { cleanUp, combo } from './harness.mjs';
import { startIsolated, startOutside } from './isolation.mjs';

const { next, bundler } = combo();
const json = (answer) => JSON.parse(answer.text);

// A package with timers of its own, and a route that uses it.
const kChores = {
  'node_modules/chores/package.json': '{"name":"chores","version":"1.0.0","main":"index.js"}',
  'node_modules/chores/index.js': `
exports.report = () => setInterval(() => {}, 60000).unref();
exports.gather = () => setTimeout(() => {}, 100);
exports.flush = () => setTimeout(() => {}, 5000);
`,
  'app/iso/chores/route.js': `
import * as chores from 'chores';
export const dynamic = 'force-dynamic';
export async function GET(request) {
  chores[new URL(request.url).searchParams.get('what')]();
  return new Response('done');
}
`,
};

// A package that pools connections to a database, with an idle timeout, as the drivers do.
const kPool = {
  'node_modules/poolish/package.json': '{"name":"poolish","version":"1.0.0","main":"index.js"}',
  'node_modules/poolish/index.js': `
const net = require('node:net');
const message = (type, text) => {
  const head = Buffer.alloc(5);
  head.write(type);
  head.writeInt32BE(text.length + 4, 1);
  return Buffer.concat([head, Buffer.from(text)]);
};
const idle = [];
exports.query = (port, text) => new Promise((done, fail) => take(port, (socket) => {
  socket.once('data', () => {
    idle.push(socket);
    setTimeout(() => {}, 30000);  // when it is closed
    done();
  });
  // In several pieces that go together, as drivers write a query with parameters.
  socket.cork();
  for (const piece of [message('P', text), message('B', text), message('S', '')]) socket.write(piece);
  socket.uncork();
}, fail));
exports.connect = (port) => take(port, (socket) => idle.push(socket));
exports.publish = (port) => take(port, (socket) => socket.write('a line for a log'));
function take(port, then, fail = () => {}) {
  if (idle.length > 0) return void process.nextTick(then, idle.pop());
  const socket = net.connect(port, '127.0.0.1').on('error', fail);
  socket.once('connect', () => socket.write(Buffer.from([0, 0, 0, 8, 0, 3, 0, 0])));
  socket.once('data', () => then(socket));
}
`,
  'app/iso/pool/route.js': `
import * as pool from 'poolish';
export const dynamic = 'force-dynamic';
export async function GET(request) {
  const { what, port } = Object.fromEntries(new URL(request.url).searchParams);
  const to = Number(port);
  if (what === 'awaited') await pool.query(to, 'select 1');
  if (what === 'floating') pool.query(to, 'select never');
  if (what === 'connect') pool.connect(to);
  if (what === 'published') await new Promise((done) => done(pool.publish(to)));
  return new Response('done');
}
`,
};

// Answers the first thing it is told, and then every query that does not say "never".
const database = net.createServer((socket) => {
  socket.on('error', () => {}).on('data', (bytes) => bytes.includes('never') || socket.write('ready'));
});

// Has no room.
const full = net.createServer((socket) => {
  const fields = Buffer.from('SFATAL\0VFATAL\0C53300\0Msorry, too many clients already\0\0');
  const head = Buffer.from([0x45, 0, 0, 0, fields.length + 4]);
  socket.on('error', () => {}).once('data', () => socket.end(Buffer.concat([head, fields])));
});

describe(`Left behind: Next ${next} ${bundler}`, { timeout: 600_000 }, () => {
  let fleet;
  let outside;

  before(async () => {
    outside = await startOutside();
    for (const server of [database, full]) await new Promise((done) => server.listen(0, '127.0.0.1', done));
    fleet = await startIsolated({ env: outside.env, files: { ...kChores, ...kPool } });
  });

  after(async () => {
    for (const server of [outside, database, full]) server.close();
    await cleanUp();
  });

  test('what is left hanging is told, with the line that made it', async () => {
    for (const [what, kind, line] of [['timeout', 'timeout', 9], ['interval', 'interval', 10], ['fetch', 'fetch', 12], ['promised', 'timeout', 13], ['asked', 'HTTP request', 14]]) {
      const answer = await fleet.fresh(`/iso/left?what=${what}`);
      const { hanging } = await answer.instance.done(answer.id);
      assert.equal(hanging?.length, 1, `${what}: ${JSON.stringify(hanging)}`);
      assert.equal(hanging[0].kind, kind);
      assert.match(hanging[0].source, new RegExp(`^app/iso/left/route\\.js:${line}:`));
      answer.instance.kill();
    }
    // A connection alone is no work.
    for (const what of ['none', 'over', 'fetched', 'reload', 'socket']) {
      const answer = await fleet.ask(`/iso/left?what=${what}`, 'left');
      assert.equal((await answer.instance.done(answer.id)).hanging, undefined);
    }
  });

  test('a package\'s own housekeeping is not left behind; what it sends later is', async () => {
    for (const [what, kinds] of [['report', undefined], ['gather', undefined], ['flush', ['timeout']]]) {
      const answer = await fleet.ask(`/iso/chores?what=${what}`, 'left');
      assert.equal(answer.text, 'done');
      const { hanging } = await answer.instance.done(answer.id);
      assert.deepEqual(hanging?.map(({ kind }) => kind), kinds, `${what}: ${JSON.stringify(hanging)}`);
    }
  });

  test('a pool: what is idle is not left behind, a query without its answer is, at the line of the app', async () => {
    const cases = [
      ['floating', 'app/iso/pool/route\\.js:8:'],  // it waits behind the connection
      ['connect'],
      ['awaited'],
      ['floating', 'node_modules/poolish/index\\.js:'],  // handed on to an idle connection in another turn: no frame of the app is left
      ['awaited'],
      ['published'],  // a protocol without answers
    ];
    for (const [what, left] of cases) {
      const answer = await fleet.ask(`/iso/pool?what=${what}&port=${database.address().port}`, 'pool');
      assert.equal(answer.text, 'done');
      const { hanging } = await answer.instance.done(answer.id);
      assert.deepEqual(hanging?.map(({ kind }) => kind), left && ['Postgres query'], `${what}: ${JSON.stringify(hanging)}`);
      if (left && bundler === 'turbopack') assert.match(hanging[0].source ?? hanging[0].at, new RegExp(left));
    }
  });

  test('a pool: connections that are held are told once, and one that is refused', async () => {
    const to = `127.0.0.1:${database.address().port}`;
    const pool = `/iso/pool?port=${database.address().port}`;
    const first = await fleet.ask(`${pool}&what=awaited`, 'held');
    await first.instance.done(first.id);
    const second = await fleet.ask(`${pool}&what=awaited`, 'held');
    await second.instance.done(second.id);
    const told = first.instance.events.all.filter(({ t }) => t === 'connections');
    assert.deepEqual(told.map(({ id, to, count, refusal }) => ({ id, to, count, refusal })), [{ id: first.id, to, count: 1, refusal: undefined }]);
    if (bundler === 'turbopack') assert.match(told[0].at, /^app\/iso\/pool\/route\.js:7:/);
    const { instance, id } = await fleet.fresh(`/iso/pool?port=${full.address().port}&what=connect`);
    await instance.done(id);
    const refused = instance.events.all.find(({ t, refusal }) => t === 'connections' && refusal);
    assert.equal(refused.refusal, '53300 sorry, too many clients already');
    assert.equal(refused.to, `127.0.0.1:${full.address().port}`);
    instance.kill();
  });

  test('a frozen instance: its timers stand still, and it goes on with the next request', async () => {
    const first = await fleet.ask('/iso/left?what=interval', 'frozen');
    await first.instance.done(first.id);
    first.instance.freeze();
    const frozen = performance.now();
    // Held for a while: only time that passes shows that nothing runs.
    await new Promise((done) => setTimeout(done, 1_500));
    let thawed;
    const place = () => {
      thawed = performance.now();
      first.instance.thaw();
      return first.instance;
    };
    const second = await fleet.request('/iso/left?what=none', { place });
    const ran = frozen - first.head + second.head - thawed;
    assert.ok(json(second).ticks * 50 <= ran + 200, `${json(second).ticks} ticks of 50 ms in ${ran} ms`);
    await second.instance.done(second.id);
    second.instance.kill();
  });

  test('no hook was found missing on the way', () => fleet.assertNoHookMissing());
});
