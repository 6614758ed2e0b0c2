/**
 * Input types and processors that a Filebeat release has (x-pack build, Linux). From the programs 7.17.16 to 9.6.0 and
 * the sources of 6.8.23 and 7.8.0. A name that appeared between two of these counts from the earliest possible line:
 * otherwise a healthy Filebeat could be reported as broken.
 */
import { inRanges, type ReleaseRange, type ReleaseVersion } from './releases.js';

type Range = readonly [from: string, below?: string];

/** Names separated by blanks: of all releases, and of ranges of releases. */
interface Names {
  always: string;
  since: readonly [range: Range, names: string][];
}

const inputs: Names = {
  always: 'log netflow redis stdin syslog tcp udp',
  since: [
    [['0.0', '8.0'], 'docker'],
    [['7.0'], 'azure-eventhub cloudfoundry container google-pubsub httpjson kafka mqtt o365audit unix'],
    [['7.0', '7.17'], 's3'],
    [['7.9'], 'aws-cloudwatch aws-s3 gcp-pubsub http_endpoint'],
    [['7.10'], 'filestream'],
    [['7.16'], 'journald'],
    [['8.0'], 'azure-blob-storage cometd entity-analytics gcs'],
    [['8.0', '8.19'], 'shipper'],
    [['8.4'], 'lumberjack'],
    [['8.6'], 'cel'],
    [['8.11'], 'benchmark salesforce'],
    [['8.15'], 'streaming websocket'],
  ],
};

const processors: Names = {
  always:
    'add_cloud_metadata add_docker_metadata add_host_metadata add_kubernetes_metadata add_locale add_process_metadata ' +
    'decode_json_fields dissect dns drop_event drop_fields include_fields rename',
  since: [
    [['7.0'], 'add_fields add_labels add_tags'],
    [['7.2'], 'add_observer_metadata community_id convert copy_fields decode_csv_fields extract_array script'],
    [['7.2'], 'truncate_fields'],
    [['7.3'], 'decode_base64_field decompress_gzip_field timestamp'],
    [['7.4'], 'decode_cef registered_domain'],
    [['7.6'], 'add_id fingerprint'],
    [['7.7'], 'add_cloudfoundry_metadata'],
    [['7.8'], 'replace urldecode'],
    [['7.11'], 'add_network_direction detect_mime_type rate_limit'],
    [['7.12'], 'add_nomad_metadata decode_xml'],
    [['7.13'], 'decode_xml_wineventlog'],
    [['8.0'], 'add_formatted_index'],
    [['8.2'], 'syslog'],
    [['8.6'], 'append decode_duration move_fields parse_aws_vpc_flow_log'],
    [['8.11'], 'cache'],
    [['8.17'], 'lowercase translate_ldap_attribute uppercase'],
    [['9.1'], 'now'],
    [['9.4'], 'add_agent_metadata'],
  ],
};

function version(text: string): ReleaseVersion {
  const [major = 0, minor = 0] = text.split('.').map(Number);
  return [major, minor, 0];
}

function tableOf(names: Names): Map<string, ReleaseRange[]> {
  const table = new Map<string, ReleaseRange[]>();
  for (const name of names.always.split(' ')) table.set(name, [{ from: [0, 0, 0] }]);
  for (const [[from, below], listed] of names.since)
    for (const name of listed.split(' '))
      table.set(name, [{ from: version(from), ...(below === undefined ? {} : { below: version(below) }) }]);
  return table;
}

const inputTable = tableOf(inputs);
const processorTable = tableOf(processors);

/** Names are case-sensitive. */
export function knownInput(type: string, release: ReleaseVersion): boolean {
  return inRanges(inputTable.get(type) ?? [], release);
}

/** Names are case-sensitive. */
export function knownProcessor(name: string, release: ReleaseVersion): boolean {
  return inRanges(processorTable.get(name) ?? [], release);
}
