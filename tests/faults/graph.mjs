// A run of the rig as a picture: outcomes a second, memory and descriptors of the program, and when what was broken.
const kWidth = 860;
const kLeft = 250;
const kRight = 20;
const kPanel = 90;
const kRow = 15;
const kPoints = 220;

const escaped = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
const nice = (most) => {
  const step = 10 ** Math.floor(Math.log10(Math.max(most, 1e-9)));
  return [1, 2, 5, 10].map((n) => n * step).find((value) => value >= most);
};

// Means of equal pieces of time.
function thinned(samples, key, seconds) {
  const bins = Array.from({ length: Math.min(kPoints, samples.length) }, () => []);
  for (const sample of samples) bins[Math.min(bins.length - 1, Math.floor((sample.s / seconds) * bins.length))]?.push(sample);
  return bins.filter((bin) => bin.length).map((bin) => ({ s: bin.reduce((sum, one) => sum + one.s, 0) / bin.length, value: bin.reduce((sum, one) => sum + one[key], 0) / bin.length }));
}

// samples: [{s, rate, pss, fds}], marks: [{s, name, ok}]; s in seconds from the start.
export function graph({ samples, marks, title }) {
  const seconds = Math.max(1, samples.at(-1)?.s ?? 1);
  const x = (s) => Math.round((kLeft + (s / seconds) * (kWidth - kLeft - kRight)) * 10) / 10;
  const out = [];
  let top = 40;
  const text = (at, y, words, kind = "") => out.push(`<text x="${at}" y="${y}"${kind}>${escaped(words)}</text>`);
  for (const [key, label] of [["rate", "outcomes a second"], ["pss", "memory (PSS), MiB"], ["fds", "descriptors"]]) {
    const points = thinned(samples, key, seconds);
    const most = nice(Math.max(...points.map(({ value }) => value), 1));
    const y = (value) => Math.round((top + kPanel - (value / most) * (kPanel - 14)) * 10) / 10;
    text(kLeft - 44, top + kPanel - 2, label, ' text-anchor="end"');
    for (const value of [0, most / 2, most]) {
      out.push(`<line class="grid" x1="${kLeft}" x2="${kWidth - kRight}" y1="${y(value)}" y2="${y(value)}"/>`);
      text(kLeft - 6, y(value) + 4, String(value), ' text-anchor="end"');
    }
    out.push(`<polyline points="${points.map(({ s, value }) => `${x(s)},${y(value)}`).join(" ")}"/>`);
    top += kPanel + 16;
  }
  for (const name of [...new Set(marks.map((mark) => mark.name))]) {
    text(kLeft - 6, top + 10, name, ' text-anchor="end"');
    for (const good of [true, false]) {
      const ticks = marks.filter((mark) => mark.name === name && mark.ok === good).map(({ s }) => `M${x(s)} ${top + 2}v9`);
      if (ticks.length) out.push(`<path class="${good ? "mark" : "bad"}" d="${ticks.join("")}"/>`);
    }
    top += kRow;
  }
  const unit = seconds > 300 ? 60 : 1;
  const every = [1, 2, 5, 10, 20, 60].find((n) => seconds / unit / n <= 13) ?? 120;
  for (let n = 0; n * unit <= seconds; n += every) text(x(n * unit), top + 14, String(n), ' text-anchor="middle"');
  text(kLeft - 6, top + 14, unit === 60 ? "minutes" : "seconds", ' text-anchor="end"');
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${kWidth} ${top + 24}" role="img" aria-label="${escaped(title)}">
<style>
svg { background: #fff; font: 12px system-ui, sans-serif; }
text { fill: #333; } polyline { fill: none; stroke: #0b7a75; stroke-width: 1.5; } .grid { stroke: #ddd; } .mark { stroke: #0b7a75; stroke-width: 1.5; } .bad { stroke: #c5221f; stroke-width: 3; }
@media (prefers-color-scheme: dark) { svg { background: #15181b; } text { fill: #cfd3d6; } polyline, .mark { stroke: #4fc7bf; } .grid { stroke: #333a40; } .bad { stroke: #ff7b72; } }
</style>
<text x="12" y="20">${escaped(title)}</text>
${out.join("\n")}
</svg>
`;
}
