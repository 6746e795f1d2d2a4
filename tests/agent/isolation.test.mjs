// Function instances on Node's side: an unmodified `next dev` with the agent, real instances, and this test in vercel-sim's place. Each
// kind of function, and each pitfall that was met on the way.
import assert from 'node:assert/strict';
import { open, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import net from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { cleanUp, combo, copyApp, readText, save, within } from './harness.mjs';
import { kCall, startIsolated } from './isolation.mjs';

const { next, major, bundler } = combo();
const name = `Instances: Next ${next} ${bundler}`;
const isGrouped = major === 16 && bundler === 'turbopack';
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

describe(name, { timeout: 900_000 }, () => {
  let fleet;
  let world;
  let external;
  let word = 'first';
  const seenOutside = [];
  const pools = new Map(); // name → Map of page → instance

  before(async () => {
    external = http.createServer((req, res) => {
      seenOutside.push({ url: req.url, headers: req.headers });
      if (!req.url.startsWith('/never')) res.end(word);
    });
    await new Promise((done) => external.listen(0, '127.0.0.1', done));
    for (const server of [database, full]) await new Promise((done) => server.listen(0, '127.0.0.1', done));
    fleet = await startIsolated({
      env: { EXTERNAL_ORIGIN: `http://127.0.0.1:${external.address().port}`, ISO_PORT: String(external.address().port) },
      files: { '.env': 'FROM_DOT_ENV=one\nVERCEL_REGION=from-dot-env\n', ...kChores, ...kPool },
    });
    ({ world } = fleet);
  });

  after(async () => {
    external.closeAllConnections();
    external.close();
    database.close();
    full.close();
    await cleanUp();
  });

  // The instance of that name, for this function: one for all where several may share a process.
  const on = (pool, env) => async ({ page }) => {
    if (!pools.has(pool)) pools.set(pool, new Map());
    const byPage = pools.get(pool);
    const key = isGrouped ? '' : page;
    const known = byPage.get(key);
    if (known && known.end === undefined && !fleet.isStale(known)) return known;
    byPage.set(key, await fleet.spawn(env));
    return byPage.get(key);
  };
  const ask = (path, pool, options = {}) => fleet.request(path, { place: on(pool, options.env), ...options });
  const fresh = async (path, options = {}) => fleet.request(path, { place: () => fleet.spawn(options.env), ...options });

  async function assertDispatch(answer, expected) {
    assert.equal(answer.direct, undefined, answer.text);
    const { page, kind, runtime } = answer.dispatch;
    assert.deepEqual({ page, kind, runtime }, { runtime: 'nodejs', ...expected });
    assert.equal(answer.meta?.page, page);
    await answer.instance.done(answer.id);
    const events = answer.instance.of(answer.id);
    assert.equal(events.filter((event) => event.t === 'handler').length, 1, JSON.stringify(events));
    assert.equal(events.filter((event) => event.t === 'done').length, 1, JSON.stringify(events));
  }

  test('the agent says that functions can be isolated, and gives the boot file before it listens', () => {
    const kinds = world.events.all.map((event) => event.t);
    const hello = world.events.all.find((event) => event.t === 'hello');
    assert.deepEqual(hello.isolation, { ok: true, missing: [], grouped: isGrouped });
    assert.deepEqual(hello.missing, []);
    assert.equal(hello.exec, process.execPath);
    assert.ok(kinds.indexOf('boot') < kinds.indexOf('listening'), kinds.join(' '));
  });

  test('module state, globalThis and instrumentation are each instance\'s own', async () => {
    const seen = [];
    for (const pool of ['A', 'A', 'B']) {
      const answer = await ask('/iso/count', pool);
      await assertDispatch(answer, { page: '/iso/count/route', kind: 'APP_ROUTE' });
      const { count, shared, global, registered } = json(answer);
      seen.push([count, shared, global, registered]);
    }
    assert.deepEqual(seen, [[1, 1, 1, 1], [2, 2, 2, 1], [1, 1, 1, 1]]);
  });

  test('app page: rendered on the server and for the browser', async () => {
    const counts = [];
    for (const pool of ['A', 'A', 'B']) {
      const answer = await ask('/iso/page?word=blue', pool);
      assert.equal(answer.status, 200, answer.text);
      await assertDispatch(answer, { page: '/iso/page/page', kind: 'APP_PAGE' });
      assert.match(answer.text, /clicked/);
      counts.push(answer.text.match(/rendered (\d+) word blue/)?.[1]);
    }
    assert.deepEqual(counts, ['1', '2', '1']);
    // Newer versions send a request without the right `_rsc` to where it has one.
    let flight = await ask('/iso/page?word=green', 'A', { headers: { rsc: '1' } });
    if (flight.status === 307) flight = await ask(flight.headers.location, 'A', { headers: { rsc: '1' } });
    assert.equal(flight.status, 200);
    assert.match(flight.headers['content-type'], /text\/x-component/);
  });

  test('getServerSideProps, and its data', async () => {
    const page = await ask('/iso/ssr?word=red', 'A');
    assert.match(page.text, /ssr 1 red \/iso\/ssr\?word=red/);
    await assertDispatch(page, { page: '/iso/ssr', kind: 'PAGES' });
    const [, build] = page.text.match(/"buildId":"([^"]+)"/);
    const data = await ask(`/_next/data/${build}/iso/ssr.json?word=red`, 'A', { headers: { 'x-nextjs-data': '1' } });
    assert.deepEqual(json(data).pageProps, { count: 2, word: 'red', resolvedUrl: '/iso/ssr?word=red' });
    await assertDispatch(data, { page: '/iso/ssr', kind: 'PAGES' });
  });

  test('pages/api: a body that is parsed; res.socket.server is the instance\'s', async () => {
    const answer = await ask('/api/old', 'A', { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"a":1}' });
    await assertDispatch(answer, { page: '/api/old', kind: 'PAGES_API' });
    const { names, remote, address, own, body } = json(answer);
    assert.deepEqual({ names, remote, own, body, port: address.port }, { names: [], remote: '127.0.0.1', own: [], body: { a: 1 }, port: world.port });
  });

  test('edge function: its context is the instance\'s too', async () => {
    const counts = [];
    for (const pool of ['A', 'A', 'B']) {
      const answer = await ask('/iso/edge', pool);
      await assertDispatch(answer, { page: '/iso/edge/route', kind: 'APP_ROUTE', runtime: 'edge' });
      counts.push(json(answer).count);
    }
    assert.deepEqual(counts, [1, 2, 1]);
  });

  test('Server Action', async () => {
    const page = await ask('/action', 'A');
    const [, action] = page.text.match(/name="(\$ACTION_ID_[0-9a-f]+)"/);
    const part = (field, value) => `--line\r\nContent-Disposition: form-data; name="${field}"\r\n\r\n${value}\r\n`;
    const answer = await ask('/action', 'B', {
      method: 'POST',
      headers: { origin: `http://localhost:${world.port}`, 'content-type': 'multipart/form-data; boundary=line' },
      body: `${part(action, '')}${part('word', 'blue')}--line--\r\n`,
    });
    assert.equal(answer.status, 200, answer.text.slice(0, 500));
    await assertDispatch(answer, { page: '/action/page', kind: 'APP_PAGE' });
    assert.equal(answer.instance.output.match(/saved blue/g)?.length, 1, 'printed once, by the instance');
  });

  test('middleware stays in next dev; what it overrides, rewrites and sets reaches the function and the client', async () => {
    const answer = await ask('/iso/overridden', 'A', { headers: { 'X-Changed': 'old', 'X-Removed': 'here', 'X-Kept': 'as it is' } });
    await assertDispatch(answer, { page: '/iso/count/route', kind: 'APP_ROUTE' });
    const { headers } = json(answer);
    assert.equal(headers['x-added'], 'by middleware');
    assert.equal(headers['x-changed'], 'new');
    assert.equal(headers['x-removed'], undefined);
    assert.equal(headers['x-kept'], 'as it is');
    assert.ok(!Object.keys(headers).some((one) => one.startsWith('x-vsim')), JSON.stringify(headers));
    assert.match(String(answer.headers['set-cookie']), /from-mw=1/);
    const direct = await ask('/mw-answer', 'A');
    assert.equal(direct.direct, true);
    assert.equal(direct.text, 'from middleware');
  });

  test('a body is asked for by who reads it: next dev does not', async () => {
    const body = 'x'.repeat(100_000);
    const routed = await fleet.route('/iso/body', { method: 'POST', headers: {}, body, id: world.nextId(), hold: true, skip: [] });
    assert.equal(routed.asked, false, 'no 100 Continue from next dev');
    const answer = await ask('/iso/body', 'A', { method: 'POST', headers: { 'content-type': 'text/plain' }, body });
    await assertDispatch(answer, { page: '/iso/body/route', kind: 'APP_ROUTE' });
    assert.deepEqual(json(answer), { length: 100_000, type: 'text/plain', expect: null });
  });

  test('HEAD: the dispatch is in a field', async () => {
    const answer = await ask('/iso/count', 'A', { method: 'HEAD' });
    assert.equal(answer.status, 200);
    assert.equal(answer.dispatch.page, '/iso/count/route');
    await answer.instance.done(answer.id);
  });

  test('streams arrive as they are written, with what the response sets', async () => {
    const answer = await ask('/iso/stream', 'A');
    assert.equal(answer.text, 'one;two;three;');
    assert.deepEqual(answer.headers['set-cookie'], ['a=1']);
  });

  test('not found, broken and redirecting pages', async () => {
    const lost = await ask('/no/such/page', 'A');
    assert.equal(lost.status, 404);
    await lost.instance.done(lost.id);
    const broken = await ask('/iso/error', 'A');
    assert.equal(broken.status, 500);
    await assertDispatch(broken, { page: '/iso/error/page', kind: 'APP_PAGE' });
    await world.waitForOutput(/page broken on purpose/);
    await world.waitForOutput(/app\/iso\/error\/page\.js/);
    assert.equal((await ask('/iso/redirect', 'A')).status, 307);
    const api = await ask('/api/broken', 'A');
    assert.equal(api.status, 500);
    await api.instance.done(api.id);
  });

  test('a path that a page does not have goes on to the next page', async () => {
    const known = await ask('/iso/fallback/known', 'A');
    assert.match(known.text, /page of known/);
    const other = await ask('/iso/fallback/other', 'A');
    assert.match(other.text, /rest of other/);
    await assertDispatch(other, { page: '/iso/fallback/[...rest]', kind: 'PAGES' });
  });

  test('the data cache is shared, and so is what is revalidated', async () => {
    // The cache is written while the response is sent: the invocation lasts until it is.
    const read = async (pool) => {
      const answer = await ask('/iso/shared', pool);
      await answer.instance.done(answer.id);
      return answer.text;
    };
    word = 'first';
    assert.equal(await read('A'), 'first');
    word = 'second';
    assert.equal(await read('A'), 'first');
    assert.equal(await read('B'), 'first', 'another instance finds what the first has fetched');
    assert.equal((await ask('/iso/shared?tag', 'A')).text, 'revalidated');
    assert.equal(await read('B'), 'second', 'B hears of it');
    word = 'third';
    assert.equal(await read('A'), 'second');
    assert.equal(await read('C'), 'second', 'so does an instance that starts later');
  });

  test('unstable_cache finds at once what it has just kept, and so does another instance', async () => {
    const seen = [];
    for (const pool of ['A', 'B']) {
      const answer = await ask('/iso/shared?drawn', pool);
      await answer.instance.done(answer.id);
      seen.push(...json(answer));
    }
    assert.deepEqual(new Set(seen).size, 1, String(seen));
  });

  test('draft mode holds on every instance', async () => {
    const on = await ask('/iso/draft?on', 'A');
    const cookie = on.headers['set-cookie'][0].split(';')[0];
    assert.deepEqual(json(await ask('/iso/draft', 'B', { headers: { cookie } })), { enabled: true });
    assert.deepEqual(json(await ask('/iso/draft', 'B')), { enabled: false });
  });

  test('the request context', async () => {
    const from = Date.now();
    const answer = await ask('/iso/context', 'A', { headers: { 'x-test': '7' }, limit: 60_000 });
    const { deadline, ...rest } = json(answer);
    assert.deepEqual(rest, {
      isSame: true,
      url: `http://localhost:${world.port}/iso/context`,
      header: '7',
      upgrade: 'undefined',
      before: { b: 1 },
      kept: null,
      after: null,
      purged: null,
      isListed: false,
    });
    const left = Date.parse(deadline) - from;
    assert.ok(left >= 60_000 && left < 75_000, `${left} ms`);
    await answer.instance.done(answer.id);
    assert.equal(world.output.match(/printed once/g).length, 1);
    await ask('/iso/context?keep', 'A');
    assert.deepEqual(json(await ask('/iso/context', 'B')).kept, [1, { two: 2 }], 'instances share the runtime cache');
  });

  test('waitUntil: the invocation lasts until its work has settled, or until it is told that it is over', async () => {
    const answer = await ask('/iso/wait?ms=2000', 'A');
    const { at } = await answer.instance.done(answer.id);
    assert.ok(at - answer.head >= 500, `done ${at - answer.head} ms after the head`);
    assert.equal(json(await ask('/iso/wait?ms=0', 'A')).waited, 1);
    const long = await ask('/iso/wait?ms=60000', 'A');
    long.instance.tell({ t: 'expire', id: long.id });
    await long.instance.done(long.id, 5_000);
  });

  test('waitUntil of the context takes a function, a thenable and anything else, as tracing packages give it', async () => {
    for (const [what, word] of [['function', 'flushed by a function'], ['thenable', 'flushed by a thenable'], ['throwing', 'thrown by a function'], ['number'], ['nothing']]) {
      const answer = await ask(`/iso/wait?odd=${what}`, 'A');
      assert.equal(answer.status, 200, what);
      assert.deepEqual(json(answer), { isCalled: false }, 'a function is called when the response is over');
      await answer.instance.done(answer.id); // 300 ms later: not before it is flushed
      if (word) assert.ok(world.output.includes(word), what);
    }
  });

  test('after() belongs to the invocation', { skip: major === 14 && 'Next 14 has none' }, async () => {
    const first = await ask('/iso/after', 'A');
    const { at, hanging } = await first.instance.done(first.id);
    assert.ok(at - first.head >= 250, `done ${at - first.head} ms after the head`);
    assert.equal(hanging, undefined);
    assert.equal(json(await ask('/iso/after', 'A')).after, 1);
  });

  test('res.revalidate asks for the page as anyone does', async () => {
    const answer = await ask('/api/iso/revalidate', 'A');
    assert.deepEqual(json(answer), { revalidated: true });
    const asked = world.publicRequests.find((req) => req.url === '/made');
    assert.ok(asked.headers['x-prerender-revalidate']);
    assert.equal(asked.headers['x-vsim-parent'], `${kCall}.${answer.id}`);
  });

  test('a page with generateStaticParams', async () => {
    for (const path of ['/posts/first', '/posts/unlisted']) {
      const answer = await ask(path, 'A');
      assert.match(answer.text, new RegExp(`post ${path.slice(7)}`));
      await answer.instance.done(answer.id);
    }
    const again = await ask('/posts/first', 'B');
    assert.equal(again.dispatch.static, true, 'next dev has learned it from the first instance');
  });

  test('a page that was dynamic is one kind, on every instance and whatever a later run of it does', async () => {
    for (const on of ['A', 'A', 'A', 'B', 'B']) {
      const answer = await ask('/dynamic/once', on);
      await answer.instance.done(answer.id);
      assert.equal(answer.meta.static, '0', on);
    }
    assert.equal((await ask('/dynamic/once', 'A')).dispatch.static, false);
  });

  test('a head of many kilobytes', async () => {
    const answer = await ask('/iso/count', 'A', { headers: { 'x-long': 'y'.repeat(12_000) } });
    assert.equal(answer.status, 200);
    assert.equal(json(answer).headers['x-long'].length, 12_000);
  });

  test('what is left hanging is told, with the line that made it', async () => {
    for (const [what, kind, line] of [['timeout', 'timeout', 9], ['interval', 'interval', 10], ['fetch', 'fetch', 12], ['promised', 'timeout', 13], ['asked', 'HTTP request', 14]]) {
      const answer = await fresh(`/iso/left?what=${what}`);
      const { hanging } = await answer.instance.done(answer.id);
      assert.equal(hanging?.length, 1, `${what}: ${JSON.stringify(hanging)}`);
      assert.equal(hanging[0].kind, kind);
      assert.match(hanging[0].source, new RegExp(`^app/iso/left/route\\.js:${line}:`));
      answer.instance.kill();
    }
    // A connection alone is no work.
    for (const what of ['none', 'over', 'fetched', 'reload', 'socket']) {
      const answer = await ask(`/iso/left?what=${what}`, 'left');
      assert.equal((await answer.instance.done(answer.id)).hanging, undefined);
    }
  });

  test('a package\'s own housekeeping is not left behind; what it sends later is', async () => {
    for (const [what, kinds] of [['report', undefined], ['gather', undefined], ['flush', ['timeout']]]) {
      const answer = await ask(`/iso/chores?what=${what}`, 'left');
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
      const answer = await ask(`/iso/pool?what=${what}&port=${database.address().port}`, 'pool');
      assert.equal(answer.text, 'done');
      const { hanging } = await answer.instance.done(answer.id);
      assert.deepEqual(hanging?.map(({ kind }) => kind), left && ['Postgres query'], `${what}: ${JSON.stringify(hanging)}`);
      if (left && bundler === 'turbopack') assert.match(hanging[0].source ?? hanging[0].at, new RegExp(left));
    }
  });

  test('a pool: connections that are held are told once, and one that is refused', async () => {
    const to = `127.0.0.1:${database.address().port}`;
    const pool = `/iso/pool?port=${database.address().port}`;
    const first = await ask(`${pool}&what=awaited`, 'held');
    await first.instance.done(first.id);
    const second = await ask(`${pool}&what=awaited`, 'held');
    await second.instance.done(second.id);
    const told = first.instance.events.all.filter(({ t }) => t === 'connections');
    assert.deepEqual(told.map(({ id, to, count, refusal }) => ({ id, to, count, refusal })), [{ id: first.id, to, count: 1, refusal: undefined }]);
    if (bundler === 'turbopack') assert.match(told[0].at, /^app\/iso\/pool\/route\.js:7:/);
    const { instance, id } = await fresh(`/iso/pool?port=${full.address().port}&what=connect`);
    await instance.done(id);
    const refused = instance.events.all.find(({ t, refusal }) => t === 'connections' && refusal);
    assert.equal(refused.refusal, '53300 sorry, too many clients already');
    assert.equal(refused.to, `127.0.0.1:${full.address().port}`);
    instance.kill();
  });

  test('a frozen instance: its timers stand still, and it goes on with the next request', async () => {
    const first = await ask('/iso/left?what=interval', 'frozen');
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

  test('dying: the cause is told before the process ends', async () => {
    const cases = [
      ['exit', { why: 'exit', code: 7 }],
      ['throw', { why: 'uncaughtException', code: 129, message: 'thrown on purpose' }],
      ['reject', { why: 'unhandledRejection', code: 128, message: 'rejected on purpose' }],
    ];
    for (const [how, expected] of cases) {
      const instance = await fleet.spawn();
      await assert.rejects(fleet.request(`/iso/die?how=${how}&ms=5000`, { place: () => instance }));
      const dying = await instance.events.waitFor('dying', (event) => event.t === 'dying');
      for (const [field, value] of Object.entries(expected)) assert.equal(dying[field], value, field);
      if (bundler === 'turbopack') assert.match(dying.source, /^app\/iso\/die\/route\.js:\d+:\d+$/);
      assert.deepEqual(await within(20_000, 'its end', instance.exited), { code: expected.code, signal: null });
    }
  });

  test('on fluid compute the others finish first', async () => {
    const instance = await fleet.spawn({ VSIM_ISOLATION: 'fluid' });
    const place = () => instance;
    const slow = fleet.request('/iso/die?how=none&ms=1500', { place });
    await instance.events.waitFor('the first handler', (event) => event.t === 'handler');
    const thrown = fleet.request('/iso/die?how=throw&ms=100', { place });
    await instance.events.waitFor('dying', (event) => event.t === 'dying');
    assert.equal((await slow).text, 'lived');
    await thrown;
    assert.deepEqual(await within(20_000, 'its end', instance.exited), { code: 129, signal: null });
  });

  test('a server whose listeners were all removed is still an instance\'s', async () => {
    const answers = [];
    const kept = [];
    for (const path of ['/api/iso/greedy', '/api/iso/greedy?poll=1', '/api/iso/greedy']) {
      const answer = await ask(path, 'greedy');
      await assertDispatch(answer, { page: '/api/iso/greedy', kind: 'PAGES_API' });
      answers.push([answer.status, json(answer)]);
      if (answer.status === 200) kept.push(answer.meta.kept);
    }
    assert.deepEqual(answers, [
      [200, { isFresh: true, calls: 1, polls: 0 }],
      [400, { code: 1, message: 'Session ID unknown' }],
      [200, { isFresh: false, calls: 2, polls: 1 }],
    ]);
    const elsewhere = await fresh('/api/iso/greedy');
    assert.equal(json(elsewhere).isFresh, true, 'another instance knows nothing of it');
    assert.equal(elsewhere.meta.kept, 'io', 'what it put on its server is told, once');
    assert.deepEqual(kept, ['io', undefined]);
  });

  test('requests of the app to itself name their invocation, others do not', async () => {
    const answer = await ask('/iso/parent', 'A');
    assert.equal(answer.text, 'asked');
    const own = world.publicRequests.filter((req) => req.url.startsWith('/plain?by='));
    assert.deepEqual(
      own.map((req) => [req.url, req.headers['x-vsim-parent']]),
      ['fetch', 'http', 'secure-fetch', 'secure-request', 'https'].map((by) => [`/plain?by=${by}`, `${kCall}.${answer.id}`]),
    );
    const outside = seenOutside.filter((req) => req.url === '/seen').at(-1);
    assert.ok(!Object.keys(outside.headers).some((header) => header.startsWith('x-vsim')));
  });

  test('the environment: .env wins over the platform\'s variables, nothing of ours is left', async () => {
    const answer = await fresh('/iso/env', { env: { VERCEL_REGION: 'iad1', VERCEL: '1' } });
    const { names, FROM_DOT_ENV, VERCEL_REGION, node, cwd, ipc } = json(answer);
    assert.deepEqual({ names, FROM_DOT_ENV, VERCEL_REGION, node, ipc }, { names: [], FROM_DOT_ENV: 'one', VERCEL_REGION: 'from-dot-env', node: 'development', ipc: 'undefined' });
    assert.equal(cwd, world.app);
  });

  test('an upgrade: routed as the request it is, answered by whoever wants it', async () => {
    const instance = await fleet.spawn();
    const clients = [];
    for (let i = 0; i < 2; i++) {
      const opened = await fleet.upgrade('/iso/socket', () => instance);
      assert.match(opened.text, /^HTTP\/1\.1 101 /);
      assert.equal(opened.dispatch.page, '/iso/socket/route');
      clients.push(opened);
    }
    assert.equal(await say(clients[0].socket, 'hello'), '2 hello', 'both are in one room');
    assert.equal(instance.of(clients[0].id).filter((event) => event.t === 'done').length, 0, 'an open socket is not over');
    for (const { id, socket } of clients) {
      socket.destroy();
      await instance.done(id);
    }
    const refused = await fleet.upgrade('/api/fast', on('A'));
    assert.match(refused.text, /^HTTP\/1\.1 200 /, 'a function that does not upgrade answers');
    await refused.instance.done(refused.id);
    const lost = await fleet.upgrade('/mw-answer', on('A'));
    assert.equal(lost.direct, true);
    assert.match(lost.text, /^HTTP\/1\.1 200 /);
  });

  test('a compile inside the handler stops the clock', async () => {
    const answer = await ask('/api/lazy', 'A');
    assert.equal(answer.text, 'late');
    await answer.instance.done(answer.id);
  });

  test('a bound spare has evaluated its modules, a warmed one has answered nobody', async () => {
    for (const [path, env] of [['/iso/heavy', { VSIM_WARM: '0' }], ['/iso/heavy', {}], ['/iso/page', {}], ['/iso/ssr', {}], ['/api/iso/greedy', {}]]) {
      const routed = await fleet.route(path, { method: 'GET', headers: {}, id: world.nextId(), hold: false, skip: [] });
      const { page, kind, runtime } = routed.dispatch;
      const instance = await fleet.spawn(env);
      instance.tell({ t: 'bind', page, kind, runtime, head: routed.requestHead });
      const bound = await instance.events.waitFor('bound', (event) => event.t === 'bound');
      assert.equal(bound.error, undefined, `${path}: ${bound.error}`);
      assert.equal(bound.page, page);
      assert.ok(bound.files.length > 0);
      assert.ok(!instance.events.all.some((event) => ['handler', 'done', 'dispatch', 'compile'].includes(event.t)), JSON.stringify(instance.events.all));
      assert.equal(/GET /.test(instance.output), false, `warming prints nothing: ${instance.output}`);
      const id = world.nextId();
      const answer = await fleet.run(instance, routed, { id });
      assert.equal(answer.status, 200, answer.text);
      if (path === '/iso/heavy') assert.deepEqual(json(answer), { calls: 1, evaluated: 1 });
      if (path === '/iso/page') assert.match(answer.text, /rendered 1 word/);
      if (path === '/iso/ssr') assert.match(answer.text, /ssr 1 none/);
      if (path === '/api/iso/greedy') assert.deepEqual(json(answer), { isFresh: true, calls: 1, polls: 0 });
      await instance.done(id);
      const { at: began } = instance.of(id).find((event) => event.t === 'handler');
      if (path === '/iso/heavy') assert.ok(answer.head - began < 1_000, 'evaluating is over');
      instance.kill();
    }
  });

  test('hot reload: what has loaded changed code is stale, and the next instance runs the new code', async () => {
    const before = await ask('/iso/count', 'hot');
    assert.equal(json(before).count, 1);
    // Another route's first compile leaves it as it is.
    await ask('/api/slow', 'other');
    assert.equal(json(await ask('/iso/count', 'hot')).count, 2);
    let compiled;
    for (const [from, to] of [['count += 1', 'count += 10'], ['count += 10', 'count += 100']]) {
      const file = `${world.app}/app/iso/count/route.js`;
      const [text, reader] = compiled && bundler === 'webpack' ? [await readText(compiled), await open(compiled)] : [];
      await save(file, (await readText(file)).replace(from, to));
      const expected = Number(to.split(' ').at(-1));
      let got;
      for (const end = performance.now() + 30_000; performance.now() < end && got?.count !== expected; ) got = json(await ask('/iso/count', 'hot'));
      assert.equal(got.count, expected);
      assert.equal(got.global, 1, 'in a new instance');
      const { files } = world.events.all.findLast((event) => event.t === 'changed');
      assert.ok(files.every((name) => name.startsWith(world.app)), files.join(' '));
      compiled = files.find((name) => name.endsWith('iso/count/route.js'));
      if (reader) {
        assert.ok((await reader.readFile('utf8')) === text, 'who reads while it is compiled again has all of the old text');
        await reader.close();
      }
    }
  });

  test('hot reload of pages, of client components and of what they import', async () => {
    const edits = [
      ['/iso/page', 'app/iso/client/counter.js', 'clicked ', 'pressed '],
      ['/iso/page', 'app/iso/page/page.js', 'rendered ', 'made '],
      ['/iso/ssr', 'pages/iso/ssr.js', 'ssr ', 'shown '],
      ['/iso/count', 'lib/shared.js', 'calls += 1', 'calls += 7000'],
      ['/iso/edge', 'app/iso/edge/route.js', 'count += 1', 'count += 7000'],
    ];
    for (const [path, name, from, to] of edits) {
      const before = await ask(path, 'hot');
      const file = `${world.app}/${name}`;
      await save(file, (await readText(file)).replace(from, to));
      const wanted = to.split(' ').filter(Boolean).at(-1);
      let text = before.text;
      for (const end = performance.now() + 30_000; performance.now() < end && !text.includes(wanted); ) text = (await ask(path, 'hot')).text;
      assert.ok(!before.text.includes(wanted) && text.includes(wanted), `${name}: ${text.slice(0, 400)}`);
    }
  });

  test('a changed .env makes every instance stale, and the next has it', async () => {
    const { at } = world.events.all.findLast((event) => event.t === 'boot');
    await save(`${world.app}/.env`, 'FROM_DOT_ENV=two\n');
    await world.events.waitFor('a new boot file', (event) => event.t === 'boot' && event.at > at);
    await world.events.waitFor('the change', (event) => event.t === 'changed' && event.environment);
    assert.equal(json(await fresh('/iso/env')).FROM_DOT_ENV, 'two');
  });

  test('an instance ends when next dev or vercel-sim is gone', async () => {
    const instance = await fleet.spawn();
    instance.control.destroy();
    assert.deepEqual(await within(20_000, 'its end', instance.exited), { code: 0, signal: null });
    const other = await fleet.spawn();
    other.tell({ t: 'ping' });
    await other.events.waitFor('pong', (event) => event.t === 'pong');
    other.tell({ t: 'bye' });
    assert.deepEqual(await within(20_000, 'its end', other.exited), { code: 0, signal: null });
  });

  test('no hook was found missing on the way', () => {
    const hellos = world.events.all.filter((event) => event.t === 'hello');
    assert.deepEqual(hellos.map((event) => event.missing), [[]]);
    for (const instance of world.instances.values()) assert.deepEqual(instance.events.all.filter((event) => event.t === 'missing'), []);
  });
});

describe(`${name}: other settings`, { timeout: 600_000 }, () => {
  after(cleanUp);

  test('a Next that lacks a hook: it is said, and functions run in next dev', async () => {
    const project = await copyApp();
    const dist = join(project.app, 'node_modules/next/dist/server');
    for (const file of [`${dist}/next-server.js`, `${dist}/dev/next-dev-server.js`]) {
      const text = await readText(file);
      await rm(file); // shared with the other copies
      await writeFile(file, text.replaceAll('runInstrumentationHookIfAvailable', 'runInstrumentationHookOtherwise'));
    }
    const { world } = await startIsolated({ project });
    const hello = world.events.all.find((event) => event.t === 'hello');
    assert.deepEqual(hello.isolation, { ok: false, missing: ['instrumentation'], grouped: isGrouped });
    assert.equal(world.events.all.some((event) => event.t === 'boot'), false);
    const { pid } = hello;
    for (const count of [1, 2]) {
      const answer = await world.request('/iso/count');
      assert.deepEqual([json(answer).count, json(answer).pid, answer.meta.page], [count, pid, '/iso/count/route']);
      assert.deepEqual(world.of(answer.id).filter((event) => event.t === 'handler').length, 1);
    }
    await world.stop();
  });

  test('basePath, locales of the pages router and a time scale', async () => {
    const fleet = await startIsolated({ env: { BASE_PATH: '/shop', LOCALES: 'en de' }, timeScale: 10 });
    const instance = await fleet.spawn();
    const byPage = new Map([['', instance]]);
    const place = async ({ page }) => {
      const key = isGrouped ? '' : page;
      if (!byPage.has(key)) byPage.set(key, await fleet.spawn());
      return byPage.get(key);
    };
    const count = json(await fleet.request('/shop/iso/count', { place }));
    assert.equal(count.url, `http://localhost:${fleet.world.port}/iso/count`, 'Next leaves the base path out');
    const page = await fleet.request('/shop/iso/ssr?word=x', { place });
    assert.match(page.text, /ssr 1 x \/iso\/ssr\?word=x/);
    const [, build] = page.text.match(/"buildId":"([^"]+)"/);
    const german = await fleet.request('/shop/de/iso/ssr?word=y', { place });
    assert.match(german.text, /ssr 2 y \/iso\/ssr\?word=y/);
    assert.match(german.text, /"locale":"de"/);
    const data = await fleet.request(`/shop/_next/data/${build}/de/iso/ssr.json`, { place, headers: { 'x-nextjs-data': '1' } });
    assert.equal(json(data).pageProps.count, 3);
    const api = await fleet.request('/shop/api/iso/greedy', { place });
    assert.equal(api.dispatch.page, '/api/iso/greedy');
    await fleet.request('/shop/api/timers?kind=timeout', { place });
    const { ms } = json(await fleet.request('/shop/api/timers?kind=timeout', { place }));
    assert.ok(ms >= 295 && ms < 1_500, `${ms} ms instead of 3000`);
    const image = await fleet.request('/shop/_next/image?url=%2Fnone.png&w=64&q=75', { place });
    assert.equal(image.direct, true, 'images are made in next dev');
    // Whoever does not know the token is not heard.
    const stranger = net.connect(instance.socketPath);
    stranger.write('GET /shop/iso/count HTTP/1.1\r\nHost: a\r\n\r\n');
    const heard = await within(5_000, 'the end', new Promise((done) => {
      let text = '';
      stranger.on('data', (chunk) => (text += chunk)).on('error', () => {}).on('close', () => done(text));
    }));
    assert.equal(heard, '');
  });
});

// One text frame there and back.
function say(socket, text) {
  const answer = new Promise((done) => socket.once('data', (bytes) => done(String(bytes.subarray(2)))));
  const mask = Buffer.from([1, 2, 3, 4]);
  const payload = Buffer.from(text).map((byte, i) => byte ^ mask[i % 4]);
  socket.write(Buffer.concat([Buffer.from([0x81, 0x80 | payload.length]), mask, payload]));
  return within(10_000, 'the echo', answer);
}
