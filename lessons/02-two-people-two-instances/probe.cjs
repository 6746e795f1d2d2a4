module.exports = async function probe(t) {
  const room = t.id();
  const ann = t.stream(`/api/chat?room=${room}`);
  await ann.opened;
  const ben = t.stream(`/api/chat?room=${room}`);
  await ben.opened;
  const isOpen = t.check('streams-open', ann.status === 200 && ben.status === 200, `both streams are open: ${ann.status} and ${ben.status}`);
  if (!isOpen) return;
  // A listener behind the stream may need a moment to be there.
  const greeted = (stream) => stream.until((events) => events.some((e) => e.data.includes('welcome')), 8000);
  const isReady = t.check('welcome', (await greeted(ann)) && (await greeted(ben)), 'both are welcomed');
  if (!isReady) return;
  await t.until(() => false, 500);
  const said = ['tea?', 'or coffee?'];
  for (const text of said) {
    const answer = await t.post(`/api/chat?room=${room}`, { text });
    t.tell(`Ann says "${text}"  ->  ${answer.status}`);
  }
  const heard = async (stream) => {
    await stream.until((events) => said.every((text) => events.some((e) => e.data.includes(text))), 3000);
    return said.filter((text) => stream.events.some((e) => e.data.includes(text)));
  };
  const [byAnn, byBen] = await Promise.all([heard(ann), heard(ben)]);
  const list = (texts) => texts.map((text) => `"${text}"`).join(' and ') || 'nothing';
  t.check('all-hear', byAnn.length === 2 && byBen.length === 2, `Ann hears ${list(byAnn)}, Ben hears ${list(byBen)}`);
};
