import http from 'node:http'; import net from 'node:net';
import { setTimeout as promised } from 'node:timers/promises';

export const dynamic = 'force-dynamic';
globalThis.isoTicks ??= 0;

export async function GET(request) {
  const what = new URL(request.url).searchParams.get('what');
  if (what === 'timeout') setTimeout(() => (globalThis.isoTicks += 1), 60_000);
  if (what === 'interval') setInterval(() => (globalThis.isoTicks += 1), 50);
  if (what === 'socket') net.connect(Number(process.env.ISO_PORT), '127.0.0.1').on('error', () => {});
  if (what === 'fetch') fetch(`${process.env.EXTERNAL_ORIGIN}/never`, { cache: 'no-store' }).catch(() => {});
  if (what === 'promised') promised(60_000);
  if (what === 'asked') http.get(`${process.env.EXTERNAL_ORIGIN}/never`).on('error', () => {});
  // As Payload does to hear of changes in development.
  if (what === 'reload') {
    const headers = { connection: 'upgrade', upgrade: 'websocket' };
    const { get } = await import('node:http');
    const request = get({ port: process.env.ISO_PORT, path: '/never/_next/webpack-hmr', headers }).on('error', () => {});
    await new Promise((done) => request.once('finish', done));
  }
  if (what === 'over') await new Promise((done) => setTimeout(done, 10));
  if (what === 'fetched') await (await fetch(`${process.env.EXTERNAL_ORIGIN}/seen`, { cache: 'no-store' })).text();
  // The floating fetch is on its way when the response is over.
  if (what === 'fetch' || what === 'asked') await new Promise((done) => setImmediate(() => setImmediate(done)));
  return Response.json({ ticks: globalThis.isoTicks });
}
