/** A defect of ours costs what it was met in, and nothing else. Pure. */

/** `TypeError at predict.ts:120`: an error's own words may quote what it failed over, and that may be a secret. */
export function defectText(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  const { stack = '', message } = error;
  const end = stack.indexOf(message);
  const [, place] =
    /^ +at .*?([\w.-]+\.[jt]s:\d+):\d+\)?$/m.exec(end < 0 ? '' : stack.slice(end + message.length)) ?? [];
  const name = /^\w{1,40}$/.test(error.name) ? error.name : 'Error';
  return place === undefined ? name : `${name} at ${place}`;
}

/** `otherwise` is given the kind of defect and its place, fit to be shown. */
export function attempt<T>(act: () => T, otherwise: (place: string) => T): T {
  try {
    return act();
  } catch (error) {
    return otherwise(defectText(error));
  }
}
