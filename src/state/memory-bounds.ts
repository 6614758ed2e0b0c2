/** What of the state is written where all of it would be more than can be read again: the lowest claims go first. Pure. */
import { withinShares } from '../model/limits.js';
import type { KeptReports } from '../self-report/kept-report.js';
import type { Learned } from './learned.js';
import type { Ledger } from './ledger.js';
import type { RememberedInstance, State } from './memory-state.js';
import { encodeState } from './memory-text.js';

/** Room for what belongs to no instance. Bytes. */
const spare = 64 * 1024;

/** An instance with its share of the ledger, what was learned of it and what it says of itself. */
interface Part {
  known: RememberedInstance;
  ledger: Ledger;
  learned: Learned;
  reports: KeptReports;
}

/** The very same state where it is small, as nearly always. `most`: bytes as they are written. */
export function boundState(state: State, most: number): State {
  // Nobody can have more than a quarter of it.
  if (Buffer.byteLength(encodeState(state)) <= most / 4) return state;
  const parts = partsOf(state).sort((a, b) => rank(a.known) - rank(b.known) || b.known.lastSeen - a.known.lastSeen);
  const { kept } = withinShares(parts, most - spare, ({ known }) => known.account ?? 0, sizeOf);
  if (kept.size === parts.length) return state;
  const of = [...kept];
  return {
    ...state,
    instances: Object.fromEntries(of.map(({ known }) => [known.id, known])),
    ledger: Object.assign({}, ...of.map(({ ledger }) => ledger)) as Ledger,
    learned: Object.assign({}, ...of.map(({ learned }) => learned)) as Learned,
    reports: Object.assign({}, ...of.map(({ reports }) => reports)) as KeptReports,
  };
}

/** What root asks for goes before what was only seen. */
function rank({ origins }: RememberedInstance): number {
  return origins.some((origin) => origin === 'systemd' || origin === 'declared') ? 0 : 1;
}

function sizeOf({ known, ledger, learned, reports }: Part): number {
  const text = JSON.stringify({ instances: { [known.id]: known }, ledger, learned, reports }, null, 1);
  return Buffer.byteLength(text);
}

/** What belongs to a name that no remembered instance has is not written. */
function partsOf({ instances, ledger, learned, reports }: State): Part[] {
  const ledgers = new Map<string, Record<string, Ledger[string]>>();
  for (const [key, entry] of Object.entries(ledger)) {
    const name = (JSON.parse(key) as string[])[0]!;
    const own = ledgers.get(name) ?? {};
    own[key] = entry;
    ledgers.set(name, own);
  }
  return Object.values(instances).map((known) => {
    const own = learned[known.name];
    const report = reports[known.name];
    return {
      known,
      ledger: ledgers.get(known.name) ?? {},
      learned: own === undefined ? {} : { [known.name]: own },
      reports: report === undefined ? {} : { [known.name]: report },
    };
  });
}
