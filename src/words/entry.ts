/** The sentence of a journal entry. Pure. */
import type { Entry, EntryKind } from '../model/model.js';
import { plural } from './figures.js';
import { endpointsText, ownerText } from './locations.js';

/** One or two words: what happened. */
export const entryTitles: Record<EntryKind, string> = {
  appeared: 'discovered',
  forgotten: 'no longer expected',
  started: 'started',
  stopped: 'stopped',
  restarted: 'restarted',
  edited: 'edited',
  bound: 'bound',
  not_bound: 'not bound',
  lost: 'lost',
  taken: 'taken',
  drops_began: 'drops began',
  drops_ended: 'drops ended',
};

const ends = { clean: 'stopped cleanly', crash: 'crashed or was killed' };

function portsText({ ports = [], count = ports.length }: Entry): string {
  const left = count - ports.length;
  return left > 0 ? `${endpointsText(ports)} and ${left} more` : endpointsText(ports);
}

/** `pid 100 crashed or was killed`; without the instance, which has its own column. */
export function entryText(entry: Entry): string {
  const { kind, pid, former, end, file, count, by } = entry;
  switch (kind) {
    case 'appeared':
      return pid === undefined ? 'expected to run, but does not' : `runs as pid ${pid}`;
    case 'forgotten':
      return 'it expired, was forgotten, or was replaced by another instance';
    case 'started':
      return `as pid ${pid ?? '?'}`;
    case 'stopped':
      return `pid ${pid ?? '?'} ${end === undefined ? 'ended' : ends[end]}`;
    case 'restarted':
      return `pid ${pid ?? '?'} replaced pid ${former ?? '?'}`;
    case 'edited':
      return `${file ?? 'a file'}${count !== undefined && count > 1 ? ` and ${plural(count - 1, 'more file')}` : ''}`;
    case 'taken':
      return `${portsText(entry)}${by === undefined ? '' : ` by ${ownerText(by)}`}`;
    case 'drops_began':
      return `${portsText(entry)} loses datagrams`;
    case 'drops_ended':
      return `${portsText(entry)} has lost none for 5 minutes`;
    default:
      return portsText(entry);
  }
}
