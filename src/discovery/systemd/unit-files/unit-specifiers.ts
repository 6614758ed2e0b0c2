/** Names of units, and the `%` specifiers of unit files (systemd.unit(5) "SPECIFIERS"). */
import { unknown } from '../../launch/launch-context.js';

export interface UnitName {
  /** `filebeat@core.service` */
  full: string;
  /** `filebeat` */
  prefix: string;
  /** As written, with escapes; '' for a template; undefined for a unit without an instance. */
  instance?: string;
}

/** The parts of a `.service` name; undefined for any other name. */
export function parseServiceName(full: string): UnitName | undefined {
  const match = /^([A-Za-z0-9:_.\\-]+)(?:@([A-Za-z0-9:_.\\@-]*))?\.service$/.exec(full);
  if (!match || full.length > 255) return undefined;
  return match[2] === undefined ? { full, prefix: match[1]! } : { full, prefix: match[1]!, instance: match[2] };
}

/** `filebeat@core.service` → `filebeat@.service`. */
export function templateName(name: UnitName): string | undefined {
  return name.instance ? `${name.prefix}@.service` : undefined;
}

/** `a-b\x2dc` → `a/b-c`, the reverse of systemd-escape(1). */
function unescapeUnit(text: string): string {
  const bytes: number[] = [];
  for (let at = 0; at < text.length; at += 1) {
    const hex = /^\\x([0-9a-fA-F]{2})/.exec(text.slice(at, at + 4));
    if (hex) {
      bytes.push(parseInt(hex[1]!, 16));
      at += 3;
    } else {
      bytes.push(...Buffer.from(text[at] === '-' ? '/' : text[at]!));
    }
  }
  return Buffer.from(bytes).toString('utf8');
}

/** `net-core\x2d1` → `net-core-1`, for people: a dash that stands for a slash stays a dash. */
export function legibleUnit(text: string): string {
  return text.includes('\\') ? text.split('-').map(unescapeUnit).join('-') : text;
}

/** Facts of the host that specifiers stand for; absent where unknown. */
export interface SpecifierFacts {
  hostname?: string;
  machineId?: string;
  rootShell?: string;
  /** Keys of /etc/os-release. */
  osRelease?: Record<string, string>;
}

export interface SpecifierContext extends SpecifierFacts {
  name: UnitName;
  /** Path of the fragment, for `%y` and `%Y`. */
  fragment: string;
}

/**
 * Expands specifiers. Those that only the running host knows (`%v`, `%b`, …) become `unknown` and are listed; `invalid`:
 * one does not exist, for which systemd refuses the setting.
 */
export function expandSpecifiers(
  text: string,
  context: SpecifierContext,
): { text: string; unknown: string[]; invalid: boolean } {
  const unknowns: string[] = [];
  let invalid = false;
  const expanded = text.replace(/%([a-zA-Z%])/g, (all, letter: string) => {
    const value = specifier(letter, context);
    if (value !== undefined) return value;
    if ('abvqDAHlmBMowW'.includes(letter)) unknowns.push(all);
    else invalid = true;
    return unknown;
  });
  return { text: expanded, unknown: unknowns, invalid };
}

/** Values for the system manager, which runs as root. */
const systemValues: Record<string, string> = {
  '%': '%',
  C: '/var/cache',
  E: '/etc',
  g: 'root',
  G: '0',
  h: '/root',
  L: '/var/log',
  S: '/var/lib',
  t: '/run',
  T: '/tmp',
  u: 'root',
  U: '0',
  V: '/var/tmp',
};

function specifier(letter: string, context: SpecifierContext): string | undefined {
  const { name, fragment } = context;
  switch (letter) {
    case 'n':
      return name.full;
    case 'N':
      return name.full.replace(/\.service$/, '');
    case 'p':
      return name.prefix;
    case 'P':
      return unescapeUnit(name.prefix);
    case 'd':
      return `/run/credentials/${name.full}`;
    case 's':
      return context.rootShell ?? '/bin/sh';
    case 'i':
      return name.instance ?? '';
    case 'I':
      return unescapeUnit(name.instance ?? '');
    case 'j':
      return lastPart(name.prefix);
    case 'J':
      return unescapeUnit(lastPart(name.prefix));
    case 'f':
      return '/' + unescapeUnit(name.instance ? name.instance : name.prefix).replace(/^\/+/, '');
    case 'H':
      return context.hostname;
    case 'l':
      return context.hostname?.split('.')[0];
    case 'm':
      return context.machineId;
    case 'o':
      return context.osRelease?.['ID'];
    case 'w':
      return context.osRelease?.['VERSION_ID'];
    case 'W':
      return context.osRelease?.['VARIANT_ID'];
    case 'A':
      return context.osRelease?.['IMAGE_VERSION'];
    case 'M':
      return context.osRelease?.['IMAGE_ID'];
    case 'B':
      return context.osRelease?.['BUILD_ID'];
    case 'y':
      return fragment;
    case 'Y':
      return fragment.replace(/\/[^/]*$/, '');
    default:
      return systemValues[letter];
  }
}

function lastPart(prefix: string): string {
  return prefix.slice(prefix.lastIndexOf('-') + 1);
}
