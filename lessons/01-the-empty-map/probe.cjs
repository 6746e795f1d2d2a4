module.exports = async function probe(t) {
  const name = `tea at ${t.id()}`;
  const made = await t.post('/api/rooms', { name });
  t.tell(`POST /api/rooms  ->  ${made.status} ${made.text.slice(0, 80)}`);
  const isMade = t.check('room-made', made.status === 201 && made.json?.id, `a room is made: ${made.status}`);
  if (!isMade) return;
  let found = 0;
  for (let i = 0; i < 4; i += 1) {
    const answer = await t.get(`/api/rooms?id=${encodeURIComponent(made.json.id)}`);
    t.tell(`GET  /api/rooms  ->  ${answer.status} ${answer.text.slice(0, 80)}`);
    if (answer.status === 200 && answer.json?.name === name) found += 1;
  }
  t.check('room-found', found === 4, `the room is found ${found} times of 4`);
};
