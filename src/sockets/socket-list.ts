/** From rows and owners to the sockets of a scan: what did not change is the same object, see `runtime/unchanged.ts`. */
import { isSameProcess } from '../model/instance-rules.js';
import type { Owner, Socket } from '../model/model.js';
import { isSameList, perObject } from '../runtime/unchanged.js';
import type { Attribution, SeenSocket } from './attribution.js';
import type { Wanted } from './consensus.js';
import type { RowSet } from './row-set.js';
import type { SocketRow } from './table.js';

export type SeenRow = SeenSocket & { row: SocketRow };

const NO_ROWS: readonly SeenRow[] = [];

/** The rows of one namespace, in their order; those at wanted endpoints are marked, since their owners must be known. */
export const seenRows = perObject((found: RowSet, netns: number, wanted: readonly Wanted[]): readonly SeenRow[] => {
  const concerned = new Set<SocketRow>();
  for (const { protocol, port, isServedBy, isBlockedBy } of wanted)
    for (const row of found.at(protocol, port)) if (isServedBy(row) || isBlockedBy?.(row)) concerned.add(row);
  return found.rows.map((row) => ({ inode: row.inode, netns, wanted: concerned.has(row), row }));
});

const concat = perObject((_first: readonly SeenRow[], lists: readonly (readonly SeenRow[])[]) => lists.flat());

/** The rows of all namespaces, in their order. */
export function allSeen(spaces: Iterable<{ seen: readonly SeenRow[] }>): readonly SeenRow[] {
  const lists = Array.from(spaces, ({ seen }) => seen);
  const [first = NO_ROWS] = lists;
  return lists.length < 2 ? first : concat(first, lists);
}

/** Returns the sockets of each scan, in the order of the rows. */
export function createSocketList() {
  let last: { seen: readonly SeenRow[]; sockets: Socket[] } = { seen: NO_ROWS, sockets: [] };
  return (seen: readonly SeenRow[], { ownersOf, areOwnersKnown }: Attribution): Socket[] => {
    const byInode = seen === last.seen ? undefined : new Map(last.sockets.map((socket) => [socket.inode, socket]));
    const sockets = seen.map((one, at) =>
      unlessChanged(byInode ? byInode.get(one.inode) : last.sockets[at], one, ownersOf(one), areOwnersKnown(one)),
    );
    last = { seen, sockets: isSameList(last.sockets, sockets) ? last.sockets : sockets };
    return last.sockets;
  };
}

function unlessChanged(
  before: Socket | undefined,
  { row, netns }: SeenRow,
  owners: readonly Owner[],
  ownersKnown: boolean,
): Socket {
  const { protocol, family, address, port, inode, uid, receiveQueue, drops } = row;
  const isSame =
    before !== undefined &&
    before.receiveQueue === receiveQueue &&
    before.drops === drops &&
    before.port === port &&
    before.address === address &&
    before.protocol === protocol &&
    before.family === family &&
    before.netns === netns &&
    before.uid === uid &&
    before.ownersKnown === ownersKnown &&
    isSameOwners(before.owners, owners);
  return isSame
    ? before
    : { protocol, family, address, port, netns, inode, uid, receiveQueue, drops, owners, ownersKnown };
}

function isSameOwners(a: readonly Owner[], b: readonly Owner[]): boolean {
  return (
    a === b ||
    (a.length === b.length && a.every((owner, at) => isSameProcess(owner, b[at]!) && owner.comm === b[at]!.comm))
  );
}
