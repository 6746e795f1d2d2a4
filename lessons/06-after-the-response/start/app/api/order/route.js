import { sendMail } from '../../../lib/mail';

export async function POST(request) {
  const { order } = await request.json();
  sendMail({ order }); // the customer need not wait for it
  return Response.json({ order }, { status: 201 });
}
