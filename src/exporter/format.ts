/** Figures and times of all views. Pure. Times are in UTC, so that all views agree. */
export { bytes, duration, grouped, plural } from '../words/figures.js';

/** Seconds since the epoch as `2026-09-21 13:33:20Z`; empty if out of range. */
export function timestamp(seconds: number): string {
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.getTime()) ? '' : `${date.toISOString().slice(0, 19).replace('T', ' ')}Z`;
}
