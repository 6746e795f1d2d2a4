// Function instances on Node's side: an unmodified `next dev` with the agent, real instances, and this test in vercel-sim's place. Each
// kind of function, and each pitfall that was met on the way.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { cleanUp, combo, within } from './harness.mjs';
import { isGrouped, kCall, startIsolated, startOutside } from './isolation.mjs';

const { next, major, bundler } = combo();
const json = (answer) => JSON.parse(answer.text);

describe(`Instances: Next ${next} ${bundler}`, { timeout: 900_000 }, () => {
  let fleet;
  let world;
  let outside;

  before(async () => {
    outside = await startOutside();
    fleet = await startIsolated({ env: outside.env, files: { '.env': 'FROM_DOT_ENV=one\nVERCEL_REGION=from-dot-env\n' } });
    ({ world } = fleet);
  });

  after(async () => {
    outside.close();
    await cleanUp();
  });

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
      const answer = await fleet.ask('/iso/count', pool);
      await assertDispatch(answer, { page: '/iso/count/route', kind: 'APP_ROUTE' });
      const { count, shared, global, registered } = json(answer);
      seen.push([count, shared, global, registered]);
    }
    assert.deepEqual(seen, [[1, 1, 1, 1], [2, 2, 2, 1], [1, 1, 1, 1]]);
  });

  test('app page: rendered on the server and for the browser', async () => {
    const counts = [];
    for (const pool of ['A', 'A', 'B']) {
      const answer = await fleet.ask('/iso/page?word=blue', pool);
      assert.equal(answer.status, 200, answer.text);
      await assertDispatch(answer, { page: '/iso/page/page', kind: 'APP_PAGE' });
      assert.match(answer.text, /clicked/);
      counts.push(answer.text.match(/rendered (\d+) word blue/)?.[1]);
    }
    assert.deepEqual(counts, ['1', '2', '1']);
    // Newer versions send a request without the right `_rsc` to where it has one.
    let flight = await fleet.ask('/iso/page?word=green', 'A', { headers: { rsc: '1' } });
    if (flight.status === 307) flight = await fleet.ask(flight.headers.location, 'A', { headers: { rsc: '1' } });
    assert.equal(flight.status, 200);
    assert.match(flight.headers['content-type'], /text\/x-component/);
  });

  test('getServerSideProps, and its data', async () => {
    const page = await fleet.ask('/iso/ssr?word=red', 'A');
    assert.match(page.text, /ssr 1 red \/iso\/ssr\?word=red/);
    await assertDispatch(page, { page: '/iso/ssr', kind: 'PAGES' });
    const [, build] = page.text.match(/"buildId":"([^"]+)"/);
    const data = await fleet.ask(`/_next/data/${build}/iso/ssr.json?word=red`, 'A', { headers: { 'x-nextjs-data': '1' } });
    assert.deepEqual(json(data).pageProps, { count: 2, word: 'red', resolvedUrl: '/iso/ssr?word=red' });
    await assertDispatch(data, { page: '/iso/ssr', kind: 'PAGES' });
  });

  test('pages/api: a body that is parsed; res.socket.server is the instance\'s', async () => {
    const answer = await fleet.ask('/api/old', 'A', { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"a":1}' });
    await assertDispatch(answer, { page: '/api/old', kind: 'PAGES_API' });
    const { names, remote, address, own, body } = json(answer);
    assert.deepEqual({ names, remote, own, body, port: address.port }, { names: [], remote: '127.0.0.1', own: [], body: { a: 1 }, port: world.port });
  });

  test('edge function: its context is the instance\'s too', async () => {
    const counts = [];
    for (const pool of ['A', 'A', 'B']) {
      const answer = await fleet.ask('/iso/edge', pool);
      await assertDispatch(answer, { page: '/iso/edge/route', kind: 'APP_ROUTE', runtime: 'edge' });
      counts.push(json(answer).count);
    }
    assert.deepEqual(counts, [1, 2, 1]);
  });

  test('Server Action', async () => {
    const page = await fleet.ask('/action', 'A');
    const [, action] = page.text.match(/name="(\$ACTION_ID_[0-9a-f]+)"/);
    const part = (field, value) => `--line\r\nContent-Disposition: form-data; name="${field}"\r\n\r\n${value}\r\n`;
    const answer = await fleet.ask('/action', 'B', {
      method: 'POST',
      headers: { origin: `http://localhost:${world.port}`, 'content-type': 'multipart/form-data; boundary=line' },
      body: `${part(action, '')}${part('word', 'blue')}--line--\r\n`,
    });
    assert.equal(answer.status, 200, answer.text.slice(0, 500));
    await assertDispatch(answer, { page: '/action/page', kind: 'APP_PAGE' });
    assert.equal(answer.instance.output.match(/saved blue/g)?.length, 1, 'printed once, by the instance');
  });

  test('middleware stays in next dev; what it overrides, rewrites and sets reaches the function and the client', async () => {
    const answer = await fleet.ask('/iso/overridden', 'A', { headers: { 'X-Changed': 'old', 'X-Removed': 'here', 'X-Kept': 'as it is' } });
    await assertDispatch(answer, { page: '/iso/count/route', kind: 'APP_ROUTE' });
    const { headers } = json(answer);
    assert.equal(headers['x-added'], 'by middleware');
    assert.equal(headers['x-changed'], 'new');
    assert.equal(headers['x-removed'], undefined);
    assert.equal(headers['x-kept'], 'as it is');
    assert.ok(!Object.keys(headers).some((one) => one.startsWith('x-vsim')), JSON.stringify(headers));
    assert.match(String(answer.headers['set-cookie']), /from-mw=1/);
    const direct = await fleet.ask('/mw-answer', 'A');
    assert.equal(direct.direct, true);
    assert.equal(direct.text, 'from middleware');
  });

  test('a body is asked for by who reads it: next dev does not', async () => {
    const body = 'x'.repeat(100_000);
    const routed = await fleet.route('/iso/body', { method: 'POST', headers: {}, body, id: world.nextId(), hold: true, skip: [] });
    assert.equal(routed.asked, false, 'no 100 Continue from next dev');
    const answer = await fleet.ask('/iso/body', 'A', { method: 'POST', headers: { 'content-type': 'text/plain' }, body });
    await assertDispatch(answer, { page: '/iso/body/route', kind: 'APP_ROUTE' });
    assert.deepEqual(json(answer), { length: 100_000, type: 'text/plain', expect: null });
  });

  test('HEAD: the dispatch is in a field', async () => {
    const answer = await fleet.ask('/iso/count', 'A', { method: 'HEAD' });
    assert.equal(answer.status, 200);
    assert.equal(answer.dispatch.page, '/iso/count/route');
    await answer.instance.done(answer.id);
  });

  test('streams arrive as they are written, with what the response sets', async () => {
    const answer = await fleet.ask('/iso/stream', 'A');
    assert.equal(answer.text, 'one;two;three;');
    assert.deepEqual(answer.headers['set-cookie'], ['a=1']);
  });

  test('not found, broken and redirecting pages', async () => {
    const lost = await fleet.ask('/no/such/page', 'A');
    assert.equal(lost.status, 404);
    await lost.instance.done(lost.id);
    const broken = await fleet.ask('/iso/error', 'A');
    assert.equal(broken.status, 500);
    await assertDispatch(broken, { page: '/iso/error/page', kind: 'APP_PAGE' });
    await world.waitForOutput(/page broken on purpose/);
    await world.waitForOutput(/app\/iso\/error\/page\.js/);
    assert.equal((await fleet.ask('/iso/redirect', 'A')).status, 307);
    const api = await fleet.ask('/api/broken', 'A');
    assert.equal(api.status, 500);
    await api.instance.done(api.id);
  });

  test('a path that a page does not have goes on to the next page', async () => {
    const known = await fleet.ask('/iso/fallback/known', 'A');
    assert.match(known.text, /page of known/);
    const other = await fleet.ask('/iso/fallback/other', 'A');
    assert.match(other.text, /rest of other/);
    await assertDispatch(other, { page: '/iso/fallback/[...rest]', kind: 'PAGES' });
  });

  test('the data cache is shared, and so is what is revalidated', async () => {
    // The cache is written while the response is sent: the invocation lasts until it is.
    const read = async (pool) => {
      const answer = await fleet.ask('/iso/shared', pool);
      await answer.instance.done(answer.id);
      return answer.text;
    };
    outside.word = 'first';
    assert.equal(await read('A'), 'first');
    outside.word = 'second';
    assert.equal(await read('A'), 'first');
    assert.equal(await read('B'), 'first', 'another instance finds what the first has fetched');
    assert.equal((await fleet.ask('/iso/shared?tag', 'A')).text, 'revalidated');
    assert.equal(await read('B'), 'second', 'B hears of it');
    outside.word = 'third';
    assert.equal(await read('A'), 'second');
    assert.equal(await read('C'), 'second', 'so does an instance that starts later');
  });

  test('unstable_cache finds at once what it has just kept, and so does another instance', async () => {
    const seen = [];
    for (const pool of ['A', 'B']) {
      const answer = await fleet.ask('/iso/shared?drawn', pool);
      await answer.instance.done(answer.id);
      seen.push(...json(answer));
    }
    assert.deepEqual(new Set(seen).size, 1, String(seen));
  });

  test('draft mode holds on every instance', async () => {
    const on = await fleet.ask('/iso/draft?on', 'A');
    const cookie = on.headers['set-cookie'][0].split(';')[0];
    assert.deepEqual(json(await fleet.ask('/iso/draft', 'B', { headers: { cookie } })), { enabled: true });
    assert.deepEqual(json(await fleet.ask('/iso/draft', 'B')), { enabled: false });
  });

  test('the request context', async () => {
    const from = Date.now();
    const answer = await fleet.ask('/iso/context', 'A', { headers: { 'x-test': '7' }, limit: 60_000 });
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
    await fleet.ask('/iso/context?keep', 'A');
    assert.deepEqual(json(await fleet.ask('/iso/context', 'B')).kept, [1, { two: 2 }], 'instances share the runtime cache');
  });

  test('waitUntil: the invocation lasts until its work has settled, or until it is told that it is over', async () => {
    const answer = await fleet.ask('/iso/wait?ms=2000', 'A');
    const { at } = await answer.instance.done(answer.id);
    assert.ok(at - answer.head >= 500, `done ${at - answer.head} ms after the head`);
    assert.equal(json(await fleet.ask('/iso/wait?ms=0', 'A')).waited, 1);
    const long = await fleet.ask('/iso/wait?ms=60000', 'A');
    long.instance.tell({ t: 'expire', id: long.id });
    await long.instance.done(long.id, 5_000);
  });

  test('waitUntil of the context takes a function, a thenable and anything else, as tracing packages give it', async () => {
    for (const [what, word] of [['function', 'flushed by a function'], ['thenable', 'flushed by a thenable'], ['throwing', 'thrown by a function'], ['number'], ['nothing']]) {
      const answer = await fleet.ask(`/iso/wait?odd=${what}`, 'A');
      assert.equal(answer.status, 200, what);
      assert.deepEqual(json(answer), { isCalled: false }, 'a function is called when the response is over');
      await answer.instance.done(answer.id); // 300 ms later: not before it is flushed
      if (word) assert.ok(world.output.includes(word), what);
    }
  });

  test('after() belongs to the invocation', { skip: major === 14 && 'Next 14 has none' }, async () => {
    const first = await fleet.ask('/iso/after', 'A');
    const { at, hanging } = await first.instance.done(first.id);
    assert.ok(at - first.head >= 250, `done ${at - first.head} ms after the head`);
    assert.equal(hanging, undefined);
    assert.equal(json(await fleet.ask('/iso/after', 'A')).after, 1);
  });

  test('res.revalidate asks for the page as anyone does', async () => {
    const answer = await fleet.ask('/api/iso/revalidate', 'A');
    assert.deepEqual(json(answer), { revalidated: true });
    const asked = world.publicRequests.find((req) => req.url === '/made');
    assert.ok(asked.headers['x-prerender-revalidate']);
    assert.equal(asked.headers['x-vsim-parent'], `${kCall}.${answer.id}`);
  });

  test('a page with generateStaticParams', async () => {
    for (const path of ['/posts/first', '/posts/unlisted']) {
      const answer = await fleet.ask(path, 'A');
      assert.match(answer.text, new RegExp(`post ${path.slice(7)}`));
      await answer.instance.done(answer.id);
    }
    const again = await fleet.ask('/posts/first', 'B');
    assert.equal(again.dispatch.static, true, 'next dev has learned it from the first instance');
  });

  test('a page that was dynamic is one kind, on every instance and whatever a later run of it does', async () => {
    for (const on of ['A', 'A', 'A', 'B', 'B']) {
      const answer = await fleet.ask('/dynamic/once', on);
      await answer.instance.done(answer.id);
      assert.equal(answer.meta.static, '0', on);
    }
    assert.equal((await fleet.ask('/dynamic/once', 'A')).dispatch.static, false);
  });

  test('a head of many kilobytes', async () => {
    const answer = await fleet.ask('/iso/count', 'A', { headers: { 'x-long': 'y'.repeat(12_000) } });
    assert.equal(answer.status, 200);
    assert.equal(json(answer).headers['x-long'].length, 12_000);
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
      const answer = await fleet.ask(path, 'greedy');
      await assertDispatch(answer, { page: '/api/iso/greedy', kind: 'PAGES_API' });
      answers.push([answer.status, json(answer)]);
      if (answer.status === 200) kept.push(answer.meta.kept);
    }
    assert.deepEqual(answers, [
      [200, { isFresh: true, calls: 1, polls: 0 }],
      [400, { code: 1, message: 'Session ID unknown' }],
      [200, { isFresh: false, calls: 2, polls: 1 }],
    ]);
    const elsewhere = await fleet.fresh('/api/iso/greedy');
    assert.equal(json(elsewhere).isFresh, true, 'another instance knows nothing of it');
    assert.equal(elsewhere.meta.kept, 'io', 'what it put on its server is told, once');
    assert.deepEqual(kept, ['io', undefined]);
  });

  test('requests of the app to itself name their invocation, others do not', async () => {
    const answer = await fleet.ask('/iso/parent', 'A');
    assert.equal(answer.text, 'asked');
    const own = world.publicRequests.filter((req) => req.url.startsWith('/plain?by='));
    assert.deepEqual(
      own.map((req) => [req.url, req.headers['x-vsim-parent']]),
      ['fetch', 'http', 'secure-fetch', 'secure-request', 'https'].map((by) => [`/plain?by=${by}`, `${kCall}.${answer.id}`]),
    );
    const others = outside.seen.filter((req) => req.url === '/seen').at(-1);
    assert.ok(!Object.keys(others.headers).some((header) => header.startsWith('x-vsim')));
  });

  test('the environment: .env wins over the platform\'s variables, nothing of ours is left', async () => {
    const answer = await fleet.fresh('/iso/env', { env: { VERCEL_REGION: 'iad1', VERCEL: '1' } });
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
    const refused = await fleet.upgrade('/api/fast', fleet.on('A'));
    assert.match(refused.text, /^HTTP\/1\.1 200 /, 'a function that does not upgrade answers');
    await refused.instance.done(refused.id);
    const lost = await fleet.upgrade('/mw-answer', fleet.on('A'));
    assert.equal(lost.direct, true);
    assert.match(lost.text, /^HTTP\/1\.1 200 /);
  });

  test('a compile inside the handler stops the clock', async () => {
    const answer = await fleet.ask('/api/lazy', 'A');
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

  test('an instance ends when next dev or vercel-sim is gone', async () => {
    const instance = await fleet.spawn();
    instance.tell({ t: 'ping' });
    await instance.events.waitFor('pong', (event) => event.t === 'pong');
    instance.control.destroy();
    assert.deepEqual(await within(20_000, 'its end', instance.exited), { code: 0, signal: null });
  });

  test('no hook was found missing on the way', () => fleet.assertNoHookMissing());
});

// One text frame there and back.
function say(socket, text) {
  const answer = new Promise((done) => socket.once('data', (bytes) => done(String(bytes.subarray(2)))));
  const mask = Buffer.from([1, 2, 3, 4]);
  const payload = Buffer.from(text).map((byte, i) => byte ^ mask[i % 4]);
  socket.write(Buffer.concat([Buffer.from([0x81, 0x80 | payload.length]), mask, payload]));
  return within(10_000, 'the echo', answer);
}
