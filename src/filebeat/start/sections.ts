/**
 * Tables of the settings that Filebeat reads outside `filebeat.*`, outputs and queues. Sources: libbeat/cmd/instance/
 * beat.go (`beatConfig`), libbeat/template, libbeat/idxmgmt, libbeat/instrumentation, logp and api of elastic-agent-libs.
 */
import { duration, integer, object, text, texts, truth } from '../tree/checks.js';
import {
  anything,
  atLeast,
  exactly,
  map,
  notNegative,
  type Setting,
  type Settings,
  section,
  textThat,
  word,
} from '../tree/setting-tables.js';
import { between, format, natural, type Part, taking } from './kinds.js';

/** Must be a section; its settings are checked later or not at all. */
const aSection: Setting = object;

/** Read together, before anything else. */
export const main: readonly Part[] = [
  {
    reads: {
      name: text,
      max_procs: integer,
      gc_percent: integer,
      seccomp: aSection,
      http: aSection,
      'http.pprof': aSection,
      logging: aSection,
      'logging.metrics': aSection,
      keystore: aSection,
      instrumentation: aSection,
      fields: map,
      fields_under_root: truth,
      tags: texts,
      monitoring: aSection,
      management: aSection,
      'setup.dashboards': aSection,
      'setup.kibana': aSection,
      'setup.ilm': aSection,
      'setup.template': aSection,
      'migration.6_to_7': aSection,
    },
  },
  { since: 'hostname-flag', reads: { hostname: text } },
  { since: 'features-typed', reads: { features: aSection } },
  {
    since: 'pprof-typed',
    reads: {
      'http.pprof.enabled': truth,
      'http.pprof.block_profile_rate': integer,
      'http.pprof.mem_profile_rate': integer,
      'http.pprof.mutex_profile_rate': integer,
    },
  },
  { since: 'http-buffer', reads: { 'http.buffer': aSection } },
  { since: 'timestamp-precision-checked', reads: { timestamp: aSection } },
  { since: 'lifecycle-sections', reads: { 'setup.dsl': aSection, 'setup.template.name': text } },
  { until: 'xpack-monitoring-ignored', reads: { 'xpack.monitoring': aSection } },
];

const files: Settings = {
  'files.path': text,
  'files.name': text,
  'files.rotateeverybytes': atLeast(1),
  'files.keepfiles': between(0, 1024),
  'files.permissions': natural,
  'files.interval': duration,
  'files.rotateonstartup': truth,
  'files.redirect_stderr': truth,
};
const logging: Settings = {
  level: word('debug', 'info', 'warn', 'warning', 'error', 'critical'),
  selectors: texts,
  to_stderr: truth,
  to_syslog: truth,
  to_files: truth,
  to_eventlog: truth,
  ...files,
  'metrics.enabled': truth,
  'metrics.period': duration,
};

const template: Settings = {
  enabled: truth,
  name: text,
  pattern: text,
  fields: text,
  'json.enabled': truth,
  'json.path': text,
  'json.name': text,
  append_fields: anything,
  overwrite: truth,
  'settings.index': map,
  'settings._source': map,
  settings: aSection,
  priority: integer,
};

const profiling: Settings = { enabled: truth, interval: notNegative };

/** Read later, one after the other. */
export const afterwards: readonly Part[] = [
  { reads: { logging: section(logging) } },
  { until: 'logging-json-ignored', reads: { 'logging.json': truth } },
  { since: 'logging-event-data', reads: { 'logging.event_data': section(logging) } },
  {
    since: 'timestamp-precision-checked',
    reads: { 'timestamp.precision': exactly('millisecond', 'microsecond', 'nanosecond') },
  },
  {
    reads: {
      instrumentation: section({
        enabled: truth,
        environment: text,
        hosts: texts,
        'profiling.cpu': section({ ...profiling, duration: notNegative }),
        'profiling.heap': section(profiling),
        api_key: text,
        secret_token: text,
      }),
    },
  },
  { reads: { 'setup.template': section(template) } },
  { since: 'lifecycle-sections', reads: { 'setup.template.settings.lifecycle': map } },
  {
    until: 'template-type-removed',
    reads: { 'setup.template.order': integer, 'setup.template.type': exactly('', 'legacy', 'component', 'index') },
  },
  { since: 'template-type-removed', reads: { 'setup.template.json.data_stream': truth } },
  {
    until: 'template-type-removed',
    reads: {
      'setup.ilm.enabled': taking(
        'auto, true or false',
        textThat((mode) => /^(?:auto|[01tf]|true|false)$/i.test(mode)),
      ),
      'setup.ilm.rollover_alias': format,
      'setup.ilm.pattern': text,
    },
  },
  { since: 'template-type-removed', until: 'lifecycle-sections', reads: { 'setup.ilm.enabled': truth } },
  {
    until: 'lifecycle-sections',
    reads: {
      'setup.ilm.policy_name': format,
      'setup.ilm.policy_file': text,
      'setup.ilm.check_exists': truth,
      'setup.ilm.overwrite': truth,
    },
  },
  { reads: { 'timeseries.enabled': truth } },
];
