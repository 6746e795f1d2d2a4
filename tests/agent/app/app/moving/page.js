import { headers } from 'next/headers';

export default async function Moving() {
  await headers();
  await new Promise((done) => setTimeout(done, 400));
  return <p>moving</p>;
}
