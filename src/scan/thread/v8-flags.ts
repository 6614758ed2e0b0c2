/**
 * V8 treats a program that runs for ten milliseconds every quarter of a minute as busy (docs/performance.md). Flags hold for all
 * threads, also for those that were started before.
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

const HEAP_FLAG = /^--(?:optimize-for-size$|max-semi-space-size=\d+$|max-old-space-size=\d+$)/;
const heapFlags = process.execArgv.filter((word) => HEAP_FLAG.test(word));
/** The first one goes first: as long as it is set it implies the second. */
const HEAP_DEFAULTS = ['--no-optimize-for-size', '--max-semi-space-size=0', '--max-old-space-size=0'];

/**
 * Node.js contains its own modules in compiled form, which V8 uses only while all flags have their default values: otherwise each
 * thread compiles these modules again. So the flags of the command line are set aside while modules are loaded. The heap of
 * the calling thread keeps the size that they gave it.
 */
export function setHeapFlagsAside(): void {
  if (heapFlags.length > 0) for (const flag of HEAP_DEFAULTS) setFlagsFromString(flag);
}

/** To be called after all threads of the start have loaded their modules; also ends `setHeapFlagsAside`. */
export function tuneV8(): void {
  for (const flag of heapFlags) setFlagsFromString(flag);
  for (const flag of FLAGS) setFlagsFromString(flag);
  if (Number.parseInt(process.versions.v8, 10) < 12) setFlagsFromString(INTERRUPT_BUDGET);
}
