// 30 tests of the example app as people write them, which pass on one process as on many (bench/playwright.mjs).
import { expect, test } from '@playwright/test';

test.describe('pages', () => {
  test('the start page has the form of the chat', async ({ page }) => {
    await page.goto('/');
    await expect(page.getByTestId('enter')).toHaveText('Join');
    await expect(page.getByTestId('status')).toHaveText('not connected');
  });
  test('a link fills the form', async ({ page }) => {
    await page.goto('/?transport=polling&room=tea&name=Ada');
    await expect(page.locator('input[name=room]')).toHaveValue('tea');
    await expect(page.locator('input[name=name]')).toHaveValue('Ada');
    await expect(page.locator('select[name=transport]')).toHaveValue('polling');
  });
  test('a link that names no transport leaves the first', async ({ page }) => {
    await page.goto('/?transport=carrier-pigeon');
    await expect(page.locator('select[name=transport]')).toHaveValue('websocket');
  });
  test('the panel lists what can be tried', async ({ page }) => {
    await page.goto('/');
    await expect(page.getByText('Counter', { exact: true })).toBeVisible();
    await expect(page.getByText('Upload 5 MB')).toBeVisible();
  });
  test('about', async ({ page }) => {
    await page.goto('/about');
    await expect(page.getByRole('heading', { name: 'About' })).toBeVisible();
  });
  test('about once more', async ({ page }) => {
    const response = await page.goto('/about');
    expect(response.status()).toBe(200);
    await expect(page.getByText('asks for nothing that changes')).toBeVisible();
  });
  test('a page that is rendered for each request', async ({ page }) => {
    await page.goto('/time');
    const first = await page.locator('#now').getAttribute('datetime');
    await page.reload();
    expect(await page.locator('#now').getAttribute('datetime')).not.toBe(first);
  });
  test('the time is now', async ({ page }) => {
    await page.goto('/time');
    const then = Date.parse(await page.locator('#now').getAttribute('datetime'));
    expect(Math.abs(Date.now() - then)).toBeLessThan(60_000);
  });
  test('a button counts', async ({ page }) => {
    await page.goto('/hot');
    await expect(page.locator('#marker')).toHaveText('version 1');
    await expect(async () => {
      await page.locator('#clicks').click();
      await expect(page.locator('#clicks')).not.toHaveText('clicked 0', { timeout: 500 });
    }).toPass();
  });
  test('a page that is not there', async ({ page }) => {
    const response = await page.goto('/no-such-page');
    expect(response.status()).toBe(404);
  });
  test('a redirect', async ({ page }) => {
    await page.goto('/redirect');
    await expect(page).toHaveURL(/\/about\?from=redirect$/);
  });
});

test.describe('Server Action', () => {
  for (const name of ['Ada', 'Grace', 'Barbara']) {
    test(`greets ${name}`, async ({ page }) => {
      await page.goto('/action');
      await page.locator('input[name=name]').fill(name);
      await page.getByRole('button', { name: 'Greet me' }).click();
      await expect(page.locator('#greeting')).toHaveText(`Hello, ${name}.`, { timeout: 15_000 });
    });
  }
  test('greets a stranger', async ({ page }) => {
    await page.goto('/action');
    await page.getByRole('button', { name: 'Greet me' }).click();
    await expect(page.locator('#greeting')).toHaveText('Hello, stranger.', { timeout: 15_000 });
  });
});

test.describe('API', () => {
  test('counts', async ({ request }) => {
    const { count } = await (await request.get('/api/counter')).json();
    expect(count).toBeGreaterThanOrEqual(1);
  });
  test('five calls one after the other', async ({ request }) => {
    for (let i = 0; i < 5; i++) expect((await request.get('/api/counter')).status()).toBe(200);
  });
  test('five calls at once', async ({ request }) => {
    const all = await Promise.all(Array.from({ length: 5 }, () => request.get('/api/counter')));
    expect(all.map((one) => one.status())).toEqual([200, 200, 200, 200, 200]);
  });
  test('echoes a header', async ({ request }) => {
    const { headers, method } = await (await request.get('/api/echo', { headers: { 'x-mine': 'yes' } })).json();
    expect([method, headers['x-mine']]).toEqual(['GET', 'yes']);
  });
  test('echoes its own address', async ({ request, baseURL }) => {
    expect((await (await request.get('/api/echo?a=b')).json()).url).toBe(`${baseURL}/api/echo?a=b`);
  });
  test('lists rooms', async ({ request }) => {
    expect(Array.isArray((await (await request.get('/api/rooms')).json()).rooms)).toBe(true);
  });
  test('makes a room', async ({ request }) => {
    const response = await request.post('/api/rooms', { data: { name: 'tea' } });
    expect(response.status()).toBe(201);
    expect((await response.json()).name).toBe('tea');
  });
  test('makes a room without a name', async ({ request }) => {
    expect((await (await request.post('/api/rooms', { data: {} })).json()).name).toBe('room');
  });
  test('does not find a room that nobody made', async ({ request }) => {
    expect((await request.post('/api/rooms/none/join', { data: { name: 'Ada' } })).status()).toBe(404);
  });
  for (const ms of [10, 100]) {
    test(`thinks for ${ms} ms`, async ({ request }) => {
      expect(await (await request.get(`/api/slow?ms=${ms}`)).json()).toEqual({ slept: ms });
    });
  }
  test('a function with a limit of its own', async ({ request }) => {
    expect((await request.get('/api/limited?ms=50')).status()).toBe(200);
  });
  test('takes an upload', async ({ request }) => {
    expect(await (await request.post('/api/upload', { data: Buffer.alloc(100_000) })).json()).toEqual({ bytes: 100_000 });
  });
  test('sends what is large', async ({ request }) => {
    expect((await (await request.get('/api/big?bytes=1000000')).body()).length).toBe(1_000_000);
  });
  test('asks from the page', async ({ page }) => {
    await page.goto('/about');
    const count = await page.evaluate(async () => (await (await fetch('/api/counter')).json()).count);
    expect(count).toBeGreaterThanOrEqual(1);
  });
});
