// A channel of a hosted store (Redis' publish and subscribe, a managed realtime service): what is said here is heard on every instance that listens.
// Here it is a small server that the lesson has started.
const urlOf = (name) => `${process.env.STORE_URL}/channels/${encodeURIComponent(name)}`;

export const channel = {
  publish: (name, message) => fetch(urlOf(name), { method: 'POST', body: JSON.stringify(message), cache: 'no-store' }),

  // for await (const message of channel.listen('chat')) …
  async *listen(name) {
    const { body } = await fetch(urlOf(name), { cache: 'no-store' });
    let rest = '';
    for await (const text of body.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split('\n');
      rest = lines.pop();
      for (const line of lines) yield JSON.parse(line);
    }
  },
};
