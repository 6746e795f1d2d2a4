import * as server from 'next/server';

export const dynamic = 'force-dynamic';

export async function GET() {
  server.after?.(async () => {
    await new Promise((done) => setTimeout(done, 300));
    globalThis.isoAfter = (globalThis.isoAfter ?? 0) + 1;
  });
  return Response.json({ after: globalThis.isoAfter ?? 0 });
}
