/** Last step of a scan: what each instance says of itself, and the state that the next scan starts from. */
import type { Merged } from '../discovery/instances/instances.js';
import { isServedBy } from '../filebeat/net/address.js';
import type { Instance, Snapshot, Socket } from '../model/model.js';
import { netnsLink, type ProcFs } from '../proc/proc-fs.js';
import type { LastMessageReader } from '../self-report/log/last-message.js';
import type { SelfReportPoll, SelfReports } from '../self-report/self-reports.js';
import { expireLearned, type Learned, type LearnRules, learn } from '../state/learned.js';
import { observe as remember } from '../state/memory-observe.js';
import { flappingOf } from '../state/memory-questions.js';
import type { State } from '../state/memory-state.js';
import type { ScanContext } from './discover.js';
import { type Draft, instancesOf, sightingOf } from './draft.js';
import { accountForDrops } from './drops.js';
import type { Observed } from './observe.js';
import type { Origin } from './origins/candidate-origin.js';
import { type SocketIndex, socketsOf } from './socket-index.js';
import { subjectsOf } from './subjects.js';

export interface ReportSources {
  procfs: ProcFs;
  selfReports: SelfReports;
  lastMessages: LastMessageReader;
  /** See `Sources.isSingleScan`. */
  isSingleScan?: boolean | undefined;
}

export interface Accounted {
  drafts: Draft[];
  state: State;
  drops: NonNullable<Snapshot['drops']>;
  gaps: Snapshot['gaps'];
}

/** `excluded`: instances beyond the limits; what is known of them stays. */
export async function account(
  sources: ReportSources,
  { settings, now, bootId }: ScanContext,
  state: State,
  { drafts, index }: Pick<Observed, 'drafts' | 'index'>,
  excluded: readonly Merged<Origin>[],
): Promise<Accounted> {
  const { discovery, selfReport, ports } = settings;
  // The names of duplicates do not last.
  const lasting = instancesOf(drafts.filter(({ merged }) => merged.duplicate === undefined));
  const { ledger, drops } = accountForDrops(state.ledger, lasting, index, { now, bootId });
  const learned = learnFrom(state.learned, instancesOf(drafts), index, now, discovery);
  const onHost = new Set(drafts.flatMap(({ instance: { id }, merged }) => (isOnHost(merged) ? [id] : [])));
  const poll = await sources.selfReports.poll(
    subjectsOf(lasting, index, netnsLink(sources.procfs, 'self'), onHost),
    state.reports,
    { ...selfReport, ports },
    now,
    sources.isSingleScan,
  );
  const next = { ...state, ledger, learned, reports: poll.stored };
  const sightings = drafts.map((draft) => sightingOf(draft, index));
  const ripening = { after: discovery.rememberAfter, remember: discovery.remember };
  return {
    drafts: withReports(drafts, poll, selfReport.logs ? sources.lastMessages : undefined),
    state: remember(next, sightings, now, bootId, { cut: excluded, ripening }),
    drops,
    gaps: poll.gaps,
  };
}

function isOnHost({ candidates: [{ root }] }: Draft['merged']): boolean {
  return root === '/';
}

/** Sockets of instances whose inputs cannot be predicted, while their descriptors can be read. */
function learnFrom(
  learned: Learned,
  instances: readonly Instance[],
  index: SocketIndex,
  now: number,
  rules: LearnRules,
): Learned {
  return instances.reduce(
    (all, instance) => {
      if (instance.process?.openFds === undefined || instance.prediction.outcome !== 'dynamic') return all;
      const predicted = instance.expected.filter((listener) => listener.input !== 'learned');
      const isPredicted = (socket: Socket) => predicted.some((listener) => isServedBy(listener, socket, index.ipv6));
      return learn(all, instance.name, { sockets: socketsOf(instance, index), isPredicted }, now, rules);
    },
    expireLearned(learned, now, rules),
  );
}

/** Adds self-reports, and the last `Exiting:` line of each instance that is down. `lastMessages`: undefined where logs are not read. */
function withReports(
  drafts: readonly Draft[],
  { reports, stored }: SelfReportPoll,
  lastMessages: LastMessageReader | undefined,
): Draft[] {
  const isLasting = ({ merged }: Draft) => merged.duplicate === undefined;
  const logOf = ({ instance }: Draft) => stored[instance.name]?.log;
  const logs = drafts.filter(isLasting).flatMap((draft) => logOf(draft) ?? []);
  return drafts.map((draft) => {
    if (!isLasting(draft)) return draft;
    const { instance } = draft;
    const selfReport = reports.get(instance.id);
    const log = instance.process === undefined ? logOf(draft) : undefined;
    const last = log && lastMessages?.read(log, logs);
    if (selfReport === undefined && last === undefined) return draft;
    const added = { ...(selfReport && { selfReport }), ...(last && { lastMessage: last }) };
    return { ...draft, instance: { ...instance, ...added } };
  });
}

/**
 * Instances with what the memory knows of them after this scan: a restart is reported by the scan that sees it. `state`: as it
 * was saved.
 */
export function withHistory(drafts: readonly Draft[], state: State, { settings, now }: ScanContext): Instance[] {
  const { restarts } = settings.thresholds;
  const threshold = { count: restarts.count, withinSeconds: restarts.within };
  return drafts.map(({ instance, merged }) => {
    if (merged.duplicate !== undefined) return instance;
    const known = state.instances[instance.id];
    if (known === undefined) return instance.account === undefined ? instance : { ...instance, newcomer: true };
    const flapping = flappingOf(known, now, threshold);
    return { ...instance, restarts: known.restarts, ...(flapping && { flapping }) };
  });
}
