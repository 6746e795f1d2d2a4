import { draftMode } from 'next/headers';

export const dynamic = 'force-dynamic';

export async function GET(request) {
  const draft = await draftMode();
  if (new URL(request.url).searchParams.has('on')) await draft.enable();
  return Response.json({ enabled: draft.isEnabled });
}
