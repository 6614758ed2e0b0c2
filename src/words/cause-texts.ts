/** One text for each kind of cause: what the exporter found out itself. Pure. */
import { faultText } from '../filebeat/faults.js';
import type { BindRetry, Cause, Fault, GapReason, Holder, LostPort, Mismatch, UnitOff } from '../model/model.js';
import { expectedBecause } from './expected-because.js';
import { bytes, duration, plural } from './figures.js';
import { differences } from './identity-text.js';
import { invalidClauses, sentence, unresolvedClauses } from './listener-faults.js';
import { endpointsText, endpointText, ownerText, positionText } from './locations.js';
import { outputText } from './output-texts.js';

type CauseOf<K extends Cause['kind']> = Extract<Cause, { kind: K }>;

/** After a bind that failed, while the endpoint is free now. */
const freeNow: Record<BindRetry, string> = {
  never:
    'The endpoint is free now, but this input binds only once, at its start: that bind failed, or the socket was lost later.',
  busy: 'The endpoint is free and this release retries without a pause: the input itself has ended or never started. Filebeat’s log says why.',
  'every-10s':
    'The endpoint is free and this input retries every 10 s: if it does not come back, Filebeat’s log says why.',
  deaf: 'The endpoint is free and this input retries every 10 s, but this release then discards everything it receives: it needs a restart.',
};

/** While another process holds the endpoint. */
const onceFree: Record<BindRetry, string> = {
  never: 'This input does not try again: once the endpoint is free, restart this Filebeat.',
  busy: 'This release retries in a loop that uses a whole core; it recovers by itself once the endpoint is free.',
  'every-10s': 'This input retries every 10 s and recovers by itself once the endpoint is free.',
  deaf: 'This input retries every 10 s, but this release then discards everything it receives: once the endpoint is free, restart this Filebeat.',
};

const unread: Record<GapReason, string> = {
  denied: 'The exporter has no permission to read it.',
  vanished: 'It vanished while it was being read.',
  malformed: 'It could not be parsed.',
  missing: 'It does not exist.',
  limit: 'It is larger than the exporter’s limit, or not a regular file.',
  blocked: 'Reading it does not return.',
  unclear: 'It cannot be determined from the files alone.',
  vantage: 'The exporter does not see the host’s own /proc or root.',
};

/** What can be said of a mismatch without a known cause. */
const withoutCause: Partial<Record<Mismatch['code'], string>> = {
  socket_unexpected:
    'Its files have changed since its start, or an input opens a socket that the exporter does not know about.',
  port_random: 'No port is configured, so no sender can know where to send.',
  output_failing: 'The output does not answer, or refuses events; Filebeat’s log has the reason.',
  output_slow: 'The output accepts fewer events than arrive.',
  events_dropped: 'The output rejected them permanently, or could not write them.',
  port_silent: 'The sender is off or sends elsewhere, or the data is lost on the way.',
  reload_failed: 'The edited file cannot be loaded; Filebeat’s log has the reason.',
  static_port_down:
    'No socket is bound to it: the process that should serve it is not running, or has lost the socket.',
  learned_port_gone:
    'Filebeat held it for a long time and has lost it: its policy changed, or the bind failed after a restart.',
};

const frozen: Record<CauseOf<'frozen'>['how'], string> = {
  stopped: 'A signal stopped it (state T).',
  cgroup: 'Its control group is frozen.',
  traced: 'A debugger has stopped it (state t).',
  uninterruptible: 'All its threads wait in the kernel (state D), usually for a disk or a network file system.',
};

const unitsOff: Record<UnitOff['why'], (unit: string, condition?: string) => string> = {
  disabled: (unit) => `Its unit ${unit} is disabled: it is not started at boot`,
  static: (unit) => `Its unit ${unit} is not started at boot: no unit that is started pulls it in`,
  masked: (unit) => `Its unit ${unit} is masked: systemd refuses to start it`,
  condition: (unit, condition = 'a condition') => `systemd skips its unit ${unit}, because ${condition} is not met`,
};

const elsewhere = {
  address: 'on another address: the name resolved differently when it started, or the file was edited since',
  family: 'of the other address family: the name resolved differently when it started, or the file was edited since',
  namespace: 'in another network namespace than the one it runs in now',
};

function fault(of: Fault): string {
  const at = positionText(of.at);
  return at === '' ? faultText(of) : `${faultText(of)} See ${at}.`;
}

/** `It started 2h 5m before this Filebeat, so it bound first.` */
function precedence({ headStart }: Partial<Holder>): string {
  if (headStart === undefined || Math.abs(headStart) < 1) return '';
  return headStart > 0
    ? `It started ${duration(headStart)} before this Filebeat, so it bound first.`
    : `It started ${duration(-headStart)} after this Filebeat, which had lost the endpoint or never got it.`;
}

/** `otherwise`: the text for a process of which nothing more is known. */
function holderText({ owner, instance, declaredIn }: Holder, otherwise: string): string {
  const who = ownerText(owner);
  if (instance !== undefined)
    return declaredIn === undefined
      ? `${who} is the Filebeat “${instance}”, although its files do not declare this endpoint.`
      : `${who} is the Filebeat “${instance}”, and ${positionText(declaredIn)} declares the same endpoint.`;
  if (owner.pid === 1) return `${who} holds it for a socket unit.`;
  if (owner.comm === 'docker-proxy') return `${who} publishes a port of a container.`;
  return otherwise;
}

function heldByText(cause: CauseOf<'held-by'>): string {
  const { owner, retry, uid } = cause;
  if (owner === undefined)
    return `A process of user id ${uid ?? '?'} holds it; the exporter has no permission to inspect that process. ${onceFree[retry]}`;
  const who = holderText({ ...cause, owner }, `The bind was lost to ${ownerText(owner)}.`);
  return [who, precedence(cause), onceFree[retry]].filter((part) => part !== '').join(' ');
}

/** `pid 4711 (rsyslogd), the Filebeat “edge”`. */
function takerText({ owner, uid, instance }: Pick<LostPort, 'owner' | 'uid' | 'instance'>): string {
  const who = owner === undefined ? `a process of user id ${uid ?? '?'}` : ownerText(owner);
  return instance === undefined ? who : `${who}, the Filebeat “${instance}”`;
}

function lostPortText(lost: LostPort): string {
  const endpoint = `${lost.protocol} ${endpointText(lost.address, lost.port)}`;
  return lost.owner === undefined && lost.uid === undefined
    ? `${endpoint} (this host lacks the address)`
    : `${endpoint} (held by ${takerText(lost)})`;
}

/** The first few, and the number of the others. */
function listed(all: readonly string[], most = 5): string {
  const left = all.length - most;
  return left > 0 ? `${all.slice(0, most).join(', ')} and ${left} more` : all.join(', ');
}

function editedText({ file, gained = [], lost = [], refused = [] }: CauseOf<'edited-after-start'>): string {
  const edited = `${file ?? 'Its configuration'} was edited after this process started, and only a restart applies it.`;
  const parts = [
    ...(gained.length > 0 ? [`would open ${endpointsText(gained)}`] : []),
    ...(lost.length > 0 ? [`would close ${endpointsText(lost)}`] : []),
  ];
  const changes = parts.length === 0 ? '' : ` A restart ${parts.join(' and ')}.`;
  const [first, ...more] = refused;
  if (first === undefined) return `${edited}${changes}`;
  const others = more.length === 0 ? '' : ` There are ${plural(more.length, 'more such fault')}.`;
  return `${edited}${changes} It would run without a configured input. ${fault(first)}${others}`;
}

function otherListenerText({ instance, declaredIn, when }: CauseOf<'other-listener'>): string {
  const also = `“${instance}” declares it too, in ${positionText(declaredIn)}.`;
  if (when === undefined) return `${also} Only one of the two can be bound; chance decides which.`;
  return when === 'start'
    ? `${also} One of the two is not running; if started, it would find the endpoint taken.`
    : `${also} They will collide at the next restart: the one that starts last does not get the endpoint.`;
}

function endpointHeldText(cause: CauseOf<'endpoint-held'>): string {
  const endpoint = `Its stats endpoint in ${positionText(cause.declaredIn)}`;
  return cause.owner === undefined && cause.uid === undefined
    ? `${endpoint} has an address that this host lacks: this release does not start without it.`
    : `${endpoint} is held by ${takerText(cause)}: this release does not start without it.`;
}

function hangsText({ fault: of, portsUnknown }: CauseOf<'hangs-after-refusal'>): string {
  const unknown = portsUnknown ? ' No earlier scan knew its ports, so none is reported as missing.' : '';
  return `It refused its configuration but hangs instead of exiting, as this release may. ${fault(of)}${unknown}`;
}

const ends = {
  crash: 'It crashed or was killed: its lock file is left behind.',
  clean: 'It was stopped cleanly: no lock file is left.',
};

type Texts = { [K in Cause['kind']]: (cause: CauseOf<K>, code: Mismatch['code']) => string };

const texts: Texts = {
  'not-running': ({ end, origin }) =>
    `${end === undefined ? 'How it ended is not known.' : ends[end]} Expected because ${expectedBecause[origin]}.`,
  'not-since-boot': ({ origin }) =>
    `It has not been started since the host booted. Expected because ${expectedBecause[origin]}.`,
  'never-seen': ({ origin }) => `It was never seen running. Expected because ${expectedBecause[origin]}.`,
  'runs-elsewhere': ({ instance }) =>
    `The same configuration runs as “${instance}” in another network namespace: what is sent here does not reach it.`,
  'endpoint-held': endpointHeldText,
  'data-locked': ({ instance }) =>
    `“${instance}” runs on the same path.data and has locked it: a second Filebeat exits at once.`,
  'cannot-start': ({ whys }) => `It cannot be started with the files as they are: ${whys.join('; ')}.`,
  'unit-off': ({ why, unit, condition }) => `${unitsOff[why](unit, condition)}.`,
  'unit-state': ({ unit, isStarted }) =>
    isStarted
      ? `systemd regards ${unit} as started or starting, although no Filebeat runs in it.`
      : `systemd does not regard ${unit} as started: it was stopped, exited or failed, or waits to be started again.`,
  'start-loses': ({ ports }) => `If started now, it could not bind ${listed(ports.map(lostPortText))}.`,
  'start-refuses': (cause) => `If started now, it would run without a configured input. ${fault(cause.fault)}`,
  config: (cause) => fault(cause.fault),
  'held-by': heldByText,
  'shared-with': (cause) =>
    `${holderText(cause, `${ownerText(cause.owner)} binds it too, with SO_REUSEPORT.`)} Both have a socket on the endpoint, and the kernel distributes the datagrams between them.`,
  'other-listener': otherListenerText,
  'address-not-local': ({ inside }) =>
    `No interface ${inside ? 'in its network namespace' : 'of this host'} has this address, so the bind fails.`,
  'privileged-port': ({ firstUnprivileged }) =>
    `Ports below ${firstUnprivileged} need CAP_NET_BIND_SERVICE, and its process lacks it.`,
  'bind-failed': ({ retry }, code) => {
    if (code === 'learned_port_gone') return withoutCause.learned_port_gone!;
    return code === 'listener_deaf'
      ? 'Its first bind failed. Once the endpoint was free it was bound, but this release then discards everything that a netflow input receives.'
      : freeNow[retry];
  },
  'edited-after-start': editedText,
  'maybe-refused': (cause) =>
    `${fault(cause.fault)} The file was edited after this process started, so the process may still run with the previous content.`,
  'reload-lost-port': () =>
    'Its file was edited and reloaded: releases before 7.17.6 and 8.3.3 lose the port of an edited entry.',
  'reload-pending': ({ file, sinceSeconds, periodSeconds }) =>
    `${file} was edited ${duration(sinceSeconds)} ago; Filebeat reads it again every ${duration(periodSeconds)}.`,
  'reloaded-file-broken': (cause) => `The edited file is invalid, so its inputs were stopped. ${fault(cause.fault)}`,
  'hangs-after-refusal': hangsText,
  'same-id': ({ declaredIn }) =>
    `The input in ${positionText(declaredIn)} has the same id, and this release starts only one of them.`,
  'bound-elsewhere': ({ address, differs }) =>
    `Its process holds ${endpointText(address, undefined)} on this port, ${elsewhere[differs]}.`,
  unresolved: ({ why }) =>
    why === 'name'
      ? 'Its host is a name that only a name server knows, and the exporter asks none; no socket on that port is this Filebeat’s.'
      : sentence(unresolvedClauses[why]),
  invalid: ({ why }) => sentence(invalidClauses[why]),
  permission: ({ subject }) => `The exporter may not read ${subject}: it lacks CAP_SYS_PTRACE or CAP_DAC_READ_SEARCH.`,
  unreadable: ({ reason, user }) =>
    user === undefined
      ? unread[reason]
      : `Its user (uid ${user}) has no permission to read it, so Filebeat takes nothing from it.`,
  'ipv4-only-socket': () => 'The socket is bound to the IPv4 wildcard only: IPv6 senders do not reach it.',
  'shared-data-path': ({ instance }) => `“${instance}” is configured with the same path.data.`,
  restarts: ({ count, withinSeconds }) =>
    `Its process was replaced ${plural(count, 'time')} within ${duration(withinSeconds)}: it keeps ending, or something keeps restarting it.`,
  queue: (cause) =>
    `${bytes(cause.bytes)} of ${bytes(cause.limit)} are waiting to be read: Filebeat reads too slowly, or cannot send its events on fast enough.`,
  dropped: ({ datagrams, sinceSeconds }) =>
    `The receive buffer was full: ${plural(datagrams, 'datagram')} lost within ${duration(sinceSeconds)}.`,
  'rmem-max': ({ wanted, granted }) =>
    `read_buffer is ${bytes(wanted)}, but net.core.rmem_max allows only ${bytes(granted)}.`,
  'wrong-process': ({ owner }) =>
    owner === undefined
      ? 'It is bound, but not by the process that the settings name.'
      : `${ownerText(owner)} holds it, not the process that the settings name.`,
  imitates: ({ instance, differs }) => `It has the command line of “${instance}”, but ${differences[differs]}.`,
  frozen: ({ how, sinceSeconds }) =>
    `${frozen[how]}${sinceSeconds === undefined ? '' : ` This has lasted for ${duration(sinceSeconds)}.`}`,
  output: outputText,
  'events-lost': ({ events, sinceSeconds }) =>
    `Filebeat gave up on ${plural(events, 'event')} within ${duration(sinceSeconds)}: the output rejected them permanently, or could not write them.`,
  silent: ({ never, forSeconds }) =>
    never
      ? `Nothing has arrived since the exporter began to watch it, ${duration(forSeconds)} ago.`
      : `Nothing has arrived for ${duration(forSeconds)}, longer than any pause of the last seven days.`,
  none: (_cause, code) => withoutCause[code] ?? '',
};

/** One to three short sentences; empty when nothing is known beyond what was seen. */
export function kindText<K extends Cause['kind']>({
  code,
  cause,
}: {
  code: Mismatch['code'];
  cause: CauseOf<K>;
}): string {
  const text = texts[cause.kind as K] as (cause: CauseOf<K>, code: Mismatch['code']) => string;
  return text(cause, code);
}
