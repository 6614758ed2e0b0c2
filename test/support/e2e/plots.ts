/** The faults as data: host, description and expected alerts. */

/** Address of each host's exporter, its label `instance`. */
export const addresses = {
  main: '127.0.0.1:9117',
  rebooted: '127.0.0.1:9118',
  stuck: '127.0.0.1:9119',
  blinded: '127.0.0.1:9120',
  unprivileged: '127.0.0.1:9121',
} as const;
export type HostName = keyof typeof addresses;

/** One Filebeat of the main host with one port for each fault. */
export const ports = {
  killed: 9001,
  robbed: 9002,
  lost: 9003,
  invalid: 9004,
  edited: 9005,
  flapping: 9006,
  flooded: 9007,
  clashing: 9008,
  narrowed: 9009,
  learned: 9010,
  failing: 9011,
  losing: 9012,
  silent: 9013,
  slow: 9014,
  reload: 9015,
} as const;
export type Name = keyof typeof ports;
/** Those that write a log. */
export const loggedNames = ['failing', 'losing', 'silent', 'slow', 'reload'] as const satisfies readonly Name[];
export type LoggedName = (typeof loggedNames)[number];
export const plainPort = 9200;

export interface Plot {
  host: HostName;
  what: string;
  /** Alert → its required labels. */
  alerts: Record<string, Record<string, string>>;
  /** What ends it. */
  cure: string;
}

const lab = { site: 'lab', job: 'filebeat-port-exporter' };
const critical = (name: string) => ({ ...lab, severity: 'critical', name, config: `/etc/filebeat/${name}.yml` });
const warning = (name: string) => ({ ...critical(name), severity: 'warning' });
const port = (name: Name) => ({ protocol: 'udp', address: '*', port: String(ports[name]) });

/** Faults of a host other than the main one come one by one. */
export const plots = {
  killed: {
    host: 'main',
    what: 'kill -9 of a Filebeat',
    alerts: { FilebeatDown: critical('killed') },
    cure: 'started again',
  },
  robbed: {
    host: 'main',
    what: 'another process takes the port while Filebeat restarts',
    alerts: { FilebeatPortTaken: { ...critical('robbed'), ...port('robbed') } },
    cure: 'thief stopped, Filebeat bound',
  },
  lost: {
    host: 'main',
    what: 'a running Filebeat loses its socket',
    alerts: { FilebeatPortNotServed: { ...critical('lost'), ...port('lost') } },
    cure: 'bound again',
  },
  invalid: {
    host: 'main',
    what: 'a configuration edited into one that Filebeat refuses',
    alerts: { FilebeatConfigInvalid: critical('invalid') },
    cure: 'edit taken back',
  },
  edited: {
    host: 'main',
    what: 'a listener added to the file of a Filebeat that is not restarted',
    alerts: { FilebeatRestartPending: warning('edited') },
    cure: 'restarted',
  },
  flapping: {
    host: 'main',
    what: 'a Filebeat restarts three times',
    alerts: { FilebeatFlapping: warning('flapping') },
    cure: 'no more restarts',
  },
  flooded: {
    host: 'main',
    what: 'more datagrams than Filebeat reads',
    alerts: {
      FilebeatDropsDatagrams: { ...warning('flooded'), ...port('flooded') },
      FilebeatQueueNearFull: { ...warning('flooded'), ...port('flooded') },
    },
    cure: 'flood ended, queue read',
  },
  clashing: {
    host: 'main',
    what: 'one file asks twice for a port',
    alerts: { FilebeatConflict: { ...critical('clashing'), protocol: 'udp', port: String(ports.clashing) } },
    cure: 'one of them removed, restarted',
  },
  narrowed: {
    host: 'main',
    what: 'a socket for IPv4 alone where both families are asked for',
    alerts: { FilebeatMismatch: { ...warning('narrowed'), code: 'port_narrower' } },
    cure: 'bound as asked for',
  },
  learned: {
    host: 'main',
    what: 'a learned socket goes',
    alerts: { FilebeatLearnedPortGone: { ...warning('learned'), ...port('learned') } },
    cure: 'bound again',
  },
  failing: {
    host: 'main',
    what: 'events wait and the output acknowledges none, by the log',
    alerts: { FilebeatOutputFailing: critical('failing') },
    cure: 'events are acknowledged again',
  },
  losing: {
    host: 'main',
    what: 'the output gives up on events, by the log',
    alerts: { FilebeatEventsDropped: warning('losing') },
    cure: 'five minutes of log without a loss',
  },
  slow: {
    host: 'main',
    what: 'the queue stays full while some events are acknowledged, by the log',
    alerts: { FilebeatOutputSlow: warning('slow') },
    cure: 'the queue is worked off',
  },
  reload: {
    host: 'main',
    what: 'an edited file that cannot be loaded, by the log',
    alerts: { FilebeatReloadFailed: warning('reload') },
    cure: 'no such line any more',
  },
  silent: {
    host: 'main',
    what: 'nothing arrives any more at a port that is served, by the log',
    alerts: { FilebeatPortSilent: { ...warning('silent'), ...port('silent') } },
    cure: 'events arrive again',
  },
  plain: {
    host: 'main',
    what: 'a plain port of the settings loses its process',
    alerts: { FilebeatStaticPortDown: { ...lab, severity: 'critical', protocol: 'udp', port: String(plainPort) } },
    cure: 'process started',
  },
  reboot: {
    host: 'rebooted',
    what: 'a reboot that does not start an enabled unit; nothing is remembered',
    alerts: { FilebeatDown: critical('stays-down') },
    cure: 'started',
  },
  exporterKilled: {
    host: 'rebooted',
    what: 'kill -9 of an exporter',
    alerts: { FilebeatPortExporterDown: { ...lab, severity: 'critical' } },
    cure: 'started',
  },
  stuck: {
    host: 'stuck',
    what: 'an exporter whose scans do not come any more',
    alerts: { FilebeatPortExporterScanFailing: { ...lab, severity: 'critical' } },
    cure: 'started anew',
  },
  blinded: {
    host: 'blinded',
    what: 'a unit is enabled where processes are hidden from the exporter (hidepid)',
    alerts: { FilebeatUnknown: warning('unseen') },
    cure: 'unit disabled',
  },
  random: {
    host: 'unprivileged',
    what: 'a Filebeat with a random port, into which an exporter without privileges cannot look',
    alerts: {
      FilebeatPortUnknown: { ...warning('random'), port: '0' },
      FilebeatPortExporterGapsGrowing: { ...lab, severity: 'warning' },
    },
    cure: 'stopped and forgotten',
  },
} as const satisfies Record<string, Plot>;
export type PlotName = keyof typeof plots;
