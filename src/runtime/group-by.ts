/** Groups by key, as `Map.groupBy` of Node.js 21 and later. */

export type Groups<K, T> = Map<K, [T, ...T[]]>;

export function groupBy<K, T>(items: Iterable<T>, keyOf: (item: T) => K): Groups<K, T> {
  const groups: Groups<K, T> = new Map();
  for (const item of items) addToGroup(groups, keyOf(item), item);
  return groups;
}

export function addToGroup<K, T>(groups: Groups<K, T>, key: K, item: T): void {
  const group = groups.get(key);
  if (group === undefined) groups.set(key, [item]);
  else group.push(item);
}
