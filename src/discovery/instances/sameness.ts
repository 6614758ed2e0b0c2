/** Whether two candidates have the same files, data directory or unit. `identity.ts` says which process may be which instance. Pure. */
import { isSameProcess } from '../../model/instance-rules.js';
import type { Candidate } from './candidate.js';

/** Same root, files and data; same network where both networks are known. */
export function isSame(a: Candidate, b: Candidate): boolean {
  const isKnown = ({ origin }: Candidate) => origin === 'process' || origin === 'remembered';
  return isSameFiles(a, b) && (a.network === b.network || !isKnown(a) || !isKnown(b));
}

/** Same root and main files; same path.data where both are known. */
export function isSameFiles(a: Candidate, b: Candidate): boolean {
  if (a.root !== b.root || !isSameList(a.mainFiles, b.mainFiles)) return false;
  return a.pathData === undefined || b.pathData === undefined || a.pathData === b.pathData;
}

function isSameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((file, at) => file === b[at]);
}

/** The file that a pattern found is among the main files of the candidate. */
export function readsFilesOf(candidate: Candidate, glob: Candidate): boolean {
  return candidate.root === glob.root && glob.mainFiles.every((file) => candidate.mainFiles.includes(file));
}

/** A unit belongs to the host, also with `RootDirectory=`; a unit of the same name inside a container is another one. */
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
 * Elastic Agent runs both as the same component. Each release of the agent has directories of its own:
 * `/opt/Elastic/Agent/data/elastic-agent-8.15.0-25075f/run/udp-default`.
 */
export function isSameComponent(a: Candidate, b: Candidate): boolean {
  const path = ({ pathData }: Candidate) => pathData?.replace(/\/elastic-agent-[^/]+\//, '/elastic-agent/');
  return a.host !== undefined && a.host === b.host && a.root === b.root && path(a) === path(b);
}

/** A container that its engine recreated: another id, the same name or pod, the same paths inside. */
export function isSameContainer(a: Candidate, b: Candidate): boolean {
  if (a.containerName === undefined || a.containerName !== b.containerName) return false;
  return isSameList(a.mainFiles, b.mainFiles) && a.pathData === b.pathData;
}

/** The process is the last one of the remembered instance. */
export function isProcessOf({ process }: Candidate, { remembered }: Candidate): boolean {
  return isSameProcess(process, remembered?.process);
}
