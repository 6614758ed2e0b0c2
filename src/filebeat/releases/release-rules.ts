/**
 * What differs between Filebeat releases, as one table: ranges of releases → rule. Evidence: the programs themselves
 * and their change logs. `releases.ts` is asked by whoever depends on it.
 */

import type { ReleaseRange } from './release-range.js';

export interface ReleaseRule {
  subject: string;
  before: string;
  after: string;
  /** Where `after` holds. */
  ranges: readonly ReleaseRange[];
}

/** Everywhere from one release on. */
const from = (major: number, minor: number, patch = 0): readonly ReleaseRange[] => [{ from: [major, minor, patch] }];

export const releaseRules = {
  'prospectors-removed': {
    subject: '`filebeat.prospectors`, `filebeat.config.prospectors`',
    before: 'read like inputs',
    after: 'Filebeat does not start',
    ranges: from(7, 0),
  },
  'idle-timeout-ignored': {
    subject: '`filebeat.idle_timeout` and other settings of release 5',
    before: 'Filebeat does not start',
    after: 'ignored',
    ranges: from(7, 0),
  },
  'registry-settings-removed': {
    subject: '`filebeat.registry_file`, `registry_flush`, `registry_file_permissions`',
    before: 'read',
    after: 'Filebeat does not start',
    ranges: from(7, 0),
  },
  'env-no-objects': {
    subject: '`{…}` in an environment variable',
    before: 'an object',
    after: 'plain text',
    ranges: from(7, 0),
  },
  'flow-colons': {
    subject: '`{host: 127.0.0.1:9001}` in YAML flow style',
    before: 'the file cannot be read',
    after: 'accepted',
    ranges: from(7, 0),
  },
  'http-must-bind': {
    subject: '`http.host`, `http.port` that cannot be bound',
    before: 'Filebeat runs without the endpoint',
    after: 'Filebeat does not start',
    ranges: from(7, 0),
  },
  'read-buffer': {
    subject: '`read_buffer` of UDP inputs',
    before: 'ignored',
    after: 'sets the receive buffer, a bad value stops the start',
    ranges: from(7, 2),
  },
  'data-lock': {
    subject: 'lock in `path.data`',
    before: 'none: two instances can share it',
    after: 'a second instance does not start',
    ranges: from(7, 6),
  },
  'syslog-unix': {
    subject: 'syslog with `protocol.unix`',
    before: 'Filebeat does not start',
    after: 'a unix socket',
    ranges: from(7, 8),
  },
  'no-crash-after-failed-bind': {
    subject: 'udp after a failed bind, when stopped or reloaded',
    before: 'the process crashes',
    after: 'nothing happens',
    ranges: from(7, 11),
  },
  'syslog-format': {
    subject: '`format` of syslog inputs',
    before: 'ignored',
    after: 'a bad value stops the start',
    ranges: from(7, 13),
  },
  'tcp-framing': {
    subject: '`framing` of TCP inputs',
    before: 'ignored',
    after: 'a bad value stops the start',
    ranges: from(7, 10),
  },
  'reload-keeps-port': {
    subject: 'reload of an entry that keeps its port',
    before: 'the port is usually lost',
    after: 'the port is kept',
    ranges: [{ from: [7, 17, 6], below: [8, 0, 0] }, { from: [8, 3, 3] }],
  },
  'included-processors-tolerated': {
    subject: 'a bad processor in an included file',
    before: 'Filebeat does not start',
    after: 'only that entry or input is missing',
    ranges: from(7, 17),
  },
  'override-null-fails': {
    subject: '`-E key=null` where the key holds a value',
    before: 'no effect',
    after: 'Filebeat does not start',
    ranges: [{ from: [7, 17, 0], below: [9, 6, 0] }],
  },
  'override-null-resets': {
    subject: '`-E key=null` where the key holds a value',
    before: 'no effect, later a failure',
    after: 'the default',
    ranges: from(9, 6),
  },
  'env-dots': {
    subject: 'environment variables with a dot in their name',
    before: 'not found',
    after: 'found',
    ranges: from(7, 17),
  },
  'env-trims-numbers': {
    subject: 'blanks around a number in an environment variable',
    before: 'kept',
    after: 'removed',
    ranges: from(7, 17),
  },
  'filesets-must-be-listed': {
    subject: 'filesets of a module that are not listed',
    before: 'run with their defaults',
    after: 'off; a module without an enabled fileset stops the start',
    ranges: from(8, 0),
  },
  'same-module-twice': {
    subject: 'the same module twice in `filebeat.modules`',
    before: 'the last entry wins',
    after: 'both run',
    ranges: from(8, 0),
  },
  'refusal-may-hang': {
    subject: 'a configuration that Filebeat refuses',
    before: 'the process exits',
    after: 'the process may hang for ever, without a socket',
    ranges: [
      { from: [7, 17, 0], below: [8, 0, 0] },
      { from: [8, 1, 0], below: [8, 14, 0] },
      { from: [8, 16, 0], below: [8, 17, 0] },
      { from: [9, 0, 0], below: [9, 1, 0] },
    ],
  },
  'queue-spool-removed': {
    subject: '`queue.spool`',
    before: 'read',
    after: 'Filebeat does not start',
    ranges: from(8, 0),
  },
  'udp-ends-alone': {
    subject: 'udp and tcp inputs with a bad processor; `input_type: udp`',
    before: 'a bad processor stops the start; `input_type` is honoured',
    after: 'only that input ends; `input_type: udp` stops the start',
    ranges: from(8, 7),
  },
  'udp-busy-retry': {
    subject: 'udp after a failed bind',
    before: 'one attempt',
    after: 'tries again without a pause',
    ranges: [
      { from: [8, 7, 0], below: [8, 19, 4] },
      { from: [9, 0, 0], below: [9, 0, 8] },
      { from: [9, 1, 0], below: [9, 1, 5] },
    ],
  },
  'id-must-be-text': {
    subject: '`id` of an input that is no text',
    before: 'ignored',
    after: 'Filebeat does not start',
    ranges: from(8, 10),
  },
  'same-id-fails': {
    subject: 'two network inputs with the same `id`',
    before: 'both run',
    after: 'the second fails',
    ranges: [
      { from: [8, 10, 0], below: [8, 19, 0] },
      { from: [9, 0, 0], below: [9, 1, 0] },
    ],
  },
  'timestamp-precision-checked': {
    subject: '`timestamp.precision` with a bad value',
    before: 'ignored',
    after: 'Filebeat does not start',
    ranges: from(8, 3),
  },
  'included-files-read-early': {
    subject: 'files of `filebeat.config.inputs`',
    before: 'read when the inputs start',
    after: 'read once more before anything starts, relative to the current directory, even if switched off',
    ranges: [
      { from: [8, 10, 5], below: [8, 19, 0] },
      { from: [9, 0, 0], below: [9, 1, 0] },
    ],
  },
  'all-ids-read': {
    subject: '`id` and `type` of inputs that are switched off',
    before: 'not read',
    after: 'an undefined variable in them stops the start',
    ranges: [{ from: [8, 10, 5], below: [8, 19, 0] }, { from: [9, 0, 0] }],
  },
  'netflow-ends-alone': {
    subject: 'netflow inputs with a bad processor or protocol; `input_type: netflow`',
    before: 'stops the start; `input_type` is honoured',
    after: 'only that input ends; `input_type: netflow` stops the start',
    ranges: from(8, 13),
  },
  'netflow-survives-bad-processor': {
    subject: 'netflow inputs with a bad processor',
    before: 'the process ends',
    after: 'only that input ends',
    ranges: from(8, 16),
  },
  'netflow-workers': {
    subject: '`workers` of netflow inputs',
    before: 'ignored',
    after: 'used; a bad value stops the start',
    ranges: from(8, 16),
  },
  'http-endpoint-crc': {
    subject: '`crc` of http_endpoint inputs',
    before: 'ignored',
    after: 'used; a bad value stops the start',
    ranges: from(8, 9),
  },
  'http-endpoint-method': {
    subject: '`method` of http_endpoint inputs',
    before: 'ignored',
    after: 'used; a bad value stops the start',
    ranges: from(8, 12),
  },
  'http-endpoint-url-refused': {
    subject: '`url` of http_endpoint inputs without a slash in front',
    before: 'accepted',
    after: 'that input ends',
    ranges: [{ from: [8, 14, 0], below: [8, 16, 0] }],
  },
  'http-endpoint-url-crashes': {
    subject: '`url` of http_endpoint inputs without a slash in front',
    before: 'accepted, or that input ends',
    after: 'the process crashes',
    ranges: [
      { from: [8, 16, 0], below: [8, 19, 16] },
      { from: [9, 0, 0], below: [9, 3, 5] },
      { from: [9, 4, 0], below: [9, 4, 2] },
    ],
  },
  'drop-fields-regexp': {
    subject: '`/…/` in `fields` of drop_fields',
    before: 'the name of a field',
    after: 'a regular expression; a faulty one stops the start',
    ranges: from(8, 3),
  },
  'replace-needs-all': {
    subject: 'the replace processor without `field`, `pattern` or `replacement`',
    before: 'accepted',
    after: 'Filebeat does not start',
    ranges: from(8, 16),
  },
  'flow-log-versions': {
    subject: 'fields of versions 6 to 8 in `format` of parse_aws_vpc_flow_log',
    before: 'unknown: Filebeat does not start',
    after: 'accepted',
    ranges: from(9, 2),
  },
  'dns-caches-unread': {
    subject: '`success_cache` and `failure_cache` of the dns processor',
    before: 'used; a bad value stops the start',
    after: 'ignored',
    ranges: from(8, 11),
  },
  'host-metadata-update-timeout': {
    subject: '`expire_update_timeout` of add_host_metadata',
    before: 'ignored',
    after: 'used; a bad value stops the start',
    ranges: from(8, 9),
  },
  'cgroup-regexp-one-group': {
    subject: '`cgroup_regex` of add_process_metadata without exactly one group',
    before: 'accepted',
    after: 'Filebeat does not start',
    ranges: from(8, 11),
  },
  'script-cached-sessions': {
    subject: '`only_cached_sessions` of the script processor',
    before: 'ignored',
    after: 'used; a bad value stops the start',
    ranges: from(8, 16),
  },
  'cache-ignore-failure': {
    subject: '`ignore_failure` of the cache processor',
    before: 'ignored',
    after: 'used; a bad value stops the start',
    ranges: from(8, 17),
  },
  'script-files-read-late': {
    subject: 'the script file of a processor that is missing or faulty',
    before: 'Filebeat does not start',
    after: 'it runs without the inputs that the processor is for, which are all if it is at the top level',
    ranges: [{ from: [8, 19, 9], below: [9, 0, 0] }, { from: [9, 3, 0] }],
  },
  'kubernetes-client-options': {
    subject: '`use_kubeadm` and `kube_client_options` of add_kubernetes_metadata',
    before: 'ignored',
    after: 'used; a bad value stops the start',
    ranges: from(8, 0),
  },
  'wait-for-metadata': {
    subject: '`wait_for_metadata` of add_docker_metadata and add_kubernetes_metadata',
    before: 'ignored',
    after: 'used; a bad value stops the start',
    ranges: from(9, 5),
  },
  'processor-settings-hashed': {
    subject: 'undefined variables in settings of a processor that it does not know',
    before: 'harmless',
    after: 'Filebeat does not start',
    ranges: from(9, 6),
  },
  'network-option': {
    subject: '`network` of UDP and TCP inputs',
    before: 'ignored',
    after: 'used; a bad value stops the start',
    ranges: from(8, 16),
  },
  'double-dash': {
    subject: 'long flags with a single dash (`-path.config DIR`)',
    before: 'accepted',
    after: 'Filebeat does not start',
    ranges: from(8, 17),
  },
  'glued-flags': {
    subject: 'letters glued behind one dash (`-ev`, `-cFILE`)',
    before: 'Filebeat does not start',
    after: 'accepted',
    ranges: from(9, 6),
  },
  'output-discard': {
    subject: '`output.discard`',
    before: 'unknown: Filebeat does not start',
    after: 'accepted',
    ranges: from(8, 14),
  },
  'index-limit': {
    subject: 'a number above 1024 in the name of a setting',
    before: 'a place in a list',
    after: 'a plain name',
    ranges: from(8, 19),
  },
  'deprecated-inputs-refused': {
    subject: '`log` and `container` inputs',
    before: 'run',
    after: 'Filebeat does not start, unless they say `allow_deprecated_use: true`',
    ranges: from(9, 0),
  },
  'filestream-ids-unique': {
    subject: 'two filestream inputs with the same `id`, or two without',
    before: 'an error in the log',
    after: 'Filebeat does not start',
    ranges: from(9, 0),
  },
  'config-dir-removed': {
    subject: '`filebeat.config_dir`',
    before: 'read',
    after: 'Filebeat does not start',
    ranges: from(9, 2),
  },
  'number-of-workers': {
    subject: '`number_of_workers` of udp and tcp inputs',
    before: 'ignored',
    after: 'used; 0 stops the start',
    ranges: from(9, 2),
  },
  'log-as-filestream': {
    subject: '`features.log_input_run_as_filestream`',
    before: 'unknown',
    after: 'lets `log` inputs that have an `id` run',
    ranges: from(9, 3),
  },
  'container-as-filestream': {
    subject: '`features.log_input_run_as_filestream`',
    before: 'means nothing for `container` inputs',
    after: 'lets `container` inputs that have an `id` run',
    ranges: from(9, 4),
  },
  'included-enabled': {
    subject: '`enabled: false` in files of `filebeat.config.inputs`',
    before: 'ignored: the port is opened',
    after: 'honoured',
    ranges: from(9, 5),
  },
  'hostname-flag': {
    subject: '`--hostname`',
    before: 'unknown flag: Filebeat does not start',
    after: 'accepted',
    ranges: from(9, 6),
  },
  'xpack-monitoring-ignored': {
    subject: '`xpack.monitoring`',
    before: 'read like `monitoring`',
    after: 'ignored',
    ranges: from(8, 0),
  },
  'logging-json-ignored': {
    subject: '`logging.json`',
    before: 'a bad value stops the start',
    after: 'ignored',
    ranges: from(8, 0),
  },
  'template-type-removed': {
    subject: '`setup.template.type`, `setup.ilm.rollover_alias`',
    before: 'a bad value stops the start',
    after: 'ignored',
    ranges: from(8, 0),
  },
  'ssl3-removed': {
    subject: '`SSLv3` in `ssl.supported_protocols`',
    before: 'accepted',
    after: 'Filebeat does not start',
    ranges: from(8, 2),
  },
  'allow-older-versions': {
    subject: '`output.elasticsearch.allow_older_versions`',
    before: 'ignored',
    after: 'a bad value stops the start',
    ranges: from(8, 1),
  },
  'kafka-headers': {
    subject: '`output.kafka.headers`',
    before: 'ignored',
    after: 'used; bad ones stop the start',
    ranges: from(8, 2),
  },
  'http-buffer': {
    subject: '`http.buffer`',
    before: 'ignored',
    after: 'a bad value stops the start',
    ranges: from(8, 2),
  },
  'pprof-typed': {
    subject: '`http.pprof`',
    before: 'a bad value is ignored',
    after: 'a bad value stops the start, even while the endpoint is off',
    ranges: from(8, 6),
  },
  'management-wants-agent': {
    subject: 'a `management` section without `enabled: false`',
    before: 'ignored without `enabled: true`',
    after: 'Filebeat waits for an agent and does not start without one',
    ranges: from(8, 6),
  },
  'features-typed': {
    subject: '`features` that is no section',
    before: 'ignored',
    after: 'Filebeat does not start',
    ranges: from(8, 7, 1),
  },
  'queue-falls-back': {
    subject: '`queue.disk.path` that cannot be made',
    before: 'Filebeat does not start',
    after: 'a queue in memory is used',
    ranges: from(8, 9),
  },
  'output-queue': {
    subject: '`queue` below an output',
    before: 'ignored',
    after: 'used; two queues, or a bad one, stop the start',
    ranges: from(8, 12),
  },
  'output-presets': {
    subject: '`output.elasticsearch.preset`',
    before: 'ignored',
    after: 'used; an unknown one stops the start',
    ranges: from(8, 12),
  },
  'queue-defaults': {
    subject: 'the size of the queue in memory',
    before: '4096 events, flushed from 2048 on',
    after: '3200 events, flushed from 1600 on',
    ranges: from(8, 12),
  },
  'lifecycle-sections': {
    subject: '`setup.ilm`',
    before: 'a bad value stops the start, whatever the output is',
    after: 'not read at the start',
    ranges: from(8, 12),
  },
  'output-workers': {
    subject: '`worker: 0` of an output',
    before: 'Filebeat does not start',
    after: 'one worker; `workers` is known too',
    ranges: from(8, 13),
  },
  'file-path-required': {
    subject: '`output.file` without `path`',
    before: 'writes to its working directory',
    after: 'Filebeat does not start',
    ranges: from(8, 14),
  },
  'logging-event-data': {
    subject: '`logging.event_data`',
    before: 'ignored',
    after: 'a bad value stops the start',
    ranges: from(8, 15),
  },
  'kafka-zstd': {
    subject: '`compression: zstd` of `output.kafka`',
    before: 'unknown: Filebeat does not start',
    after: 'accepted for `version: 2.1.0` and later',
    ranges: from(8, 17),
  },
  'kafka-3': {
    subject: '`version` of `output.kafka` from 2.7 on',
    before: 'unknown: Filebeat does not start',
    after: 'accepted',
    ranges: from(8, 18),
  },
  'kafka-default-2.1': {
    subject: '`version` that `output.kafka` assumes',
    before: '1.0.0',
    after: '2.1.0',
    ranges: from(9, 0),
  },
  'metrics-period-zero': {
    subject: '`logging.metrics.period: 0`',
    before: 'the process crashes at the start',
    after: 'means never',
    ranges: [{ from: [8, 19, 18], below: [9, 0, 0] }, { from: [9, 3, 7], below: [9, 4, 0] }, { from: [9, 4, 3] }],
  },
  'kafka-idempotent': {
    subject: '`output.kafka.idempotent`',
    before: 'ignored',
    after: 'used; it asks for `required_acks: -1`',
    ranges: from(9, 6),
  },
  'plugin-flag-removed': {
    subject: '`--plugin`',
    before: 'accepted',
    after: 'unknown flag: Filebeat does not start',
    ranges: from(9, 6),
  },
} as const satisfies Record<string, ReleaseRule>;
