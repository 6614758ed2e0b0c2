/** A fault that disables an input while Filebeat runs on, with the listeners that are lost. Pure. */
import type { Fault, Listener, Refusal } from '../../model/model.js';

/** `declared`: the listeners of the inputs concerned; undefined if unknown. */
export function refusal(fault: Fault, declared: readonly Listener[] | undefined): Refusal {
  const known = declared?.filter(({ target }) => target.kind !== 'unresolved');
  if (declared === undefined || known === undefined || (known.length === 0 && declared.length > 0)) return fault;
  return { ...fault, costs: known.map((listener) => ({ ...listener, refused: fault })) };
}

/** The listeners that several inputs declare, refused or not; undefined if nothing is known of them. */
export function declaredTogether(
  results: readonly { listeners: Listener[]; declared?: Listener[]; failure?: unknown }[],
): Listener[] | undefined {
  const all: Listener[] = [];
  let isComplete = true;
  for (const { listeners, declared, failure } of results) {
    all.push(...listeners, ...(declared ?? []));
    if (failure !== undefined && declared === undefined) isComplete = false;
  }
  // Known listeners matter more than that others are unknown.
  return isComplete || all.length > 0 ? all : undefined;
}
