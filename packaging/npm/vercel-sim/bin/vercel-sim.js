#!/usr/bin/env node
// Runs the program of the package for this system in place of this script. Nothing is downloaded, nothing is changed on disk.
'use strict';

const {findProgram} = require('../lib/program.js');

const kCannot = 70;  // the exit code of vercel-sim itself for "cannot do what was asked"

function fail(message, fix) {
  process.stderr.write(`error: ${message}\n  fix: ${fix}\n`);
  process.exit(kCannot);
}

function find() {
  try {
    return findProgram();
  } catch (error) {
    if (!error.fix) throw error;
    return fail(error.message, error.fix);
  }
}

// Ctrl-C reaches every process of the terminal's foreground group, so the program has it already. A second one would mean "at once".
function inForeground() {
  try {
    // After the name, which may hold anything: state ppid pgrp session tty_nr tpgid
    const fields = require('node:fs').readFileSync('/proc/self/stat', 'latin1').replace(/^.*\) /s, '').split(' ');
    return fields[2] === fields[5];
  } catch {
    return false;
  }
}

// Where Node cannot exec (before 22.15): a parent that stays in between and is as transparent as it can be.
function stayInBetween(program, args) {
  const child = require('node:child_process').spawn(program, args, {stdio: 'inherit'});
  const forward = (signal) => {
    if (signal !== 'SIGINT' || !inForeground()) child.kill(signal);
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  for (const signal of signals) process.on(signal, forward);
  child.on('error', (error) => cannotStart(program, error));
  child.on('exit', (code, signal) => {
    for (const name of signals) process.off(name, forward);
    if (signal === null) process.exit(code);
    // Dies as the program did; the timer is for a signal that ends nothing here.
    process.kill(process.pid, signal);
    setTimeout(() => process.exit(128 + require('node:os').constants.signals[signal]), 1000);
  });
}

function cannotStart(program, error) {
  fail(`${program} does not start: ${error.message}`,
       error.code === 'EACCES' ? 'its file system may be mounted noexec, or the file may have lost its x bit: install again' : 'install again');
}

const program = find();
const args = process.argv.slice(2);
if (typeof process.execve === 'function' && !process.env.VERCEL_SIM_NO_EXEC) {
  // It aborts instead of throwing where the file cannot be run.
  try {
    require('node:fs').accessSync(program, 1 /* X_OK */);
  } catch (error) {
    cannotStart(program, error);
  }
  process.execve(program, [program, ...args], process.env);
} else {
  stayInBetween(program, args);
}
