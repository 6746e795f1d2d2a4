import { cookies } from 'next/headers';

// Looks static for a while.
export default async function Late() {
  await new Promise((done) => setTimeout(done, 300));
  await cookies();
  return <p>late</p>;
}
