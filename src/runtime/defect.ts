/** Contains internal errors: one costs only the part of a scan in which it occurs. */

/** `TypeError at predict.ts:120`, without the message, which may quote a secret. */
export function defectText(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  const { stack = '', message } = error;
  const end = stack.indexOf(message);
  const [, place] =
    /^ +at .*?([\w.-]+\.[jt]s:\d+):\d+\)?$/m.exec(end < 0 ? '' : stack.slice(end + message.length)) ?? [];
  const name = /^\w{1,40}$/.test(error.name) ? error.name : 'Error';
  return place === undefined ? name : `${name} at ${place}`;
}

/** Runs `act`; after an exception returns `otherwise` of its kind and position, which may be shown. */
export function containDefect<T>(act: () => T, otherwise: (place: string) => T): T {
  try {
    return act();
  } catch (error) {
    return otherwise(defectText(error));
  }
}
