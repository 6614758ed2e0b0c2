/** The thread that scans. A read may block it; then `supervisor.ts`, which watches it, continues with another thread. */
import { parentPort, workerData } from 'node:worker_threads';
import { type QuarantinedPath, startHeartbeat } from '../../proc/heartbeat.js';
import { defectText } from '../../runtime/defect.js';
import type { Level } from '../../runtime/log.js';
import type { Settings } from '../../settings/settings.js';
import { createScanner, type ScannerOptions } from '../host-scan.js';
import { createPacker, type SnapshotTransfer } from './snapshot-transfer.js';
import { tuneV8 } from './v8-flags.js';

export interface WorkerStart {
  scanner: ScannerOptions;
  settings: Settings;
  heartbeat: SharedArrayBuffer;
  /** Paths to skip: see `proc/heartbeat.ts`. */
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

tuneV8();
const port = parentPort!;
const start = workerData as WorkerStart;
const send = (message: WorkerMessage) => port.postMessage(message);
let { settings } = start;
startHeartbeat({ shared: start.heartbeat, avoid: start.avoid });
const scanner = createScanner(
  { ...start.scanner, background: true },
  () => settings,
  (level, message) => send({ kind: 'log', level, message }),
);
const pack = createPacker();

async function obey(order: Exclude<Order, { kind: 'settings' }>): Promise<void> {
  const { id } = order;
  if (order.kind === 'take') send({ kind: 'done', id, transfer: pack(await scanner.take()) });
  else if (order.kind === 'forget')
    send({ kind: 'done', id, forgot: await scanner.forget(order.name, order.keepInstance) });
  else {
    await scanner.close();
    send({ kind: 'done', id });
  }
}

port.on('message', (order: Order) => {
  if (order.kind === 'settings') settings = order.settings;
  else obey(order).catch((error: unknown) => send({ kind: 'failed', id: order.id, message: defectText(error) }));
});
