/**
 * The form in which a Snapshot is passed from one thread to another. Objects that stay the same from scan to scan (instances,
 * predictions, listeners, drops, unchanged sockets) are passed once and are numbers from then on: copying them would cost more
 * than the scan.
 */
import type { Instance, Listener, Prediction, Snapshot, Socket } from '../../model/model.js';

type Drops = NonNullable<Snapshot['drops']>[string];
type Part = Prediction | Listener[] | Socket | Drops;
/** Its largest parts are passed separately, since they stay the same for longer. */
type PackedInstance = Omit<Instance, 'prediction' | 'expected'> & { prediction: number; expected: number };

export interface SnapshotTransfer {
  snapshot: Omit<Snapshot, 'instances' | 'sockets' | 'drops'>;
  sockets: number[];
  instances: number[];
  /** By `Instance.id`. */
  drops?: [id: string, drops: number][];
  /** Objects that the receiver does not have yet, by number. */
  fresh: [number, Part][];
  freshInstances: [number, PackedInstance][];
}

/** For the sending thread. */
export function createPacker(): (snapshot: Snapshot) => SnapshotTransfer {
  // Not `perObject`: a number names its object and is no result made from it.
  const numbers = new WeakMap<Part | Instance, number>();
  /** Numbers in the last transfer: the receiver has these objects. */
  let sent = new Set<number>();
  let next = 0;
  return ({ instances, sockets, drops, ...rest }) => {
    const used = new Set<number>();
    /** `send`: called for an object that the receiver does not have. */
    function numberOf<T extends Part | Instance>(one: T, send: (number: number, one: T) => void): number {
      let number = numbers.get(one);
      if (number === undefined) {
        number = next++;
        numbers.set(one, number);
      }
      if (!sent.has(number) && !used.has(number)) send(number, one);
      used.add(number);
      return number;
    }
    const fresh: [number, Part][] = [];
    const freshInstances: [number, PackedInstance][] = [];
    const sendPart = (number: number, one: Part) => void fresh.push([number, one]);
    const numberOfPart = (one: Part) => numberOf(one, sendPart);
    const numberOfInstance = (instance: Instance) => {
      // Also where the receiver has the instance: its parts stay in use.
      const parts = { prediction: numberOfPart(instance.prediction), expected: numberOfPart(instance.expected) };
      return numberOf(instance, (number, one) => void freshInstances.push([number, { ...one, ...parts }]));
    };
    const packedInstances = instances.map(numberOfInstance);
    const packedSockets = sockets.map(numberOfPart);
    const packedDrops = drops && Object.entries(drops).map(([id, own]): [string, number] => [id, numberOfPart(own)]);
    sent = used;
    return {
      snapshot: rest,
      sockets: packedSockets,
      instances: packedInstances,
      ...(packedDrops === undefined ? {} : { drops: packedDrops }),
      fresh,
      freshInstances,
    };
  };
}

/** For the receiving thread. Forgets objects that a transfer does not mention, as the packer does. */
export function createUnpacker(): (transfer: SnapshotTransfer) => Snapshot {
  let parts = new Map<number, Part>();
  let instances = new Map<number, { instance: Instance; prediction: number; expected: number }>();
  return ({ snapshot, sockets, instances: numbers, drops, fresh, freshInstances }) => {
    for (const [number, one] of fresh) parts.set(number, one);
    const partsInUse = new Map<number, Part>();
    const get = <T extends Part>(number: number): T => {
      const one = parts.get(number)!;
      partsInUse.set(number, one);
      return one as T;
    };
    for (const [number, one] of freshInstances) {
      const { prediction, expected } = one;
      const instance = { ...one, prediction: get<Prediction>(prediction), expected: get<Listener[]>(expected) };
      instances.set(number, { instance, prediction, expected });
    }
    const instancesInUse: typeof instances = new Map();
    const unpacked = numbers.map((number) => {
      const known = instances.get(number)!;
      instancesInUse.set(number, known);
      get(known.prediction);
      get(known.expected);
      return known.instance;
    });
    const all = sockets.map((number) => get<Socket>(number));
    const unpackedDrops = drops && Object.fromEntries(drops.map(([id, number]) => [id, get<Drops>(number)]));
    parts = partsInUse;
    instances = instancesInUse;
    return {
      ...snapshot,
      sockets: all,
      instances: unpacked,
      ...(unpackedDrops === undefined ? {} : { drops: unpackedDrops }),
    };
  };
}
