/** Reads the exporter's own settings file. */
import { readFileSync } from 'node:fs';
import { defaultSettings } from '../settings/default-settings.js';
import type { Settings } from '../settings/settings.js';
import { StartError } from './start-error.js';

/** Without a file, the defaults. Throws `StartError`: the file cannot be read, or is invalid. */
export async function readSettings(file: string | undefined): Promise<Settings> {
  if (file === undefined) return defaultSettings;
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    throw new StartError(`${file}: cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`);
  }
  const { parseSettings } = await import('../settings/settings.js');
  const parsed = parseSettings(bytes, file);
  if (!parsed.ok) throw new StartError(parsed.errors.join('\n'));
  return parsed.settings;
}
