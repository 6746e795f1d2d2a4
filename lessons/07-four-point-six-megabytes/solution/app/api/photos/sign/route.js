import { storage } from '../../../../lib/storage';

export async function POST() {
  return Response.json(await storage.sign());
}
