/**
 * A Snapshot on its way between two threads, each of which has its own memory. What stays the same from scan to scan
 * (predictions, listeners, drops, sockets at rest) crosses once and is a number from then on: copying it would cost more than the scan.
 */
import type { Instance, Listener, Prediction, Snapshot, Socket } from '../../model/model.js';

type Drops = NonNullable<Snapshot['drops']>[string];
type Known = Prediction | Listener[] | Socket | Drops;

export interface SnapshotTransfer {
  snapshot: Omit<Snapshot, 'instances' | 'sockets' | 'drops'>;
  sockets: number[];
  instances: (Omit<Instance, 'prediction' | 'expected'> & { prediction: number; expected: number })[];
  /** By `Instance.id`. */
  drops?: [id: string, drops: number][];
  /** What the other side does not have yet, by number. */
  fresh: [number, Known][];
}

/** The sending side; one for each thread that sends. */
export function createPacker(): (snapshot: Snapshot) => SnapshotTransfer {
  // Not `perObject`: these are names of objects, not results.
  const numbers = new WeakMap<Known, number>();
  /** Those in the last parcel: the other side has them. */
  let sent = new Set<number>();
  let next = 0;
  return ({ instances, sockets, drops, ...rest }) => {
    const used = new Set<number>();
    const fresh: [number, Known][] = [];
    const numberOf = (one: Known): number => {
      const number = numbers.get(one) ?? next++;
      numbers.set(one, number);
      if (!sent.has(number) && !used.has(number)) fresh.push([number, one]);
      used.add(number);
      return number;
    };
    const packed = instances.map((instance) => ({
      ...instance,
      prediction: numberOf(instance.prediction),
      expected: numberOf(instance.expected),
    }));
    const numbersOfSockets = sockets.map(numberOf);
    const packedDrops = drops && Object.entries(drops).map(([id, mine]): [string, number] => [id, numberOf(mine)]);
    sent = used;
    return {
      snapshot: rest,
      sockets: numbersOfSockets,
      instances: packed,
      ...(packedDrops === undefined ? {} : { drops: packedDrops }),
      fresh,
    };
  };
}

/** The receiving side of one packer. Forgets what is in no parcel, as the packer does. */
export function createUnpacker(): (parcel: SnapshotTransfer) => Snapshot {
  let known = new Map<number, Known>();
  return ({ snapshot, sockets, instances, drops, fresh }) => {
    for (const [number, one] of fresh) known.set(number, one);
    const used = new Map<number, Known>();
    const get = <T extends Known>(number: number): T => {
      const one = known.get(number)!;
      used.set(number, one);
      return one as T;
    };
    const unpacked = instances.map(({ prediction, expected, ...instance }) => ({
      ...instance,
      prediction: get<Prediction>(prediction),
      expected: get<Listener[]>(expected),
    }));
    const all = sockets.map((number) => get<Socket>(number));
    const unpackedDrops = drops && Object.fromEntries(drops.map(([id, number]) => [id, get<Drops>(number)]));
    known = used;
    return {
      ...snapshot,
      sockets: all,
      instances: unpacked,
      ...(unpackedDrops === undefined ? {} : { drops: unpackedDrops }),
    };
  };
}
