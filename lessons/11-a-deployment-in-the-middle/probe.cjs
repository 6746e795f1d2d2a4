const kPatience = 60;  // s of the lesson's clock: the limit is 20

module.exports = async function probe(t) {
  const path = `/api/news?room=${t.id()}`;
  const heard = [];
  let last;
  const read = async () => {
    const stream = t.stream(path, last === undefined ? {} : { headers: { 'last-event-id': last } });
    await stream.opened;
    await stream.until((events) => events.some((e) => e.event === 'hello'), t.seconds(kPatience));
    return stream;
  };
  const take = (stream) => {
    for (const { event, id, data } of stream.events.splice(0)) {
      if (event === 'hello') continue;
      heard.push(data);
      if (id !== undefined) last = id;
    }
  };
  const say = async (text) => t.tell(`the reporter says "${text}"  ->  ${(await t.post(path, text)).status}`);

  const reader = await read();
  if (!t.check('reads', reader.status === 200, `the stream is open: ${reader.status}`)) return;
  for (const text of ['one', 'two']) await say(text);
  await reader.until((events) => events.filter((e) => e.data).length >= 2, t.seconds(8));
  take(reader);
  if (!t.check('before', heard.join(' ') === 'one two', `before the deployment the reader has: ${heard.join(', ') || 'nothing'}`)) return;
  await t.deploy();
  t.tell('a new deployment; the stream stays where it is');
  await say('three');
  await Promise.race([reader.ended, t.until(() => false, t.seconds(kPatience))]);
  take(reader);
  t.tell(`the stream ends (${reader.how === 'cut' ? 'at its limit' : 'by itself'}), the reader comes back${last === undefined ? '' : ` with Last-Event-ID: ${last}`}`);
  const again = await read();
  await say('four');
  await again.until((events) => events.some((e) => e.data === 'four'), t.seconds(15));
  take(again);
  t.check('nothing-missed', heard.join(' ') === 'one two three four', `the reader has: ${heard.join(', ')}`);
};
