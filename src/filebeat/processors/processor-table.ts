/**
 * The settings that Filebeat's processors check when they are created, as data. `needs` and `only` are the arguments of
 * their registration (`checks.RequireFields`, `checks.AllowedFields`); a key of `needs` may be null. `reads` is the
 * struct that a processor unpacks; it ignores other settings. Source: libbeat/processors, x-pack/libbeat/processors and
 * x-pack/filebeat/processors of 7.17, 8.16, 8.19, 9.3 and 9.6. `registry.ts` lists the names of each release.
 */
import type { RuleId } from '../releases/releases.js';
import { duration, integer, text, texts, truth } from '../tree/checks.js';
import {
  anything,
  atLeast,
  exactly,
  lasting,
  list,
  map,
  mapRequired,
  notNegative,
  required,
  type Settings,
  section,
  sections,
  textsRequired,
  textThat,
  word,
} from '../tree/setting-tables.js';
import { validTokenizer } from './dissect.js';
import * as checks from './processor-checks.js';
import * as settings from './processor-settings.js';
import { knownTimezone } from './time-zone.js';

export interface ProcessorRow {
  /** Required names. */
  needs?: string;
  /** Allowed names; absent: all. */
  only?: string;
  /** Exactly one of these names is required. */
  oneOf?: string;
  reads: Settings;
  /** A rule about several settings. */
  check?: settings.Check;
  /** Replaces settings of `reads` in releases with the rule. */
  since?: readonly (readonly [rule: RuleId, reads: Settings])[];
  /** Settings and a check for releases without this rule only. */
  until?: readonly [rule: RuleId, reads: Settings, check: settings.Check];
}

const zone = textThat(knownTimezone);
const fromTo: Settings = { from: text, to: text };
const switches: Settings = { ignore_missing: truth, fail_on_error: truth };
const failures: Settings = { ignore_missing: truth, ignore_failure: truth };
const geo = section(
  {
    name: text,
    location: text,
    continent_name: text,
    country_name: text,
    country_iso_code: text,
    region_name: text,
    region_iso_code: text,
    city_name: text,
  },
  checks.location,
);
const dnsCache = section({
  ttl: duration,
  min_ttl: lasting,
  'capacity.initial': atLeast(0),
  'capacity.max': atLeast(1),
});
const named = section({ enabled: truth });
const letterCase: ProcessorRow = {
  needs: 'fields',
  only: 'fields ignore_missing fail_on_error alter_full_field values',
  reads: { fields: texts, ...switches, alter_full_field: truth, values: texts },
};
const waiting: Settings = {
  wait_for_metadata: truth,
  wait_for_metadata_timeout: notNegative,
  wait_for_metadata_retry_period: lasting,
};

export const processorTable: Readonly<Record<string, ProcessorRow>> = {
  add_agent_metadata: {
    needs: 'data_stream elastic_agent',
    reads: {
      input_id: text,
      stream_id: text,
      data_stream: section({ dataset: text, namespace: text, type: text }),
      elastic_agent: section({ id: text, snapshot: truth, version: text }),
    },
  },
  add_cloud_metadata: {
    reads: { timeout: duration, ssl: anything, overwrite: truth, providers: checks.cloudProviders, host: text },
  },
  add_cloudfoundry_metadata: {
    reads: {
      version: exactly('v1', 'v2'),
      client_id: required(text),
      client_secret: required(text),
      api_address: required(text),
      doppler_address: text,
      uaa_address: text,
      rlp_address: text,
      shard_id: text,
      cache_duration: duration,
      cache_retry_delay: duration,
      ssl: anything,
      timeout: duration,
    },
  },
  add_docker_metadata: {
    reads: {
      host: text,
      ssl: anything,
      match_fields: texts,
      match_source: truth,
      match_short_id: truth,
      match_source_index: integer,
      match_pids: texts,
      hostfs: text,
      'labels.dedot': truth,
      cleanup_timeout: duration,
    },
    since: [['wait-for-metadata', waiting]],
  },
  add_fields: { needs: 'fields', only: 'fields target when', reads: { fields: mapRequired, target: text } },
  add_formatted_index: { reads: { index: settings.written } },
  add_host_metadata: {
    reads: {
      'netinfo.enabled': truth,
      'cache.ttl': duration,
      geo,
      name: text,
      replace_fields: truth,
    },
    since: [['host-metadata-update-timeout', { expire_update_timeout: duration }]],
  },
  add_id: { reads: { target_field: text, type: exactly('elasticsearch') } },
  add_kubernetes_metadata: {
    reads: {
      kube_config: text,
      node: text,
      host: text,
      scope: exactly('node', 'cluster'),
      namespace: text,
      sync_period: duration,
      cleanup_timeout: duration,
      indexers: anything,
      matchers: checks.kubernetesMatchers,
      default_matchers: named,
      default_indexers: named,
      add_resource_metadata: section({ node: anything, namespace: anything, deployment: truth, cronjob: truth }),
    },
    since: [
      [
        'kubernetes-client-options',
        { use_kubeadm: truth, kube_client_options: section({ qps: settings.decimal, burst: integer }) },
      ],
      ['wait-for-metadata', waiting],
    ],
  },
  add_labels: { needs: 'labels', only: 'labels when', reads: { labels: mapRequired } },
  add_locale: { reads: { format: word('abbreviation', 'offset') } },
  add_network_direction: {
    needs: 'source destination target internal_networks',
    only: 'source destination target internal_networks',
    reads: { source: text, destination: text, target: text, internal_networks: texts },
  },
  add_nomad_metadata: {
    reads: {
      address: text,
      region: text,
      namespace: text,
      secret_id: text,
      node: text,
      scope: exactly('node', 'cluster'),
      refresh_interval: duration,
      cleanup_timeout: duration,
      indexers: anything,
      matchers: anything,
      default_matchers: named,
      default_indexers: named,
    },
  },
  add_observer_metadata: {
    reads: { overwrite: truth, 'netinfo.enabled': truth, 'cache.ttl': duration, geo },
  },
  add_process_metadata: {
    reads: {
      ignore_missing: truth,
      overwrite_keys: truth,
      restricted_fields: truth,
      match_pids: settings.filledTexts,
      target: text,
      include_fields: checks.processFields,
      host_path: text,
      cgroup_prefixes: texts,
      cgroup_regex: text,
      cgroup_cache_expire_time: duration,
    },
    since: [['cgroup-regexp-one-group', { cgroup_regex: settings.onePartPattern }]],
  },
  add_tags: { needs: 'tags', only: 'tags target when', reads: { tags: textsRequired, target: text } },
  append: {
    needs: 'target_field',
    reads: {
      fields: texts,
      target_field: text,
      values: list,
      ...switches,
      ignore_empty_values: truth,
      allow_duplicate: truth,
    },
  },
  cache: {
    reads: {
      get: section({ key_field: required(text), target_field: required(text) }),
      put: section({ key_field: required(text), value_field: required(text), ttl: required(duration) }),
      delete: section({ key_field: required(text) }),
      backend: checks.cacheBackend,
      ignore_missing: truth,
      overwrite_keys: truth,
    },
    check: checks.oneCacheOperation,
    since: [['cache-ignore-failure', { ignore_failure: truth }]],
  },
  community_id: {
    reads: {
      fields: section({
        source_ip: text,
        source_port: text,
        destination_ip: text,
        destination_port: text,
        iana_number: text,
        transport: text,
        icmp_type: text,
        icmp_code: text,
      }),
      target: text,
      seed: settings.upTo(65535),
    },
  },
  convert: {
    reads: {
      fields: settings.sectionsRequired(
        {
          from: required(text),
          to: text,
          type: word('[unset]', 'integer', 'long', 'float', 'double', 'string', 'boolean', 'ip'),
        },
        checks.toOrType,
      ),
      tag: text,
      ...switches,
      mode: word('copy', 'rename'),
    },
  },
  copy_fields: { needs: 'fields', reads: { fields: sections(fromTo), ...switches } },
  decode_base64_field: {
    needs: 'field',
    only: 'field when ignore_missing fail_on_error',
    reads: { field: section(fromTo), ...switches },
  },
  decode_cef: {
    reads: {
      field: text,
      target_field: text,
      ...failures,
      ignore_empty_values: truth,
      id: text,
      ecs: truth,
      timezone: zone,
    },
  },
  decode_csv_fields: {
    needs: 'fields',
    only: 'fields ignore_missing overwrite_keys separator trim_leading_space fail_on_error when',
    reads: {
      fields: settings.targets(true),
      ...switches,
      trim_leading_space: truth,
      overwrite_keys: truth,
      separator: textThat((separator) => [...separator].length < 2),
    },
  },
  decode_duration: { needs: 'field format', reads: { field: text, format: text } },
  decode_json_fields: {
    needs: 'fields',
    only: 'fields max_depth overwrite_keys add_error_key process_array target when document_id expand_keys',
    reads: {
      fields: texts,
      max_depth: atLeast(1),
      expand_keys: truth,
      overwrite_keys: truth,
      add_error_key: truth,
      process_array: truth,
      target: text,
      document_id: text,
    },
  },
  decode_xml: {
    needs: 'field',
    only: 'field target_field overwrite_keys document_id to_lower ignore_missing ignore_failure when',
    reads: {
      field: settings.notEmpty,
      target_field: text,
      overwrite_keys: truth,
      document_id: text,
      to_lower: truth,
      ...failures,
    },
  },
  decode_xml_wineventlog: {
    needs: 'field target_field',
    only: 'field target_field overwrite_keys map_ecs_fields ignore_missing ignore_failure when',
    reads: { field: settings.notEmpty, target_field: text, overwrite_keys: truth, map_ecs_fields: truth, ...failures },
  },
  decompress_gzip_field: {
    needs: 'field',
    only: 'field ignore_missing overwrite_keys fail_on_error',
    reads: { field: section(fromTo), ...switches },
  },
  detect_mime_type: { needs: 'field target', only: 'field target', reads: { field: text, target: text } },
  dissect: {
    reads: {
      tokenizer: required(textThat(validTokenizer)),
      field: text,
      target_prefix: text,
      ignore_failure: truth,
      overwrite_keys: truth,
      trim_values: word('', 'none', 'left', 'right', 'all', 'both'),
      trim_chars: text,
    },
  },
  dns: {
    reads: {
      nameservers: texts,
      timeout: duration,
      type: required(word('a', 'aaaa', 'ptr', 'reverse', 'txt')),
      action: word('', 'append', 'replace'),
      tag_on_failure: texts,
      fields: settings.targets(false),
      transport: word('tls', 'udp'),
    },
    until: [
      'dns-caches-unread',
      { success_cache: dnsCache, failure_cache: dnsCache, 'failure_cache.ttl': lasting },
      checks.cacheCapacities,
    ],
  },
  drop_event: { only: 'when', reads: {} },
  drop_fields: {
    needs: 'fields',
    only: 'fields when ignore_missing',
    reads: { fields: texts, ignore_missing: truth },
    since: [['drop-fields-regexp', { fields: checks.fieldPatterns }]],
  },
  extract_array: {
    needs: 'field mappings',
    only: 'field mappings ignore_missing overwrite_keys fail_on_error when omit_empty',
    reads: { field: text, mappings: settings.positions, ...switches, omit_empty: truth, overwrite_keys: truth },
  },
  fingerprint: {
    reads: {
      method: word('md5', 'sha1', 'sha256', 'sha384', 'sha512', 'xxhash'),
      fields: textsRequired,
      target_field: text,
      encoding: word('hex', 'base32', 'base64'),
      ignore_missing: truth,
    },
  },
  include_fields: { needs: 'fields', only: 'fields when', reads: { fields: texts } },
  lowercase: letterCase,
  move_fields: {
    needs: 'to',
    reads: { exclude: texts, fields: texts, from: text, to: text, ignore_missing: truth },
  },
  now: { needs: 'field', only: 'field', reads: { field: required(text) } },
  parse_aws_vpc_flow_log: {
    reads: {
      format: checks.flowLogFormats,
      mode: word('original', 'ecs', 'ecs_and_original'),
      field: text,
      target_field: text,
      ...failures,
      id: text,
    },
    since: [['flow-log-versions', { format: checks.laterFlowLogFormats }]],
  },
  rate_limit: {
    reads: { limit: textThat(checks.isRate), fields: texts, algorithm: checks.rateAlgorithm },
  },
  registered_domain: {
    reads: {
      field: required(text),
      target_field: required(text),
      target_subdomain_field: text,
      target_etld_field: text,
      ...failures,
      id: text,
    },
  },
  rename: { needs: 'fields', reads: { fields: sections(fromTo), ...switches } },
  replace: {
    needs: 'fields',
    reads: { fields: sections({ field: text, pattern: settings.pattern, replacement: text }), ...switches },
    since: [
      [
        'replace-needs-all',
        {
          fields: sections({ field: required(text), pattern: settings.patternRequired, replacement: settings.written }),
        },
      ],
    ],
  },
  // `script-checks.ts` checks the script itself.
  script: {
    reads: {
      lang: required(word('javascript', 'js')),
      tag: text,
      source: text,
      file: text,
      files: texts,
      params: map,
      timeout: notNegative,
      tag_on_exception: text,
      max_cached_sessions: atLeast(0),
    },
    since: [['script-cached-sessions', { only_cached_sessions: truth }]],
  },
  syslog: {
    needs: 'field',
    only: 'field format timezone overwrite_keys ignore_missing ignore_failure tag when',
    reads: {
      field: settings.notEmpty,
      format: exactly('rfc3164', 'rfc5424', 'auto'),
      timezone: zone,
      overwrite_keys: truth,
      ...failures,
      tag: text,
    },
  },
  timestamp: {
    reads: {
      field: required(text),
      target_field: text,
      layouts: textsRequired,
      timezone: zone,
      ...failures,
      test: texts,
      id: text,
    },
    check: checks.timestampTests,
  },
  translate_ldap_attribute: {
    reads: {
      field: required(text),
      target_field: text,
      ldap_domain: text,
      ldap_address: text,
      ldap_base_dn: text,
      ldap_bind_user: text,
      ldap_bind_password: text,
      ldap_search_attribute: text,
      ldap_mapped_attribute: text,
      ldap_search_time_limit: integer,
      ldap_ssl: anything,
      ...failures,
    },
  },
  truncate_fields: {
    needs: 'fields',
    oneOf: 'max_bytes max_characters',
    reads: { fields: texts, max_bytes: atLeast(0), max_characters: atLeast(0), ...switches },
  },
  uppercase: letterCase,
  urldecode: {
    needs: 'fields',
    only: 'fields ignore_missing fail_on_error',
    reads: { fields: settings.sectionsRequired({ from: required(text), to: text }), ...switches },
  },
};
