import { fetched } from "../../../lib/fetched";
export const dynamic = "force-dynamic";
// In a file that names nothing else: vercel-sim judges an address by what the file that asks may mean.
const port = process.env.PORT ?? 3000;
export async function GET() {
  return Response.json({ localhost: await fetched(`http://localhost:${port}/api/parity`), address: await fetched(`http://127.0.0.1:${port}/api/parity`) });
}
