/**
 * V8 treats a program that runs for ten milliseconds every quarter of a minute as busy (docs/performance.md). These flags hold for
 * all threads, also for those that were started before.
 */
import { setFlagsFromString } from 'node:v8';

const FLAGS = [
  // Some seconds after a scan V8 would collect garbage and drop compiled code, which the next scrape would have to compile again.
  '--no-memory-reducer',
  '--no-flush-bytecode',
  // Collecting a few young objects would wake helper threads: on two cores that costs more than it saves.
  '--no-parallel-scavenge',
];
/**
 * Bytes of executed bytecode before V8 optimises a function: otherwise it would optimise those that run once per scan again and
 * again. V8 12 and later count differently and lack the flag.
 */
const INTERRUPT_BUDGET = '--interrupt-budget=1000000';

/** To be called before the first thread starts. */
export function tuneV8(): void {
  for (const flag of FLAGS) setFlagsFromString(flag);
  if (Number.parseInt(process.versions.v8, 10) < 12) setFlagsFromString(INTERRUPT_BUDGET);
}
