/** The settings without a file, apart from their parser: a start without a file does not load it. */
import type { Settings } from './settings.js';

export const defaultSettings: Settings = {
  discovery: {
    processNames: ['filebeat'],
    configGlobs: [],
    systemd: true,
    remember: 7 * 86_400,
    rememberAfter: 600,
    learnAfter: 300,
  },
  instances: [],
  ports: [],
  legacyPortMetric: false,
  thresholds: { receiveQueueRatio: 0.8, restarts: { count: 3, within: 600 }, frozenAfter: 10, stalledAfter: 60 },
  selfReport: { logs: true, http: false, silentAfter: 900 },
};
