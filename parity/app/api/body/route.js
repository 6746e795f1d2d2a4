export const dynamic = "force-dynamic";
export async function POST(request) {
  return Response.json({ bytes: (await request.arrayBuffer()).byteLength });
}
