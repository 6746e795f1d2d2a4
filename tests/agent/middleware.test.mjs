// Middleware in instances: an unmodified `next dev` with the agent, a real instance of middleware and one of the function, and this test in vercel-sim's place. What a
// client gets is what `next dev` alone gives: a request that nobody has numbered runs both there.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { cleanUp, combo, copyApp, readText, save } from './harness.mjs';
import { packagesOf } from '../next_versions.mjs';
import { startIsolated } from './isolation.mjs';

const { next, major, bundler } = combo();

const kMiddleware = (name, version = 1) => `import { NextResponse } from 'next/server';

let count = 0;

export async function ${name}(request, event) {
  const { pathname } = request.nextUrl;
  const what = pathname.split('/')[2];
  const headers = new Headers(request.headers);
  headers.set('x-version', '${version}');
  headers.delete('x-dropped');
  switch (what) {
    case 'next': {
      const response = NextResponse.next({ request: { headers } });
      response.headers.set('x-of-response', 'a, b');
      response.cookies.set('one', '1', { httpOnly: true });
      response.cookies.set('two', '2');
      return response;
    }
    case 'rewrite':
      return NextResponse.rewrite(new URL('/mw/elsewhere?by=rewrite', request.url), { request: { headers } });
    case 'redirect': {
      const response = NextResponse.redirect(new URL('/mw/elsewhere', request.url));
      response.cookies.set('went', 'away');
      return response;
    }
    case 'permanent':
      return NextResponse.redirect('https://example.com/there', 308);
    case 'json':
      return NextResponse.json({ denied: pathname }, { status: 401, headers: { 'x-why': 'no token' } });
    case 'stream':
      return new Response(new ReadableStream({
        async start(controller) {
          for (const word of ['one ', 'two ', 'three']) {
            controller.enqueue(new TextEncoder().encode(word));
            await new Promise((done) => setTimeout(done, 5));
          }
          controller.close();
        },
      }), { headers: { 'content-type': 'text/plain' } });
    case 'empty':
      return new Response(null, { status: 204 });
    case 'posted': {
      headers.set('x-posted', (await request.text()).length);
      return NextResponse.next({ request: { headers } });
    }
    case 'own':
      headers.set('x-count', String((await fetch(request.url)).status));
      return NextResponse.next({ request: { headers } });
    case 'throws':
      throw new Error('middleware has thrown');
    case 'count':
      headers.set('x-count', String(++count));
      return NextResponse.next({ request: { headers } });
    case 'later':
      event.waitUntil(new Promise((done) => setTimeout(done, 300)));
      return NextResponse.next();
    default:
      return undefined;
  }
}

export const config = { matcher: ['/mw/:path*'] };
`;

const kEcho = `export const dynamic = 'force-dynamic';
async function echo(request) {
  const { pathname, search } = new URL(request.url);
  const kept = ['x-version', 'x-dropped', 'x-kept', 'x-posted', 'x-count', 'cookie', 'content-type'];
  return Response.json({ method: request.method, pathname, search, headers: Object.fromEntries(kept.map((name) => [name, request.headers.get(name)])), body: await request.text() });
}
export { echo as GET, echo as POST };
`;

// proxy.ts runs in Node, middleware.ts in the edge runtime.
const kNames = major >= 16 ? ['proxy', 'middleware'] : ['middleware'];
// Versions before 15.2, on the edge runtime.
const kCounts = readFileSync(join(packagesOf(process.env.AGENT_COMBO ?? '16-turbopack'), 'node_modules/next/dist/server/web/sandbox/sandbox.js'), 'utf8').includes('subrequest');
const kAsked = [
  ['next', { headers: { 'x-dropped': 'yes', 'x-kept': 'yes', cookie: 'a=1' } }],
  ['next?a=b&c=%20d'],
  ['next', { method: 'HEAD' }],
  ['rewrite', { headers: { 'x-dropped': 'yes' } }],
  ['redirect'],
  ['permanent'],
  ['json'],
  ['stream'],
  ['empty'],
  ['posted', { method: 'POST', body: 'x'.repeat(70_000), headers: { 'content-type': 'text/plain' } }],
  ['nothing'],
  ['throws'],
];
// Of the connection, of the moment, or of the line that failed.
const kVolatile = new Set(['date', 'connection', 'keep-alive', 'transfer-encoding', 'content-length', 'etag', 'content-encoding', 'x-vsim-meta', 'vary']);

const shown = ({ status, raw, text }, what) => {
  const headers = [];
  for (let i = 0; i < raw.length; i += 2) if (!kVolatile.has(raw[i].toLowerCase())) headers.push(`${raw[i].toLowerCase()}: ${raw[i + 1]}`);
  return { status, headers: headers.sort(), text: what === 'throws' ? /middleware has thrown|Internal Server Error/.test(text) : text };
};

for (const kName of kNames) describe(`Middleware in instances: Next ${next} ${bundler}, ${kName}`, { timeout: 600_000 }, () => {
  let fleet;
  let ours;
  let functions;
  const dispatches = [];

  before(async () => {
    const project = await copyApp();
    await rm(join(project.app, 'middleware.js'));
    fleet = await startIsolated({
      project,
      env: { VSIM_MIDDLEWARE: 'http' },
      files: { 'app/mw/[what]/route.js': kEcho, [`${kName}.js`]: kMiddleware(kName) },
    });
    fleet.serveMiddleware(async (dispatch) => {
      dispatches.push(dispatch);
      return (ours ??= await fleet.spawn());
    });
  });
  after(cleanUp);

  const ask = (path, options) => fleet.request(path, { place: async () => (functions ??= await fleet.spawn()), ...options });

  for (const [path, options = {}] of kAsked) {
    test(`${options.method ?? 'GET'} ${path}: as in next dev`, async () => {
      const from = dispatches.length;
      const isolated = await ask(`/mw/${path}`, options);
      const plain = await fleet.world.request(`/mw/${path}`, { ...options, numbered: false });
      assert.deepEqual(shown(isolated, path), shown(plain, path));
      assert.equal(dispatches.length, from + 1);
      const { kind, page, runtime, file } = dispatches.at(-1);
      assert.deepEqual([kind, page, runtime, file], ['MIDDLEWARE', `/${kName}`, kName === 'proxy' ? 'nodejs' : 'edge', `${kName}.js`]);
    });
  }

  if (kName === 'middleware' && kCounts)
    test('what it asks of its own path is not asked of it for ever: this Next counts', async () => {
      const from = dispatches.length;
      assert.equal(JSON.parse((await ask('/mw/own')).text).headers['x-count'], '200');
      assert.ok(dispatches.length - from > 1 && dispatches.length - from < 10, `${dispatches.length - from} times`);
    });

  test('its memory is of the instance, and not of next dev', async () => {
    const counts = [];
    for (let i = 0; i < 2; i++) counts.push(JSON.parse((await ask('/mw/count')).text).headers['x-count']);
    assert.deepEqual(counts, ['1', '2']);
    assert.equal(JSON.parse((await fleet.world.request('/mw/count', { numbered: false })).text).headers['x-count'], '1');
    assert.deepEqual(fleet.world.events.all.filter(({ t }) => t === 'state' || t === 'left'), []);
  });

  test('what its matcher leaves out asks for nothing', async () => {
    const from = dispatches.length;
    await ask('/api/hello');
    assert.equal(dispatches.length, from);
  });

  test('waitUntil: the answer does not wait, the invocation does', async () => {
    const from = dispatches.length;
    const answered = ask('/mw/later');
    await answered;
    assert.equal(dispatches.length, from + 1);
    const { id } = ours.events.all.findLast(({ t }) => t === 'handler');
    const done = await ours.done(id);
    assert.ok(done.at - ours.events.all.findLast((event) => event.t === 'handler').at >= 290);
  });

  test('an edit makes its instance stale, and the next one has the new text', async () => {
    const path = join(fleet.world.app, `${kName}.js`);
    await save(path, (await readText(path)).replace("'x-version', '1'", "'x-version', '2'"));
    const fresh = await fleet.spawn();
    fleet.serveMiddleware(() => fresh);
    let seen;
    for (let i = 0; i < 100 && seen !== '2'; i++) seen = JSON.parse((await ask('/mw/next')).text).headers['x-version'];
    assert.equal(fleet.isStale(ours), true);
  });
});
