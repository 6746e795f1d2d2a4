'use strict';
// In next dev: what of this machine's /tmp instances need though they have one of their own: where Node, Next and the app lie, and what a variable of the
// environment names, as a developer's stand-in does. An entry is what stands in /tmp itself.

const { kForeign } = require('../shared/machine.cjs');
const { isDatabase, linkStatOf, realOf } = require('../shared/paths.cjs');

const kNamed = /(?<![\w.~-])\/tmp\/+([^\s/,;:"'`?#&|<>()]+)/g;
// Where temporary files go: on the platform always to /tmp.
const kTemporary = /^(TMP|TEMP|TMPDIR|TEMPDIR)$/;
// Of the desktop, the terminal and the editor.
const kDesktop = /^(XAUTHORITY$|KRB5|DBUS_|GNOME_|KDE_|GTK_|QT_|WAYLAND_|SESSION_MANAGER$|ICEAUTHORITY$|TMUX|STY$|ZELLIJ|VSCODE|TERM|GPG_|.*_SOCK$)/;

// {entries, standIns: what to say of those that a variable of the user's names, shared: why there can be no own /tmp at all}.
function namesInTmp(env, paths) {
  const entries = new Set();
  const standIns = [];
  let shared;
  const add = (text, told) => {
    for (const [, name] of String(text ?? '').matchAll(kNamed)) {
      const entry = `/tmp/${name}`;
      const stat = linkStatOf(entry);
      if (!stat || name === '.' || name === '..') continue;
      entries.add(entry);
      told?.(entry, stat);
    }
  };
  for (const given of paths) {
    add(given);
    add(realOf(given));
    if (given === '/tmp') shared ??= 'the app itself lies in it';
  }
  for (const [name, value] of Object.entries(env)) {
    if (kTemporary.test(name)) continue;
    if (kForeign.test(name) || kDesktop.test(name)) add(value);
    else
      add(value, (entry, stat) => {
        standIns.push(`${name} names ${entry}`);
        if (stat.isFile() && isDatabase(entry)) shared ??= `${name} names ${entry}, a database that stands in it`;
      });
  }
  return { entries: [...entries], standIns, shared };
}

module.exports = { namesInTmp };
