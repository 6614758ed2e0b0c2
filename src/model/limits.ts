/**
 * How much of everything is looked at: what is beyond is a gap and a line in the log, never a crash. Far above any host
 * that means well; docs/security.md has the table. Filebeat's own limits (aliases in YAML) are where its rules are.
 */
import type { Gap } from './model.js';

export const limits = {
  /** Processes listed in `/proc`; those with the lowest pids. */
  processes: 100_000,
  /** Descriptors of one process. */
  descriptors: 200_000,
  /** Filebeats: first those that run, root's before others' and old before young, then those that ought to run. */
  instances: 1000,
  /** Of one instance. */
  listeners: 2000,
  /** Of all instances; each is about five series. */
  listenersInAll: 25_000,
  /** Files that could not be read, and inputs that could not be told, of one instance. */
  troubles: 200,
  /** In one report. */
  gaps: 2000,
  /** Of a file of configuration, bytes. */
  configBytes: 10 * 1024 * 1024,
  /** Files that one pattern of a configuration matches, and entries of a modules folder. */
  configEntries: 10_000,
  /** Main files that one pattern of the settings matches. */
  globMatches: 1000,
  /** Entries of one directory of unit files. */
  unitEntries: 20_000,
  /** Of a unit file, bytes. */
  unitBytes: 1024 * 1024,
  /** Of an init script, and of a script that starts a Filebeat, bytes. */
  initScriptBytes: 256 * 1024,
  scriptBytes: 64 * 1024,
  /** Commands of a script with all that it sources, and files that it sources. */
  scriptCommands: 5000,
  scriptSources: 64,
  /** One file of `/proc`, and the state file, bytes. */
  procBytes: 64 * 1024 * 1024,
  stateBytes: 64 * 1024 * 1024,
  /** Characters of a label's value; what is longer ends in a digest of the whole. */
  labelChars: 1024,
} as const;

export function tooMany(subject: string, count: number, most: number): Gap {
  return { reason: 'limit', subject, detail: `${count} of them; ${most} are looked at` };
}
