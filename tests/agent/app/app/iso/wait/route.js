export const dynamic = 'force-dynamic';

const context = () => globalThis[Symbol.for('@vercel/request-context')].get();

// Answers at once; the work goes on for `ms`.
export async function GET(request) {
  const ms = Number(new URL(request.url).searchParams.get('ms'));
  context().waitUntil(
    new Promise((done) => setTimeout(done, ms)).then(() => {
      globalThis.isoWaited = (globalThis.isoWaited ?? 0) + 1;
    }),
  );
  return Response.json({ waited: globalThis.isoWaited ?? 0 });
}
