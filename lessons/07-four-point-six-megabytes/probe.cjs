const kMegabytes = 4.6;

module.exports = async function probe(t) {
  const photo = t.bytes(kMegabytes);
  const signed = await t.post('/api/photos/sign');
  let id;
  if (signed.status < 300 && signed.json?.url) {
    const put = await t.putElsewhere(signed.json.url, photo);
    t.tell(`POST /api/photos/sign  ->  ${signed.status}`);
    t.tell(`PUT  ${kMegabytes} MB to the storage  ->  ${put.status}`);
    t.check('storage-takes-it', put.status === 200, `the storage takes the photo: ${put.status}`);
    ({ id } = signed.json);
  } else {
    const posted = await t.post('/api/photos', photo, { headers: { 'content-type': 'image/jpeg' } });
    t.tell(`POST /api/photos, ${kMegabytes} MB  ->  ${posted.status} ${posted.headers['x-vercel-error'] ?? ''}`);
    id = posted.json?.id;
  }
  const found = id ? await t.get(`/api/photos?id=${encodeURIComponent(id)}`) : undefined;
  const size = found?.json?.size;
  t.check('photo-arrives', size === photo.length, `the photo has arrived: ${size === photo.length ? `${size} bytes` : 'no'}`);
};
