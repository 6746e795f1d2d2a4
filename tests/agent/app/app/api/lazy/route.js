export const dynamic = 'force-dynamic';

export async function GET() {
  const { word } = await import('../../../lib/late');
  return new Response(word);
}
