export const dynamic = 'force-dynamic';

const kNames = ['@vercel/request-context', '@next/request-context'];

export async function GET(request) {
  const [context, next] = kNames.map((name) => globalThis[Symbol.for(name)].get());
  if (new URL(request.url).searchParams.has('keep')) await context.cache.set('kept', [1, { two: 2 }]);
  await context.cache.set('a', { b: 1 }, { ttl: 60, tags: ['t'] });
  const before = await context.cache.get('a');
  await context.cache.expireTag('t');
  console.log('printed once');
  return Response.json({
    isSame: context === next,
    url: context.url,
    header: context.headers['x-test'],
    deadline: context.deadline,
    upgrade: typeof context.upgradeWebSocket,
    before,
    kept: await context.cache.get('kept'),
    after: await context.cache.get('a'),
    purged: (await context.purge.invalidateByTag('t')) ?? null,
    isListed: Object.getOwnPropertySymbols(globalThis).some((symbol) => kNames.includes(symbol.description) && globalThis.propertyIsEnumerable(symbol)),
  });
}
