/**
 * Text of the state file ⇄ state. Malformed rows are left out and the good ones kept; a text that is no state at all differs
 * from one of a newer version. Pure.
 */
import { isRecord, parseJson } from '../runtime/json.js';
import { isDeepEqual } from '../runtime/unchanged.js';
import { isStoredReport, type StoredReport, type StoredReports } from '../self-report/stored-report.js';
import type { Learned, LearnedSocket } from './learned.js';
import { isReproducible, type Ledger, type LedgerEntry } from './ledger.js';
import { emptyState, type RememberedInstance, type State, stateVersion } from './memory-state.js';
import type { ProbationEntry } from './probation.js';

export type LoadedState =
  | { kind: 'state'; state: State; badRows: number }
  | { kind: 'corrupt' }
  /** Written by a later release of the exporter: must not be changed. */
  | { kind: 'newer'; version: number };

export function encodeState(state: State): string {
  const { other, ...known } = state;
  return `${JSON.stringify({ ...known, ...other }, null, 1)}\n`;
}

/**
 * Whether a change is worth writing at once: all changes but those of time stamps, of sockets that are not learned yet, and of
 * drops that the kernel still counts. The drops of a closed socket would be lost at the next start. Fast if `after` was made
 * from `before`, since unchanged objects are shared.
 */
export function differsUrgently(before: State, after: State): boolean {
  const ids = Object.keys(after.instances);
  if (ids.length !== Object.keys(before.instances).length) return true;
  const isUnchanged = (id: string) => {
    const [known, now] = [before.instances[id], after.instances[id]!];
    return known !== undefined && isSameButForTime(known, now);
  };
  const isCounted = (key: string) => isReproducible(before.ledger[key], after.ledger[key]!);
  if (before.ledger !== after.ledger && !Object.keys(after.ledger).every(isCounted)) return true;
  return !ids.every(isUnchanged) || !isDeepEqual(learnedKeys(before), learnedKeys(after));
}

function isSameButForTime(a: RememberedInstance, b: RememberedInstance): boolean {
  const { lastSeen } = b;
  return isDeepEqual(a.lastSeen === lastSeen ? a : { ...a, lastSeen }, b);
}

function learnedKeys({ learned }: State): string[] {
  return Object.entries(learned).flatMap(([name, sockets]) =>
    Object.keys(sockets).flatMap((key) => (sockets[key]!.learned ? [`${name} ${key}`] : [])),
  );
}

export function loadState(text: string): LoadedState {
  const data = parseJson(text);
  if (!isRecord(data) || typeof data['version'] !== 'number') return { kind: 'corrupt' };
  if (data['version'] > stateVersion) return { kind: 'newer', version: data['version'] };
  let badRows = 0;
  const goodRows = <T>(rows: unknown, check: (row: Row, key: string) => boolean): Record<string, T> => {
    if (!isRecord(rows)) {
      badRows += rows === undefined ? 0 : 1;
      return {};
    }
    const kept = Object.entries(rows).filter(([key, row]) => isRecord(row) && check(row, key));
    badRows += Object.keys(rows).length - kept.length;
    return Object.fromEntries(kept) as Record<string, T>;
  };
  const instances = goodRows<RememberedInstance>(data['instances'], isInstance);
  const ledger: Ledger = goodRows<LedgerEntry>(data['ledger'], isLedgerEntry);
  const learned: Learned = Object.fromEntries(
    Object.entries(goodRows<unknown>(data['learned'], () => true)).map(([name, sockets]) => [
      name,
      goodRows<LearnedSocket>(sockets, isLearned),
    ]),
  );
  const reports: StoredReports = goodRows<StoredReport>(data['reports'], isStoredReport);
  const ripening = data['ripening'] === undefined ? {} : goodRows<ProbationEntry>(data['ripening'], isRipening);
  const isOther = (field: string) => !Object.hasOwn(emptyState, field) && field !== 'ripening';
  const other = Object.fromEntries(Object.entries(data).filter(([field]) => isOther(field)));
  const optionalParts = {
    ...(Object.keys(ripening).length === 0 ? {} : { ripening }),
    ...(Object.keys(other).length === 0 ? {} : { other }),
  };
  return { kind: 'state', state: { ...emptyState, instances, ledger, learned, reports, ...optionalParts }, badRows };
}

type Row = Record<string, unknown>;

const isText = (value: unknown): value is string => typeof value === 'string';
const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);
const optional = (value: unknown, check: (value: unknown) => boolean) => value === undefined || check(value);
const isListOf = (value: unknown, check: (one: unknown) => boolean) => Array.isArray(value) && value.every(check);

const origins = ['process', 'systemd', 'declared', 'config_glob', 'remembered'];
const engines = ['docker', 'podman', 'nerdctl', 'cri'];
const targets = ['socket', 'random', 'name', 'unresolved', 'invalid'];

function isListener(value: unknown): boolean {
  return (
    isRecord(value) &&
    (value['protocol'] === 'udp' || value['protocol'] === 'tcp') &&
    isText(value['address']) &&
    optional(value['port'], isNumber) &&
    isText(value['input']) &&
    isText(value['retry']) &&
    isRecord(value['declaredIn']) &&
    isText(value['declaredIn']['file']) &&
    isRecord(value['target']) &&
    targets.includes(value['target']['kind'] as string) &&
    optional(value['refused'], isFault)
  );
}

function isFault(value: unknown): boolean {
  return (
    isRecord(value) &&
    isText(value['code']) &&
    optional(value['subject'], isText) &&
    optional(value['at'], (at) => isRecord(at) && isText(at['file']) && optional(at['line'], isNumber)) &&
    optional(value['costs'], (list) => isListOf(list, isListener))
  );
}

function isCommand(value: unknown): boolean {
  return isRecord(value) && isListOf(value['argv'], isText) && isText(value['cwd']) && isNumber(value['uid']);
}

function isRefutation(value: unknown): boolean {
  return isFault(value) && isText((value as Row)['content']) && isText((value as Row)['release']);
}

function isInstance(row: Row, key: string): boolean {
  const { start } = row;
  return (
    row['id'] === key &&
    ['name', 'config', 'root', 'network'].every((field) => isText(row[field])) &&
    row['name'] !== '' &&
    isListOf(row['mainFiles'], isText) &&
    ['pathData', 'unit', 'container', 'containerName', 'host', 'release'].every((field) =>
      optional(row[field], isText),
    ) &&
    optional(row['engine'], (one) => engines.includes(one as string)) &&
    optional(row['userUnit'], (one) => isRecord(one) && isNumber(one['uid']) && isText(one['unit'])) &&
    optional(row['netns'], isNumber) &&
    optional(row['owner'], isNumber) &&
    optional(row['account'], isNumber) &&
    isListOf(row['origins'], (one) => origins.includes(one as string)) &&
    isListOf(row['expected'], isListener) &&
    optional(row['command'], isCommand) &&
    optional(row['refuted'], (list) => isListOf(list, isRefutation)) &&
    ['firstSeen', 'lastSeen', 'restarts'].every((field) => isNumber(row[field])) &&
    isListOf(row['restartTimes'], isNumber) &&
    isRecord(start) &&
    ['pid', 'startTicks', 'startTime'].every((field) => isNumber(start[field])) &&
    isText(start['bootId']) &&
    optional(start['listeners'], (list) => isListOf(list, isListener)) &&
    optional(start['refusals'], (list) => isListOf(list, isFault)) &&
    optional(start['files'], (files) => isRecord(files) && Object.values(files).every(isNumber))
  );
}

function isLedgerEntry(row: Row, key: string): boolean {
  const parts = parseJson(key);
  return (
    isListOf(parts, (part) => isText(part) || isNumber(part)) &&
    (parts as unknown[]).length === 4 &&
    isNumber(row['total']) &&
    row['total'] >= 0 &&
    optional(row['open'], isNumber) &&
    isText(row['bootId']) &&
    isRecord(row['sockets']) &&
    Object.values(row['sockets']).every(isNumber) &&
    isListOf(row['rises'], (rise) => isListOf(rise, isNumber) && (rise as unknown[]).length === 2)
  );
}

function isRipening(row: Row): boolean {
  return (
    isText(row['process']) &&
    optional(row['name'], isText) &&
    ['account', 'before', 'age', 'at'].every((field) => isNumber(row[field]))
  );
}

function isLearned(row: Row): boolean {
  return (
    (row['protocol'] === 'udp' || row['protocol'] === 'tcp') &&
    isText(row['address']) &&
    isText(row['socket']) &&
    ['port', 'since', 'lastSeen'].every((field) => isNumber(row[field])) &&
    typeof row['learned'] === 'boolean'
  );
}
