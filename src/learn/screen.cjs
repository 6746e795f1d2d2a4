'use strict';
// What a person reads and types: text that fits the width, a few colours, single keys where there is a terminal.

const kColours = { bold: [1, 22], dim: [2, 22], red: [31, 39], green: [32, 39], yellow: [33, 39], cyan: [36, 39] };

// `input` and `output` are process.stdin and process.stdout, or what a test puts there.
function makeScreen({ input, output, noColour, colour }) {
  const hasColour = colour || (output.isTTY && !noColour && !process.env.NO_COLOR);
  const paint = {};
  for (const [name, [on, off]] of Object.entries(kColours)) paint[name] = (text) => (hasColour ? `\x1b[${on}m${text}\x1b[${off}m` : String(text));
  const width = () => Math.min(Math.max(output.columns || 100, 40), 110);
  const write = (text) => output.write(`${text}\n`);
  const say = (text = '') => write(output.columns ? fit(String(text), width()) : text);
  const screen = { paint, width, say, hasKeys: Boolean(input.isTTY && output.isTTY) };

  // Markdown as far as the lessons use it: paragraphs, "- " lists, fenced code, `words`, **words**.
  screen.tell = (markdown, indent = '  ') => {
    for (const block of blocksOf(markdown)) {
      if (block.code) {
        for (const line of block.lines) write(paint.cyan(`${indent}  ${line}`));
      } else {
        for (const { text, hang } of block.items) for (const line of wrap(text, width() - indent.length, hang)) say(indent + inline(line));
      }
      say();
    }
  };
  const inline = (text) => text.replace(/\*\*(.+?)\*\*/g, (_, word) => paint.bold(word)).replace(/`([^`]+)`/g, (_, word) => (hasColour ? paint.cyan(word) : `\`${word}\``));

  // Each key to `handler`; Ctrl-D when the input ends.
  let onKey;
  screen.open = (handler) => {
    onKey = handler;
    if (!screen.hasKeys) return;
    input.setRawMode(true);
    input.setEncoding('utf8');
    input.resume();
    input.on('data', (text) => {
      // An arrow or a paste is no key of ours.
      for (const key of text.startsWith('\x1b') ? [] : text) onKey(key);
    });
    input.on('end', () => onKey('\x04'));
  };
  screen.close = () => {
    if (!screen.hasKeys) return;
    try {
      input.setRawMode(false);
    } catch {}  // the terminal is gone
    input.pause();
  };
  return screen;
}

function blocksOf(markdown) {
  const out = [];
  let code;
  let open;
  for (const line of markdown.replace(/\s+$/, '').split('\n')) {
    if (line.startsWith('```')) {
      if (code) out.push(code);
      code = code ? undefined : { code: true, lines: [] };
      open = undefined;
    } else if (code) {
      code.lines.push(line);
    } else if (line.trim() === '') {
      open = undefined;
    } else if (/^(-|\d\.) /.test(line)) {
      if (!open?.isList) out.push((open = { items: [], isList: true }));
      open.items.push({ text: line, hang: 2 });
    } else if (open) {
      open.items.at(-1).text += ` ${line.trim()}`;
    } else {
      out.push((open = { items: [{ text: line, hang: 0 }] }));
    }
  }
  return out;
}

// Lines of at most `columns`, none broken in a word; those after the first begin `hang` further right.
function wrap(text, columns, hang = 0) {
  const lines = [];
  let line = '';
  for (const word of text.split(/\s+/).filter(Boolean)) {
    if (line.trim() && [...line].length + 1 + [...word].length > columns) {
      lines.push(line);
      line = `${' '.repeat(hang)}${word}`;
    } else {
      line = line.trim() ? `${line} ${word}` : line + word;
    }
  }
  return line.trim() ? [...lines, line] : lines;
}

// Lines with colours in them: what is too long goes on below the text behind its mark ("✓ ", "1  ").
const kEscapes = /\x1b\[[0-9;]*m/g;
const shown = (text) => [...text.replace(kEscapes, '')].length;
function fit(text, columns) {
  return text.split('\n').map((line) => {
    if (shown(line) <= columns) return line;
    const hang = line.replace(kEscapes, '').match(/^ *(?:(?:[✓✗]|-|\d+\.?) +)?/)[0].length;
    const out = [];
    let row = '';
    for (const word of line.split(/(?<=\S)(?= )/)) {
      if (shown(row) + shown(word) > columns && shown(row) > hang) {
        out.push(row);
        row = ' '.repeat(hang) + word.trimStart();
      } else {
        row += word;
      }
    }
    return [...out, row].join('\n');
  }).join('\n');
}

module.exports = { makeScreen, fit, wrap, blocksOf };
