'use strict';
// The program of a template (copying.cjs): an instance's, by a name of its own. Its copies take on the other name (fork.c): as long, it stands in its place.

require('./instance.cjs');
