/**
 * Filesets that open sockets, with their default ports by release: used where an instance's module folder cannot be
 * read, and for releases other than the installed one (`--compare-release`). From the manifests and templates of
 * Filebeat 6.8 to 9.6; filesets that only read files or poll other services are not listed.
 */
import { inRanges, parseRelease, type ReleaseVersion } from '../releases/releases.js';
import { goPrint } from '../template/template-print.js';
import { type Plain, type PlainMap, plainMap } from '../tree/value.js';

/** How a template turns `var.input` into an input. All accept `file`. */
type Shape =
  /** `syslog` → a syslog input over UDP. */
  | 'syslog'
  /** Likewise over `var.syslog_protocol`. */
  | 'syslog-by'
  /** `syslog` → a udp input. */
  | 'syslog-udp'
  /** `udp` and `tcp`. */
  | 'udp-tcp'
  /** The word itself is the type of the input. */
  | 'any'
  /** Likewise, but `syslog` means udp. */
  | 'any-syslog'
  /** No `var.input`. */
  | 'netflow';

interface Row {
  shape: Shape;
  port: number;
  from: ReleaseVersion;
  below?: ReleaseVersion;
  /** Default of `var.input`; if absent, the first word of the shape. */
  input?: string;
  host?: string;
}

/** `fileset | shape[=default of var.input] | from port[, from port] [, -end]`; several lines for one fileset add up. */
const text = `
barracuda.spamfirewall | any | 7.13 9540, -8.14
barracuda.waf | any | 7.9 9503, 7.13 9525, -8.14
bluecoat.director | any | 7.9 9505, 7.13 9527, -8.14
cef.log | syslog | 7.0 9003
checkpoint.firewall | syslog | 7.0 9001, -7.13
checkpoint.firewall | syslog-udp | 7.13 9001
cisco.asa | syslog-udp | 7.0 9001, -7.13
cisco.asa | any-syslog=udp | 7.13 9001
cisco.ftd | syslog-udp | 7.0 9003, -7.13
cisco.ftd | any-syslog=udp | 7.13 9003
cisco.ios | syslog | 7.0 9002, -7.13
cisco.ios | syslog-by | 7.13 9002
cisco.meraki | any | 7.13 9541, -8.14
cisco.nexus | any | 7.9 9506, 7.13 9528, -8.14
cyberark.corepas | any | 7.13 9543, -8.0
cyberarkpas.audit | any=tcp | 7.13 9301
cylance.protect | any | 7.9 9508, 7.13 9529, -8.14
f5.bigipafm | any | 7.13 9544, -8.14
f5.bigipapm | any | 7.9 9504, 7.13 9526, -8.14
fortinet.clientendpoint | udp-tcp | 7.9 9510, 7.13 9530, -8.14
fortinet.firewall | udp-tcp | 7.0 9004
fortinet.fortimail | any | 7.13 9545, -8.14
fortinet.fortimanager | any | 7.13 9546, -8.14
haproxy.log | syslog | 6.0 9001
imperva.securesphere | any | 7.9 9511, 7.13 9531, -8.14
infoblox.nios | any | 7.9 9512, -8.14
iptables.log | syslog | 6.0 9001
juniper.junos | any | 7.9 9513, 7.13 9533, -8.14
juniper.netscreen | any | 7.13 9539, -8.14
juniper.srx | udp-tcp | 7.13 9006
microsoft.dhcp | any | 7.9 9515, 7.13 9534, -8.14
netflow.log | netflow | 7.0 2055
netscout.sightline | any | 7.9 9502, 7.13 9524, -8.14
panw.panos | syslog | 7.0 9001
pensando.dfw | syslog-udp | 7.13 9001
proofpoint.emailsecurity | any | 7.13 9547, -8.14
radware.defensepro | any | 7.9 9518, 7.13 9535, -8.14
snort.log | any | 7.13 9548, -8.14
sonicwall.firewall | any | 7.9 9519, 7.13 9536, -8.14
sophos.utm | any | 7.13 9549, -8.14
sophos.xg | udp-tcp | 7.9 9005
squid.log | any | 7.9 9520, 7.13 9537, -8.14
tomcat.log | any | 7.9 9501, 7.13 9523, -8.14
zscaler.zia | any | 7.9 9521, 7.13 9538, -8.14
`;

/** Modules that are gone as a whole. */
const removed = new Map<string, ReleaseVersion>();
for (const name of ['apache2', 'cyberark', 'googlecloud', 'gsuite']) removed.set(name, [8, 0, 0]);
for (const name of [
  'barracuda',
  'bluecoat',
  'cylance',
  'f5',
  'imperva',
  'infoblox',
  'netscout',
  'proofpoint',
  'radware',
  'snort',
  'sonicwall',
  'squid',
  'tomcat',
  'zscaler',
])
  removed.set(name, [8, 14, 0]);

const table = new Map<string, Row[]>();
for (const line of text.trim().split('\n')) {
  const [label = '', kind = '', spans = ''] = line.split(' | ');
  const [shape = '', input] = kind.split('=');
  const rows = table.get(label) ?? [];
  for (const span of spans.split(', ')) {
    const last = rows.at(-1);
    const [from = '', port] = span.replace(/^-/, '').split(' ');
    const version = parseRelease(from) ?? [0, 0, 0];
    if (last && !last.below) last.below = version;
    if (!port) continue;
    const host = label === 'pensando.dfw' ? { host: '0.0.0.0' } : {};
    rows.push({ shape: shape as Shape, port: Number(port), from: version, ...(input ? { input } : {}), ...host });
  }
  table.set(label, rows);
}

function rowOf(label: string, release: ReleaseVersion): Row | undefined {
  return table.get(label)?.find((row) => inRanges([row], release));
}

function labelsOf(module: string): string[] {
  return [...table.keys()].filter((label) => label.startsWith(`${module}.`));
}

/** False for a module that the release certainly lacks; true for one that is not listed here. */
export function knownModule(module: string, release: ReleaseVersion): boolean {
  const gone = removed.get(module);
  if (gone && inRanges([{ from: gone }], release)) return false;
  const rows = labelsOf(module).flatMap((label) => table.get(label) ?? []);
  return rows.length === 0 || rows.some(({ from }) => inRanges([{ from }], release));
}

/** Between the two releases the fileset was added or removed, or its default or template changed. */
export function filesetDiffers(module: string, fileset: string, a: ReleaseVersion, b: ReleaseVersion): boolean {
  return rowOf(`${module}.${fileset}`, a) !== rowOf(`${module}.${fileset}`, b);
}

/**
 * Listed filesets that the release has (`names`) and that only other releases have (`gone`). The module may have more.
 */
export function tableFilesets(module: string, release: ReleaseVersion): { names: string[]; gone: string[] } {
  const labels = labelsOf(module);
  const name = (label: string) => label.slice(module.length + 1);
  return {
    names: labels.filter((label) => rowOf(label, release)).map(name),
    gone: labels.filter((label) => !rowOf(label, release)).map(name),
  };
}

/** The input of a fileset with these variables; undefined for filesets that are not listed: they open no sockets. */
export function tableFileset(
  module: string,
  fileset: string,
  variables: PlainMap,
  release: ReleaseVersion,
): PlainMap | undefined {
  const row = rowOf(`${module}.${fileset}`, release);
  if (!row) return undefined;
  const variable = (name: string, otherwise: string) => {
    const value = Object.hasOwn(variables, name) ? variables[name] : undefined;
    return value === undefined || value === null ? otherwise : goPrint(value);
  };
  const prefix = row.shape === 'netflow' ? 'netflow' : 'syslog';
  const host = `${variable(`${prefix}_host`, row.host ?? 'localhost')}:${variable(`${prefix}_port`, String(row.port))}`;
  const open = (type: string): PlainMap => ({ ...plainMap(), type, host });
  if (row.shape === 'netflow') return open('netflow');
  const isSyslog = row.shape.startsWith('syslog');
  const input = variable('input', row.input ?? (isSyslog ? 'syslog' : 'udp'));
  if (input === 'file') return { ...plainMap(), type: 'log', paths: variables['paths'] ?? ['/var/log/*'] };
  if (module === 'checkpoint' && row.shape === 'syslog-udp' && hasContent(variables['ssl'])) return open('tcp');
  if (isSyslog && input !== 'syslog') return plainMap();
  if (isSyslog && row.shape !== 'syslog-udp') {
    const protocol = row.shape === 'syslog-by' ? variable('syslog_protocol', 'udp') : 'udp';
    return { ...plainMap(), type: 'syslog', protocol: { [protocol]: { host } } };
  }
  if (row.shape === 'udp-tcp' && input !== 'udp' && input !== 'tcp') return plainMap();
  return open(row.shape !== 'any' && input === 'syslog' ? 'udp' : input);
}

function hasContent(value: Plain | undefined): boolean {
  return typeof value === 'object' && value !== null ? Object.keys(value).length > 0 : Boolean(value);
}

/** Filesets whose script takes up to 20 seconds to load before the socket opens. */
export function slowFileset(label: string): boolean {
  return label === 'snort/log' || label === 'sonicwall/firewall';
}
