/** Limits the state to a size that can be read again: the instances of the lowest priority are left out first. */
import { isConfiguredByRoot } from '../model/instance-rules.js';
import { withinShares } from '../model/limits.js';
import type { StoredReports } from '../self-report/stored-report.js';
import type { Learned } from './learned.js';
import type { Ledger } from './ledger.js';
import type { RememberedInstance, State } from './memory-state.js';
import { encodeState } from './memory-text.js';

/** Bytes reserved for what belongs to no instance. */
const spare = 64 * 1024;

/** An instance with its part of the ledger, of the learned listeners and of the reports. */
interface Part {
  known: RememberedInstance;
  ledger: Ledger;
  learned: Learned;
  reports: StoredReports;
}

/** Returns the same object where the state is small enough. `most`: bytes of the file. */
export function boundState(state: State, most: number): State {
  // Each user has at most a quarter of it.
  if (Buffer.byteLength(encodeState(state)) <= most / 4) return state;
  const parts = partsOf(state).sort(
    (a, b) =>
      Number(isConfiguredByRoot(b.known)) - Number(isConfiguredByRoot(a.known)) || b.known.lastSeen - a.known.lastSeen,
  );
  const { included } = withinShares(parts, most - spare, ({ known }) => known.account ?? 0, sizeOf);
  if (included.size === parts.length) return state;
  const kept = [...included];
  return {
    ...state,
    instances: Object.fromEntries(kept.map(({ known }) => [known.id, known])),
    ledger: Object.assign({}, ...kept.map(({ ledger }) => ledger)) as Ledger,
    learned: Object.assign({}, ...kept.map(({ learned }) => learned)) as Learned,
    reports: Object.assign({}, ...kept.map(({ reports }) => reports)) as StoredReports,
  };
}

function sizeOf({ known, ledger, learned, reports }: Part): number {
  const text = JSON.stringify({ instances: { [known.id]: known }, ledger, learned, reports }, null, 1);
  return Buffer.byteLength(text);
}

/** Rows of a name without a remembered instance are left out. */
function partsOf({ instances, ledger, learned, reports }: State): Part[] {
  const ledgers = new Map<string, Record<string, Ledger[string]>>();
  for (const [key, entry] of Object.entries(ledger)) {
    const name = (JSON.parse(key) as string[])[0]!;
    const rows = ledgers.get(name) ?? {};
    rows[key] = entry;
    ledgers.set(name, rows);
  }
  return Object.values(instances).map((known) => {
    const sockets = learned[known.name];
    const report = reports[known.name];
    return {
      known,
      ledger: ledgers.get(known.name) ?? {},
      learned: sockets === undefined ? {} : { [known.name]: sockets },
      reports: report === undefined ? {} : { [known.name]: report },
    };
  });
}
