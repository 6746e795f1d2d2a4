// docs/fidelity.md says of each documented behaviour what is done about it: it is made of data, whose keys, codes, tests and sources are there.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { problemsOf } from '../../scripts/fidelity.mjs';

const rows = JSON.parse(readFileSync(new URL('../../docs/fidelity.json', import.meta.url), 'utf8'));

test('the page is what the data say, each profile key and code has its row, each row its test and its source', () => {
  const script = fileURLToPath(new URL('../../scripts/fidelity.mjs', import.meta.url));
  const { status, stderr } = spawnSync(process.execPath, [script, '--check'], { encoding: 'utf8' });
  assert.equal(stderr, '');
  assert.equal(status, 0);
});

test('what the data name and is not there is found', () => {
  const sound = { id: 'x', group: 'x', says: 'x', why: 'by hand', status: 'enforced', source: 'https://vercel.com/docs', as_of: '2026-01-01', test: ['tests/integration/fidelity.test.mjs', 'what the data name'] };
  const told = (row) => problemsOf([...rows, { ...sound, ...row }]);
  assert.deepEqual(told({}), []);
  for (const row of [{ status: 'perhaps' }, { status: 'cannot', why: undefined }, { why: undefined }, { test: undefined }, { keys: ['no.key'] }, { codes: ['SIM_NONE'] }, { test: ['tests/none.mjs', 'x'] }, { as_of: undefined }, { id: 'disk' }, { recorded: '2026-01-01' }])
    assert.equal(told(row).length, 1, JSON.stringify(row));
  assert.deepEqual(problemsOf(rows.filter(({ keys }) => !keys?.includes('network.smtp'))), ['the probe smtp is of no row: smtp', 'no row for the profile key network.smtp', 'no row for the code SIM_SMTP_PORT']);
});
