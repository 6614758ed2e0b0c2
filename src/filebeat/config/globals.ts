/**
 * Settings outside `filebeat.*` that stop the start when they are wrong: output, queue, logging, top-level processors,
 * and the stats endpoint, the one socket among them.
 */
import type { Fault, Listener } from '../../model/model.js';
import type { InputContext } from '../inputs/input-context.js';
import { resolveHost } from '../net/address.js';
import { checkProcessors } from '../processors/processors.js';
import { applies } from '../releases/releases.js';
import {
  type Complaint,
  chooseOne,
  duration,
  first,
  isEnabled,
  object,
  oneOf,
  singleChoice,
  size,
  text,
  truth,
  whole,
} from '../tree/checks.js';
import { originNotes } from '../tree/notes.js';
import { get, positionOf, toInt, toPlain, toText, toTree } from '../tree/read.js';
import type { Tree } from '../tree/tree.js';
import { failure, type Scope } from '../tree/variables.js';

const OUTPUTS = ['elasticsearch', 'logstash', 'kafka', 'redis', 'file', 'console'];
const LEVELS = ['debug', 'info', 'warning', 'warn', 'error', 'critical'];
/** Sections that Filebeat wants to be sections. */
const SECTIONS = [
  'seccomp',
  'features',
  'http',
  'logging',
  'keystore',
  'management',
  'setup.dashboards',
  'setup.kibana',
];

/** The first reason outside `filebeat.*` for which Filebeat would not start. */
export function globalFault(main: Tree, context: InputContext): Fault | undefined {
  const { scope, release } = context;
  const complaint = first(
    () => text(main, 'name', scope),
    () => whole(main, 'max_procs', scope),
    () => whole(main, 'gc_percent', scope),
    ...SECTIONS.map((key) => () => object(main, key, scope)),
    () => checkManagement(main, scope),
    () => checkLogging(main, scope),
    () => (applies('timestamp-precision-checked', release) ? checkPrecision(main, scope) : undefined),
    () => object(main, 'fields', scope),
    () => checkProcessors(main, context).made,
    () => checkCloud(main, scope),
    () => checkQueue(main, context),
    () => checkOutput(main, context),
  );
  return complaint?.fault;
}

/** Without an agent on the other end a managed process ends at once. */
function checkManagement(main: Tree, scope: Scope): Complaint {
  const section = get(main, 'management', scope);
  if (!section.ok || !section.value) return undefined;
  const tree = toTree(section.value, scope);
  if (!tree.ok) return undefined;
  const stated = get(tree.value, 'enabled', scope);
  if (!stated.ok || !stated.value) return undefined;
  return isEnabled(tree.value, scope) ? failure('managed-without-agent', stated.value.at) : undefined;
}

function checkLogging(main: Tree, scope: Scope): Complaint {
  return first(
    () => oneOf(main, 'logging.level', scope, LEVELS, true),
    ...['to_files', 'to_syslog', 'to_stderr', 'json'].map((key) => () => truth(main, `logging.${key}`, scope)),
    () => text(main, 'logging.files.path', scope),
    () => text(main, 'logging.files.name', scope),
    () => whole(main, 'logging.files.keepfiles', scope),
    () => duration(main, 'logging.metrics.period', scope),
  );
}

function checkPrecision(main: Tree, scope: Scope): Complaint {
  return oneOf(main, 'timestamp.precision', scope, ['millisecond', 'microsecond', 'nanosecond']);
}

/** `label:BASE64`, whose content is `host$uuid$uuid`. */
function checkCloud(main: Tree, scope: Scope): Complaint {
  const id = get(main, 'cloud.id', scope);
  if (!id.ok || !id.value) return undefined;
  const read = toText(id.value, scope);
  if (!read.ok) return read.unresolved ? undefined : read;
  if (read.value === '') return undefined;
  const encoded = read.value.slice(read.value.lastIndexOf(':') + 1);
  const decoded = Buffer.from(encoded, 'base64').toString('latin1');
  const right = /^[A-Za-z0-9+/]*={0,2}$/.test(encoded) && encoded.length % 4 === 0 && decoded.split('$').length >= 3;
  return right ? undefined : failure('bad-value', id.value.at, 'cloud.id');
}

function checkQueue(main: Tree, { scope, release }: InputContext): Complaint {
  const chosen = singleChoice(main, 'queue', scope);
  if (!chosen.ok) return chosen.unresolved ? undefined : chosen;
  const queue = chosen.value;
  if (!queue) return undefined;
  const at = positionOf(main, `queue.${queue.name}`);
  const known = ['mem', 'disk', ...(applies('queue-spool-removed', release) ? [] : ['spool'])];
  if (!known.includes(queue.name)) return failure('removed-or-unknown', at, `queue.${queue.name}`);
  if (queue.name === 'disk') {
    const stated = get(queue.tree, 'max_size', scope);
    if (stated.ok && !stated.value) return failure('missing-setting', at, 'queue.disk.max_size');
    return size(queue.tree, 'max_size', scope);
  }
  if (queue.name !== 'mem') return undefined;
  return first(
    () => whole(queue.tree, 'events', scope, 32),
    () => whole(queue.tree, 'flush.min_events', scope, 0),
    () => duration(queue.tree, 'flush.timeout', scope),
  );
}

function checkOutput(main: Tree, { scope, release }: InputContext): Complaint {
  const found = get(main, 'output', scope);
  if (!found.ok) return found.unresolved ? undefined : found;
  const section = found.value ? toTree(found.value, scope) : undefined;
  if (section && !section.ok) return section.unresolved ? undefined : failure('wrong-type', found.value!.at, 'output');
  const cloud = get(main, 'cloud.id', scope);
  if (cloud.ok && cloud.value) return undefined;
  if (!section) return failure('no-output', { file: main.at.file });
  const chosen = chooseOne(section.value, 'output', scope);
  if (!chosen.ok) return chosen.unresolved ? undefined : chosen;
  const output = chosen.value;
  if (!output) return failure('no-output', section.value.at);
  const at = positionOf(main, `output.${output.name}`);
  const known = [...OUTPUTS, ...(applies('output-discard', release) ? ['discard'] : [])];
  if (!known.includes(output.name)) return failure('unknown-output', at, `output.${output.name}`);
  // An output reads all of its settings, so a name that is defined nowhere is found at the start.
  const all = toPlain(output.tree, scope);
  return all.ok || all.unresolved || all.fault.code !== 'undefined-variable' ? undefined : all;
}

/**
 * The stats endpoint: at most one TCP listener. Any `http.*` setting switches it on unless `http.enabled` says no.
 * A host that cannot be one stops the start from 7.0 on.
 */
export function statsEndpoint(main: Tree, context: InputContext): { listener?: Listener; fault?: Fault } {
  const { scope, release, names } = context;
  const found = get(main, 'http', scope);
  const section = found.ok && found.value ? toTree(found.value, scope) : undefined;
  if (!section?.ok || !isEnabled(section.value, scope)) return {};
  const complaint = first(
    () => truth(section.value, 'enabled', scope),
    () => text(section.value, 'host', scope),
    () => whole(section.value, 'port', scope),
  );
  if (complaint) return { fault: complaint.fault };
  const at = (section.value.names.get('port') ?? section.value.names.get('host') ?? section.value).at;
  const notes = originNotes(section.value, scope);
  const origins = notes.length > 0 ? { notes } : {};
  const base = { protocol: 'tcp', input: 'http', declaredIn: at, retry: 'never', ...origins } as const;
  const host = endpointHost(section.value, scope);
  if (host === undefined)
    return { listener: { ...base, address: '', target: { kind: 'unresolved', why: 'variable' } } };
  const strict = applies('http-must-bind', release);
  if (host === 'unix') return {};
  const made = host === 'refused' ? undefined : resolveHost(host.address, 'tcp', 'any', names);
  if (!made || made.target.kind === 'invalid')
    return strict ? { fault: { code: 'bad-value', subject: 'http.host', at } } : {};
  const { address, port, target } = made;
  return { listener: { ...base, address, ...(port === undefined ? {} : { port }), target } };
}

/** Filebeat takes `http.host` for a URL: without a scheme it may hold neither a port nor an IPv6 address. */
function endpointHost(section: Tree, scope: Scope): { address: string } | 'unix' | 'refused' | undefined {
  const stated = get(section, 'host', scope);
  const host = stated.ok && stated.value ? toText(stated.value, scope) : stated;
  const portValue = get(section, 'port', scope);
  const port = portValue.ok && portValue.value ? toInt(portValue.value, scope) : portValue;
  if (!host.ok || !port.ok) return undefined;
  const name = typeof host.value === 'string' ? host.value : 'localhost';
  if (name.startsWith('unix:')) return 'unix';
  const url = /^http:\/\/([^/?#]*)/.exec(name);
  if (url) return { address: url[1]! };
  if (/[:?#%\s\x00-\x1f]/.test(name)) return 'refused';
  return { address: `${name}:${typeof port.value === 'number' ? port.value : 5066}` };
}
