import http from 'node:http';

export const dynamic = 'force-dynamic';

// Asks the app itself, and someone else, by fetch and by node:http.
export async function GET(request) {
  const { origin } = new URL(request.url);
  await (await fetch(`${origin}/plain?by=fetch`, { cache: 'no-store', redirect: 'manual' })).text();
  await (await fetch(`${process.env.EXTERNAL_ORIGIN}/seen`, { cache: 'no-store' })).text();
  await new Promise((done, fail) => http.get(`${origin}/plain?by=http`, (res) => res.resume().on('end', done)).on('error', fail));
  return new Response('asked');
}
