const streams = new Set();
const encoder = new TextEncoder();

export async function GET() {
  let send;
  const body = new ReadableStream({
    start(controller) {
      send = (message) => controller.enqueue(encoder.encode(`data: ${JSON.stringify(message)}\n\n`));
      streams.add(send);
      send({ text: 'welcome' });
    },
    cancel() {
      streams.delete(send);
    },
  });
  return new Response(body, { headers: { 'content-type': 'text/event-stream' } });
}

export async function POST(request) {
  const message = await request.json();
  for (const send of streams) send(message);
  return Response.json({ sent: true });
}
