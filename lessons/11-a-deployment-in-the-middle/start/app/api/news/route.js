const encoder = new TextEncoder();
const rooms = new Map();

function room(request) {
  const name = new URL(request.url).searchParams.get('room');
  if (!rooms.has(name)) rooms.set(name, { messages: [], readers: new Set() });
  return rooms.get(name);
}

export async function GET(request) {
  const { messages, readers } = room(request);
  const last = Number(request.headers.get('last-event-id') ?? 0);
  let send;
  const body = new ReadableStream({
    start(controller) {
      send = ({ id, text }) => controller.enqueue(encoder.encode(`id: ${id}\ndata: ${text}\n\n`));
      controller.enqueue(encoder.encode('event: hello\ndata:\n\n'));
      messages.filter((message) => message.id > last).forEach(send);
      readers.add(send);
    },
    cancel() {
      readers.delete(send);
    },
  });
  return new Response(body, { headers: { 'content-type': 'text/event-stream' } });
}

export async function POST(request) {
  const { messages, readers } = room(request);
  const message = { id: messages.length + 1, text: await request.text() };
  messages.push(message);
  for (const send of readers) send(message);
  return Response.json({ id: message.id });
}
