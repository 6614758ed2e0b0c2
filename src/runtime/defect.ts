/** Contains internal errors: an exception costs only the part of a scan in which it occurs. */

/**
 * `TypeError at predict.ts:120`, without the message, which may contain a secret. In an installed package `worker.mjs:125:1593`: its
 * lines are long, so the column counts too.
 */
export function defectText(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  const { stack = '', message } = error;
  const end = stack.indexOf(message);
  const [, position] =
    /^ +at .*?([\w.-]+\.(?:[jt]s:\d+(?=:\d+)|mjs:\d+:\d+))(?::\d+)?\)?$/m.exec(
      end < 0 ? '' : stack.slice(end + message.length),
    ) ?? [];
  const name = /^\w{1,40}$/.test(error.name) ? error.name : 'Error';
  return position === undefined ? name : `${name} at ${position}`;
}

/** Returns `act()`; after an exception `otherwise(position)`, where `position` is `defectText` and may be shown. */
export function containDefect<T>(act: () => T, otherwise: (position: string) => T): T {
  try {
    return act();
  } catch (error) {
    return otherwise(defectText(error));
  }
}
