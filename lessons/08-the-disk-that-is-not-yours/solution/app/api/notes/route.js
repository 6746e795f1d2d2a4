import { store } from '../../../lib/store';

export async function GET() {
  return Response.json(await store.list('notes'));
}

export async function POST(request) {
  const note = await request.json();
  await store.append('notes', note);
  return Response.json(note, { status: 201 });
}
