/** A part of discovery that failed by an error of the exporter's own. */
import type { Gap } from '../model/model.js';

/** An internal error of the exporter. `position`: see `containDefect`. */
export function defectGap(subject: string, position: string): Gap {
  return { reason: 'malformed', subject, detail: `internal error (${position})` };
}
