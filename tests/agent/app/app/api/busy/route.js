export const dynamic = 'force-dynamic';

// Never yields: whatever is told of it must be told before.
export function GET() {
  const until = Date.now() + 700;
  while (Date.now() < until);
  return new Response('busy');
}
