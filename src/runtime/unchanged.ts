/**
 * The incremental protocol. From scan to scan nearly everything stays the same, and is then the same object, so that a result
 * computed from an object can be reused as long as the object is the same. Therefore:
 *   - an object is never changed after it was passed on (tests freeze it);
 *   - a function returns the same object as before if its inputs are the same objects as before;
 *   - everything a result depends on is an input of the cache: with a missing input the result would become stale.
 */

/** The same objects in the same order. */
export function isSameList<T>(a: readonly T[], b: readonly T[]): boolean {
  return a === b || (a.length === b.length && a.every((one, index) => one === b[index]));
}

/** Identical, or lists of the same inputs. */
function isSameInput(a: unknown, b: unknown): boolean {
  return a === b || (Array.isArray(a) && Array.isArray(b) && isSameInputs(a, b));
}

function isSameInputs(a: readonly unknown[], b: readonly unknown[]): boolean {
  if (a.length !== b.length) return false;
  for (let index = 0; index < a.length; index++) if (!isSameInput(a[index], b[index])) return false;
  return true;
}

/** Deep equality of plain data. Fast where parts are the same object; makes no garbage, since every scan compares thousands of values. */
export function isDeepEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a)) return Array.isArray(b) && isEqualList(a, b);
  return !Array.isArray(b) && isEqualRecord(a as Record<string, unknown>, b as Record<string, unknown>);
}

function isEqualList(a: readonly unknown[], b: readonly unknown[]): boolean {
  if (a.length !== b.length) return false;
  for (let at = 0; at < a.length; at++) if (!isDeepEqual(a[at], b[at])) return false;
  return true;
}

function isEqualRecord(a: Record<string, unknown>, b: Record<string, unknown>): boolean {
  let fields = 0;
  for (const field in a) {
    if (!Object.hasOwn(b, field) || !isDeepEqual(a[field], b[field])) return false;
    fields++;
  }
  for (const _ in b) fields--;
  return fields === 0;
}

/** `before` if `now` is deeply equal to it: for plain data that each scan computes again. */
export function unlessChanged<T>(before: T | undefined, now: T): T {
  return before !== undefined && isDeepEqual(before, now) ? before : now;
}

/** Keeps one result for each `key`, with the inputs that it was made from. A result is collected with its key. */
export interface ResultCache<K extends object, V extends NonNullable<unknown>> {
  /** Undefined where the inputs differ: they have to be identical (===), or lists of identical ones. */
  get(key: K, inputs: readonly unknown[]): V | undefined;
  set(key: K, inputs: readonly unknown[], value: V): void;
  delete(key: K): void;
}

/** For results of which only some may be kept; `perObject` keeps all. */
export function createResultCache<K extends object, V extends NonNullable<unknown>>(): ResultCache<K, V> {
  const results = new WeakMap<K, { inputs: readonly unknown[]; value: V }>();
  return {
    get(key, inputs) {
      const known = results.get(key);
      return known !== undefined && isSameInputs(known.inputs, inputs) ? known.value : undefined;
    },
    set: (key, inputs, value) => void results.set(key, { inputs, value }),
    delete: (key) => void results.delete(key),
  };
}

/** `compute`, which is called only where `createResultCache` has no result. */
export function perObject<K extends object, I extends readonly unknown[], V extends NonNullable<unknown>>(
  compute: (key: K, ...inputs: I) => V,
): (key: K, ...inputs: I) => V {
  const results = createResultCache<K, V>();
  return (key, ...inputs) => {
    const known = results.get(key, inputs);
    if (known !== undefined) return known;
    const value = compute(key, ...inputs);
    results.set(key, inputs, value);
    return value;
  };
}
