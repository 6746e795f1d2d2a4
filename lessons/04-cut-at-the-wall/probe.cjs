module.exports = async function probe(t) {
  const began = performance.now();
  let answer = await t.get('/api/report?month=5');
  t.tell(`GET /api/report?month=5  ->  ${answer.status} ${answer.text.split('\n').filter(Boolean).slice(0, 2).join(', ').slice(0, 90)}`);
  // A job: ask until it is done.
  const url = answer.status === 202 && answer.json?.url;
  while (url && performance.now() - began < t.seconds(60)) {
    answer = await t.get(url);
    if (answer.status === 200 && answer.json?.rows) break;
    await t.until(() => false, t.seconds(2));
  }
  if (url) t.tell(`GET ${url}  ->  ${answer.status}`);
  t.check('report-arrives', answer.status === 200 && answer.json?.rows === 1200, `the report arrives: ${answer.status}`);
};
