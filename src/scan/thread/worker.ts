/** The thread that scans. It may hang in a read: `supervisor.ts` watches it from outside, and goes on without it. */
import { parentPort, workerData } from 'node:worker_threads';
import { type QuarantinedPath, startHeartbeat } from '../../proc/heartbeat.js';
import { defectText } from '../../runtime/defect.js';
import type { Level } from '../../runtime/log.js';
import type { Settings } from '../../settings/settings.js';
import { createScanner, type ScannerOptions } from '../host-scan.js';
import { createPacker, type SnapshotTransfer } from './snapshot-transfer.js';

export interface WorkerStart {
  scanner: ScannerOptions;
  settings: Settings;
  heartbeat: SharedArrayBuffer;
  /** See `place.ts`. */
  avoid: QuarantinedPath[];
}

export type Order =
  | { id: number; kind: 'take' }
  | { id: number; kind: 'forget'; name: string; keepInstance: boolean }
  | { id: number; kind: 'close' }
  | { kind: 'settings'; settings: Settings };

export type WorkerMessage =
  | { kind: 'log'; level: Level; message: string }
  | { kind: 'done'; id: number; transfer?: SnapshotTransfer; forgot?: boolean }
  | { kind: 'failed'; id: number; message: string };

const port = parentPort!;
const start = workerData as WorkerStart;
const send = (told: WorkerMessage) => port.postMessage(told);
let { settings } = start;
startHeartbeat({ shared: start.heartbeat, avoid: start.avoid });
const look = createScanner(
  { ...start.scanner, background: true },
  () => settings,
  (level, message) => send({ kind: 'log', level, message }),
);
const pack = createPacker();

async function obey(order: Exclude<Order, { kind: 'settings' }>): Promise<void> {
  const { id } = order;
  if (order.kind === 'take') send({ kind: 'done', id, transfer: pack(await look.take()) });
  else if (order.kind === 'forget')
    send({ kind: 'done', id, forgot: await look.forget(order.name, order.keepInstance) });
  else {
    await look.close();
    send({ kind: 'done', id });
  }
}

port.on('message', (order: Order) => {
  if (order.kind === 'settings') settings = order.settings;
  else obey(order).catch((error: unknown) => send({ kind: 'failed', id: order.id, message: defectText(error) }));
});
