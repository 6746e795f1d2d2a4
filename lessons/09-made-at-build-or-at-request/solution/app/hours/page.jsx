import { connection } from 'next/server';

export default async function Page() {
  await connection();
  const now = new Date();
  const open = now.getUTCHours() >= 8 && now.getUTCHours() < 18;
  return (
    <main>
      <h1>{open ? 'We are open' : 'We are closed'}</h1>
      <p>It is {now.toISOString()}</p>
    </main>
  );
}
