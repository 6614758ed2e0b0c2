/**
 * `custom_definitions` of netflow inputs: files in the format of Logstash's codec, read as in Filebeat's
 * x-pack/filebeat/input/netflow/definitions.go. A file in another format stops the start.
 */
import { parseYaml, type YamlNode } from '../yaml/yaml.js';

const TYPES = new Set(
  (
    'double float int8 int15 int16 int24 int32 int64 ip4_addr ip4addr ip6_addr ip6addr mac_addr macaddr string uint8 ' +
    'uint15 uint16 uint24 uint32 uint64 octet_array octetarray acl_id_asa mpls_label_stack_octets application_id ' +
    'forwarding_status'
  ).split(' '),
);

/** A map from field numbers to definitions, or from enterprise numbers to such maps. */
export function validDefinitions(bytes: Uint8Array): boolean {
  const parsed = parseYaml(bytes, { anyKeys: true });
  if (!parsed.ok) return parsed.fault.code === 'yaml-limit';
  const root = parsed.root;
  if (root?.kind !== 'map') return false;
  const kinds = new Set(root.entries.map(({ value }) => value.kind));
  if (kinds.size === 0) return true;
  if (kinds.size > 1) return false;
  if (kinds.has('list')) return validFields(root);
  return root.entries.every(({ key, value }) => isNumber(key, 2 ** 32) && validFields(value));
}

function validFields(map: YamlNode): boolean {
  return map.kind === 'map' && map.entries.every(({ key, value }) => isNumber(key, 2 ** 16) && validField(value));
}

/** `[type, name]`, `[length in bytes, name]`, or `[:skip]`. */
function validField(field: YamlNode): boolean {
  if (field.kind !== 'list') return false;
  const [type, name] = field.items.map((item) => (item.kind === 'scalar' ? item.value : undefined));
  const word = (value: unknown): string => (typeof value === 'string' ? value.replace(/^:/, '') : '');
  if (field.items.length === 1) return word(type) === 'skip';
  if (field.items.length !== 2 || word(name) === '') return false;
  return TYPES.has(typeof type === 'number' ? `uint${(type || 4) * 8}` : word(type));
}

function isNumber(key: string, below: number): boolean {
  const number = /^(?:0[xX][0-9a-fA-F]+|\+?\d+)$/.test(key) ? Number(key) : Number.NaN;
  return number >= 0 && number < below;
}
