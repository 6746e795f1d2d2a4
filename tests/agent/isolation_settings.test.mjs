// Instances where the project or the run is set otherwise: a Next that lacks a hook, a base path, locales, a time scale.
import assert from 'node:assert/strict';
import { rm, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { cleanUp, combo, copyApp, readText, within } from './harness.mjs';
import { isGrouped, startIsolated } from './isolation.mjs';

const { next, bundler } = combo();
const json = (answer) => JSON.parse(answer.text);

describe(`Instances: Next ${next} ${bundler}: other settings`, { timeout: 600_000 }, () => {
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
