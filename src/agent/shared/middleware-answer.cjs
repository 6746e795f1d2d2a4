'use strict';
// What an instance tells next dev of its middleware's answer: one field of the head, `fieldOf` in the instance, `toldIn` in next dev. The body of the answer follows
// as it is.

const kField = 'vercel-sim-middleware';

module.exports = {
  fieldOf: (told) => ({ [kField]: Buffer.from(JSON.stringify(told)).toString('base64') }),
  toldIn: ({ [kField]: field }) => (field === undefined ? undefined : JSON.parse(Buffer.from(String(field), 'base64').toString())),
};
