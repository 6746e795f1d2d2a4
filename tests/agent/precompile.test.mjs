// Routes that are compiled ahead (`test --warm`): their first request compiles nothing, and nothing of the user's has run before it.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { cleanUp, combo, copyApp, readText } from './harness.mjs';
import { startIsolated } from './isolation.mjs';

const { next, bundler } = combo();

describe(`Compiled ahead: Next ${next} ${bundler}`, { timeout: 600_000 }, () => {
  let fleet;
  let world;
  let ran;

  before(async () => {
    const project = await copyApp();
    ran = join(project.folder, 'ran.txt');
    const note = (what) => `process.getBuiltinModule('node:fs').appendFileSync(process.env.RAN, '${what}\\n');`;
    const files = {
      'app/api/noted/[id]/route.js': `${note('module')}\nexport async function GET() { ${note('handler')} return new Response('noted'); }\nexport const dynamic = 'force-dynamic';`,
      'app/noted/page.js': `${note('module')}\nexport default function Page() { ${note('page')} return <p>noted</p>; }\nexport const dynamic = 'force-dynamic';`,
      'pages/noted-old.js': `${note('module')}\nexport default function Old() { return <p>old</p>; }\nexport async function getServerSideProps() { ${note('props')} return { props: {} }; }`,
      'pages/api/noted-old.js': `${note('module')}\nexport default function handler(req, res) { ${note('handler')} res.end('old'); }`,
      'app/api/torn/route.js': 'export function GET( { return new Response("never"); }',
    };
    for (const [name, text] of Object.entries(files)) {
      await mkdir(dirname(join(project.app, name)), { recursive: true });
      await writeFile(join(project.app, name), text);
    }
    fleet = await startIsolated({ project, env: { RAN: ran } });
    ({ world } = fleet);
  });
  after(cleanUp);

  async function compile(page, kind) {
    const seen = world.events.all.length;
    world.tell({ t: 'compile', page, kind });
    await world.events.waitFor(`${page} compiled`, (event) => event.t === 'precompiled' && event.page === page && world.events.all.indexOf(event) >= seen, 120_000);
    return world.events.all.findLast((event) => event.t === 'precompiled' && event.page === page);
  }

  test('says that it can', () => {
    assert.equal(world.events.all.find((event) => event.t === 'hello').compile, true);
  });

  for (const [page, kind, path, text] of [
    ['/api/noted/[id]/route', 'APP_ROUTE', '/api/noted/7', /noted/],
    ['/noted/page', 'APP_PAGE', '/noted', /noted/],
    ['/noted-old', 'PAGES', '/noted-old', /old/],
    ['/api/noted-old', 'PAGES_API', '/api/noted-old', /old/],
  ]) {
    test(`${kind}: compiled, not run; the first request compiles no more`, async () => {
      const before = existsSync(ran) ? await readText(ran) : '';
      const told = await compile(page, kind);
      assert.equal(told.status, 'ok', JSON.stringify(told));
      assert.equal(existsSync(ran) ? await readText(ran) : '', before, 'code of the app ran');
      const again = await compile(page, kind);
      assert.equal(again.status, 'ok');

      const answer = await fleet.request(path, { place: () => fleet.spawn() });
      assert.equal(answer.status, 200, answer.text);
      assert.match(answer.text, text);
      assert.equal(answer.dispatch.page, page);
      const compiles = [...world.of(answer.id), ...answer.instance.of(answer.id)].filter((event) => event.t === 'compile' && event.phase === 'end');
      // What is left is a question to the bundler, which has the answer.
      assert.ok(compiles.every(({ ms }) => ms < Math.max(150, told.ms / 2)), JSON.stringify({ told, compiles }));
      assert.notEqual(await readText(ran), before);
      answer.instance.kill();
    });
  }

  test('middleware is compiled and not run', async () => {
    const told = await compile('/middleware', 'MIDDLEWARE');
    assert.equal(told.status, 'ok', JSON.stringify(told));
  });

  test('a page that Next does not have is missing', async () => {
    const told = await compile('/api/nowhere/route', 'APP_ROUTE');
    assert.equal(told.status, 'missing', JSON.stringify(told));
  });

  test('a route that does not compile is told with the text of the bundler, and the others are not blamed', async () => {
    const told = await compile('/api/torn/route', 'APP_ROUTE');
    assert.equal(told.status, 'failed', JSON.stringify(told));
    assert.match(told.error, /torn/);
    const other = await compile('/api/hello/route', 'APP_ROUTE');
    assert.equal(other.status, 'ok', JSON.stringify(other));
    // Nor do they answer with its error, as they do in next dev once somebody has opened it.
    const answer = await fleet.request('/api/noted/8', { place: () => fleet.spawn() });
    assert.equal(answer.text, 'noted');
    const own = await fleet.request('/api/torn', { place: () => fleet.spawn() });
    assert.equal(own.status, 500);
  });
});
