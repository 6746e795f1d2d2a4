export const dynamic = "force-dynamic";
// `?key=` makes an entry of the cache of its own.
export function GET() {
  return Response.json({ made: Math.random() }, { headers: { "cache-control": "s-maxage=60, stale-while-revalidate=60" } });
}
