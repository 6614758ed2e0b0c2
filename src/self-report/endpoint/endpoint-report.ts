/** An answer of a stats endpoint → figures, after checking that the right process answered. */
import { processKey } from '../../model/instance-rules.js';
import type { Gap } from '../../model/model.js';
import type { EntryFigures } from '../pipeline-figures.js';
import { addEntry, addRaw, type StoredReport, storedReportFor } from '../stored-report.js';
import { byKey, inodesAt, leaksOf, type Subject } from '../subject.js';
import { addSample, countsOf, emptyTrack, type Track } from '../track.js';
import type { Answered } from './endpoint-poller.js';

/** What is known of one endpoint while this program runs. */
export interface EndpointState {
  track: Track;
  /** Time of the last usable answer, seconds since the epoch. */
  at?: number;
  failed: boolean;
  /** Endpoint keys that the last answer has counters of. */
  counted: ReadonlySet<string>;
}

export const emptyEndpointState: EndpointState = { track: emptyTrack, failed: false, counted: new Set() };

/** Facts that the answer must agree with. */
export interface Identity {
  /** From `meta.json` in path.data; undefined: unreadable. */
  uuid: string | undefined;
  /** The process still holds the socket that was queried. */
  holds: boolean;
}

/** How much the age of the process may exceed the uptime that its endpoint reports. Measured: 0.92 to 1.03 s. */
const uptimeTolerance = 5;

type EndpointReport = { state: EndpointState; stored: StoredReport | undefined; gap?: Gap };

const failures: Record<Extract<Answered['result'], { ok: false }>['why'], [Gap['reason'], string]> = {
  timeout: ['blocked', 'did not answer within a second'],
  refused: ['malformed', 'closed the connection'],
  denied: ['denied', 'connection not permitted'],
  malformed: ['malformed', 'unusable answer'],
  limit: ['limit', 'answer too long or too deeply nested'],
};

export function reportAnswer(
  subject: Subject,
  state: EndpointState,
  stored: StoredReport | undefined,
  answered: Answered,
  identity: Identity,
): EndpointReport {
  const fail = (reason: Gap['reason'], detail: string): EndpointReport => ({
    state: { ...state, failed: true },
    stored,
    gap: { reason, subject: `stats endpoint of ${subject.name}`, detail },
  });
  if (!answered.result.ok) return fail(...failures[answered.result.why]);
  const { answer } = answered.result;
  if (!identity.holds) return fail('vanished', 'another process holds its socket now');
  const { figures, uptime } = answer;
  if (identity.uuid !== undefined && identity.uuid !== answer.uuid)
    return fail('malformed', 'another Filebeat answers');
  const age = answered.at - subject.process.startTime;
  if (uptime !== undefined && Math.abs(age - uptime) > uptimeTolerance)
    return fail('malformed', 'another process answers');
  const track = addSample(state.track, { at: answered.askedAt, figures }, leaksOf(subject.release));
  const entries = byKey(answer.entries, subject, {});
  const next = addRaw(
    storedReportFor(stored, `http ${processKey(subject.process)}`),
    countsOf(figures),
    isFirst(stored, subject),
  );
  return {
    state: { track, at: answered.at, failed: false, counted: new Set(entries.keys()) },
    stored: {
      ...next,
      listeners: addEntries(next, entries, subject, isFirst(stored, subject)),
      ...(track.lastAck === undefined || track.lastAck === state.track.lastAck ? {} : { lastAck: answered.at }),
    },
  };
}

/** No source has counted anything of this process yet, so all its counts are new. */
function isFirst(stored: StoredReport | undefined, subject: Subject): boolean {
  return (
    stored === undefined || stored.of.startsWith('none ') || !stored.of.endsWith(` ${processKey(subject.process)}`)
  );
}

/** An entry counts from 0 for each process and for each socket that it opens; a reload opens a new one. */
function addEntries(
  stored: StoredReport,
  entries: ReadonlyMap<string, EntryFigures[]>,
  subject: Subject,
  first: boolean,
): StoredReport['listeners'] {
  const listeners = { ...stored.listeners };
  const source = `http ${processKey(subject.process)} `;
  for (const [key, same] of entries) {
    const isKnown = listeners[key]?.received?.of.startsWith(source);
    const of = `${source}${inodesAt(subject, key)}`;
    listeners[key] = addEntry(listeners[key], same.reduce(addUp), of, first || isKnown ? 'fresh' : 'joined');
  }
  return listeners;
}

function addUp(a: EntryFigures, b: EntryFigures): EntryFigures {
  const sum = (field: 'received' | 'bytes' | 'filtered') =>
    a[field] === undefined && b[field] === undefined ? {} : { [field]: (a[field] ?? 0) + (b[field] ?? 0) };
  return { ...a, ...sum('received'), ...sum('bytes'), ...sum('filtered') };
}
