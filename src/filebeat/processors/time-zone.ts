/** Time zones as Filebeat's `cfgtype.Timezone` accepts them: an offset, or a name of the time zone database. */

/** `+05`, `-0530`, `+05:30`. */
const OFFSET = /^[+-](?:[01]\d|2[0-4])(?::?(?:[0-5]\d|60))?$/;

/**
 * Whether Go's `time.LoadLocation` finds a zone. The names come from Node's tables; Go reads the host's zoneinfo, which
 * is case-sensitive.
 */
export function knownTimezone(zone: string): boolean {
  if (zone === '' || zone === 'Local' || zone === 'UTC' || OFFSET.test(zone)) return true;
  if (!zone.split('/').every((part) => /^[A-Z]/.test(part) && !/^[A-Z]{5,}$/.test(part))) return false;
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}
