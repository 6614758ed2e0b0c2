/** The thread that scans. It may hang in a read: `supervisor.ts` watches it from outside, and goes on without it. */
import { parentPort, workerData } from 'node:worker_threads';
import { type Place, tellPlaces } from '../../proc/place.js';
import { defectText } from '../../runtime/defect.js';
import type { Level } from '../../runtime/log.js';
import type { Settings } from '../../settings/settings.js';
import { type LookOptions, openLook } from '../host-scan.js';
import { createPacker, type Parcel } from './snapshot-transfer.js';

export interface WorkerStart {
  look: LookOptions;
  settings: Settings;
  place: SharedArrayBuffer;
  /** See `place.ts`. */
  avoid: Place[];
}

export type Order =
  | { id: number; kind: 'take' }
  | { id: number; kind: 'forget'; name: string; keepInstance: boolean }
  | { id: number; kind: 'close' }
  | { kind: 'settings'; settings: Settings };

export type Told =
  | { kind: 'log'; level: Level; message: string }
  | { kind: 'done'; id: number; parcel?: Parcel; forgot?: boolean }
  | { kind: 'failed'; id: number; message: string };

const port = parentPort!;
const start = workerData as WorkerStart;
const tell = (told: Told) => port.postMessage(told);
let { settings } = start;
tellPlaces({ shared: start.place, avoid: start.avoid });
const look = openLook(
  { ...start.look, background: true },
  () => settings,
  (level, message) => tell({ kind: 'log', level, message }),
);
const pack = createPacker();

async function obey(order: Exclude<Order, { kind: 'settings' }>): Promise<void> {
  const { id } = order;
  if (order.kind === 'take') tell({ kind: 'done', id, parcel: pack(await look.take()) });
  else if (order.kind === 'forget')
    tell({ kind: 'done', id, forgot: await look.forget(order.name, order.keepInstance) });
  else {
    await look.close();
    tell({ kind: 'done', id });
  }
}

port.on('message', (order: Order) => {
  if (order.kind === 'settings') settings = order.settings;
  else obey(order).catch((error: unknown) => tell({ kind: 'failed', id: order.id, message: defectText(error) }));
});
