/** The likely cause of a mismatch in one to three short sentences: what is not already said as "seen". Pure. */
import { faultText } from '../filebeat/faults.js';
import type {
  BindRetry,
  Cause,
  Fault,
  GapReason,
  Holder,
  InstanceOrigin,
  InvalidWhy,
  LostPort,
  Mismatch,
  OutputSituation,
  UnitOff,
  UnresolvedWhy,
} from '../model/model.js';
import { bytes, duration, grouped, plural } from './figures.js';
import { differences } from './identity-text.js';
import { endpointsText, endpointText, ownerText, positionText } from './locations.js';

const wanted: Record<InstanceOrigin, string> = {
  process: 'it was running when last seen',
  systemd: 'an enabled systemd unit starts it',
  declared: 'the exporter’s settings declare it',
  config_glob: 'its file matches config_globs',
  remembered: 'it was seen running before',
};

/** After a bind that failed while the endpoint is free now. */
const freeNow: Record<BindRetry, string> = {
  never:
    'Nothing holds the endpoint now, but this input binds only once, at its start: that failed, or the socket was lost since.',
  busy: 'Nothing holds the endpoint and this release retries without a pause: the input itself has ended or never started, and its log says why.',
  'every-10s':
    'Nothing holds the endpoint and this input retries every 10 s: if that does not bring it back, its log says why.',
  deaf: 'Nothing holds the endpoint and this input retries every 10 s, but this release then discards all it receives: it needs a restart.',
};

/** While somebody else holds the endpoint. */
const onceFree: Record<BindRetry, string> = {
  never: 'This input does not try again: once the endpoint is free, restart this Filebeat.',
  busy: 'This release retries in a loop that burns a core; it comes back by itself once the endpoint is free.',
  'every-10s': 'This input retries every 10 s and comes back by itself once the endpoint is free.',
  deaf: 'This input retries every 10 s, but this release then discards all it receives: once the endpoint is free, restart this Filebeat.',
};

const unresolved: Record<UnresolvedWhy | 'name', string> = {
  keystore: 'It comes from the keystore, which only that Filebeat can open.',
  variable: 'It depends on a variable whose value cannot be seen from outside.',
  'service-name': 'Its port is a service name, and /etc/services could not be read.',
  ambiguous: 'It is written twice in different spellings; Filebeat itself takes one of them by chance.',
  name: 'Its host is a name that only a name server knows, and the exporter asks none; no socket on that port is this Filebeat’s.',
};

const invalid: Record<InvalidWhy, string> = {
  'missing-port': 'The host has no port (“host:port” is expected).',
  'too-many-colons': 'The host has too many colons; an IPv6 address belongs in brackets.',
  'bad-port': 'The port is not a number from 0 to 65535.',
  'unknown-service': 'The port is a service name that is not in /etc/services.',
  'bad-host': 'The host is neither an address nor a name.',
  'no-such-name': 'The host is a name that does not exist.',
  'wrong-family': 'The address is of the other family than “network” asks for.',
  'bad-option': 'An option of the input stops it before it binds.',
};

const unread: Record<GapReason, string> = {
  denied: 'The exporter has no permission to read it.',
  vanished: 'It vanished while it was being read.',
  malformed: 'It could not be parsed.',
  missing: 'It does not exist.',
  limit: 'It is larger than the exporter’s limit, or not a regular file.',
  blocked: 'A read of it does not return.',
  unclear: 'The files alone do not show it.',
  vantage: 'The exporter does not see the host’s own /proc or root.',
};

/** What can be said where no cause is known. */
const unknown: Partial<Record<Mismatch['code'], string>> = {
  socket_unexpected: 'Its files were changed since, or an input opens a socket that the exporter does not know of.',
  port_random: 'The host names no port, so nobody can send to it on purpose.',
  output_failing: 'The output does not answer, or refuses events; Filebeat’s log has the reason.',
  output_slow: 'The output accepts fewer events than arrive.',
  events_dropped: 'The output rejected them permanently, or could not write them.',
  port_silent: 'The sender is off or sends elsewhere, or the data is dropped on the way.',
  reload_failed: 'The edited file cannot be loaded; its log has the reason.',
  static_port_down: 'No socket is bound to it: the process that should serve it is not running, or lost it.',
  learned_port_gone: 'It was held for a long time and is gone: the policy changed, or the bind failed after a restart.',
};

const frozen: Record<Extract<Cause, { kind: 'frozen' }>['how'], string> = {
  stopped: 'A signal stopped it (state T).',
  cgroup: 'Its control group is frozen.',
  traced: 'A debugger holds it (state t).',
  uninterruptible: 'All its threads wait in the kernel (state D), usually for a disk or a network file system.',
};

function fault(of: Fault): string {
  const at = positionText(of.at);
  return at === '' ? faultText(of) : `${faultText(of)} See ${at}.`;
}

/** `It started 2h 5m before this Filebeat, so it had the endpoint first.` */
function precedence({ headStart }: Partial<Holder>): string {
  if (headStart === undefined || Math.abs(headStart) < 1) return '';
  return headStart > 0
    ? `It started ${duration(headStart)} before this Filebeat, so it was there first.`
    : `It started ${duration(-headStart)} after this Filebeat, which had lost the endpoint or never got it.`;
}

/** `otherwise`: what is said of a process that nothing more is known of. */
function whoHolds(holder: Holder, otherwise: string): string {
  const { owner, instance, declaredIn } = holder;
  const who = ownerText(owner);
  if (instance !== undefined)
    return declaredIn === undefined
      ? `${who} is the Filebeat “${instance}”, though its files do not ask for it.`
      : `${who} is the Filebeat “${instance}”, and ${positionText(declaredIn)} asks for the same endpoint.`;
  if (owner.pid === 1) return `${who} holds it for a socket unit.`;
  if (owner.comm === 'docker-proxy') return `${who} publishes a port of a container.`;
  return otherwise;
}

function holderText(cause: Extract<Cause, { kind: 'held-by' }>): string {
  const { owner, retry, uid } = cause;
  if (owner === undefined)
    return `A process of user id ${uid ?? '?'} that the exporter may not look into has it. ${onceFree[retry]}`;
  const who = whoHolds({ ...cause, owner }, `The bind was lost to ${ownerText(owner)}.`);
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

/** Of many the first few. */
function listed(all: readonly string[], most = 5): string {
  const left = all.length - most;
  return left > 0 ? `${all.slice(0, most).join(', ')} and ${left} more` : all.join(', ');
}

const unitsOff: Record<UnitOff['why'], (unit: string, condition?: string) => string> = {
  disabled: (unit) => `Its unit ${unit} is disabled: it is not started at boot`,
  static: (unit) => `Its unit ${unit} is not started at boot: no unit that is started pulls it in`,
  masked: (unit) => `Its unit ${unit} is masked: systemd refuses to start it`,
  condition: (unit, condition = 'a condition') => `systemd skips its unit ${unit}, because ${condition} does not hold`,
};

function changes({ gained = [], lost = [], refused = [] }: Extract<Cause, { kind: 'edited-after-start' }>): string {
  const parts = [
    ...(gained.length > 0 ? [`would open ${endpointsText(gained)}`] : []),
    ...(lost.length > 0 ? [`would close ${endpointsText(lost)}`] : []),
  ];
  const moves = parts.length === 0 ? '' : ` A restart ${parts.join(' and ')}.`;
  const [first, ...more] = refused;
  if (first === undefined) return moves;
  const others = more.length === 0 ? '' : ` There are ${plural(more.length, 'more such fault')}.`;
  return `${moves} It would run without an input of its files. ${fault(first)}${others}`;
}

const elsewhere = {
  address: 'on another address: the name resolved differently when it started, or the file was edited since',
  family: 'of the other address family: the name resolved differently when it started, or the file was edited since',
  namespace: 'in another network namespace than the one it runs in now',
};

/** What Filebeat's own log adds: a class and a time. */
const logWords: Record<NonNullable<Mismatch['said']>['what'], string> = {
  'in-use': 'address already in use',
  denied: 'permission denied',
  'no-address': 'cannot assign requested address',
  bind: 'a bind failed',
  input: 'an input failed',
  reload: 'a file or entry could not be loaded',
  output_connect: 'no connection to the output',
  output_publish: 'the output refused events',
  output_dropped: 'events were dropped',
  other: 'an error',
  locked: 'it ends, another one has locked the data path',
  config: 'it ends, because of its configuration',
  module: 'it ends, because of a module or fileset',
  output: 'it ends, because of its output settings',
  exit: 'it ends, because of an error',
};

/** `21:15:08` UTC. */
const clockText = (at: number): string => new Date(at * 1000).toISOString().slice(11, 19);

/** Why datagrams pile up, by what Filebeat says of its output. */
const behind: Record<OutputSituation | 'frozen', string> = {
  frozen: ' It is frozen, so nothing reads from the socket.',
  down: ' Its output cannot be reached: once the queue is full, Filebeat stops reading.',
  refusing: ' Its output refuses events: once the queue is full, Filebeat stops reading.',
  mute: ' Its output does not answer: once the queue is full, Filebeat stops reading.',
  slow: ' Its output accepts less than arrives, and the queue is full.',
  flowing: ' Its output keeps up: a burst, or too small a buffer.',
  idle: ' Its output keeps up: a burst, or too small a buffer.',
  unknown: '',
};

const situations: Record<OutputSituation, string> = {
  down: 'No event is handed to the output: it cannot be reached, or it refuses the connection.',
  refusing: 'The output refuses what it is sent, or times out.',
  mute: 'Events are sent and not answered.',
  slow: 'Events are acknowledged, but the queue stays full.',
  flowing: '',
  idle: '',
  unknown: '',
};

function outputText({ situation, sinceSeconds, waiting, capacity }: Extract<Cause, { kind: 'output' }>): string {
  const of = capacity === undefined ? '' : ` of ${grouped(capacity)}`;
  const events = waiting === undefined ? '' : ` ${grouped(waiting)}${of} events wait.`;
  return `${situations[situation]} So it has been for ${duration(sinceSeconds)}.${events}`;
}

/** Empty when nothing is known beyond what was seen. */
export function causeText(mismatch: Mismatch): string {
  const { said, output } = mismatch;
  const own =
    said === undefined
      ? ''
      : ` Filebeat said at ${clockText(said.at)}: ${logWords[said.what]}${said.differs ? ', which is not what the exporter sees now' : ''}.`;
  return `${kernelText(mismatch)}${output === undefined ? '' : behind[output]}${own}`.trim();
}

/** What else is known, the likeliest first. */
export function evidenceTexts({ code, evidence = [] }: Mismatch): string[] {
  return evidence.map((cause) => kernelText({ code, cause })).filter((text) => text !== '');
}

/** The cause by what the exporter saw itself. */
function kernelText({ code, cause }: Pick<Mismatch, 'code' | 'cause'>): string {
  switch (cause.kind) {
    case 'not-running':
      if (cause.end === 'crash')
        return `It crashed or was killed: its lock file is left behind. Expected because ${wanted[cause.origin]}.`;
      if (cause.end === 'clean')
        return `It was stopped cleanly: no lock file is left. Expected because ${wanted[cause.origin]}.`;
      return `How it ended is not known. Expected because ${wanted[cause.origin]}.`;
    case 'not-since-boot':
      return `It has not been started since the host booted. Expected because ${wanted[cause.origin]}.`;
    case 'never-seen':
      return `It was never seen running. Expected because ${wanted[cause.origin]}.`;
    case 'runs-elsewhere':
      return `The same configuration runs as “${cause.instance}” in another network namespace: what is sent here does not reach it.`;
    case 'endpoint-held': {
      const where = `Its stats endpoint in ${positionText(cause.declaredIn)}`;
      if (cause.owner === undefined && cause.uid === undefined)
        return `${where} has an address that this host lacks: this release does not start without it.`;
      return `${where} is held by ${takerText(cause)}: this release does not start without it.`;
    }
    case 'data-locked':
      return `“${cause.instance}” runs on the same path.data and has locked it: a second one ends at once.`;
    case 'cannot-start':
      return `It could not be started as the files are: ${cause.whys.join('; ')}.`;
    case 'unit-off':
      return `${unitsOff[cause.why](cause.unit, cause.condition)}.`;
    case 'unit-state':
      return cause.isStarted
        ? `systemd counts ${cause.unit} as started or starting, though no Filebeat runs in it.`
        : `systemd does not count ${cause.unit} as started: it was stopped, it ended or failed, or systemd has yet to start it again.`;
    case 'start-loses':
      return `If started now, it could not bind ${listed(cause.ports.map(lostPortText))}.`;
    case 'start-refuses':
      return `If started now, it would run without an input of its files. ${fault(cause.fault)}`;
    case 'config':
      return fault(cause.fault);
    case 'held-by':
      return holderText(cause);
    case 'shared-with':
      return `${whoHolds(cause, `${ownerText(cause.owner)} binds it too, with SO_REUSEPORT.`)} Both have a socket on the endpoint, and the kernel distributes the datagrams between them.`;
    case 'other-listener': {
      const also = `“${cause.instance}” asks for it too, in ${positionText(cause.declaredIn)}.`;
      if (cause.when === undefined) return `${also} Only one of the two can be bound; chance decides which.`;
      return cause.when === 'start'
        ? `${also} One of the two is not running; if started, it would find the endpoint taken.`
        : `${also} They collide at the next restart, and the one that starts last does not get the endpoint.`;
    }
    case 'address-not-local':
      return `No interface ${cause.inside ? 'in its network namespace' : 'of this host'} has this address, so the bind fails.`;
    case 'privileged-port':
      return `Ports below ${cause.firstUnprivileged} need CAP_NET_BIND_SERVICE, and its process lacks it.`;
    case 'bind-failed':
      return code === 'learned_port_gone'
        ? unknown.learned_port_gone!
        : code === 'listener_deaf'
          ? 'Its first bind failed; when the endpoint came free it was bound, but this release discards what such a netflow input receives.'
          : freeNow[cause.retry];
    case 'edited-after-start':
      return `${cause.file ?? 'Its configuration'} was edited after this process started, and only a restart applies it.${changes(cause)}`;
    case 'maybe-refused':
      return `${fault(cause.fault)} The file was edited after this process started, so it may work with what was there before.`;
    case 'reload-lost-port':
      return 'Its file was edited and reloaded: releases before 7.17.6 and 8.3.3 lose the port of an entry that is edited.';
    case 'reload-pending':
      return `${cause.file} was edited ${duration(cause.sinceSeconds)} ago; Filebeat reads it again every ${duration(cause.periodSeconds)}.`;
    case 'reloaded-file-broken':
      return `The reloaded file cannot be used any more, so its inputs were stopped. ${fault(cause.fault)}`;
    case 'hangs-after-refusal': {
      const unknown = cause.portsUnknown ? ' No earlier scan knew its ports, so none is reported as missing.' : '';
      return `It refused its configuration and hangs instead of exiting, as this release may. ${fault(cause.fault)}${unknown}`;
    }
    case 'same-id':
      return `The input in ${positionText(cause.declaredIn)} has the same id, and this release starts only one of them.`;
    case 'bound-elsewhere':
      return `Its process holds ${endpointText(cause.address, undefined)} on this port, ${elsewhere[cause.differs]}.`;
    case 'unresolved':
      return unresolved[cause.why];
    case 'invalid':
      return invalid[cause.why];
    case 'permission':
      return `The exporter may not read ${cause.subject}: it lacks CAP_SYS_PTRACE or CAP_DAC_READ_SEARCH.`;
    case 'unreadable':
      return cause.user === undefined
        ? unread[cause.reason]
        : `Its user (uid ${cause.user}) has no permission to read it, so Filebeat takes nothing from it.`;
    case 'ipv4-only-socket':
      return 'The socket is on the IPv4 wildcard only: IPv6 senders do not reach it.';
    case 'shared-data-path':
      return `“${cause.instance}” is configured with the same path.data.`;
    case 'restarts':
      return `Its process was replaced ${plural(cause.count, 'time')} within ${duration(cause.withinSeconds)}: something ends it, or starts it over and over.`;
    case 'queue':
      return `${bytes(cause.bytes)} of ${bytes(cause.limit)} wait to be read: Filebeat, or what it sends to, is too slow.`;
    case 'dropped':
      return `The receive buffer was full: ${plural(cause.datagrams, 'datagram')} lost within ${duration(cause.sinceSeconds)}.`;
    case 'rmem-max':
      return `read_buffer asks for ${bytes(cause.wanted)}, net.core.rmem_max grants ${bytes(cause.granted)}.`;
    case 'wrong-process':
      return cause.owner === undefined
        ? 'It is bound, but not by the process that the settings name.'
        : `${ownerText(cause.owner)} holds it, not the process that the settings name.`;
    case 'imitates':
      return `It has the command line of “${cause.instance}”, but ${differences[cause.differs]}.`;
    case 'frozen':
      return `${frozen[cause.how]}${cause.sinceSeconds === undefined ? '' : ` It has been so for ${duration(cause.sinceSeconds)}.`}`;
    case 'output':
      return outputText(cause);
    case 'events-lost':
      return `Filebeat gave up on ${plural(cause.events, 'event')} within ${duration(cause.sinceSeconds)}: the output rejected them permanently, or could not write them.`;
    case 'silent':
      return cause.never
        ? `Nothing has arrived since the exporter first watched it, ${duration(cause.forSeconds)} ago.`
        : `Nothing has arrived for ${duration(cause.forSeconds)}, longer than any pause of the last seven days.`;
    case 'none':
      return unknown[code] ?? '';
  }
}
