module.exports = async function probe(t) {
  const text = `hello ${t.id()}`;
  const events = t.stream('/api/events');
  await events.opened;
  if (events.status === 200 && String(events.headers['content-type']).startsWith('text/event-stream')) return overEvents(t, events, text);
  t.tell(`GET /api/events  ->  ${events.status}: no stream, so the client takes Socket.IO`);
  const opened = await t.get('/api/socket?EIO=4&transport=polling');
  const { sid } = JSON.parse(/\{.*\}/.exec(opened.text)?.[0] ?? '{}');
  t.tell(`GET /api/socket?EIO=4&transport=polling  ->  ${opened.status} ${opened.text.slice(0, 60)}…`);
  if (!t.check('session-made', opened.status === 200 && sid, `Socket.IO makes a session: ${opened.status}`)) return;
  // "40": connect to the default namespace, as the client does next.
  const poll = await t.post(`/api/socket?EIO=4&transport=polling&sid=${sid}`, '40', { headers: { 'content-type': 'text/plain;charset=UTF-8' } });
  t.tell(`POST …&sid=${sid.slice(0, 6)}…  ->  ${poll.status} ${poll.text.slice(0, 80)}`);
  t.check('session-known', poll.status === 200, `the session is known at the next request: ${poll.status} ${poll.json?.message ?? ''}`);
};

async function overEvents(t, events, text) {
  t.tell('GET /api/events streams: the client takes it');
  const isReady = await events.until((all) => all.length > 0, 8000);
  if (!t.check('first-event', isReady, 'the stream begins with a first event')) return;
  const said = await t.post('/api/say', { text });
  t.tell(`POST /api/say  ->  ${said.status}`);
  const heard = await events.until((all) => all.some((e) => e.data.includes(text)), 4000);
  t.check('heard', said.status < 300 && heard, `what is said is heard: ${heard ? 'yes' : 'no'}`);
}
