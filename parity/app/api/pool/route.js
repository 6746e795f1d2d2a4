import { opened } from "../../../lib/pool";
export const dynamic = "force-dynamic";
export async function GET() {
  return Response.json(await opened());
}
