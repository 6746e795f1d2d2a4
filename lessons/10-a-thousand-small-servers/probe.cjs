module.exports = async function probe(t) {
  const kVisits = 8;
  const statuses = [];
  for (let i = 0; i < kVisits; i += 1) statuses.push((await t.post('/api/visit')).status);
  t.tell(`POST /api/visit, ${kVisits} times  ->  ${statuses.join(' ')}`);
  t.tell(`the database has ${t.database.open} connections open, ${t.connectionsAllowed} are allowed; ${t.database.refused} were refused`);
  const counted = statuses.filter((status) => status === 200).length;
  const instances = new Set(t.ended('/api/visit').map((e) => e.instance)).size;
  t.check('all-counted', counted === kVisits, `${counted} of ${kVisits} visits are counted`);
  t.check('many-instances', instances >= 3, `${instances} instances have served them`);
};
