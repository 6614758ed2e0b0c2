/**
 * The vocabulary of the program as types, without logic. Readers return them, the correlation takes and returns them, and every
 * view renders a `Report`. All of it is plain data that survives JSON.
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
