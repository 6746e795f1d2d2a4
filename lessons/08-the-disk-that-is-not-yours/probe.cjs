module.exports = async function probe(t) {
  const text = `I was here, ${t.id()}`;
  const written = await t.post('/api/notes', { text });
  t.tell(`POST /api/notes  ->  ${written.status}`);
  if (!t.check('note-written', written.status === 201, `the note is written: ${written.status}`)) return;
  let seen = 0;
  for (let i = 0; i < 4; i += 1) {
    const { json } = await t.get('/api/notes');
    if (Array.isArray(json) && json.some((note) => note.text === text)) seen += 1;
  }
  t.tell(`GET  /api/notes  four times: the note is in ${seen} answers`);
  t.check('note-read', seen === 4, `everybody reads it: ${seen} of 4`);
};
