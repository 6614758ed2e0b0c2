/** Processor time, which does not depend on other load. */

/** Runs `act` and returns its result and its processor time in seconds. */
export function timed<T>(action: () => T): { result: T; seconds: number } {
  const before = process.cpuUsage();
  const result = action();
  const { user, system } = process.cpuUsage(before);
  return { result, seconds: (user + system) / 1e6 };
}
