import { channel } from '../../../lib/channel';

export async function POST(request) {
  await channel.publish('talk', await request.json());
  return Response.json({ sent: true });
}
