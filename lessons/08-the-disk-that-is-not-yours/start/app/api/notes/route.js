import { readFile, writeFile } from 'node:fs/promises';

const file = 'data/notes.json';

export async function GET() {
  return Response.json(JSON.parse(await readFile(file, 'utf8')));
}

export async function POST(request) {
  const notes = JSON.parse(await readFile(file, 'utf8'));
  notes.push(await request.json());
  await writeFile(file, JSON.stringify(notes));
  return Response.json(notes.at(-1), { status: 201 });
}
