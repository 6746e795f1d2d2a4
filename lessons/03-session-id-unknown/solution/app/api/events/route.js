import { channel } from '../../../lib/channel';

const encoder = new TextEncoder();

export async function GET() {
  const messages = channel.listen('talk');
  const body = new ReadableStream({
    async start(controller) {
      const send = (message) => controller.enqueue(encoder.encode(`data: ${JSON.stringify(message)}\n\n`));
      send({ text: 'open' });
      for await (const message of messages) send(message);
    },
    cancel() {
      return messages.return();
    },
  });
  return new Response(body, { headers: { 'content-type': 'text/event-stream' } });
}
