import { channel } from '../../../lib/channel';

const encoder = new TextEncoder();
const nameOf = (request) => `chat ${new URL(request.url).searchParams.get('room')}`;

export async function GET(request) {
  const messages = channel.listen(nameOf(request));
  const body = new ReadableStream({
    async start(controller) {
      const send = (message) => controller.enqueue(encoder.encode(`data: ${JSON.stringify(message)}\n\n`));
      send({ text: 'welcome' });
      for await (const message of messages) send(message);
    },
    cancel() {
      return messages.return();
    },
  });
  return new Response(body, { headers: { 'content-type': 'text/event-stream' } });
}

export async function POST(request) {
  await channel.publish(nameOf(request), await request.json());
  return Response.json({ sent: true });
}
