/** Faults that only a Filebeat's log shows. */
import { appendFileSync, openSync } from 'node:fs';
import { metricsLine, type Period, said } from '../filebeat-log.js';
import type { Act } from './acts.js';
import { scrapes } from './hurry.js';
import { type LoggedName, ports } from './plots.js';
import { logOf, type Stage } from './stage.js';

/** Seconds between two metrics lines by their timestamps, which may be ahead of the clock. */
const period = 30;

/** Appends a metrics line for each period. */
function writerOf(stage: Stage, name: LoggedName): (...periods: readonly Period[]) => void {
  let file: number | undefined;
  let last = 0;
  return (...periods) => {
    // Stays open, because the file may be removed while the last lines are written.
    file ??= openSync(logOf(stage.host, name), 'a');
    for (const one of periods) {
      last = Math.max(Date.now() / 1000, last + period);
      appendFileSync(file, `${metricsLine('json', last, one)}\n`);
    }
  };
}

export function actsOnLogs(stage: Stage): Record<LoggedName, Act> {
  const writers = {
    failing: writerOf(stage, 'failing'),
    losing: writerOf(stage, 'losing'),
    silent: writerOf(stage, 'silent'),
    slow: writerOf(stage, 'slow'),
  };
  const device = `0.0.0.0:${ports.silent}`;
  const receive = () => writers.silent({ in: 5, acked: 5, active: 0, inputs: { 'udp-1': { received: 5, device } } });
  let traffic: NodeJS.Timeout;
  const startTraffic = () => {
    receive();
    traffic = setInterval(receive, 500).unref();
  };

  return {
    failing: {
      // The first line shows waiting events; the other two that none was acknowledged for a minute.
      break: async () =>
        writers.failing({ in: 1000, active: 1000 }, { in: 1000, active: 2000 }, { in: 1000, active: 3000 }),
      mend: async () => writers.failing({ acked: 3000, active: 0 }),
    },
    losing: {
      break: async () =>
        writers.losing({ in: 100, acked: 100, active: 0 }, { in: 100, acked: 90, dropped: 10, active: 0 }),
      // Lost events count for five minutes of the log.
      mend: async () => writers.losing(...Array(11).fill({ in: 100, acked: 100, active: 0 })),
    },
    slow: {
      break: async () => writers.slow(...Array(4).fill({ in: 100, acked: 100, active: 3201 })),
      mend: async () => writers.slow({ acked: 3201, active: 0 }, { in: 100, acked: 100, active: 0 }),
    },
    reload: {
      break: async () =>
        appendFileSync(
          logOf(stage.host, 'reload'),
          `${said('json', Date.now() / 1000, "Error loading config from file '/etc/filebeat/inputs.d/x.yml', error invalid config: yaml: x")}\n`,
        ),
      // Filebeat would log the error again within a minute; without that, it has loaded the file.
      mend: async () => undefined,
    },
    silent: {
      async break() {
        startTraffic();
        // A port can be silent only after it was watched for six times `silent_after`.
        await scrapes(6);
        clearInterval(traffic);
      },
      mend: async () => startTraffic(),
    },
  };
}
