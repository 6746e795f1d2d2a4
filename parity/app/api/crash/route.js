import { later } from "../../../lib/later";
export const dynamic = "force-dynamic";
export async function GET(request) {
  const how = new URL(request.url).searchParams.get("how");
  if (how === "exit") process.exit(1);
  if (how === "uncaught") setTimeout(() => { throw new Error("parity: nobody catches this"); }, 200);
  if (how === "thrown") throw new Error("parity: Next catches this");
  await later(how ? 3000 : 0);
  return Response.json({ ended: false });
}
