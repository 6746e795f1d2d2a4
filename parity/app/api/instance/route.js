import { statfsSync, writeFileSync } from "node:fs";
import { instance, seen } from "../../../lib/instance";
import { later } from "../../../lib/later";
export const dynamic = "force-dynamic";
export async function GET(request) {
  const asked = new URL(request.url).searchParams;
  globalThis.parity = instance;
  if (asked.get("write")) writeFileSync("/tmp/vercel-sim-parity", asked.get("write"));
  const { bsize, blocks } = statfsSync("/tmp");
  seen.count += 1;
  seen.mostOpen = Math.max(seen.mostOpen, ++seen.open);
  try {
    await later(Math.min(Number(asked.get("hold")) || 0, 5000));
    return Response.json({ instance, count: seen.count, mostOpen: seen.mostOpen, tmp: Math.round((bsize * blocks) / 1e6) });
  } finally {
    seen.open -= 1;
  }
}
