// What a hosted store (Redis, a database) is to a deployed app: outside of every instance. Here it is a small server that the lesson has started.
const ask = async (path, options) => (await fetch(`${process.env.STORE_URL}/${path}`, { cache: 'no-store', ...options })).json();
const send = (method, path, value) => ask(path, { method, body: JSON.stringify(value) });
const key = encodeURIComponent;

export const store = {
  // A value by its key; null when there is none.
  get: (name) => ask(`values/${key(name)}`),
  set: (name, value) => send('PUT', `values/${key(name)}`, value),
  // One more; gives the new number.
  increment: (name) => send('POST', `counters/${key(name)}`, null),
  // Lists: all items; one more at the end (gives how many there are).
  list: (name) => ask(`lists/${key(name)}`),
  append: (name, item) => send('POST', `lists/${key(name)}`, item),
};
