/** Forgetting by request (`forget NAME`, `DELETE /api/v1/instances/:name`), also by another process. */
import { forgetLearned, type Learned } from './learned.js';
import { pruneLedger } from './ledger.js';
import type { State } from './memory-state.js';

/**
 * Forgets a remembered instance. With `keepInstance`, for an instance that runs or should run: only its learned listeners; with
 * `port`: only the learned listeners on that port. `forgot` is false where there was nothing to forget.
 */
export function forget(
  state: State,
  name: string,
  options: { port?: { protocol: 'udp' | 'tcp'; port: number }; keepInstance: boolean },
): { state: State; forgot: boolean } {
  const learned = forgetLearned(state.learned, name, options.port);
  if (options.port !== undefined || options.keepInstance) {
    return { state: { ...state, learned }, forgot: learned !== state.learned };
  }
  const kept = Object.entries(state.instances).filter(([, known]) => known.name !== name);
  if (kept.length === Object.keys(state.instances).length) return { state, forgot: false };
  const names = new Set(Object.keys(state.instances).map((id) => state.instances[id]!.name));
  names.delete(name);
  return {
    state: {
      ...state,
      instances: Object.fromEntries(kept),
      learned,
      ledger: pruneLedger(state.ledger, names),
      reports: Object.fromEntries(Object.entries(state.reports).filter(([of]) => of !== name)),
    },
    forgot: true,
  };
}

/**
 * Merges the file that another process has written since `written` (`forget`). Rows that it removed are removed, rows that it
 * added are added, and for all others our version wins.
 */
export function mergeForeign(ours: State, written: State, theirs: State): State {
  const learned: Record<string, Record<string, Learned[string][string]>> = {};
  for (const name of new Set([...Object.keys(ours.learned), ...Object.keys(theirs.learned)])) {
    const merged = mergeRecords(ours.learned[name] ?? {}, written.learned[name] ?? {}, theirs.learned[name] ?? {});
    if (Object.keys(merged).length > 0) learned[name] = merged;
  }
  return {
    ...ours,
    ...(theirs.other === undefined ? {} : { other: theirs.other }),
    instances: mergeRecords(ours.instances, written.instances, theirs.instances),
    ledger: mergeRecords(ours.ledger, written.ledger, theirs.ledger),
    reports: mergeRecords(ours.reports, written.reports, theirs.reports),
    learned,
  };
}

function mergeRecords<T>(
  ours: Readonly<Record<string, T>>,
  written: Readonly<Record<string, T>>,
  theirs: Readonly<Record<string, T>>,
): Record<string, T> {
  const kept = Object.entries(ours).filter(([key]) => !Object.hasOwn(written, key) || Object.hasOwn(theirs, key));
  const added = Object.entries(theirs).filter(([key]) => !Object.hasOwn(written, key) && !Object.hasOwn(ours, key));
  return Object.fromEntries([...kept, ...added]);
}
