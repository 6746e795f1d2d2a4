// The agent in a real `next dev`, of the version and bundler that AGENT_COMBO names. One Next serves most tests: its compiles are what
// takes the time.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { after, before, describe, test } from 'node:test';
import { cleanUp, combo, kToken, readText, save, startNext, within } from './harness.mjs';

const { next, major, bundler } = combo();
const name = `Next ${next} ${bundler}`;

// What must hold of every answer of a function: the agent said who it was, in this order, and the head says it too.
function assertInvocation(world, answer, expected) {
  const events = world.of(answer.id);
  const times = (matches) => events.filter(matches).map((event) => event.at);
  const text = JSON.stringify(events, null, 1);
  const dispatch = events.filter((event) => event.t === 'dispatch').at(-1);
  assert.ok(dispatch, `no dispatch: ${text}`);
  const said = { page: dispatch.page, kind: dispatch.kind, runtime: dispatch.runtime, static: dispatch.static };
  assert.deepEqual(said, { runtime: 'nodejs', static: false, ...expected });
  assert.deepEqual(
    { page: answer.meta?.page, kind: answer.meta?.kind, runtime: answer.meta?.runtime, static: answer.meta?.static === '1' },
    said,
  );
  const handlers = times((event) => event.t === 'handler');
  assert.equal(handlers.length, 1, text);
  const starts = times((event) => event.t === 'compile' && event.phase === 'start');
  const ends = times((event) => event.t === 'compile' && event.phase === 'end');
  assert.equal(starts.length, ends.length, text);
  starts.forEach((start, i) => assert.ok(start <= ends[i], text));
  const before = ends.filter((end) => end <= handlers[0]);
  assert.equal(before.length, ends.length, `compiled after the handler began: ${text}`);
  assert.ok(handlers[0] <= answer.head, 'the handler began before the head came');
  return { handler: handlers[0], ms: answer.head - handlers[0], compiled: ends.length };
}

describe(name, { timeout: 600_000 }, () => {
  let world;
  let external;
  const seenOutside = [];

  before(async () => {
    external = http.createServer((req, res) => {
      seenOutside.push(req.rawHeaders);
      res.end(`outside ${req.url}`);
    });
    await new Promise((done) => external.listen(0, '127.0.0.1', done));
    world = await startNext({
      timeScale: 10,
      env: { EXTERNAL_ORIGIN: `http://127.0.0.1:${external.address().port}` },
    });
  });

  after(async () => {
    external.close();
    await cleanUp();
  });

  const warm = async (path, options) => {
    await world.request(path, options);
    return world.request(path, options);
  };

  test('Agent: says who it is before it listens, with no hook missing', () => {
    assert.deepEqual(world.tokens, [kToken]);
    const [hello] = world.events.all;
    assert.equal(hello.t, 'hello');
    assert.match(hello.next, new RegExp(`^${major}\\.`));
    assert.equal(hello.bundler, bundler);
    assert.deepEqual(hello.missing, []);
    process.kill(hello.pid, 0);
    const config = world.events.all.find((event) => event.t === 'config');
    assert.equal(config.basePath, '');
    assert.equal(config.distDir, major === 16 ? '.next/dev' : '.next');
    assert.deepEqual(config.pageExtensions, ['tsx', 'ts', 'jsx', 'js']);
    assert.equal(config.trailingSlash, false);
  });

  test('Agent: Next speaks of the public port and does not listen on it', async () => {
    await world.waitForOutput(new RegExp(`http://localhost:${world.port}`));
    assert.ok(!/Network:/.test(world.output), 'no address at which nobody listens');
    assert.ok(!/in use/.test(world.output), world.output);
    const { pid } = world.events.all[0];
    assert.ok(!listeningPorts(pid).includes(world.port));
  });

  test('Agent: route handler, behind middleware', async () => {
    const answer = await world.request('/api/hello');
    assert.deepEqual(JSON.parse(answer.text), {
      url: `http://localhost:${world.port}/api/hello`,
      seen: [],
      environment: [],
      options: JSON.parse(answer.text).options,
      port: String(world.port),
    });
    assert.ok(!answer.text.includes('agent.cjs'), 'workers of the app do not load the agent');
    assert.equal(answer.headers['x-mw-saw'], 'nothing');
    assert.equal(answer.headers['x-mw-url'], `http://localhost:${world.port}/api/hello`);
    const { compiled } = assertInvocation(world, answer, { page: '/api/hello/route', kind: 'APP_ROUTE' });
    assert.ok(compiled > 0, 'the first request compiles');
    assert.ok(Number(answer.meta.compile) > 0);
  });

  test('Agent: a rewrite of the middleware is dispatched to where it leads', async () => {
    const answer = await world.request('/rewritten');
    assertInvocation(world, answer, { page: '/api/hello/route', kind: 'APP_ROUTE' });
  });

  test('Agent: what the middleware answers itself is no invocation', async () => {
    const answer = await world.request('/mw-answer');
    assert.equal(answer.text, 'from middleware');
    assert.equal(answer.meta, undefined);
    assert.deepEqual(world.of(answer.id).filter((event) => event.t !== 'compile'), []);
  });

  test('Agent: without our token a request is no invocation, and our fields reach nobody', async () => {
    for (const options of [{ numbered: false }, { token: 'f00' }, { token: '' }, { id: '12x' }]) {
      const answer = await world.request('/api/hello', { ...options, headers: { 'X-Vsim-Anything': '1' } });
      assert.equal(answer.status, 200);
      assert.equal(answer.meta, undefined);
      assert.deepEqual(JSON.parse(answer.text).seen, []);
      assert.equal(answer.headers['x-mw-saw'], 'nothing');
    }
  });

  test('Agent: an external rewrite does not forward our fields', async () => {
    const answer = await world.request('/external/there', { headers: { 'x-vsim-more': '1' } });
    assert.equal(answer.text, 'outside /there');
    assert.equal(answer.meta, undefined);
    assert.deepEqual(seenOutside.flat().filter((word) => /vsim/i.test(word)), []);
  });

  test('Agent: the fastest answer carries its function, and an app cannot forge it', async () => {
    const answer = await warm('/api/fast');
    assert.equal(answer.text, 'fast');
    assertInvocation(world, answer, { page: '/api/fast/route', kind: 'APP_ROUTE' });
    const many = await Promise.all(Array.from({ length: 20 }, () => world.request('/api/fast')));
    for (const one of many) assertInvocation(world, one, { page: '/api/fast/route', kind: 'APP_ROUTE' });
  });

  test('Agent: evaluating a route module is not its handler', async () => {
    const { ms } = assertInvocation(world, await world.request('/api/heavy'), { page: '/api/heavy/route', kind: 'APP_ROUTE' });
    assert.ok(ms < 2_000, `${ms} ms since the handler began`);
  });

  test('Agent: a slow handler is', async () => {
    // 600 ms, ten times faster
    const { ms } = assertInvocation(world, await world.request('/api/slow'), { page: '/api/slow/route', kind: 'APP_ROUTE' });
    assert.ok(ms >= 30, `${ms} ms since the handler began`);
  });

  test('Agent: pages/api', async () => {
    const expected = { page: '/api/old', kind: 'PAGES_API' };
    const answer = await world.request('/api/old', { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"a":1}' });
    assertInvocation(world, answer, expected);
    const { names, remote, address, own, body } = JSON.parse(answer.text);
    assert.deepEqual({ names, remote, own, body }, { names: [], remote: '127.0.0.1', own: [], body: { a: 1 } });
    assert.equal(address.port, world.port);
    assertInvocation(world, await world.request('/api/old'), expected);
  });

  test('Agent: edge route', async () => {
    const answer = await world.request('/api/edge');
    const { ms } = assertInvocation(world, answer, { page: '/api/edge/route', kind: 'APP_ROUTE', runtime: 'edge' });
    assert.ok(ms >= 5, `${ms} ms: a timer of 100 ms, ten times faster`);
    assert.equal(JSON.parse(answer.text).url, `http://localhost:${world.port}/api/edge`);
    assertInvocation(world, await world.request('/api/edge'), { page: '/api/edge/route', kind: 'APP_ROUTE', runtime: 'edge' });
  });

  test('Agent: app pages are static until they use a dynamic API', async () => {
    const still = await world.request('/still');
    const { ms } = assertInvocation(world, still, { page: '/still/page', kind: 'APP_PAGE', static: true });
    assert.ok(ms >= 20, `${ms} ms since the render began`);
    for (const path of ['/moving', '/late']) {
      const answer = await world.request(path);
      assertInvocation(world, answer, { page: `${path}/page`, kind: 'APP_PAGE' });
    }
    const again = await world.request('/moving');
    const dispatches = world.of(again.id).filter((event) => event.t === 'dispatch');
    assert.deepEqual(dispatches.map((event) => event.static), [false], 'known from its last run');
  });

  test('Agent: what else is static', async () => {
    assertInvocation(world, await world.request('/api/forced'), { page: '/api/forced/route', kind: 'APP_ROUTE', static: true });
    assertInvocation(world, await world.request('/plain'), { page: '/plain', kind: 'PAGES', static: true });
    assertInvocation(world, await world.request('/made'), { page: '/made', kind: 'PAGES', static: true });
    assertInvocation(world, await world.request('/users/1'), { page: '/users/[id]/page', kind: 'APP_PAGE' });
    const post = { page: '/posts/[slug]/page', kind: 'APP_PAGE' };
    assertInvocation(world, await world.request('/posts/first'), { ...post, static: true });
    assertInvocation(world, await world.request('/posts/first?a=b'), { ...post, static: true });
    assertInvocation(world, await world.request('/posts/unlisted'), post);
    const lost = await world.request('/no/such/page');
    assert.equal(lost.status, 404);
    assert.equal(lost.meta.kind, 'APP_PAGE');
  });

  test('Agent: what makes an app page dynamic', async () => {
    for (const path of ['/dynamic/fetching', '/dynamic/zero', '/dynamic/forced', '/dynamic/asked']) {
      assertInvocation(world, await world.request(path), { page: `${path}/page`, kind: 'APP_PAGE' });
    }
    assertInvocation(world, await world.request('/dynamic/cached'), { page: '/dynamic/cached/page', kind: 'APP_PAGE', static: true });
  });

  test('Agent: a page that was dynamic is one kind, whatever a later run of it does', async () => {
    for (let run = 0; run < 3; run++) assertInvocation(world, await world.request('/dynamic/once'), { page: '/dynamic/once/page', kind: 'APP_PAGE' });
  });

  test('Agent: a page that stops being dynamic is static again', async () => {
    const page = { page: '/dynamic/zero/page', kind: 'APP_PAGE' };
    const file = `${world.app}/app/dynamic/zero/page.js`;
    const text = await readText(file);
    await save(file, text.replace('revalidate = 0', 'revalidate = 60').replace('<p>zero</p>', '<p>sixty</p>'));
    let answer;
    for (const end = performance.now() + 30_000; performance.now() < end; ) {
      answer = await world.request('/dynamic/zero');
      if (/sixty/.test(answer.text)) break;
    }
    assert.match(answer.text, /sixty/);
    assertInvocation(world, await world.request('/dynamic/zero'), { ...page, static: true });
  });

  test('Agent: the handler is told before a handler that never yields', async () => {
    const { ms } = assertInvocation(world, await world.request('/api/busy'), { page: '/api/busy/route', kind: 'APP_ROUTE' });
    assert.ok(ms >= 500, `${ms} ms before the head`); // of 700, on a busy machine
  });

  test('Agent: getServerSideProps, and its data', async () => {
    const page = await world.request('/legacy');
    assert.match(page.text, /legacy 0/);
    assertInvocation(world, page, { page: '/legacy', kind: 'PAGES' });
    const build = page.text.match(/"buildId":"([^"]+)"/)[1];
    const data = await world.request(`/_next/data/${build}/legacy.json`, { headers: { 'x-nextjs-data': '1' } });
    assert.deepEqual(JSON.parse(data.text).pageProps, { seen: 0 });
    assertInvocation(world, data, { page: '/legacy', kind: 'PAGES' });
  });

  test('Agent: evaluating the modules of a page is not its render', async () => {
    const { ms } = assertInvocation(world, await world.request('/heavy'), { page: '/heavy/page', kind: 'APP_PAGE' });
    assert.ok(ms < 2_000, `${ms} ms since the render began`);
  });

  test('Agent: a Server Action on a static page is a function call', async () => {
    const page = await world.request('/action');
    assertInvocation(world, page, { page: '/action/page', kind: 'APP_PAGE', static: true });
    const [, action] = page.text.match(/name="(\$ACTION_ID_[0-9a-f]+)"/);
    const boundary = 'line';
    const part = (field, value) => `--${boundary}\r\nContent-Disposition: form-data; name="${field}"\r\n\r\n${value}\r\n`;
    const answer = await world.request('/action', {
      method: 'POST',
      headers: { origin: `http://localhost:${world.port}`, 'content-type': `multipart/form-data; boundary=${boundary}` },
      body: `${part(action, '')}${part('word', 'blue')}--${boundary}--\r\n`,
    });
    assert.equal(answer.status, 200, answer.text.slice(0, 500));
    await world.waitForOutput(/saved blue/);
    assertInvocation(world, answer, { page: '/action/page', kind: 'APP_PAGE' });
  });

  test('Agent: redirects and self-references name the public port', async () => {
    const go = await world.request('/go');
    assert.equal(go.headers.location, `http://localhost:${world.port}/api/hello`);
    const before = world.publicConnections;
    const self = JSON.parse((await world.request('/api/self')).text);
    assert.equal(self.text, 'fast');
    assert.equal(world.publicConnections, before + 1);
  });

  test('Agent: behind TLS the request is https', async () => {
    const answer = await world.request('/api/hello', { headers: { 'x-forwarded-proto': 'https' } });
    assert.equal(JSON.parse(answer.text).url, `https://localhost:${world.port}/api/hello`);
  });

  test("Agent: a server of the user's own keeps its port", async () => {
    const mine = JSON.parse((await world.request('/api/mine')).text);
    assert.equal(mine.text, 'mine');
    assert.notEqual(mine.port, world.port);
  });

  test('Agent: a compile inside a handler or before it is told, and an error has its frames', async () => {
    assert.equal((await world.request('/api/lazy')).text, 'late');
    const broken = await world.request('/api/broken');
    assert.equal(broken.status, 500);
    assertInvocation(world, broken, { page: '/api/broken/route', kind: 'APP_ROUTE' });
    await world.waitForOutput(/broken on purpose/);
    await world.waitForOutput(/app\/api\/broken\/route\.js/);
  });

  test('Agent: time scale: timers of user code, and nothing else', async () => {
    await world.request('/api/timers?kind=timeout');
    for (const kind of ['timeout', 'interval', 'promises', 'promisified', 'signal']) {
      const { ms, date } = JSON.parse((await world.request(`/api/timers?kind=${kind}`)).text);
      assert.ok(ms >= 295 && ms < 1_500, `${kind}: ${ms} ms instead of 3000`);
      assert.ok(Math.abs(ms - date) < 50, 'clocks are not scaled');
    }
  });

  test('Agent: upgrades reach the HMR socket', async () => {
    const paths = major === 16 ? ['/_next/hmr'] : ['/_next/webpack-hmr'];
    for (const path of paths) assert.match(await upgrade(world, path), /^HTTP\/1\.1 101 /);
  });

  test('Agent: no hook was found missing on the way', () => {
    const hellos = world.events.all.filter((event) => event.t === 'hello');
    assert.deepEqual(hellos.map((event) => event.missing), [[]]);
  });
});

describe(`${name}: the end`, { timeout: 300_000 }, () => {
  after(cleanUp);

  test('Agent: SIGTERM ends next dev with an upgraded and a hung socket open; config and -H are told', async () => {
    const world = await startNext({ env: { BASE_PATH: '/shop' }, flags: ['-H', '127.0.0.1'] });
    assert.equal(world.events.all.find((event) => event.t === 'config').basePath, '/shop');
    await world.waitForOutput(new RegExp(`http://127\\.0\\.0\\.1:${world.port}`));
    const answer = await world.request('/shop/api/fast');
    assertInvocation(world, answer, { page: '/api/fast/route', kind: 'APP_ROUTE' });
    assert.match(await upgrade(world, `/shop/_next/${major === 16 ? 'hmr' : 'webpack-hmr'}`, true), /^HTTP\/1\.1 101 /);
    await hang(world, '/shop/api/hang');
    process.kill(-world.child.pid, 'SIGTERM');
    await within(3_500, 'next dev to end', world.exited);
  });

  test('Agent: when vercel-sim is gone, next dev goes too', async () => {
    const world = await startNext();
    const { pid } = world.events.all[0];
    world.closeControl();
    await gone(pid, 20_000); // 500 ms of its own, and a busy machine
    await within(20_000, 'the CLI to end', world.exited);
  });

  test('Agent: after a change of next.config the new server says who it is and listens', async () => {
    const world = await startNext({ nodeOptions: '--no-deprecation' });
    const { pid } = world.events.all[0];
    const file = `${world.app}/next.config.mjs`;
    const text = (await readText(file)).replace('basePath: process.env.BASE_PATH', "trailingSlash: true, basePath: '/new'");
    await save(file, text);
    // Next (start-server.js) takes requests before it has looked at its configuration once more (Turbopack) and begins to watch it: what is saved meanwhile
    // nobody sees, here as without us.
    const again = setInterval(() => save(file, text), 30_000);
    const hello = await world.events.waitFor('a second hello', (event) => event.t === 'hello' && event.pid !== pid, 120_000).finally(() => clearInterval(again));
    assert.deepEqual(hello.missing, []);
    const config = await world.events.waitFor('its config', (event) => event.t === 'config' && event.basePath === '/new');
    assert.equal(config.trailingSlash, true);
    await world.events.waitFor('its listening', (event) => event.t === 'listening' && event.at >= hello.at);
    assert.deepEqual(world.tokens, [kToken, kToken]);
    const answer = await world.request('/new/api/hello/');
    assertInvocation(world, answer, { page: '/api/hello/route', kind: 'APP_ROUTE' });
    assert.match(JSON.parse(answer.text).options, /--no-deprecation/); // the user's own words stay
    await world.stop();
  });

  test('Agent: without vercel-sim Next starts all the same, with one warning', async () => {
    const world = await startNext({ control: false, ready: false });
    await world.waitForOutput(/Ready in/, 60_000);
    await world.waitForOutput(/vercel-sim: the agent cannot reach vercel-sim/);
    assert.equal((await world.request('/api/fast')).text, 'fast');
    assert.equal(world.output.match(/vercel-sim/g).length, 2, world.output);
  });
});

// ---- small tools ------------------------------------------------------------------------------------------------------------------

function listeningPorts(pid) {
  const inodes = new Set();
  for (const fd of readdirSync(`/proc/${pid}/fd`)) {
    try {
      const [, inode] = readlinkSync(`/proc/${pid}/fd/${fd}`).match(/^socket:\[(\d+)\]$/) ?? [];
      if (inode) inodes.add(inode);
    } catch {
      // closed meanwhile
    }
  }
  const ports = [];
  for (const table of ['tcp', 'tcp6']) {
    for (const line of readFileSync(`/proc/${pid}/net/${table}`, 'utf8').split('\n').slice(1)) {
      const fields = line.trim().split(/\s+/);
      if (fields[3] === '0A' && inodes.has(fields[9])) ports.push(parseInt(fields[1].split(':')[1], 16));
    }
  }
  return ports;
}

function upgrade(world, path, keep = false) {
  const socket = net.connect(world.appSocket);
  socket.on('error', () => {});
  socket.write(
    `GET ${path} HTTP/1.1\r\nHost: localhost:${world.port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
  );
  const head = new Promise((done) => socket.once('data', (bytes) => done(String(bytes).split('\r\n')[0])));
  return within(15_000, `upgrade of ${path}`, head).finally(() => keep || socket.destroy());
}

function hang(world, path) {
  const options = { socketPath: world.appSocket, path, agent: false, headers: { host: `localhost:${world.port}`, 'x-vsim-id': `${kToken}.1` } };
  const first = new Promise((done, fail) => {
    http
      .get(options, (res) => {
        res.on('error', () => {});
        res.once('data', done);
      })
      .on('error', fail);
  });
  return within(30_000, `first bytes of ${path}`, first);
}

async function gone(pid, ms) {
  const end = performance.now() + ms;
  for (;;) {
    try {
      process.kill(pid, 0);
      if (/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))) return;
    } catch {
      return;
    }
    if (performance.now() > end) throw new Error(`process ${pid} still runs after ${ms} ms`);
    await new Promise((done) => setTimeout(done, 20));
  }
}
