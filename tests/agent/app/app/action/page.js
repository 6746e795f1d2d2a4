async function save(data) {
  'use server';
  await new Promise((done) => setTimeout(done, 200));
  console.log(`saved ${data.get('word')}`);
}

export default function Page() {
  return (
    <form action={save}>
      <input name="word" defaultValue="one" />
      <button>save</button>
    </form>
  );
}
