/** The sentences of a mismatch: what was expected, what was seen, the likely cause, one thing to try. Pure; never quotes a configuration's value. */
import { faultText } from './filebeat/faults.js';
import type { BindRetry, Cause, InstanceOrigin, Mismatch, Owner, Position } from './model.js';

export interface Words {
  expected: string;
  seen: string;
  cause: string;
  /** One command or one edit. */
  remedy: string;
}

/** `127.0.0.1:9000`, `[::1]:9000`, `*:9000`; a port that is not there is left out. */
export function endpointText(address: string, port: number | undefined): string {
  const host = address.includes(':') ? `[${address}]` : address;
  return port === undefined ? host : `${host}:${port === 0 ? '(random)' : port}`;
}

/** `file:line`, `file` or the empty string. */
export function positionText(at: Position | undefined): string {
  if (at === undefined) return '';
  return at.line === undefined ? at.file : `${at.file}:${at.line}`;
}

/** A word that a POSIX shell reads back as it is. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

function ownerText(owner: Owner): string {
  return `pid ${owner.pid} (${owner.comm})`;
}

const originText: Record<InstanceOrigin, string> = {
  process: 'it was running when last seen',
  systemd: 'an enabled systemd unit wants it',
  declared: 'it is declared in the exporter’s settings',
  config_glob: 'its configuration file matches config_globs',
  remembered: 'it was seen running before',
};

const retryText: Record<BindRetry, string> = {
  never: 'The bind failed and this input never tries again.',
  busy: 'The bind failed and this release retries it in a busy loop that burns a core.',
  'every-10s': 'The bind failed; this input tries again every 10 seconds.',
  deaf: 'The bind failed; this release retries every 10 seconds but then discards everything it receives.',
};

function causeText(cause: Cause): string {
  switch (cause.kind) {
    case 'not-running':
      if (cause.end === 'crash')
        return `Its process is gone and left its lock file behind: it crashed or was killed. Expected because ${originText[cause.origin]}.`;
      if (cause.end === 'clean')
        return `It was stopped cleanly (no lock file is left). Expected because ${originText[cause.origin]}.`;
      return `No process runs it. Expected because ${originText[cause.origin]}.`;
    case 'never-seen':
      return `It has not been seen running. Expected because ${originText[cause.origin]}.`;
    case 'config':
      return faultText(cause.fault);
    case 'held-by':
      if (cause.owner === undefined)
        return `A socket${cause.uid === undefined ? '' : ` of uid ${cause.uid}`} whose owner cannot be seen has the endpoint.`;
      return `${ownerText(cause.owner)} has the endpoint${cause.instance === undefined ? '' : `; it is the Filebeat “${cause.instance}”`}.`;
    case 'shared-with':
      return `${ownerText(cause.owner)} has a second socket on the same endpoint${cause.instance === undefined ? '' : ` (the Filebeat “${cause.instance}”)`}: the kernel deals the datagrams out between them.`;
    case 'other-listener':
      return `“${cause.instance}” asks for it too, in ${positionText(cause.declaredIn)}.`;
    case 'address-not-local':
      return 'No interface in its network namespace has this address, so the bind fails.';
    case 'privileged-port':
      return `Ports below ${cause.firstUnprivileged} need CAP_NET_BIND_SERVICE, and the process does not have it.`;
    case 'bind-failed':
      return retryText[cause.retry];
    case 'edited-after-start':
      return `${cause.file ?? 'The configuration'} was edited after this process started, and only a restart applies it.`;
    case 'reload-lost-port':
      return 'The file was reloaded: releases before 7.17.6 and 8.3.3 usually lose a port whose entry is edited.';
    case 'reloaded-file-broken':
      return `The reloaded file can no longer be used, so its inputs were stopped. ${faultText(cause.fault)}`;
    case 'started-recently':
      return 'It started moments ago.';
    case 'hangs-after-refusal':
      return `It refused its configuration and hangs instead of exiting. ${faultText(cause.fault)}`;
    case 'other-namespace':
      return 'The endpoint is bound in another network namespace.';
    case 'permission':
      return `${cause.subject} may not be read by the exporter.`;
    case 'ipv4-only-socket':
      return 'The socket is on the IPv4 wildcard only; IPv6 senders do not reach it.';
    case 'shared-data-path':
      return `“${cause.instance}” uses the same path.data.`;
    case 'restarts':
      return `Its process was replaced ${cause.count} times within ${cause.withinSeconds} s.`;
    case 'queue':
      return `${cause.bytes} of ${cause.limit} bytes are waiting to be read.`;
    case 'dropped':
      return `${cause.datagrams} datagrams were dropped within the last ${cause.sinceSeconds} s: the receive buffer was full.`;
    case 'rmem-max':
      return `read_buffer asks for ${cause.wanted} bytes, net.core.rmem_max grants ${cause.granted}.`;
    case 'wrong-process':
      return cause.owner === undefined ? 'Another process holds it.' : `${ownerText(cause.owner)} holds it.`;
    case 'none':
      return '';
  }
}

function restart(m: Mismatch, verb: 'restart' | 'start' = 'restart'): string {
  if (m.unit !== undefined) return `systemctl ${verb} ${shellWord(m.unit)}`;
  return `${verb} this Filebeat (${m.name ?? 'unknown'})`;
}

function logs(m: Mismatch): string {
  return m.unit === undefined ? 'read the end of its log' : `journalctl -u ${shellWord(m.unit)} -n 50`;
}

function listing(m: Mismatch): string {
  const flags = m.protocol === 'tcp' ? '-ltnp' : '-lunp';
  return `ss ${flags} 'sport = :${m.port ?? 0}'`;
}

function remedyText(m: Mismatch): string {
  const { cause } = m;
  const where = positionText(m.declaredIn);
  switch (m.code) {
    case 'instance_down':
      return cause.kind === 'config'
        ? `mend ${positionText(cause.fault.at) || 'its configuration'}, then: ${restart(m, 'start')}`
        : restart(m, 'start');
    case 'instance_flapping':
      return logs(m);
    case 'config_invalid':
      return cause.kind === 'config' && cause.fault.at !== undefined
        ? `edit ${positionText(cause.fault.at)}`
        : 'filebeat test config -c FILE';
    case 'config_unreadable':
      return m.subject === undefined
        ? 'give the exporter read access (docs/permissions.md)'
        : `ls -l ${shellWord(m.subject)}`;
    case 'config_unresolved':
      return where === '' ? 'write the value into the configuration' : `see ${where}`;
    case 'config_dynamic':
      return 'nothing to do; its ports are learned from what it holds';
    case 'restart_pending':
      return restart(m);
    case 'data_path_conflict':
      return `give one of them a --path.data of its own`;
    case 'listener_invalid':
      return `edit ${where}`;
    case 'port_random':
      return `name a port in ${where}`;
    case 'port_conflict':
      return cause.kind === 'other-listener'
        ? `change one of ${where} and ${positionText(cause.declaredIn)}`
        : `edit ${where}`;
    case 'port_taken':
      return cause.kind === 'held-by' && cause.owner !== undefined
        ? `ps -o pid,user,lstart,args -p ${cause.owner.pid}`
        : `sudo ${listing(m)}`;
    case 'port_missing':
      if (cause.kind === 'privileged-port')
        return `setcap or AmbientCapabilities=CAP_NET_BIND_SERVICE for it, then: ${restart(m)}`;
      if (cause.kind === 'address-not-local') return `ip -br address; then edit ${where}`;
      if (cause.kind === 'reloaded-file-broken') return `edit ${positionText(cause.fault.at) || where}`;
      if (cause.kind === 'hangs-after-refusal')
        return `edit ${positionText(cause.fault.at) || where}, then: ${restart(m)}`;
      if (cause.kind === 'bind-failed' && cause.retry === 'every-10s') return 'wait 10 seconds; then read its log';
      return restart(m);
    case 'learned_port_gone':
      return m.name === undefined
        ? 'look at the agent’s policy'
        : `filebeat-port-exporter forget ${shellWord(m.name)} --port ${m.protocol ?? 'udp'}/${m.port ?? 0} (if it is gone on purpose)`;
    case 'listener_deaf':
      return restart(m);
    case 'port_narrower':
      return `edit ${where} if IPv6 senders matter`;
    case 'socket_unexpected':
      return listing(m);
    case 'owner_hidden':
      return 'run the exporter with CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH (docs/permissions.md)';
    case 'queue_high':
    case 'drops':
      return `raise read_buffer${where === '' ? '' : ` in ${where}`} and net.core.rmem_max`;
    case 'buffer_capped':
      return cause.kind === 'rmem-max' ? `sysctl -w net.core.rmem_max=${cause.wanted}` : 'raise net.core.rmem_max';
    case 'static_port_down':
      return listing(m);
  }
}

function expectedText(m: Mismatch): string {
  if (m.code === 'socket_unexpected') return 'no such socket';
  if (m.code === 'static_port_down')
    return `${m.protocol} ${endpointText(m.address ?? '*', m.port)} bound${m.subject === undefined ? '' : ` by ${m.subject}`}`;
  if (m.protocol !== undefined && m.address !== undefined) {
    const where = positionText(m.declaredIn);
    return `${m.protocol} ${endpointText(m.address, m.port)}${m.input === undefined ? '' : ` (${m.input})`}${where === '' ? '' : `, declared in ${where}`}`;
  }
  switch (m.code) {
    case 'instance_down':
    case 'instance_flapping':
      return 'one process that stays up';
    case 'data_path_conflict':
      return 'a data path of its own';
    case 'restart_pending':
      return 'the listeners that are on disk';
    case 'config_unreadable':
      return `${m.subject ?? 'a configuration file'} readable`;
    default:
      return 'a configuration that Filebeat accepts';
  }
}

function seenText(m: Mismatch): string {
  switch (m.code) {
    case 'instance_down':
      return 'no process';
    case 'port_missing':
    case 'learned_port_gone':
      return m.pid === undefined ? 'no socket' : `pid ${m.pid} runs and holds no such socket`;
    case 'port_taken':
      return m.cause.kind === 'held-by' && m.cause.owner !== undefined
        ? `held by ${ownerText(m.cause.owner)}`
        : 'held by somebody else';
    case 'socket_unexpected':
      return `${m.protocol} ${endpointText(m.address ?? '*', m.port)} held by pid ${m.pid ?? '?'}`;
    case 'static_port_down':
      return m.cause.kind === 'wrong-process' ? 'bound by another process' : 'not bound';
    case 'config_unreadable':
      return 'not readable';
    default:
      return mismatchSeen[m.code] ?? '';
  }
}

const mismatchSeen: Partial<Record<Mismatch['code'], string>> = {
  config_invalid: 'it would exit',
  config_unresolved: 'cannot be known from outside',
  restart_pending: 'it still holds what it started with',
  listener_invalid: 'no socket can come of it',
  listener_deaf: 'a socket whose data is discarded',
  port_narrower: 'an IPv4-only socket',
  port_random: 'a port picked by the system',
  port_conflict: 'two claims on one endpoint',
  owner_hidden: 'a socket without a visible owner',
  queue_high: 'datagrams waiting',
  drops: 'datagrams dropped',
  buffer_capped: 'a smaller buffer',
  instance_flapping: 'several restarts',
  data_path_conflict: 'two Filebeats on one data path',
  config_dynamic: 'inputs from elsewhere',
};

/** All sentences of one mismatch. */
export function words(m: Mismatch): Words {
  return { expected: expectedText(m), seen: seenText(m), cause: causeText(m.cause), remedy: remedyText(m) };
}
