import { listening } from '../../../server-listens.mjs';

export const dynamic = 'force-dynamic';

export async function GET() {
  const port = await listening;
  const response = await fetch(`http://127.0.0.1:${port}/`, { cache: 'no-store' });
  return Response.json({ port, text: await response.text() });
}
