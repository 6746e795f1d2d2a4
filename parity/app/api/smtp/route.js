import { connected } from "../../../lib/connected";
export const dynamic = "force-dynamic";
// A server that takes mail on both ports. Nothing is sent to it.
const host = "smtp.gmail.com";
export async function GET() {
  const [submission, smtp] = await Promise.all([connected(host, 587, 5000), connected(host, 25, 5000)]);
  return Response.json({ submission, smtp });
}
