/** A fault that costs an input while Filebeat runs on, with the listeners that it costs. Pure. */
import type { Fault, Listener, Refusal } from '../../model/model.js';

/** `asked`: what the inputs concerned ask for; undefined where nobody can tell. */
export function refusal(fault: Fault, asked: readonly Listener[] | undefined): Refusal {
  const told = asked?.filter(({ target }) => target.kind !== 'unresolved');
  if (asked === undefined || told === undefined || (told.length === 0 && asked.length > 0)) return fault;
  return { ...fault, costs: told.map((listener) => ({ ...listener, refused: fault })) };
}

/** What several inputs ask for together, refused or not; undefined as soon as it cannot be told of one. */
export function declaredTogether(
  results: readonly { listeners: Listener[]; declared?: Listener[]; failure?: unknown }[],
): Listener[] | undefined {
  const all: Listener[] = [];
  let told = true;
  for (const { listeners, declared, failure } of results) {
    all.push(...listeners, ...(declared ?? []));
    if (failure !== undefined && declared === undefined) told = false;
  }
  // What can be told is worth more than that something cannot.
  return told || all.length > 0 ? all : undefined;
}
