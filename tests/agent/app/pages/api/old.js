export default async function handler(req, res) {
  const names = [...Object.keys(req.headers), ...req.rawHeaders].filter((name) => /^x-vsim/i.test(name));
  await new Promise((done) => setTimeout(done, 100));
  res.status(200).json({
    names,
    remote: req.socket.remoteAddress,
    address: res.socket.server.address(),
    own: Object.keys(res.getHeaders()).filter((name) => /vsim/.test(name)),
    body: req.body ?? null,
  });
}
