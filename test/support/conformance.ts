/**
 * Runs every case of a conformance corpus through `predict`, once for each release that the case names, and compares
 * state and sockets with what real Filebeats did. `node conformance.js [DIR…]`; exit 1 on a failure.
 */
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isCollector } from '../../src/filebeat/config/command.js';
import type { FileView } from '../../src/filebeat/files/file-view.js';
import { frozenView } from '../../src/filebeat/files/frozen-view.js';
import { collides } from '../../src/filebeat/net/address.js';
import { predict } from '../../src/filebeat/predict.js';
import { applies, parseRelease } from '../../src/filebeat/releases/releases.js';
import type { Listener, Prediction } from '../../src/model/model.js';
import { openFileView } from '../../src/proc/files/root-files.js';

export interface SocketRow {
  proto: string;
  address: string;
  port: number;
  ephemeral?: boolean;
}

interface Expected {
  state: string;
  /** `class | detail`; if it runs, its first error about an input or a file. */
  error?: string | null;
  listeners?: SocketRow[];
  tcp?: SocketRow[];
}

interface Case {
  id: string;
  category?: string;
  exe?: string;
  cwd?: string;
  argv: string[];
  env?: Record<string, string>;
  links?: Record<string, string>;
  expected: (Expected & { filebeat: string[]; alternatives?: Partial<Expected>[] })[];
}

/** The observed machine: loopback only, no name server, every port can be bound. */
const HOSTS = '127.0.0.1 localhost\n::1 localhost ip6-localhost\n';
const SERVICES = [
  ['ftp', 21],
  ['ssh', 22],
  ['telnet', 23],
  ['smtp', 25],
  ['domain', 53],
  ['tftp', 69],
  ['http', 80],
  ['ntp', 123],
  ['snmp', 161],
  ['snmp-trap', 162],
  ['https', 443],
  ['syslog', 514],
  ['syslog-tls', 6514],
]
  .flatMap(([name, port]) => [`${name} ${port}/tcp`, `${name} ${port}/udp`])
  .join('\n');

const MADE_UP: Record<string, string> = { '/etc/hosts': HOSTS, '/etc/services': SERVICES };

/** The host's files with the tables of the observed machine; scripts of modules existed there, but are not in a corpus. */
function caseFiles(): FileView {
  const real = openFileView('/');
  const stat = { kind: 'file', size: 1, mtime: 0, mode: 0o644, uid: 0, signature: 'made up' } as const;
  return {
    list: (path, limit) => real.list(path, limit),
    resolve: (path) => (path in MADE_UP ? { ok: true, value: path } : real.resolve(path)),
    head: (path, count) => real.head(path, count),
    read: (path, limit) =>
      path in MADE_UP ? { ok: true, value: { bytes: Buffer.from(MADE_UP[path]!), stat } } : real.read(path, limit),
    stat: (path) => (path in MADE_UP || /\/module\/.*\.js$/.test(path) ? { ok: true, value: stat } : real.stat(path)),
  };
}

/** A run of one case under one release. */
export interface Outcome {
  state: string;
  sockets: string[];
}

function rowKey({ proto, address, port, ephemeral }: SocketRow): string {
  return `${proto} ${address} ${ephemeral ? 'random' : port}`;
}

function outcomeOf(expected: Expected): Outcome {
  return {
    state: expected.state,
    sockets: [...(expected.listeners ?? []), ...(expected.tcp ?? [])].map(rowKey).sort(),
  };
}

/** The table row of a listener on that machine; undefined if it cannot be opened there. */
function openable({ protocol, target }: Listener): string | undefined {
  if (target.kind !== 'socket' && target.kind !== 'random') return undefined;
  const { address, family } = target;
  const local = address === '0.0.0.0' || address === '::' || address === '::1' || address.startsWith('127.');
  if (!local) return undefined;
  const port = target.kind === 'random' ? 'random' : target.port;
  return `${protocol}${family === 6 ? '6' : ''} ${address} ${port}`;
}

/** The sockets that remain if listeners start in this order: the first one keeps the port. */
function settle(listeners: readonly Listener[]): string[] {
  const open: Listener[] = [];
  const rows: string[] = [];
  const rivals = new Set<string>();
  const shared = new Set<string>();
  for (const listener of listeners) {
    const row = openable(listener);
    if (row === undefined || (listener.rival !== undefined && rivals.has(listener.rival))) continue;
    if (listener.shares && shared.has(row)) continue;
    const lost = open.some((other) => other.protocol === listener.protocol && collides(other.target, listener.target));
    if (listener.rival !== undefined) rivals.add(listener.rival);
    if (lost) continue;
    if (listener.shares) shared.add(row);
    open.push(listener);
    rows.push(row);
  }
  return rows.sort();
}

/** The outcomes of all start orders; if the order is certain, that outcome comes first. */
function possible(prediction: Prediction, release: string): Outcome[] {
  if (prediction.outcome === 'exits') return [{ state: 'exits', sockets: [] }];
  const { listeners } = prediction;
  const endpoint = listeners.find(({ input }) => input === 'http');
  const version = parseRelease(release);
  if (endpoint && openable(endpoint) === undefined && version && applies('http-must-bind', version)) {
    return [{ state: 'exits', sockets: [] }];
  }
  const inOrder = settle(listeners);
  const outcomes = new Map([[inOrder.join(), inOrder]]);
  // Enough orders for each listener of a conflicting group to be first.
  for (const favoured of listeners) {
    const rows = settle([
      ...listeners.filter(({ input }) => input === 'http'),
      favoured,
      ...listeners.filter((one) => one !== favoured),
    ]);
    outcomes.set(rows.join(), rows);
  }
  return [...outcomes.values()].map((sockets) => ({ state: 'running', sockets }));
}

function same(a: Outcome, b: Outcome): boolean {
  return a.state === b.state && a.sockets.join() === b.sockets.join();
}

function show({ state, sockets }: Outcome): string {
  return state === 'exits' ? 'exits' : `running [${sockets.join(', ')}]`;
}

/** One case under one release: observed and predicted. */
export interface CaseRun {
  id: string;
  category: string;
  release: string;
  argv: string[];
  observed: Expected & { alternatives?: Partial<Expected>[] };
  prediction: Prediction;
}

/** Every run of the case in a folder. */
export function runsOf(folder: string, homes: string): CaseRun[] {
  const text = readFileSync(join(folder, 'case.json'), 'utf8');
  const one = JSON.parse(text) as Case;
  let root = resolve(folder);
  let copy: string | undefined;
  if (one.links && Object.keys(one.links).length > 0) {
    copy = mkdtempSync(join(tmpdir(), 'conformance-'));
    cpSync(root, copy, { recursive: true, verbatimSymlinks: true });
    root = copy;
  }
  try {
    if (one.links && copy) makeLinks(one.links, copy, homes);
    const files = frozenView(caseFiles());
    return one.expected.flatMap((group) =>
      group.filebeat.map((release) => {
        const home = join(homes, release);
        const fill = (value: string): string => value.replaceAll('${CASE}', root).replaceAll('${HOME}', home);
        const exe = fill(one.exe ?? '${CASE}/filebeat');
        const argv = [exe, ...one.argv.map(fill), '--strict.perms=false'];
        const env = Object.fromEntries(Object.entries(one.env ?? {}).map(([key, value]) => [key, fill(value)]));
        const command = { argv, cwd: fill(one.cwd ?? '${CASE}'), env, uid: 0 };
        const prediction = predict(command, files, { release });
        return { id: one.id, category: one.category ?? 'none', release, argv, observed: group, prediction };
      }),
    );
  } finally {
    if (copy) rmSync(copy, { recursive: true, force: true });
  }
}

/** Undefined if the prediction is right; otherwise one line that says what differs. */
function runCase(folder: string, homes: string): { release: string; category: string; problem?: string }[] {
  return runsOf(folder, homes).map(({ id, category, release, argv, observed: group, prediction }) => {
    const outcomes = isCollector(argv) ? possible(prediction, release) : [{ state: 'exits', sockets: [] }];
    const wanted = [outcomeOf(group), ...(group.alternatives ?? []).map((other) => outcomeOf({ ...group, ...other }))];
    const race = group.alternatives !== undefined;
    const right = race
      ? prediction.outcome === 'ambiguous' || outcomes.some((got) => wanted.some((want) => same(got, want)))
      : prediction.outcome !== 'ambiguous' && prediction.outcome !== 'unknown' && same(outcomes[0]!, wanted[0]!);
    if (right) return { release, category };
    const reason = prediction.reason ? ` (${JSON.stringify(prediction.reason)})` : '';
    const faults = prediction.faults.length > 0 ? ` faults ${JSON.stringify(prediction.faults)}` : '';
    const got =
      prediction.outcome === 'runs' || prediction.outcome === 'exits'
        ? outcomes.map(show).join(' or ')
        : prediction.outcome;
    const problem = `${id} ${release}\n  expected  ${wanted.map(show).join(' or ')}\n  predicted ${got}${reason}${faults}`;
    return { release, category, problem };
  });
}

function makeLinks(links: Record<string, string>, root: string, homes: string): void {
  for (const [name, target] of Object.entries(links)) {
    const path = join(root, name);
    mkdirSync(dirname(path), { recursive: true });
    symlinkSync(target.replaceAll('${CASE}', root).replaceAll('${HOME}', homes), path);
  }
}

/** Folders with a `case.json` at or below a directory. */
export function casesBelow(directory: string): string[] {
  if (existsSync(join(directory, 'case.json'))) return [directory];
  return readdirSync(directory)
    .sort()
    .map((name) => join(directory, name))
    .filter((path) => statSync(path, { throwIfNoEntry: false })?.isDirectory() && !path.endsWith('/homes'))
    .flatMap(casesBelow);
}

/** Where `homes/<release>` lies: beside the cases, or above them. A link that was checked out as a file is followed. */
export function homesFor(folder: string): string {
  for (let at = resolve(folder); at !== '/'; at = dirname(at)) {
    const homes = join(at, 'homes');
    const stat = statSync(homes, { throwIfNoEntry: false });
    if (stat?.isDirectory()) return homes;
    if (stat?.isFile()) return resolve(at, readFileSync(homes, 'utf8').trim());
  }
  return join(folder, 'homes');
}

/** Prints failures and the score; returns the exit code. */
export function runConformance(directories: readonly string[], print: (line: string) => void): number {
  const totals = new Map<string, { passed: number; failed: number }>();
  let passed = 0;
  let failed = 0;
  for (const directory of directories) {
    if (!existsSync(directory)) {
      if (process.env['CI']) {
        print(`no corpus at ${directory}`);
        return 1;
      }
      print(`no corpus at ${directory}: skipped`);
      continue;
    }
    for (const folder of casesBelow(directory)) {
      for (const { release, category, problem } of runCase(folder, homesFor(folder))) {
        if (problem) print(problem);
        for (const key of [`category ${category}`, `release ${release}`]) {
          const total = totals.get(key) ?? { passed: 0, failed: 0 };
          total[problem ? 'failed' : 'passed']++;
          totals.set(key, total);
        }
        if (problem) failed++;
        else passed++;
      }
    }
  }
  for (const [key, total] of [...totals].sort(([a], [b]) => a.localeCompare(b, 'en', { numeric: true }))) {
    print(`${key}: ${total.passed} of ${total.passed + total.failed}`);
  }
  print(`${passed} passed, ${failed} failed`);
  return failed > 0 ? 1 : 0;
}

if (process.argv[1] && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const given = process.argv.slice(2);
  process.exitCode = runConformance(given.length > 0 ? given : ['../shared/corpus', '../shared/corpus-open'], (line) =>
    process.stdout.write(`${line}\n`),
  );
}
