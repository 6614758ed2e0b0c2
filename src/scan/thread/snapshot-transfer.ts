/**
 * The form in which a Snapshot is passed from one thread to another. Objects that stay the same from scan to scan (instances,
 * predictions, listeners, drops, unchanged sockets) are passed once and are numbers from then on, and a list that stays the same is
 * not passed at all: copying them would cost more than the scan.
 */
import type { Instance, Listener, Prediction, Snapshot, Socket } from '../../model/model.js';
import { isSameList, perObject } from '../../runtime/unchanged.js';

type Drops = NonNullable<Snapshot['drops']>[string];
/** The largest parts of an instance are passed separately, since they stay the same for longer. */
type Part = Prediction | Listener[];
type BareInstance = Omit<Instance, 'prediction' | 'expected'>;

/** From one list to the next. */
interface ListUpdate<T> {
  numbers: number[];
  /** Objects that the receiver does not have yet. */
  fresh: [number, T][];
  /** Numbers of objects that are not in the list any more. */
  dropped: number[];
}

/** An absent list is the same as in the last transfer. */
export interface SnapshotTransfer {
  snapshot: Omit<Snapshot, 'instances' | 'sockets' | 'drops'>;
  sockets?: ListUpdate<Socket>;
  instances?: ListUpdate<BareInstance>;
  /** Prediction and expected listeners of each instance. */
  parts?: ListUpdate<Part>;
  drops?: ListUpdate<Drops>;
  /** The instances that `drops` belong to; absent where there are none. */
  dropIds?: string[];
}

/** `bare`: the object as it is passed. Returns undefined for the same list as before. */
function createSender<T extends object, B>(bare: (one: T) => B): (list: readonly T[]) => ListUpdate<B> | undefined {
  let last: readonly T[] = [];
  /** What the receiver has. */
  let sent = new Map<T, number>();
  let next = 0;
  return (list) => {
    if (isSameList(list, last)) return undefined;
    last = list;
    const before = sent;
    sent = new Map();
    const fresh: [number, B][] = [];
    const numbers = list.map((one) => {
      const known = sent.get(one) ?? before.get(one);
      const number = known ?? next++;
      if (known === undefined) fresh.push([number, bare(one)]);
      sent.set(one, number);
      return number;
    });
    const dropped = [...before].flatMap(([one, number]) => (sent.has(one) ? [] : [number]));
    return { numbers, fresh, dropped };
  };
}

function createReceiver<T>(): (update: ListUpdate<T> | undefined) => T[] {
  let list: T[] = [];
  const known = new Map<number, T>();
  return (update) => {
    if (update === undefined) return list;
    for (const [number, one] of update.fresh) known.set(number, one);
    list = update.numbers.map((number) => known.get(number)!);
    for (const number of update.dropped) known.delete(number);
    return list;
  };
}

/** For the sending thread. */
export function createPacker(): (snapshot: Snapshot) => SnapshotTransfer {
  const sockets = createSender((one: Socket) => one);
  const instances = createSender(({ prediction, expected, ...bare }: Instance): BareInstance => bare);
  const parts = createSender((one: Part) => one);
  const drops = createSender((one: Drops) => one);
  return ({ instances: all, sockets: open, drops: dropped, ...snapshot }) => {
    const [socketList, instanceList] = [sockets(open), instances(all)];
    const partList = parts(all.flatMap(({ prediction, expected }): Part[] => [prediction, expected]));
    const dropList = drops(Object.values(dropped ?? {}));
    return {
      snapshot,
      ...(socketList && { sockets: socketList }),
      ...(instanceList && { instances: instanceList }),
      ...(partList && { parts: partList }),
      ...(dropList && { drops: dropList }),
      ...(dropped && { dropIds: Object.keys(dropped) }),
    };
  };
}

/** The same object for the same parts. */
const wholeInstance = perObject(
  (bare: BareInstance, prediction: Prediction, expected: Listener[]): Instance => ({ ...bare, prediction, expected }),
);

/** For the receiving thread, which needs every transfer of the other. */
export function createUnpacker(): (transfer: SnapshotTransfer) => Snapshot {
  const sockets = createReceiver<Socket>();
  const instances = createReceiver<BareInstance>();
  const parts = createReceiver<Part>();
  const drops = createReceiver<Drops>();
  return ({ snapshot, dropIds, ...updates }) => {
    const allParts = parts(updates.parts);
    const allDrops = drops(updates.drops);
    return {
      ...snapshot,
      sockets: sockets(updates.sockets),
      instances: instances(updates.instances).map((bare, at) =>
        wholeInstance(bare, allParts[2 * at] as Prediction, allParts[2 * at + 1] as Listener[]),
      ),
      ...(dropIds && { drops: Object.fromEntries(dropIds.map((id, at) => [id, allDrops[at]!])) }),
    };
  };
}
