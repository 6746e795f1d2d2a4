export const dynamic = 'force-dynamic';

export function GET() {
  return new Response('fast', { headers: { 'x-vsim-meta': 'forged page=%2Fadmin' } });
}
