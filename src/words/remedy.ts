/** What to try, one thing for each mismatch: a command that can be pasted into a shell, or an edit. Pure. */
import { faultRemedy } from '../filebeat/fault-remedies.js';
import type { Cause, Mismatch, MismatchCode } from '../model/model.js';
import { thawContainer } from './container.js';
import { endpointText, positionText, shellWord } from './locations.js';
import { edit, editThen, firstThen, listing, ownUnit, type Remedy, readLog, restart, start } from './remedy-actions.js';

function faultPosition(cause: Cause): string {
  return 'fault' in cause ? positionText(cause.fault.at) : '';
}

/** What to do about the fault of a cause, in the middle of a sentence. */
function fix(cause: Cause): string {
  const remedy = 'fault' in cause ? faultRemedy(cause.fault) : undefined;
  return remedy === undefined ? 'fix it' : `${remedy.charAt(0).toLowerCase()}${remedy.slice(1).replace(/\.$/, '')}`;
}

function down(m: Mismatch): Remedy {
  const { cause } = m;
  switch (cause.kind) {
    case 'config':
      return editThen(faultPosition(cause), fix(cause), start(m));
    case 'endpoint-held':
      return editThen(positionText(cause.declaredIn), 'take another port', start(m));
    case 'cannot-start':
      return firstThen('fix that', start(m));
    case 'unit-off':
      return unitOff(m, cause);
    case 'data-locked':
      return { say: 'start it with a --path.data of its own' };
    case 'runs-elsewhere':
      return { run: `filebeat-port-exporter forget ${shellWord(m.name ?? '')}`, say: 'if that is intended' };
    default:
      return start(m);
  }
}

function unitOff(m: Mismatch, { unit, why, condition = 'condition' }: Extract<Cause, { kind: 'unit-off' }>): Remedy {
  const command = `systemctl start ${shellWord(unit)}`;
  switch (why) {
    case 'masked':
      return { say: 'if it should run again', run: `systemctl unmask ${shellWord(unit)} && ${command}` };
    case 'condition':
      return { say: `satisfy its ${condition}, then`, run: command };
    default:
      return start(m);
  }
}

function invalidConfig(m: Mismatch): Remedy {
  const { cause } = m;
  const at = faultPosition(cause);
  if (at === '') return testConfig(m);
  return cause.kind === 'hangs-after-refusal'
    ? editThen(at, fix(cause), restart(m))
    : edit(at, `${fix(cause)}, before the next start`);
}

/** Filebeat itself names the fault, if its main file is a single path. */
function testConfig(m: Mismatch): Remedy {
  const file = m.config ?? '';
  return file.startsWith('/') && !file.includes(',')
    ? { say: 'let Filebeat itself check it', run: `filebeat test config -c ${shellWord(file)}` }
    : readLog(m);
}

function unresolved({ cause, declaredIn }: Mismatch): Remedy {
  return cause.kind === 'config' && cause.fault.code === 'release-decides'
    ? edit(
        faultPosition(cause),
        'make it valid for the newest release, or make sure that the exporter can detect the release',
      )
    : edit(
        positionText(declaredIn) || faultPosition(cause),
        'write address and port as literals; or list the port under “ports:” in the exporter’s settings',
      );
}

function pendingRestart(m: Mismatch): Remedy {
  const [fault] = m.cause.kind === 'edited-after-start' ? (m.cause.refused ?? []) : [];
  return fault === undefined
    ? restart(m)
    : editThen(positionText(fault.at), fix({ kind: 'config', fault }), restart(m));
}

function invalidListener(m: Mismatch): Remedy {
  const changes: Partial<Record<string, string>> = {
    'wrong-family': 'use an address of that family, or remove “network”',
    'bad-option': 'fix the options of the input',
    'unknown-service': 'write the port as a number',
  };
  const change = m.cause.kind === 'invalid' ? changes[m.cause.why] : undefined;
  return editThen(positionText(m.declaredIn), change ?? 'write host:port', restart(m));
}

function taken(m: Mismatch): Remedy {
  const { cause } = m;
  if (cause.kind !== 'held-by' && cause.kind !== 'shared-with') return listing(m);
  const { owner, declaredIn } = cause;
  if (owner === undefined) return listing(m);
  if (declaredIn !== undefined) return anotherPort(m, positionText(declaredIn));
  if (owner.pid === 1) return { say: 'find the socket unit', run: 'systemctl list-sockets --all' };
  if (owner.comm === 'docker-proxy')
    return {
      say: 'find the container',
      run: `sudo docker ps --filter publish=${m.port ?? 0}/${m.protocol ?? 'udp'}`,
    };
  return { say: 'see what this process is', run: `ps -o pid,user,lstart,args -p ${owner.pid}` };
}

function anotherPort({ declaredIn }: Mismatch, other: string): Remedy {
  return edit(`${positionText(declaredIn)} or ${other}`, 'give one of the two another port');
}

function missing(m: Mismatch): Remedy {
  const { cause } = m;
  const where = positionText(m.declaredIn);
  switch (cause.kind) {
    case 'privileged-port':
      return privileged(m, cause.firstUnprivileged);
    case 'address-not-local':
      return {
        say: `put one of these addresses into ${where}`,
        run: cause.inside && m.pid !== undefined ? `sudo nsenter -t ${m.pid} -n ip -br address` : 'ip -br address',
      };
    case 'reloaded-file-broken':
      return edit(faultPosition(cause) || where, 'Filebeat reloads it by itself');
    case 'hangs-after-refusal':
      return editThen(faultPosition(cause) || where, fix(cause), restart(m));
    case 'reload-pending':
      return { say: 'wait for the reload; nothing is wrong yet' };
    case 'same-id':
      return editThen(where, 'give the input an id of its own', restart(m));
    case 'bind-failed':
      return cause.retry === 'busy' || cause.retry === 'every-10s' ? readLog(m) : restart(m);
    default:
      return restart(m);
  }
}

function privileged(m: Mismatch, firstUnprivileged: number): Remedy {
  const unit = ownUnit(m);
  return unit === undefined
    ? editThen(
        positionText(m.declaredIn),
        `use a port from ${firstUnprivileged} up, or give its program CAP_NET_BIND_SERVICE`,
        restart(m),
      )
    : {
        say: 'add AmbientCapabilities=CAP_NET_BIND_SERVICE to its [Service] and restart it',
        run: `sudo systemctl edit ${shellWord(unit)}`,
      };
}

function frozen(m: Mismatch): Remedy {
  const { cause, pid, container, unit } = m;
  if (cause.kind !== 'frozen' || pid === undefined) return readLog(m);
  switch (cause.how) {
    case 'stopped':
      return {
        say: 'find out who stopped it before you send it SIGCONT',
        run: `ps -o pid,ppid,user,stat,lstart,args -p ${pid}`,
      };
    case 'cgroup':
      if (container !== undefined) return thawContainer(container);
      return unit === undefined
        ? { say: 'find the frozen control group', run: `cat /proc/${pid}/cgroup` }
        : { say: 'thaw it', run: `sudo systemctl thaw ${shellWord(unit)}` };
    case 'traced':
      return { say: 'find the process that traces it', run: `grep TracerPid /proc/${pid}/status` };
    case 'uninterruptible':
      return { say: 'see what it waits for', run: `sudo cat /proc/${pid}/stack` };
  }
}

function backlog(m: Mismatch): Remedy {
  return m.output !== undefined && m.output !== 'flowing' && m.output !== 'idle'
    ? { ...readLog(m), say: 'fix the output; Filebeat’s log has the reason' }
    : editThen(positionText(m.declaredIn), 'raise read_buffer (net.core.rmem_max caps it)', restart(m));
}

function capped({ cause }: Mismatch): Remedy {
  const wanted = cause.kind === 'rmem-max' ? cause.wanted : 0;
  const file = '/etc/sysctl.d/90-filebeat.conf'; // A file, so that the limit outlives a reboot.
  return {
    say: 'raise the limit, then restart it',
    run: `sudo sh -c 'echo net.core.rmem_max=${wanted} >>${file} && sysctl -p ${file}'`,
  };
}

const remedies: Record<MismatchCode, (m: Mismatch) => Remedy> = {
  instance_down: down,
  instance_flapping: readLog,
  instance_frozen: frozen,
  config_invalid: invalidConfig,
  config_unreadable: ({ subject }) =>
    subject === undefined
      ? { say: 'give the exporter read access' }
      : { say: 'see its owner and mode', run: `ls -l ${shellWord(subject)}` },
  config_unresolved: unresolved,
  config_dynamic: () => ({ say: 'nothing to do; the exporter learns its ports from the sockets that it holds' }),
  restart_pending: pendingRestart,
  data_path_conflict: () => ({ say: 'start one of the two with a --path.data of its own' }),
  listener_deaf: restart,
  listener_invalid: invalidListener,
  port_random: (m) => editThen(positionText(m.declaredIn), 'name a port', restart(m)),
  port_conflict: (m) =>
    m.cause.kind === 'other-listener'
      ? anotherPort(m, positionText(m.cause.declaredIn))
      : edit(positionText(m.declaredIn), 'take another port'),
  port_taken: taken,
  port_missing: missing,
  port_narrower: (m) =>
    editThen(positionText(m.declaredIn), `if IPv6 senders matter, write ${endpointText('::', m.port)}`, restart(m)),
  port_silent: ({ port }) => ({
    say: 'see whether any datagram has arrived since the bind (f0: none)',
    run: `ss -uanm 'sport = :${port ?? 0}'`,
  }),
  learned_port_gone: ({ name, protocol, port }) => ({
    say: 'if it was removed on purpose',
    run: `filebeat-port-exporter forget ${shellWord(name ?? '')} --port ${protocol ?? 'udp'}/${port ?? 0}`,
  }),
  input_refused: (m) => editThen(faultPosition(m.cause) || positionText(m.declaredIn), fix(m.cause), restart(m)),
  prediction_refuted: () => ({
    say: 'report it as a bug of the exporter, with the Filebeat release and the configuration without its secrets',
  }),
  lookalike: (m) =>
    m.pid === undefined
      ? readLog(m)
      : { say: 'see what this process is', run: `ps -o pid,ppid,user,lstart,args -p ${m.pid}` },
  socket_unexpected: listing,
  owner_hidden: listing,
  static_port_down: listing,
  queue_high: backlog,
  drops: backlog,
  buffer_capped: capped,
  output_failing: readLog,
  output_slow: readLog,
  events_dropped: readLog,
  reload_failed: readLog,
};

export function remedyOf(m: Mismatch): Remedy {
  return remedies[m.code](m);
}

/** As one line: `add … to its [Service]: sudo systemctl edit filebeat`. */
export function remedyText({ say, run }: Remedy): string {
  return [say, run].filter((part) => part !== undefined).join(': ');
}
