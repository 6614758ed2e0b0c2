/** The sentences of a mismatch: expected, seen, likely cause, one thing to try. Pure. Never quotes values of a configuration. */
import type { Mismatch } from '../model/model.js';
import { causeText, evidenceTexts } from './cause.js';
import { endpointText, ownerText, positionText } from './locations.js';
import { remedyOf, remedyText } from './remedy.js';

export { endpointText, positionText, shellWord } from './locations.js';

export interface Words {
  expected: string;
  seen: string;
  cause: string;
  /** What else is known, a sentence or two each. */
  evidence: string[];
  /** One command or one edit. */
  remedy: string;
  /** The command at the end of `remedy`, as it can be pasted into a shell. */
  command?: string;
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
    case 'instance_frozen':
      return 'a process that makes progress';
    case 'lookalike':
      return m.cause.kind === 'imitates' ? `only “${m.cause.instance}” with this command line` : 'no such process';
    case 'output_failing':
    case 'output_slow':
    case 'events_dropped':
      return 'an output that accepts every event';
    case 'reload_failed':
      return 'the files on disk loaded';
    case 'data_path_conflict':
      return 'a data path of its own';
    case 'restart_pending':
      return 'a process that runs with the files on disk';
    case 'config_unreadable':
      return `${m.subject ?? 'a configuration file'} readable`;
    case 'config_dynamic':
    case 'config_unresolved':
      return 'listeners that are determined by its files';
    default:
      return 'a configuration that Filebeat accepts';
  }
}

function takenText({ cause, pid }: Mismatch): string {
  if (cause.kind === 'shared-with') return `held by pid ${pid ?? '?'} and by ${ownerText(cause.owner)}`;
  if (cause.kind !== 'held-by') return 'held by another process';
  return cause.owner === undefined ? 'held by a process that cannot be seen' : `held by ${ownerText(cause.owner)}`;
}

function seenText(m: Mismatch): string {
  switch (m.code) {
    case 'instance_down':
      return 'no process';
    case 'port_missing':
    case 'learned_port_gone':
      return m.pid === undefined ? 'no socket' : `pid ${m.pid} runs but holds no such socket`;
    case 'port_taken':
      return takenText(m);
    case 'socket_unexpected':
      return `${m.protocol} ${endpointText(m.address ?? '*', m.port)} held by pid ${m.pid ?? '?'}`;
    case 'static_port_down':
      return m.cause.kind === 'wrong-process' ? 'bound by another process' : 'not bound';
    case 'owner_hidden':
      return m.cause.kind === 'permission' && m.cause.uid !== undefined
        ? `a socket of user id ${m.cause.uid} without a visible owner`
        : 'a socket without a visible owner';
    case 'config_invalid':
      return m.cause.kind === 'hangs-after-refusal' ? `pid ${m.pid ?? '?'} runs without any socket` : 'it would exit';
    case 'config_unreadable':
      return 'not readable';
    case 'input_refused':
      return m.cause.kind === 'maybe-refused' ? 'a file that was edited after the start' : mismatchSeen.input_refused!;
    default:
      return mismatchSeen[m.code] ?? '';
  }
}

const mismatchSeen: Partial<Record<Mismatch['code'], string>> = {
  config_unresolved: 'not known from outside the process',
  restart_pending: 'a process that still runs with the earlier files',
  listener_invalid: 'it cannot be bound',
  listener_deaf: 'a socket whose data is discarded',
  port_narrower: 'an IPv4-only socket',
  port_random: 'a port picked by the system',
  port_conflict: 'two listeners for one endpoint',
  queue_high: 'datagrams waiting',
  drops: 'datagrams dropped',
  buffer_capped: 'a smaller buffer',
  instance_flapping: 'several restarts',
  data_path_conflict: 'two Filebeats on one data path',
  input_refused: 'Filebeat runs on without it',
  prediction_refuted: 'Filebeat runs and holds sockets of its inputs',
  lookalike: 'another process with the same command line',
  instance_frozen: 'a process that makes no progress',
  output_failing: 'events are waiting and none is acknowledged',
  output_slow: 'a full queue',
  events_dropped: 'events lost',
  port_silent: 'nothing arrives',
  reload_failed: 'the previous content still loaded',
  config_dynamic: 'inputs from elsewhere',
};

/** All sentences of one mismatch. */
export function words(m: Mismatch): Words {
  const remedy = remedyOf(m);
  return {
    expected: expectedText(m),
    seen: seenText(m),
    cause: causeText(m),
    evidence: evidenceTexts(m),
    remedy: remedyText(remedy),
    ...(remedy.run === undefined ? {} : { command: remedy.run }),
  };
}
