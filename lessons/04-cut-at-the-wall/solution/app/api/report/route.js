import { makeReport } from '../../../lib/report';

export const maxDuration = 30;

export async function GET() {
  return Response.json(await makeReport());
}
