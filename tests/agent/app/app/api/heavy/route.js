// Evaluating this module takes long; the handler does not.
const until = Date.now() + 3000;
while (Date.now() < until);

export const dynamic = 'force-dynamic';

export function GET() {
  return new Response('heavy');
}
