import { createHash } from 'node:crypto';

/** The beginning of a SHA-256 as hexadecimal digits: equal texts have equal digests, and 16 digits are unlikely to collide by chance. */
export function digestOf(content: string | Uint8Array, digits: number): string {
  return createHash('sha256').update(content).digest('hex').slice(0, digits);
}
