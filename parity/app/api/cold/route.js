import { seen } from "../../../lib/instance";
export const dynamic = "force-dynamic";
// As no other: a function of its own, whose first instance is new when it is asked.
export const maxDuration = 59;
export function GET() {
  return Response.json({ count: ++seen.count });
}
