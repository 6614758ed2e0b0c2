/**
 * The vocabulary of the program as types; no logic. Everything that looks returns these,
 * everything that thinks takes and returns these, everything that tells renders a `Report`.
 * All of it is plain data: it can be written as JSON and read back.
 */

export type * from './belonging.js';
export type * from './gap.js';
export type * from './instance.js';
export type * from './listener.js';
export type * from './prediction.js';
export type * from './process.js';
export type * from './report.js';
export type * from './self-report.js';
export type * from './snapshot.js';
export type * from './start.js';
export type * from './verdict.js';
