import { makeReport } from '../../../lib/report';

export async function GET(request) {
  const month = new URL(request.url).searchParams.get('month');
  return Response.json(await makeReport(month));
}
