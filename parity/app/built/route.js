// Asks nothing of the request: made at build.
export const dynamic = "force-static";
export function GET() {
  return Response.json({ made: Math.random() });
}
