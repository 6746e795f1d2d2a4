import { connected } from "../../../lib/connected";
export const dynamic = "force-dynamic";
// A server that takes mail on both ports, of whoever deploys this. Nothing is sent to it.
export async function GET() {
  const host = process.env.PARITY_MAIL_SERVER;
  if (!host) return Response.json({ submission: "PARITY_MAIL_SERVER names none" });
  const [submission, smtp] = await Promise.all([connected(host, 587, 5000), connected(host, 25, 5000)]);
  return Response.json({ submission, smtp });
}
