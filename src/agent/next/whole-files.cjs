'use strict';
// webpack writes compiled files in place and piece by piece. Next reads each once, after its compile; a fresh instance reads all that its function
// needs, also while another route is compiled, and would find half a file. So each gets its new text at once.

const path = require('node:path');

let count = 0;

// hotReloader.multiCompiler of hot-reloader-webpack.js (14 to 16), whose compilers write by outputFileSystem.writeFile.
module.exports = function writeWhole(hotReloader) {
  for (const compiler of hotReloader?.multiCompiler?.compilers ?? []) {
    const { outputFileSystem: real } = compiler;
    if (typeof real?.writeFile !== 'function' || typeof real.rename !== 'function') continue;
    const whole = Object.create(real);
    whole.writeFile = (file, content, ...rest) => {
      const done = rest.pop();
      const part = path.join(path.dirname(file), `.vercel-sim-${process.pid}-${++count}`);
      real.writeFile(part, content, ...rest, (error) => {
        if (error) return done(error);
        real.rename(part, file, done);
      });
    };
    compiler.outputFileSystem = whole;
  }
};
