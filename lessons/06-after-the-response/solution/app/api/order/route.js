import { after } from 'next/server';
import { sendMail } from '../../../lib/mail';

export async function POST(request) {
  const { order } = await request.json();
  after(() => sendMail({ order })); // the customer need not wait for it, the platform does
  return Response.json({ order }, { status: 201 });
}
