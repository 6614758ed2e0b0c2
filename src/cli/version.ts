/** The version of this program, from its package.json. */
import { readFileSync } from 'node:fs';

/** Beside `dist/` in a checkout and in the npm package alike. */
const packageFile = new URL('../../../package.json', import.meta.url);

export const version: string = (JSON.parse(readFileSync(packageFile, 'utf8')) as { version: string }).version;
