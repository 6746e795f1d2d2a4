export const dynamic = 'force-dynamic';

export async function GET(request) {
  const { searchParams } = new URL(request.url);
  const how = searchParams.get('how');
  if (how === 'exit') process.exit(7);
  if (how === 'throw') setTimeout(() => { throw new Error('thrown on purpose'); }, 1);
  if (how === 'reject') Promise.reject(new Error('rejected on purpose'));
  if (how === 'spin') for (;;);
  await new Promise((done) => setTimeout(done, Number(searchParams.get('ms') ?? 30)));
  return new Response('lived');
}
