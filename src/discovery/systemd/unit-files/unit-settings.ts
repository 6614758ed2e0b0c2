/** The merged settings of one unit as systemd uses them: specifiers expanded, lists reset, bad values ignored. */
import type { FileView } from '../../../filebeat/files/file-view.js';
import { derive } from '../../../filebeat/files/frozen-view.js';
import { limits } from '../../../model/limits.js';
import type { Gap } from '../../../model/model.js';
import { type Assignment, lastSetting, listSetting, parseUnitFile } from './unit-file.js';
import { expandSpecifiers, type SpecifierContext } from './unit-specifiers.js';

export interface SourcedAssignment extends Assignment {
  file: string;
}

/** The text of a file, or why it cannot be read. */
export function readText(files: FileView, path: string): { text: string } | { gap: Gap } {
  const content = files.read(path, limits.unitBytes);
  return content.ok ? { text: new TextDecoder().decode(content.value.bytes) } : { gap: content.gap };
}

/** Assignments of a unit file and its drop-ins, in order; unreadable files and lines that systemd skips are gaps. */
export function readAssignments(
  files: FileView,
  paths: readonly string[],
): { assignments: SourcedAssignment[]; gaps: Gap[] } {
  const assignments: SourcedAssignment[] = [];
  const gaps: Gap[] = [];
  for (const file of paths) {
    const stat = files.stat(file);
    // A drop-in that is a link to /dev/null is masked.
    if (stat.ok && stat.value.kind === 'other') continue;
    const content = files.read(file, limits.unitBytes);
    if (!content.ok) {
      if (content.gap.reason !== 'missing') gaps.push(content.gap);
      continue;
    }
    const { bytes } = content.value;
    // A search needs the settings of most units twice: to follow the boot, and to follow what they start.
    const parsed = derive(bytes, 'unit', () => parseUnitFile(new TextDecoder().decode(bytes)));
    assignments.push(...parsed.assignments.map((assignment) => ({ ...assignment, file })));
    gaps.push(
      ...parsed.bad.map(({ line, why }) => ({ reason: 'malformed' as const, subject: `${file}:${line}`, detail: why })),
    );
  }
  return { assignments, gaps };
}

const yes = new Set(['yes', 'true', 'on', '1', 'y', 't']);

export interface UnitSettings {
  assignments: readonly SourcedAssignment[];
  /** Settings that are unknown or ignored. */
  gaps: Gap[];
  /** `FILE:LINE` */
  at(assignment: SourcedAssignment): string;
  /** A text with its specifiers expanded; undefined where one is invalid, for which systemd ignores the setting. */
  expand(text: string, assignment: SourcedAssignment): string | undefined;
  list(key: string, section?: string): SourcedAssignment[];
  /** A scalar, expanded. */
  text(key: string, section?: string): string | undefined;
  flag(key: string, section?: string): boolean;
}

export function settingsOf(
  assignments: readonly SourcedAssignment[],
  gaps: Gap[],
  context: SpecifierContext,
): UnitSettings {
  const at = ({ file, line }: SourcedAssignment) => `${file}:${line}`;
  const reported = new Set<string>();
  const expand = (text: string, assignment: SourcedAssignment) => {
    const expanded = expandSpecifiers(text, context);
    const detail = `${expanded.unknown.join(' ')} depends on more than files`;
    if (expanded.unknown.length > 0 && !reported.has(at(assignment) + detail)) {
      reported.add(at(assignment) + detail);
      gaps.push({ reason: 'missing', subject: at(assignment), detail });
    }
    return expanded.invalid ? undefined : expanded.text;
  };
  const list = (key: string, section = 'Service') => listSetting(assignments, section, key) as SourcedAssignment[];
  const text = (key: string, section = 'Service') => {
    const last = lastSetting(assignments, section, key) as SourcedAssignment | undefined;
    return last && expand(last.value, last);
  };
  return {
    assignments,
    gaps,
    at,
    expand,
    list,
    text,
    flag: (key, section) => yes.has(text(key, section)?.toLowerCase() ?? ''),
  };
}
