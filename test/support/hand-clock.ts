/** A clock that a test sets, with equal wall and steady time. */
import type { Clock } from '../../src/runtime/clock.js';

export function handClock(seconds: () => number): Clock {
  return { wall: seconds, steady: seconds };
}
