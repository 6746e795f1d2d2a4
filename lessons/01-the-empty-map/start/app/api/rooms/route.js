const rooms = new Map();

export async function POST(request) {
  const { name } = await request.json();
  const id = crypto.randomUUID();
  rooms.set(id, { id, name });
  return Response.json({ id }, { status: 201 });
}

export async function GET(request) {
  const id = new URL(request.url).searchParams.get('id');
  const room = rooms.get(id);
  return room ? Response.json(room) : Response.json({ error: 'no such room' }, { status: 404 });
}
