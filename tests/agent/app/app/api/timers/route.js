import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';

export const dynamic = 'force-dynamic';

const kinds = {
  timeout: () => new Promise((done) => setTimeout(done, 3000)),
  interval: () =>
    new Promise((done) => {
      const timer = setInterval(() => (clearInterval(timer), done()), 3000);
    }),
  promises: () => wait(3000),
  promisified: () => promisify(setTimeout)(3000),
  signal: () => new Promise((done) => AbortSignal.timeout(3000).addEventListener('abort', done)),
  background: () => globalThis.background,
};

export async function GET(request) {
  const from = performance.now();
  const date = Date.now();
  await kinds[new URL(request.url).searchParams.get('kind')]();
  return Response.json({ ms: performance.now() - from, date: Date.now() - date });
}
