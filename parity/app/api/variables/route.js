export const dynamic = "force-dynamic";
// Of .env and .env.local: whether they are there, written into the bundle, or asked for at run time.
export function GET() {
  const name = ["NEXT", "PUBLIC", "PARITY"].join("_");
  return Response.json({
    local: process.env.PARITY_LOCAL ?? null,
    committed: process.env.PARITY_COMMITTED ?? null,
    written: process.env.NEXT_PUBLIC_PARITY ?? null,
    asked: process.env[name] ?? null,
  });
}
