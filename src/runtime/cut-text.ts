/** Shortens foreign names and paths where they enter the program. */
import { digestOf } from './digest.js';

/** A text of more than `most` characters ends in a digest of the whole, so that two with the same beginning stay different. */
export function cutText(text: string, most: number): string {
  if (text.length <= most) return text;
  return `${text.slice(0, most)}… ${digestOf(text, 16)}`;
}

/** Shortens every text in plain data; returns the same object where none is too long. Keys stay. */
export function cutTexts<T>(value: T, most: number): T {
  if (typeof value === 'string') return cutText(value, most) as T;
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    const items = value.map((item) => cutTexts(item, most));
    return items.every((item, at) => item === value[at]) ? value : (items as T);
  }
  const entries = Object.entries(value).map(([key, one]) => [key, cutTexts(one, most)] as const);
  const isSame = entries.every(([key, one]) => one === (value as Record<string, unknown>)[key]);
  return isSame ? value : (Object.fromEntries(entries) as T);
}
