import { seconds } from '../../../lib/clock';
import { story } from '../../../lib/story';

export async function GET(request) {
  const pace = Number(new URL(request.url).searchParams.get('pace') ?? 1); // seconds for a word
  const encoder = new TextEncoder();
  const body = new ReadableStream({
    async start(controller) {
      for (let i = 0; i < story.length; i += 1) {
        await seconds(pace);
        controller.enqueue(encoder.encode(`data: ${story[i]}\n\n`));
      }
      controller.enqueue(encoder.encode('event: done\ndata:\n\n'));
      controller.close();
    },
  });
  return new Response(body, { headers: { 'content-type': 'text/event-stream' } });
}
