/** States for tests of the state file. */

import type { Listener } from '../../src/model/model.js';
import { emptyState, type RememberedInstance, type State } from '../../src/state/memory-state.js';

export const udp = (port: number): Listener => ({
  protocol: 'udp',
  address: '*',
  port,
  target: { kind: 'socket', family: 6, address: '::', port, serves: 'any' },
  input: 'udp',
  declaredIn: { file: '/etc/filebeat/filebeat.yml', line: 3 },
  retry: 'never',
});

export const known = (name: string, rest: Partial<RememberedInstance> = {}): RememberedInstance => ({
  id: `id-${name}`,
  name,
  config: `${name}.yml`,
  root: '/',
  network: 'host',
  mainFiles: [`/etc/filebeat/${name}.yml`],
  pathData: `/var/lib/${name}`,
  origins: ['process'],
  netns: 1,
  expected: [udp(9000)],
  start: { pid: 7, startTicks: 70, bootId: 'boot', startTime: 100, listeners: [udp(9000)] },
  firstSeen: 100,
  lastSeen: 200,
  restarts: 0,
  restartTimes: [],
  ...rest,
});

export const stateOf = (...instances: RememberedInstance[]): State => ({
  ...emptyState,
  instances: Object.fromEntries(instances.map((one) => [one.id, one])),
});

/** Forty instances with the same `number`, so that a mixture of two states is visible. */
export const stateNumber = (number: number): State =>
  stateOf(...Array.from({ length: 40 }, (_, n) => known(`instance-${n}`, { restarts: number })));
