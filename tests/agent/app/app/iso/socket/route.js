import { WebSocketServer } from 'next/dist/compiled/ws';

export const dynamic = 'force-dynamic';
let room = 0;

// As experimental_upgradeWebSocket of @vercel/functions does it.
export async function GET() {
  const context = globalThis[Symbol.for('@vercel/request-context')].get();
  if (typeof context.upgradeWebSocket !== 'function') return new Response('not an upgrade', { status: 426 });
  const { req, socket, head } = context.upgradeWebSocket();
  const server = new WebSocketServer({ noServer: true });
  server.handleUpgrade(req, socket, head, (client) => {
    room += 1;
    client.on('message', (text) => client.send(`${room} ${text}`));
    client.on('close', () => (room -= 1));
  });
  return new Response(null, { status: 204 });
}
