import http from 'node:http';
import https from 'node:https';

export const dynamic = 'force-dynamic';

// Asks the app itself, and someone else, by fetch and by node:http.
export async function GET(request) {
  const { origin } = new URL(request.url);
  await (await fetch(`${origin}/plain?by=fetch`, { cache: 'no-store', redirect: 'manual' })).text();
  await (await fetch(`${process.env.EXTERNAL_ORIGIN}/seen`, { cache: 'no-store' })).text();
  await new Promise((done, fail) => http.get(`${origin}/plain?by=http`, (res) => res.resume().on('end', done)).on('error', fail));
  // As in production, where VERCEL_URL is meant with https.
  const secure = origin.replace('http:', 'https:');
  await (await fetch(`${secure}/plain?by=secure-fetch`, { cache: 'no-store', redirect: 'manual' })).text();
  await (await fetch(new Request(`${secure}/plain?by=secure-request`, { cache: 'no-store', redirect: 'manual' }))).text();
  await new Promise((done, fail) => https.get(`${secure}/plain?by=https`, { agent: new https.Agent() }, (res) => res.resume().on('end', done)).on('error', fail));
  return new Response('asked');
}
