/**
 * Text of one systemd unit file or drop-in → its assignments, in order (systemd.syntax(7)).
 *
 *     ExecStart=/usr/share/filebeat/bin/filebeat --environment systemd \
 *     # a comment between continuation lines is skipped
 *         $BEAT_PATH_OPTS
 */

export interface Assignment {
  /** `Service` for `[Service]`. */
  section: string;
  key: string;
  /** Trimmed; continuation lines joined by one blank. */
  value: string;
  /** 1-based line on which the assignment starts. */
  line: number;
}

export interface UnitText {
  assignments: Assignment[];
  /** Lines that systemd would warn about and skip. */
  bad: { line: number; why: string }[];
}

const blank = /^[ \t]+/;

/** Never throws. Bad lines are returned by number, without their text. */
export function parseUnitFile(text: string): UnitText {
  const assignments: Assignment[] = [];
  const bad: UnitText['bad'] = [];
  let section: string | undefined;

  const take = (logical: string, line: number) => {
    const trimmed = logical.trim();
    if (trimmed === '') return;
    if (trimmed.includes('\ufffd')) {
      bad.push({ line, why: 'not UTF-8' });
      return;
    }
    if (trimmed.startsWith('[')) {
      section = trimmed.endsWith(']') ? trimmed.slice(1, -1) : undefined;
      if (section === undefined) bad.push({ line, why: 'section header without closing bracket' });
      return;
    }
    const equals = trimmed.indexOf('=');
    if (equals < 1) {
      bad.push({ line, why: equals === 0 ? 'no key before the equals sign' : 'no equals sign' });
    } else if (section === undefined) {
      bad.push({ line, why: 'assignment outside of a section' });
    } else {
      assignments.push({
        section,
        key: trimmed.slice(0, equals).trimEnd(),
        value: trimmed.slice(equals + 1).trimStart(),
        line,
      });
    }
  };

  /** The parts of a continued line. */
  let pending: string[] = [];
  let pendingLine = 0;
  const lines = text.replace(/^\ufeff/, '').split(/\r\n|\n|\r|\0/);
  for (const [index, raw] of lines.entries()) {
    const stripped = raw.replace(blank, '');
    if (stripped.startsWith('#') || stripped.startsWith(';')) continue;
    if (pending.length === 0) pendingLine = index + 1;
    if (endsInOddBackslash(stripped)) {
      pending.push(`${stripped.slice(0, -1)} `);
    } else {
      take(pending.join('') + stripped, pendingLine);
      pending = [];
    }
  }
  if (pending.length > 0) take(pending.join(''), pendingLine);
  return { assignments, bad };
}

/** Two backslashes at the end are an escaped one, not a continuation. */
function endsInOddBackslash(text: string): boolean {
  let count = 0;
  while (text[text.length - 1 - count] === '\\') count += 1;
  return count % 2 === 1;
}

/** Assignments of one setting, in order, including empty ones, which reset a list. */
export function settings(assignments: readonly Assignment[], section: string, key: string): Assignment[] {
  return assignments.filter((a) => a.section === section && a.key === key);
}

/** A list setting after its last reset. */
export function listSetting(assignments: readonly Assignment[], section: string, key: string): Assignment[] {
  const all = settings(assignments, section, key);
  const reset = all.findLastIndex((a) => a.value === '');
  return all.slice(reset + 1);
}

/** A scalar setting: the last assignment; undefined where it is unset or empty. */
export function lastSetting(assignments: readonly Assignment[], section: string, key: string): Assignment | undefined {
  const last = settings(assignments, section, key).at(-1);
  return last?.value === '' ? undefined : last;
}
