// Code and environment that change under instances: what has loaded them is stale, and the next instance has the new ones.
import assert from 'node:assert/strict';
import { open } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { cleanUp, combo, readText, save } from './harness.mjs';
import { startIsolated, startOutside } from './isolation.mjs';

const { next, bundler } = combo();
const json = (answer) => JSON.parse(answer.text);

describe(`Hot reload: Next ${next} ${bundler}`, { timeout: 600_000 }, () => {
  let fleet;
  let world;
  let outside;

  before(async () => {
    outside = await startOutside();
    fleet = await startIsolated({ env: outside.env, files: { '.env': 'FROM_DOT_ENV=one\n' } });
    ({ world } = fleet);
  });

  after(async () => {
    outside.close();
    await cleanUp();
  });

  test('hot reload: what has loaded changed code is stale, and the next instance runs the new code', async () => {
    const before = await fleet.ask('/iso/count', 'hot');
    assert.equal(json(before).count, 1);
    // Another route's first compile leaves it as it is.
    await fleet.ask('/api/slow', 'other');
    assert.equal(json(await fleet.ask('/iso/count', 'hot')).count, 2);
    let compiled;
    for (const [from, to] of [['count += 1', 'count += 10'], ['count += 10', 'count += 100']]) {
      const file = `${world.app}/app/iso/count/route.js`;
      const [text, reader] = compiled && bundler === 'webpack' ? [await readText(compiled), await open(compiled)] : [];
      await save(file, (await readText(file)).replace(from, to));
      const expected = Number(to.split(' ').at(-1));
      let got;
      for (const end = performance.now() + 30_000; performance.now() < end && got?.count !== expected; ) got = json(await fleet.ask('/iso/count', 'hot'));
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
      const before = await fleet.ask(path, 'hot');
      const file = `${world.app}/${name}`;
      await save(file, (await readText(file)).replace(from, to));
      const wanted = to.split(' ').filter(Boolean).at(-1);
      let text = before.text;
      for (const end = performance.now() + 30_000; performance.now() < end && !text.includes(wanted); ) text = (await fleet.ask(path, 'hot')).text;
      assert.ok(!before.text.includes(wanted) && text.includes(wanted), `${name}: ${text.slice(0, 400)}`);
    }
  });

  test('a changed .env makes every instance stale, and the next has it', async () => {
    const { at } = world.events.all.findLast((event) => event.t === 'boot');
    await save(`${world.app}/.env`, 'FROM_DOT_ENV=two\n');
    await world.events.waitFor('a new boot file', (event) => event.t === 'boot' && event.at > at);
    await world.events.waitFor('the change', (event) => event.t === 'changed' && event.environment);
    assert.equal(json(await fleet.fresh('/iso/env')).FROM_DOT_ENV, 'two');
  });

  test('no hook was found missing on the way', () => fleet.assertNoHookMissing());
});
