export const runtime = 'edge';

export async function GET(request) {
  await new Promise((done) => setTimeout(done, 100));
  return Response.json({ url: request.url, edge: typeof EdgeRuntime });
}
