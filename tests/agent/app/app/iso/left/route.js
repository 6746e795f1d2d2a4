import net from 'node:net';

export const dynamic = 'force-dynamic';
globalThis.isoTicks ??= 0;

export async function GET(request) {
  const what = new URL(request.url).searchParams.get('what');
  if (what === 'timeout') setTimeout(() => (globalThis.isoTicks += 1), 60_000);
  if (what === 'interval') setInterval(() => (globalThis.isoTicks += 1), 50);
  if (what === 'socket') net.connect(Number(process.env.ISO_PORT), '127.0.0.1').on('error', () => {});
  if (what === 'over') await new Promise((done) => setTimeout(done, 10));
  return Response.json({ ticks: globalThis.isoTicks });
}
