/** Figures of the views: those of the words, and times. Pure; the time zone is UTC so that every view agrees. */
export { bytes, duration, grouped, plural } from '../words/figures.js';

/** Seconds since the epoch as `2026-09-21 13:33:20Z`; empty when it is no time. */
export function timestamp(seconds: number): string {
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.getTime()) ? '' : `${date.toISOString().slice(0, 19).replace('T', ' ')}Z`;
}
