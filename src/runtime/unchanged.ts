/**
 * The incremental protocol. Nearly everything is the same from scan to scan, and is then the same object: whoever makes
 * something of an object may keep the result until it is given another object. So
 *   - an object that has been handed on is never changed (tests freeze it);
 *   - a function whose inputs are the same objects as before returns the same object as before;
 *   - whatever a result depends on is an input of `perObject`: an input that is left out would make the result stale.
 */

/** The same objects in the same order. */
export function isSameList<T>(a: readonly T[], b: readonly T[]): boolean {
  return a === b || (a.length === b.length && a.every((one, index) => one === b[index]));
}

/**
 * Keeps the last result of `compute` for each `key`, as long as the other inputs are identical (===). The result is
 * collected with its key.
 */
export function perObject<K extends object, I extends readonly unknown[], V>(
  compute: (key: K, ...inputs: I) => V,
): (key: K, ...inputs: I) => V {
  const results = new WeakMap<K, { inputs: I; value: V }>();
  return (key, ...inputs) => {
    const known = results.get(key);
    if (known !== undefined && isSameList(known.inputs, inputs)) return known.value;
    const value = compute(key, ...inputs);
    results.set(key, { inputs, value });
    return value;
  };
}
