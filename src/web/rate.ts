/** The token bucket of the exporter-toolkit's `rate_limit`. */
import type { RateLimit } from './config/http-config.js';

/** The returned function takes one token and says whether there was one. `now`: seconds on a clock that never goes back. */
export function createBucket(now: () => number): (limit: RateLimit) => boolean {
  let tokens = Number.POSITIVE_INFINITY;
  let filledAt = now();
  return ({ interval, burst }) => {
    const time = now();
    tokens = Math.min(burst, tokens + (time - filledAt) / interval);
    filledAt = time;
    if (tokens < 1) return false;
    tokens--;
    return true;
  };
}
