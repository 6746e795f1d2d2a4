export const dynamic = 'force-dynamic';

const kNames = ['@vercel/request-context', '@next/request-context'];

export async function GET() {
  const [context, next] = kNames.map((name) => globalThis[Symbol.for(name)].get());
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
    after: await context.cache.get('a'),
    purged: (await context.purge.invalidateByTag('t')) ?? null,
    isListed: Object.getOwnPropertySymbols(globalThis).some((symbol) => kNames.includes(symbol.description) && globalThis.propertyIsEnumerable(symbol)),
  });
}
