/** Reads the exporter's own settings file. */
import { readFileSync } from 'node:fs';
import { defaultSettings, parseSettings, type Settings } from '../settings/settings.js';
import { StartError } from './start-error.js';

/** Without a file, the defaults. Throws `StartError`: the file cannot be read, or is invalid. */
export function readSettings(file: string | undefined): Settings {
  if (file === undefined) return defaultSettings;
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    throw new StartError(`${file}: cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`);
  }
  const parsed = parseSettings(bytes, file);
  if (!parsed.ok) throw new StartError(parsed.errors.join('\n'));
  return parsed.settings;
}
