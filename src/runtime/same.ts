/** Comparisons that go by identity: what is at rest stays the same object from scan to scan. */

/** The very same things in the same order. */
export function isSameList<T>(a: readonly T[], b: readonly T[]): boolean {
  return a === b || (a.length === b.length && a.every((one, index) => one === b[index]));
}
