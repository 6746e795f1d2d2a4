import { store } from '../../../lib/store';

export async function POST(request) {
  const { name } = await request.json();
  const id = crypto.randomUUID();
  await store.set(id, { id, name });
  return Response.json({ id }, { status: 201 });
}

export async function GET(request) {
  const id = new URL(request.url).searchParams.get('id');
  const room = await store.get(id);
  return room ? Response.json(room) : Response.json({ error: 'no such room' }, { status: 404 });
}
