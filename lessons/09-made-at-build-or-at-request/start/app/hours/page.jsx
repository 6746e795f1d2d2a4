export default function Page() {
  const now = new Date();
  const open = now.getUTCHours() >= 8 && now.getUTCHours() < 18;
  return (
    <main>
      <h1>{open ? 'We are open' : 'We are closed'}</h1>
      <p>It is {now.toISOString()}</p>
    </main>
  );
}
