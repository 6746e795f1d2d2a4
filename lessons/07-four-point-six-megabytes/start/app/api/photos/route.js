import { storage } from '../../../lib/storage';

export async function POST(request) {
  const photo = await request.arrayBuffer();
  const { id, url } = await storage.sign();
  await fetch(url, { method: 'PUT', body: photo });
  return Response.json({ id }, { status: 201 });
}

export async function GET(request) {
  const photo = await storage.find(new URL(request.url).searchParams.get('id'));
  return photo ? Response.json(photo) : Response.json({ error: 'no such photo' }, { status: 404 });
}
