export const dynamic = 'force-dynamic';

export async function GET(request) {
  const response = await fetch(`http://localhost:${process.env.PORT}/api/fast`, { cache: 'no-store' });
  return Response.json({ text: await response.text(), head: Object.fromEntries(response.headers), url: request.url });
}
