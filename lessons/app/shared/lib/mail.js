import { seconds } from './clock';

// A mail service that takes a second to answer, as they do. Here it is a small server that the lesson has started.
export async function sendMail(mail) {
  await seconds(1);
  await fetch(`${process.env.STORE_URL}/mails`, { method: 'POST', body: JSON.stringify(mail), cache: 'no-store' });
}
