/**
 * The content of the picture, without coordinates: rows of ports between an instance and their owners. Served ports are
 * folded, ports in trouble have rows of their own, and a host of any size fits one picture. Pure.
 */
import type { Owner, PortStatus, PortVerdict, Report, StaticPortVerdict } from '../../../model/model.js';
import { endpointText } from '../../../words/words.js';
import { plural } from '../../format.js';
import { type InstanceView, instanceViews, ownerOf, portTone } from '../../view.js';

export type Tone = 'ok' | 'bad' | 'odd';

/** One port, or several folded into one row. */
export interface SceneRow {
  label: string;
  /** Beside the label; empty for a served port. */
  note: string;
  tone: Tone;
  /** Undefined: no owner, or not visible. */
  owner?: Owner;
}

export interface SceneGroup {
  label: string;
  note: string;
  tone: Tone;
  /** No process runs it. */
  gone: boolean;
  rows: SceneRow[];
}

/** Rows of the whole picture. */
const budget = 34;
/** Rows for the ports in trouble of one instance. */
const troubleRows = 6;
/** Rows for healthy instances if others are in trouble. */
const compactRows = 6;
/** A host with up to so many ports is drawn port by port. */
const smallHost = 16;

const notes: Partial<Record<PortStatus, string>> = {
  instance_down: 'down',
  owner_hidden: 'owner hidden',
  taken: 'taken',
};

function portRow(port: PortVerdict): SceneRow {
  const tone = portTone(port.status);
  const owner = ownerOf(port);
  return {
    label: `${port.protocol} ${endpointText(port.address, port.port)}`,
    note: tone === 'ok' ? '' : (notes[port.status] ?? port.status),
    tone,
    ...(owner === undefined ? {} : { owner }),
  };
}

/** Several served ports as one row with their range, linked to the first known owner. */
function foldServed(ports: readonly PortVerdict[]): SceneRow {
  const numbers = ports.flatMap((port) => (port.port === undefined ? [] : [port.port]));
  const [low, high] = numbers.reduce(([a, b], n) => [Math.min(a, n), Math.max(b, n)], [Infinity, -Infinity]);
  const owner = ports.map(ownerOf).find((o) => o !== undefined);
  return {
    label: `${plural(ports.length, 'port')} ${low === high ? low : `${low}–${high}`}`,
    note: '',
    tone: 'ok',
    ...(owner === undefined ? {} : { owner }),
  };
}

function rowsOf(ports: readonly PortVerdict[], unfolded: boolean): SceneRow[] {
  const trouble = ports
    .filter((port) => portTone(port.status) !== 'ok')
    .sort((a, b) => Number(portTone(b.status) === 'bad') - Number(portTone(a.status) === 'bad'));
  const served = ports.filter((port) => portTone(port.status) === 'ok');
  if (unfolded) return ports.map(portRow);
  const left = trouble.length - troubleRows;
  const worst = trouble.slice(troubleRows).some((port) => portTone(port.status) === 'bad') ? 'bad' : 'odd';
  return [
    ...trouble.slice(0, left === 1 ? troubleRows + 1 : troubleRows).map(portRow),
    ...(left > 1 ? [{ label: plural(left, 'more port'), note: 'not served', tone: worst as Tone }] : []),
    ...(served.length > 1 ? [foldServed(served)] : served.map(portRow)),
  ];
}

function groupOf({ instance, verdict }: InstanceView, unfolded: boolean): SceneGroup {
  const up = verdict.ports.filter((port) => port.up).length;
  const rows = rowsOf(verdict.ports, unfolded);
  const gone = verdict.up !== true;
  const state = verdict.up === undefined ? 'not known' : gone ? 'not running' : `pid ${instance.process?.pid ?? '?'}`;
  return {
    label: instance.name,
    note: `${state} · ${up} of ${plural(verdict.ports.length, 'port')}`,
    tone: verdict.up === undefined ? 'odd' : gone || rows.some((row) => row.tone === 'bad') ? 'bad' : 'ok',
    gone,
    rows,
  };
}

function staticGroup(statics: readonly StaticPortVerdict[]): SceneGroup[] {
  if (statics.length === 0) return [];
  const down = statics.filter((port) => !port.up);
  const up = statics.filter((port) => port.up);
  const row = (port: StaticPortVerdict): SceneRow => ({
    label: `${port.protocol} ${endpointText(port.address ?? '*', port.port)}`,
    note: port.up ? '' : 'not bound',
    tone: port.up ? 'ok' : 'bad',
    ...(port.owner === undefined ? {} : { owner: port.owner }),
  });
  const left = down.length - troubleRows;
  const rows = [
    ...down.slice(0, troubleRows).map(row),
    ...(left > 0 ? [{ label: plural(left, 'more port'), note: 'not bound', tone: 'bad' as const }] : []),
    ...(up.length > 4 ? [{ label: `${up.length} ports bound`, note: '', tone: 'ok' as const }] : up.map(row)),
  ];
  const note = `from the settings · ${up.length} of ${plural(statics.length, 'port')}`;
  return [{ label: 'Plain ports', note, tone: down.length > 0 ? 'bad' : 'ok', gone: false, rows }];
}

const rank: Record<Tone, number> = { bad: 0, odd: 1, ok: 2 };

/** Groups in trouble first; groups beyond the budget become one last group. */
export function pictureScene(report: Report, only?: string): SceneGroup[] {
  const views = instanceViews(report).filter(({ instance }) => only === undefined || instance.name === only);
  const total = views.reduce((sum, { verdict }) => sum + verdict.ports.length, 0);
  const small = total <= smallHost || (only !== undefined && total <= budget);
  const groups = [
    ...views.map((view) => groupOf(view, small)),
    ...(only === undefined ? staticGroup(report.verdict.statics) : []),
  ].sort((a, b) => rank[a.tone] - rank[b.tone]);
  const troubled = groups.some((group) => group.tone !== 'ok');
  let left = budget;
  let healthyLeft = troubled ? compactRows : budget;
  // Groups are sorted worst first, so those that do not fit are at the end.
  const end = groups.findIndex((group) => {
    const rows = Math.max(1, group.rows.length);
    left -= rows;
    if (group.tone === 'ok') healthyLeft -= rows;
    return left < 0 || healthyLeft < 0;
  });
  const shown = end === -1 ? groups : groups.slice(0, Math.max(1, end));
  const omitted = groups.slice(shown.length);
  if (omitted.length === 0) return groups;
  const broken = omitted.filter((group) => group.tone !== 'ok').length;
  const last: SceneGroup = {
    label: plural(omitted.length, 'more instance'),
    note: broken === 0 ? 'all served' : `${broken} of them in trouble`,
    tone: broken === 0 ? 'ok' : 'bad',
    gone: false,
    rows: [],
  };
  return [...shown, last];
}
