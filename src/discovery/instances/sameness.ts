/** When two reasons to know of a Filebeat ask for the same: files, data, unit. Who may be whom is in `identity.ts`. Pure. */
import { isSameProcess } from '../../model/instance-rules.js';
import type { Candidate } from './candidate.js';

/** Same root, files and data; the network counts only where both sides know theirs. */
export function isSame(a: Candidate, b: Candidate): boolean {
  const known = (c: Candidate) => c.origin === 'process' || c.origin === 'remembered';
  return isSameFiles(a, b) && (a.network === b.network || !known(a) || !known(b));
}

/** Same root, files and data, as far as both know theirs. */
export function isSameFiles(a: Candidate, b: Candidate): boolean {
  if (a.root !== b.root || !isSameList(a.mainFiles, b.mainFiles)) return false;
  return a.pathData === undefined || b.pathData === undefined || a.pathData === b.pathData;
}

function isSameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((file, at) => file === b[at]);
}

/** Reads the files of a pattern among its own. */
export function readsFilesOf(candidate: Candidate, glob: Candidate): boolean {
  return candidate.root === glob.root && glob.mainFiles.every((file) => candidate.mainFiles.includes(file));
}

/** Units are the host's, also with a `RootDirectory=`; one of the same name inside a container is another one. */
export function runsIn(process: Candidate, unit: Candidate): boolean {
  const reachable = process.root === unit.root || process.container === undefined;
  return reachable && process.unit !== undefined && unitNames(unit).includes(process.unit);
}

/** An init script runs as `NAME.service`. */
export function unitNames(unit: Candidate): string[] {
  if (unit.origin !== 'systemd' || unit.unit === undefined) return [];
  return [unit.unit, `${unit.unit}.service`, ...(unit.unitAliases ?? [])];
}

/**
 * Both hosted by Elastic Agent, as the same component: each release of the agent brings folders of its own,
 * `/opt/Elastic/Agent/data/elastic-agent-8.15.0-25075f/run/udp-default`.
 */
export function isSameComponent(a: Candidate, b: Candidate): boolean {
  const path = ({ pathData }: Candidate) => pathData?.replace(/\/elastic-agent-[^/]+\//, '/elastic-agent/');
  return a.host !== undefined && a.host === b.host && a.root === b.root && path(a) === path(b);
}

/** A container made anew by its engine: another id, the same name or pod, the same files inside. */
export function isSameContainer(a: Candidate, b: Candidate): boolean {
  if (a.containerName === undefined || a.containerName !== b.containerName) return false;
  return isSameList(a.mainFiles, b.mainFiles) && a.pathData === b.pathData;
}

/** The remembered one's last process is this very one. */
export function isProcessOf({ process }: Candidate, { remembered }: Candidate): boolean {
  const known = remembered?.process;
  return process !== undefined && known !== undefined && isSameProcess(process, known);
}
