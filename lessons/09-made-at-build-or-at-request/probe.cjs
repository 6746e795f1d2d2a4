module.exports = async function probe(t) {
  const times = [];
  for (let i = 0; i < 3; i += 1) {
    const { status, text } = await t.get('/hours');
    const time = /\d{4}-\d\d-\d\dT[\d:.]+Z/.exec(text)?.[0];
    t.tell(`GET /hours  ->  ${status}  ${time ?? 'no time in it'}`);
    if (time) times.push(time);
  }
  if (!t.check('page-says-a-time', times.length === 3, `the page says a time: ${times.length} of 3`)) return;
  // Here each answer is a new one. Whether a deployment would give it is known when the instances are at rest: what was seen of them is told then.
  const said = () => t.events().some((e) => (e.verdicts ?? []).some((v) => v.code === 'SIM_MADE_AT_BUILD'));
  const atRest = () => {
    const states = new Map(t.events().filter((e) => e.t === 'instance_changed').map((e) => [e.instance, e.to]));
    return t.ended('/hours').length === times.length && t.ended('/hours').every((e) => states.get(e.instance) !== 'leased');
  };
  const known = await t.until(() => said() || atRest());
  t.check('true-after-the-build', known && !said(), said() ? 'after a deployment it says the time of the build, for ever' : 'after a deployment it is of each request, too');
};
