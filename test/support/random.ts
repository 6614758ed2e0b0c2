/** A random generator with a seed (mulberry32), and texts corrupted by it. */
export interface Chance {
  readonly seed: number;
  /** An integer from 0 to `limit` - 1. */
  below(limit: number): number;
  pick<T>(items: readonly T[]): T;
  /** True once in `count` times on average. */
  oneIn(times: number): boolean;
  /** `text` with one to six random changes: deleted, repeated and swapped parts, and inserted `scraps`. */
  spoil(text: string, scraps: readonly string[]): string;
}

export function createChance(seed: number): Chance {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (limit: number) => Math.floor(next() * limit);
  const pick = <T>(items: readonly T[]): T => items[below(items.length)]!;
  function spoil(text: string, scraps: readonly string[]): string {
    let spoilt = text;
    for (let cuts = 1 + below(6); cuts > 0; cuts--) {
      const at = below(spoilt.length + 1);
      const end = at + below(12);
      const [head, middle, tail] = [spoilt.slice(0, at), spoilt.slice(at, end), spoilt.slice(end)];
      spoilt = pick([
        () => head + tail,
        () => head + middle + middle + tail,
        () => head + pick(scraps) + tail,
        () => head + pick(scraps) + middle + tail,
        () => tail + middle + head,
        () => head + middle.split('').reverse().join('') + tail,
      ])();
    }
    return spoilt;
  }
  return { seed, below, pick, oneIn: (times) => below(times) === 0, spoil };
}
