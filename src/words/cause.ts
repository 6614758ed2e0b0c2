/** The likely cause of a mismatch in one to three short sentences, without what is already in "seen". Pure. */
import type { Mismatch } from '../model/model.js';
import { kindText } from './cause-texts.js';
import { backlogText, logText } from './output-texts.js';

/** Empty when nothing is known beyond what was seen. */
export function causeText(mismatch: Mismatch): string {
  return [kindText(mismatch), backlogText(mismatch), logText(mismatch)].filter((text) => text !== '').join(' ');
}

/** What else is known, the likeliest first. */
export function evidenceTexts({ code, evidence = [] }: Mismatch): string[] {
  return evidence.map((cause) => kindText({ code, cause })).filter((text) => text !== '');
}
