import { fetched } from "../../../lib/fetched";
export const dynamic = "force-dynamic";
// Apart from what asks loopback addresses (../own).
export async function GET() {
  return Response.json({ deployment: process.env.VERCEL_URL ? await fetched(`https://${process.env.VERCEL_URL}/api/parity`) : "no VERCEL_URL" });
}
