/** A gap in the JSON documents. */
import type { Gap } from '../../model/model.js';

export const gapJson = (gap: Gap) => ({ reason: gap.reason, subject: gap.subject, detail: gap.detail ?? null });
