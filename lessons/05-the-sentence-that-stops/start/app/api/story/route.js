import { seconds } from '../../../lib/clock';
import { story } from '../../../lib/story';

export async function GET() {
  const encoder = new TextEncoder();
  const body = new ReadableStream({
    async start(controller) {
      for (let i = 0; i < story.length; i += 1) {
        await seconds(1);
        controller.enqueue(encoder.encode(`data: ${story[i]}\n\n`));
      }
      controller.enqueue(encoder.encode('event: done\ndata:\n\n'));
      controller.close();
    },
  });
  return new Response(body, { headers: { 'content-type': 'text/event-stream' } });
}
