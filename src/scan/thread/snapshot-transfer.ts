/**
 * The form in which a Snapshot is passed from one thread to another. Objects that stay the same from scan to scan (predictions,
 * listeners, drops, unchanged sockets) are passed once and are numbers from then on: copying them would cost more than the scan.
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
  /** Objects that the receiver does not have yet, by number. */
  fresh: [number, Known][];
}

/** For the sending thread. */
export function createPacker(): (snapshot: Snapshot) => SnapshotTransfer {
  // Not `perObject`: a number names its object and is no result made from it.
  const numbers = new WeakMap<Known, number>();
  /** Numbers in the last transfer: the receiver has these objects. */
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
    const packedDrops = drops && Object.entries(drops).map(([id, own]): [string, number] => [id, numberOf(own)]);
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

/** For the receiving thread. Forgets objects that a transfer does not mention, as the packer does. */
export function createUnpacker(): (transfer: SnapshotTransfer) => Snapshot {
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
