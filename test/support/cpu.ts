/** Time that does not depend on what else the machine does. */

/** Runs it and returns its result with the processor time it took, in seconds. */
export function timed<T>(action: () => T): { result: T; seconds: number } {
  const before = process.cpuUsage();
  const result = action();
  const { user, system } = process.cpuUsage(before);
  return { result, seconds: (user + system) / 1e6 };
}
