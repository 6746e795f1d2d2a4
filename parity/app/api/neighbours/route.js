import { connected } from "../../../lib/connected";
export const dynamic = "force-dynamic";
// Where a developer's databases and models listen.
export async function GET() {
  const of = async (port) => [port, await connected("127.0.0.1", port, 2000)];
  return Response.json(Object.fromEntries(await Promise.all([3306, 5432, 6379, 11434, 27017].map(of))));
}
