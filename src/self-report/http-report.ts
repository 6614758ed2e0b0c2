/** What a stats endpoint answered → figures, once it is certain that this very process answered. */
import type { Gap } from '../model/model.js';
import type { Answered } from './endpoint-poller.js';
import type { EntryFigures } from './pipeline-figures.js';
import { addEntry, addRaw, type StoredReport, storedReportFor } from './stored-report.js';
import { byKey, inodesAt, leaksOf, processKey, type Subject } from './subject.js';
import { addSample, countsOf, emptyTrack, type Track } from './track.js';

/** What is known of one endpoint while this program runs. */
export interface HttpStory {
  track: Track;
  /** Of the last answer that could be used, seconds since the epoch. */
  at?: number;
  failed: boolean;
  /** Endpoint keys that the last answer has counters of. */
  counted: ReadonlySet<string>;
}

export const emptyHttpStory: HttpStory = { track: emptyTrack, failed: false, counted: new Set() };

/** What has to agree with the answer. */
export interface Identity {
  /** In `meta.json` of its path.data; undefined where that cannot be read. */
  uuid: string | undefined;
  /** The process still holds the socket that was asked. */
  holds: boolean;
}

/** The process began at most this long before what its endpoint says. Measured: 0.92 to 1.03 s. */
const startsAgree = 5;

type HttpReport = { story: HttpStory; kept: StoredReport | undefined; gap?: Gap };

const failures: Record<Extract<Answered['result'], { ok: false }>['why'], [Gap['reason'], string]> = {
  timeout: ['blocked', 'did not answer within a second'],
  refused: ['malformed', 'broke off the connection'],
  denied: ['denied', 'may not be connected to'],
  malformed: ['malformed', 'no answer that can be used'],
  limit: ['limit', 'a longer or deeper answer than is read'],
};

export function reportAnswer(
  subject: Subject,
  story: HttpStory,
  kept: StoredReport | undefined,
  answered: Answered,
  identity: Identity,
): HttpReport {
  const fail = (reason: Gap['reason'], detail: string): HttpReport => ({
    story: { ...story, failed: true },
    kept,
    gap: { reason, subject: `stats endpoint of ${subject.name}`, detail },
  });
  if (!answered.result.ok) return fail(...failures[answered.result.why]);
  const { answer } = answered.result;
  if (!identity.holds) return fail('vanished', 'its socket has changed hands');
  const { figures, uptime } = answer;
  if (identity.uuid !== undefined && identity.uuid !== answer.uuid)
    return fail('malformed', 'another Filebeat answers');
  const age = answered.at - subject.process.startTime;
  if (uptime !== undefined && Math.abs(age - uptime) > startsAgree) return fail('malformed', 'another process answers');
  const track = addSample(story.track, { at: answered.askedAt, figures }, leaksOf(subject.release));
  const entries = byKey(answer.entries, subject, {});
  const next = addRaw(storedReportFor(kept, `http ${processKey(subject)}`), countsOf(figures), isFirst(kept, subject));
  return {
    story: { track, at: answered.at, failed: false, counted: new Set(entries.keys()) },
    kept: {
      ...next,
      listeners: addEntries(next, entries, subject, isFirst(kept, subject)),
      ...(track.lastAck === undefined || track.lastAck === story.track.lastAck ? {} : { lastAck: answered.at }),
    },
  };
}

/** No source has counted anything of this process yet: all that it says is new. */
function isFirst(kept: StoredReport | undefined, subject: Subject): boolean {
  return kept === undefined || kept.of.startsWith('none ') || !kept.of.endsWith(` ${processKey(subject)}`);
}

/** An entry counts from 0 with each process, and with each socket that it opens: a reload makes a new one. */
function addEntries(
  kept: StoredReport,
  entries: ReadonlyMap<string, EntryFigures[]>,
  subject: Subject,
  first: boolean,
): StoredReport['listeners'] {
  const listeners = { ...kept.listeners };
  const process = `http ${processKey(subject)} `;
  for (const [key, mine] of entries) {
    const known = listeners[key]?.received?.of.startsWith(process);
    const of = `${process}${inodesAt(subject, key)}`;
    listeners[key] = addEntry(listeners[key], mine.reduce(addUp), of, first || known ? 'fresh' : 'joined');
  }
  return listeners;
}

function addUp(a: EntryFigures, b: EntryFigures): EntryFigures {
  const sum = (field: 'received' | 'bytes' | 'filtered') =>
    a[field] === undefined && b[field] === undefined ? {} : { [field]: (a[field] ?? 0) + (b[field] ?? 0) };
  return { ...a, ...sum('received'), ...sum('bytes'), ...sum('filtered') };
}
