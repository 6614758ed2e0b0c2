/**
 * The vocabulary of the program as types; no logic. Everything that looks returns these,
 * everything that thinks takes and returns these, everything that tells renders a `Report`.
 * All of it is plain data: it can be written as JSON and read back.
 */

export type * from './model/gap.js';
export type * from './model/instance.js';
export type * from './model/listener.js';
export type * from './model/prediction.js';
export type * from './model/process.js';
export type * from './model/report.js';
export type * from './model/snapshot.js';
export type * from './model/verdict.js';
