/**
 * The Filebeat release of an instance, from files alone: the first line of `README.md` (`# Welcome to Filebeat 8.19.21`;
 * every package has one) beside the program, above it or in the home; dpkg's status file; the name of the folder of the
 * archive or of a package store; the modules in the home. Runs no program and sends nothing.
 */
import { posix } from 'node:path';
import type { Gap, Release } from '../model/model.js';
import type { FileView } from './files/file-view.js';

/** Facts about a running process. The files describe its next start. */
export interface Running {
  /** Seconds since the epoch. */
  startTime: number;
  executableDeleted: boolean;
  /** Its release, as known before the files changed. */
  remembered?: string;
}

export interface DetectedRelease {
  release: Release;
  gaps: Gap[];
}

const readmeLimit = 1024 * 1024;
const dpkgLimit = 64 * 1024 * 1024;
const modulesLimit = 10_000;
const NEWLINE = 10;

/**
 * `home`: the effective `path.home`. `program`: an absolute path, if the command line has one; files beside the program
 * win over those in the home. Without a version in the result, use the newest rules.
 */
export function detectRelease(home: string, files: FileView, running?: Running, program?: string): DetectedRelease {
  const gaps: Gap[] = [];
  const folders = foldersOf(home, files, program);
  const readmes = folders.flatMap((folder) => readReadme(folder, files, gaps) ?? []);
  const readme = readmes.find(({ version }) => version !== undefined) ?? readmes[0];
  const stated: Release | undefined = readme?.version
    ? { version: readme.version, source: 'readme' }
    : (readPackage(folders, files, gaps) ?? folders.map(folderName).find((hint) => hint !== undefined));
  const replaced = running !== undefined && (running.executableDeleted || (readme?.mtime ?? 0) > running.startTime);
  if (replaced && running.remembered) return { release: { version: running.remembered, source: 'remembered' }, gaps };
  // Upgraded under a running process: the next release is a better guess than none.
  if (stated) return { release: replaced ? { ...stated, source: 'hint' } : stated, gaps };
  if (running?.remembered) return { release: { version: running.remembered, source: 'remembered' }, gaps };
  return { release: moduleHint(home, files, gaps) ?? { source: 'assumed' }, gaps };
}

/** Folders that may contain a README, the likeliest first: of the program (links resolved), above it, the home. */
function foldersOf(home: string, files: FileView, program: string | undefined): string[] {
  if (program === undefined) return [home];
  const real = files.resolve(program);
  const folder = posix.dirname(real.ok ? real.value : program);
  // The folder above a system folder such as /usr/bin does not belong to this program.
  const above = /^\/(?:usr\/(?:local\/)?)?s?bin$/.test(folder) ? [] : [posix.dirname(folder)];
  return [...new Set([folder, ...above, home])];
}

function note(gap: Gap, gaps: Gap[]): void {
  if (gap.reason !== 'missing') gaps.push(gap);
}

function readReadme(home: string, files: FileView, gaps: Gap[]): { version?: string; mtime: number } | undefined {
  const file = files.read(`${home}/README.md`, readmeLimit);
  if (!file.ok) {
    note(file.gap, gaps);
    return undefined;
  }
  const text = Buffer.from(file.value.bytes).toString('utf8');
  const version = /^\uFEFF?# Welcome to Filebeat (\d+\.\d+\.\d+)/.exec(text)?.[1];
  return { mtime: file.value.stat.mtime, ...(version ? { version } : {}) };
}

/** The home of the deb and rpm packages. */
const packagedHome = '/usr/share/filebeat';

/** `Package: filebeat` … `Status: install ok installed` … `Version: 8.19.21` in dpkg's status file. */
function readPackage(folders: readonly string[], files: FileView, gaps: Gap[]): Release | undefined {
  // Only the program's folder counts: another program may use the package's home.
  if (folders[0] !== packagedHome && folders[0] !== `${packagedHome}/bin`) return undefined;
  const file = files.read('/var/lib/dpkg/status', dpkgLimit);
  if (!file.ok) {
    note(file.gap, gaps);
    return undefined;
  }
  const bytes = Buffer.from(file.value.bytes.buffer, file.value.bytes.byteOffset, file.value.bytes.byteLength);
  // Search the bytes: the file has megabytes, of which a few lines matter.
  for (let at = bytes.indexOf('Package: filebeat'); at >= 0; at = bytes.indexOf('Package: filebeat', at + 1)) {
    if (at > 0 && bytes[at - 1] !== NEWLINE) continue;
    const end = bytes.indexOf('\n\n', at);
    const stanza = bytes.toString('latin1', at, end < 0 ? bytes.length : end);
    if (!/^Package: filebeat(?:-oss)?$/m.test(stanza) || !/^Status: .* installed$/m.test(stanza)) continue;
    const version = /^Version: (?:\d+:)?(\d+\.\d+\.\d+)/m.exec(stanza)?.[1];
    if (version) return { version, source: 'package' };
  }
  return undefined;
}

/**
 * `/opt/filebeat-8.19.21-linux-x86_64`, `…/elastic-agent-8.12.0-ab12cd/components`,
 * `/nix/store/…-filebeat8-8.19.2/bin`, `…/Cellar/filebeat-full/8.1.0/bin`.
 */
function folderName(folder: string): Release | undefined {
  const version = /[/-](?:filebeat\d?(?:-oss|-full)?|elastic-agent)[-/](\d+\.\d+\.\d+)(?=[-/]|$)/.exec(folder)?.[1];
  return version ? { version, source: 'hint' } : undefined;
}

/** A present and an absent module → a release of the line that has these modules. */
const hints: [present: string, absent: string, version: string][] = [
  ['cyberark', '', '7.17.0'],
  ['barracuda', 'pensando', '7.12.0'],
  ['barracuda', '', '8.13.0'],
  ['checkpoint', 'pensando', '7.8.0'],
  ['iptables', 'cisco', '6.8.0'],
  ['iptables', 'checkpoint', '7.6.0'],
];

function moduleHint(home: string, files: FileView, gaps: Gap[]): Release | undefined {
  const listed = files.list(`${home}/module`, modulesLimit);
  if (!listed.ok) {
    note(listed.gap, gaps);
    return undefined;
  }
  const modules = new Set(listed.value);
  const hint = hints.find(([present, absent]) => modules.has(present) && !modules.has(absent));
  return hint && { version: hint[2], source: 'hint' };
}
