import { channel } from '../../../lib/channel';
import { store } from '../../../lib/store';

const encoder = new TextEncoder();
const nameOf = (request) => `news ${new URL(request.url).searchParams.get('room')}`;

export async function GET(request) {
  const name = nameOf(request);
  const news = channel.listen(name);
  const body = new ReadableStream({
    async start(controller) {
      let last = Number(request.headers.get('last-event-id') ?? 0);
      const send = ({ id, text }) => {
        if (id <= last) return; // it was in the list as well
        last = id;
        controller.enqueue(encoder.encode(`id: ${id}\ndata: ${text}\n\n`));
      };
      const next = news.next(); // it listens from here on
      const texts = await store.list(name);
      controller.enqueue(encoder.encode('event: hello\ndata:\n\n'));
      texts.forEach((text, index) => send({ id: index + 1, text }));
      for (let heard = await next; !heard.done; heard = await news.next()) send(heard.value);
    },
    cancel() {
      return news.return();
    },
  });
  return new Response(body, { headers: { 'content-type': 'text/event-stream' } });
}

export async function POST(request) {
  const name = nameOf(request);
  const text = await request.text();
  const id = await store.append(name, text);
  await channel.publish(name, { id, text });
  return Response.json({ id });
}
