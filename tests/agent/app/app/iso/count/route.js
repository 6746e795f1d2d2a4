import { shared } from '../../../lib/shared';

export const dynamic = 'force-dynamic';
let count = 0;

export async function GET(request) {
  count += 1;
  globalThis.isoCount = (globalThis.isoCount ?? 0) + 1;
  const { headers } = request;
  const all = Object.fromEntries([...headers.keys()].filter((name) => name.startsWith('x-')).map((name) => [name, headers.get(name)]));
  return Response.json({ pid: process.pid, count, shared: shared(), global: globalThis.isoCount, registered: globalThis.isoRegistered, url: request.url, headers: all });
}

export const POST = GET;
