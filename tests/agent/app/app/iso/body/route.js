export const dynamic = 'force-dynamic';

export async function POST(request) {
  const text = await request.text();
  return Response.json({ length: text.length, type: request.headers.get('content-type'), expect: request.headers.get('expect') });
}
