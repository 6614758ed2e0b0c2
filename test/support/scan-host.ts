/** A process that scans in a thread for each input line, and prints one line about the Filebeat with that configuration. */
import { createInterface } from 'node:readline';
import { createLogger } from '../../src/runtime/log.js';
import { startScanThread } from '../../src/scan/thread/supervisor.js';
import { defaultSettings } from '../../src/settings/settings.js';

export interface ScanAnswer {
  outcome?: string;
  ports?: (number | undefined)[];
  stuck: number;
}

const look = startScanThread({
  scanner: { procfs: '/proc', rootfs: '/', stateFile: '', remember: false },
  settings: () => defaultSettings,
  log: createLogger({ level: 'error', format: 'logfmt', write: (line) => console.error(line), now: Date.now }),
  patience: 1000,
  quarantineMs: 100,
});
for await (const config of createInterface(process.stdin)) {
  const { instances } = await look.take();
  const prediction = instances.find((instance) => instance.config === config)?.prediction;
  const ports = prediction?.listeners.map(({ port }) => port);
  const answer: ScanAnswer = {
    ...(prediction && { outcome: prediction.outcome }),
    ...(ports && { ports }),
    stuck: look.blocked(),
  };
  console.log(JSON.stringify(answer));
}
