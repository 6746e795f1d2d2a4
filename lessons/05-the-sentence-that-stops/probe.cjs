const kStory = 'Once a function has begun to speak it may still be stopped before the last word';

module.exports = async function probe(t) {
  const words = [];
  let last;
  let isDone = false;
  let connects = 0;
  let hasId = false;
  for (; connects < 6 && !isDone; connects += 1) {
    const stream = t.stream('/api/story', last === undefined ? {} : { headers: { 'last-event-id': last } });
    await stream.opened;
    await stream.until((events) => events.some((e) => e.event === 'done'), t.seconds(40));
    for (const event of stream.events) {
      if (event.id !== undefined) [last, hasId] = [event.id, true];
      if (event.event === 'done') isDone = true;
      else words.push(event.data);
    }
    const how = isDone ? 'done' : stream.how === 'cut' ? 'the connection breaks' : 'it ends';
    t.tell(`GET /api/story${connects > 0 && hasId ? ` (Last-Event-ID: ${last})` : ''}  ->  ${stream.status} "${stream.events.filter((e) => e.event !== 'done').map((e) => e.data).join(' ')}", ${how}`);
    if (stream.status !== 200) break;
    // A reader that learns nothing new each time would go on for ever.
    if (!isDone && !hasId) break;
  }
  const text = words.join(' ');
  t.check('whole-story', isDone && text === kStory, `the reader has the whole story${isDone && text === kStory ? `, in ${connects} connections` : `: no, but "${text.slice(0, 90)}"`}`);
};
