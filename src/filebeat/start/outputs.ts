/**
 * Tables of the settings that Filebeat reads of an output (libbeat/outputs, NAME/config.go). It ignores settings that
 * are not listed.
 */
import { duration, integer, size, text, texts, truth } from '../tree/checks.js';
import {
  atLeast,
  exactly,
  map,
  notNegative,
  required,
  type Settings,
  sections,
  textsRequired,
  word,
} from '../tree/setting-tables.js';
import { kerberos } from './kerberos.js';
import { between, format, natural, type Part, removed, seconds, textMap, url } from './kinds.js';

export interface OutputRow {
  parts: readonly Part[];
  /** It connects to servers, so it has addresses, workers and TLS. */
  connects?: true;
  /** It has a codec. */
  codec?: true;
}

const backoff: Settings = { 'backoff.init': duration, 'backoff.max': duration };
export const addresses: Settings = { hosts: textsRequired };
/** Connections for each address. */
export const workers: readonly Part[] = [
  { until: 'output-workers', reads: { worker: atLeast(1) } },
  { since: 'output-workers', reads: { worker: integer, workers: integer } },
];
/** A client of Elasticsearch: of the output, and of `monitoring`. */
export const elasticsearchClient: Settings = {
  protocol: text,
  parameters: textMap,
  headers: textMap,
  username: text,
  password: text,
  api_key: text,
  compression_level: between(0, 9),
  max_retries: integer,
  ...backoff,
  timeout: duration,
  proxy_url: url,
  proxy_disable: truth,
  proxy_headers: textMap,
};

export const outputs: Readonly<Record<string, OutputRow>> = {
  elasticsearch: {
    parts: [
      {
        reads: {
          ...elasticsearchClient,
          path: text,
          loadbalance: truth,
          escape_html: truth,
          kerberos,
          bulk_max_size: integer,
          index: text,
          pipeline: format,
        },
      },
      { since: 'allow-older-versions', reads: { allow_older_versions: truth } },
      { since: 'output-presets', reads: { idle_connection_timeout: duration } },
    ],
    connects: true,
  },
  logstash: {
    parts: [
      {
        reads: {
          port: removed,
          index: text,
          loadbalance: truth,
          bulk_max_size: integer,
          slow_start: truth,
          timeout: duration,
          ttl: notNegative,
          pipelining: atLeast(0),
          compression_level: between(0, 9),
          max_retries: atLeast(-1),
          proxy_use_local_resolver: truth,
          ...backoff,
          escape_html: truth,
        },
      },
    ],
    connects: true,
  },
  kafka: {
    parts: [
      {
        reads: {
          kerberos,
          timeout: seconds(1),
          'metadata.retry.max': atLeast(0),
          'metadata.retry.backoff': notNegative,
          'metadata.refresh_frequency': notNegative,
          'metadata.full': truth,
          key: format,
          topic: format,
          keep_alive: notNegative,
          max_message_bytes: atLeast(1),
          required_acks: atLeast(-1),
          broker_timeout: seconds(1),
          compression: text,
          compression_level: integer,
          version: text,
          bulk_max_size: atLeast(0),
          bulk_flush_frequency: duration,
          max_retries: atLeast(-1),
          ...backoff,
          client_id: text,
          channel_buffer_size: atLeast(1),
          username: text,
          password: text,
          'sasl.mechanism': word('', 'plain', 'scram-sha-256', 'scram-sha-512'),
        },
      },
      { since: 'kafka-headers', reads: { headers: sections({ key: text, value: text }) } },
      { since: 'kafka-idempotent', reads: { idempotent: truth } },
    ],
    connects: true,
    codec: true,
  },
  redis: {
    parts: [
      {
        reads: {
          port: removed,
          password: text,
          index: text,
          key: format,
          loadbalance: truth,
          timeout: duration,
          bulk_max_size: integer,
          max_retries: integer,
          proxy_use_local_resolver: truth,
          db: integer,
          datatype: exactly('', 'list', 'channel'),
          ...backoff,
        },
      },
    ],
    connects: true,
    codec: true,
  },
  file: {
    parts: [
      {
        reads: {
          path: text,
          filename: text,
          rotate_every_kb: atLeast(1),
          number_of_files: between(2, 1024),
          permissions: between(0, 0o777),
          rotate_on_startup: truth,
        },
      },
      { since: 'file-path-required', reads: { path: required(format) } },
    ],
    codec: true,
  },
  console: { parts: [{ reads: { pretty: truth, batchsize: integer } }], codec: true },
  discard: { parts: [] },
};

/** Releases that read the queue of an output also read these settings of the pipeline there. */
export const pipelineOfOutput: Settings = { fields: map, fields_under_root: truth, tags: texts };

/** `codec.NAME` of an output. */
export const codecs: Readonly<Record<string, Settings>> = {
  json: { pretty: truth, escapehtml: truth, localtime: truth },
  format: { string: required(format) },
};

/** `partition.NAME` of Kafka. */
export const partitions: Readonly<Record<string, Settings>> = {
  random: { group_events: atLeast(1), reachable_only: truth },
  round_robin: { group_events: atLeast(1), reachable_only: truth },
  hash: { hash: texts, random: truth, reachable_only: truth },
};

/** `queue.NAME`. */
export const queues: Readonly<Record<string, Settings>> = {
  mem: { events: atLeast(32), 'flush.min_events': atLeast(0), 'flush.timeout': duration },
  disk: {
    path: text,
    max_size: required(size),
    segment_size: size,
    read_ahead: integer,
    write_ahead: integer,
    retry_interval: notNegative,
    max_retry_interval: notNegative,
  },
  spool: {
    'file.path': text,
    'file.size': size,
    'file.page_size': size,
    'file.prealloc': truth,
    'file.permissions': natural,
    'write.buffer_size': size,
    'write.flush.timeout': duration,
    'write.flush.events': integer,
    'write.codec': text,
    'read.flush.timeout': duration,
  },
};
