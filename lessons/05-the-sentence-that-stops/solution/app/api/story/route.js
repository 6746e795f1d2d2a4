import { seconds } from '../../../lib/clock';
import { story } from '../../../lib/story';

const wordsAtOnce = 8; // ends before the limit does; the reader comes back

export async function GET(request) {
  const encoder = new TextEncoder();
  const last = request.headers.get('last-event-id');
  const from = last === null ? 0 : Number(last) + 1;
  const to = Math.min(from + wordsAtOnce, story.length);
  const body = new ReadableStream({
    async start(controller) {
      for (let i = from; i < to; i += 1) {
        await seconds(1);
        controller.enqueue(encoder.encode(`id: ${i}\ndata: ${story[i]}\n\n`));
      }
      if (to === story.length) controller.enqueue(encoder.encode('event: done\ndata:\n\n'));
      controller.close();
    },
  });
  return new Response(body, { headers: { 'content-type': 'text/event-stream' } });
}
