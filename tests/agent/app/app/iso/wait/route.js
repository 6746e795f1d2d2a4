export const dynamic = 'force-dynamic';

const context = () => globalThis[Symbol.for('@vercel/request-context')].get();

// Answers at once; the work goes on for `ms`.
export async function GET(request) {
  const ms = Number(new URL(request.url).searchParams.get('ms'));
  const { searchParams } = new URL(request.url);
  if (searchParams.has('odd')) return odd(searchParams.get('odd'));
  context().waitUntil(
    new Promise((done) => setTimeout(done, ms)).then(() => {
      globalThis.isoWaited = (globalThis.isoWaited ?? 0) + 1;
    }),
  );
  return Response.json({ waited: globalThis.isoWaited ?? 0 });
}

// What packages give besides promises.
function odd(what) {
  let isCalled = false;
  const given = {
    function: async () => {
      isCalled = true;
      await new Promise((done) => setTimeout(done, 300));
      console.log('flushed by a function');
    },
    throwing: () => {
      throw new Error('thrown by a function');
    },
    thenable: { then: (done) => setTimeout(() => done(console.log('flushed by a thenable')), 300) },
    number: 42,
    nothing: undefined,
  };
  context().waitUntil(given[what]);
  return Response.json({ isCalled });
}
