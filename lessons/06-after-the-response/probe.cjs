module.exports = async function probe(t) {
  const order = t.id();
  const answer = await t.post('/api/order', { order });
  t.tell(`POST /api/order  ->  ${answer.status} ${answer.text.slice(0, 60)}`);
  if (!t.check('order-taken', answer.status === 201, `the order is taken: ${answer.status}`)) return;
  const sent = await t.until(() => t.store.mails.some((mail) => mail?.order === order), 4000);
  t.check('mail-sent', sent, sent ? 'the mail has arrived' : 'four seconds later no mail has arrived');
};
