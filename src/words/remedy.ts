/** What to try, one thing: a command as it can be pasted into a shell, or an edit. Pure. */

import { faultRemedy } from '../filebeat/fault-remedies.js';
import type { Cause, Mismatch } from '../model/model.js';
import { containerLog, restartContainer, startContainer, thawContainer } from './container.js';
import { endpointText, ownerText, positionText, shellWord } from './locations.js';

export interface Remedy {
  /** What to do; before a command: what it is for. */
  say?: string;
  /** One command line. */
  run?: string;
}

/** The unit whose own ExecStart is this Filebeat: another one may be cron's, or a user's whole session. */
function ownUnit({ unit, unitIsPlace }: Mismatch): string | undefined {
  return unitIsPlace ? undefined : unit;
}

/** Without a unit nobody but its parent knows how it is started: it is shown, never killed from here. */
function restart(m: Mismatch): Remedy {
  const unit = ownUnit(m);
  if (unit !== undefined) return { run: `systemctl restart ${shellWord(unit)}` };
  if (m.userUnit !== undefined) return { run: userCommand('restart', m.userUnit) };
  if (m.container !== undefined) return restartContainer(m.container);
  const name = m.name ?? 'unknown';
  if (m.pid === undefined) return { say: `restart this Filebeat (${name})` };
  const { parent } = m;
  const by = parent === undefined ? '' : ` by ${ownerText(parent)}`;
  const pids = parent === undefined ? `${m.pid}` : `${parent.pid},${m.pid}`;
  return {
    say: `restart this Filebeat (${name}) the way it was started${by}; this shows how`,
    run: `ps -o pid,ppid,user,lstart,args -p ${pids}`,
  };
}

/** `systemctl --user` reaches another user's manager by `-M UID@` (systemd 248 and later). */
function userCommand(verb: 'restart' | 'start', { uid, unit }: NonNullable<Mismatch['userUnit']>): string {
  return `sudo systemctl --user -M ${uid}@ ${verb} ${shellWord(unit)}`;
}

function start(m: Mismatch): Remedy {
  const unit = ownUnit(m);
  if (unit !== undefined) return { run: `systemctl start ${shellWord(unit)}` };
  if (m.userUnit !== undefined) return { run: userCommand('start', m.userUnit) };
  if (m.container !== undefined) return startContainer(m.container);
  const place = m.unit === undefined ? '' : `; it ran in the control group of ${m.unit}`;
  return { say: `start this Filebeat (${m.name ?? 'unknown'}) the way it was started before${place}` };
}

/** A start alone would fail again. */
function putRight(then: Remedy): Remedy {
  return { ...then, say: ['fix that, then', ...(then.say === undefined ? [] : [then.say])].join(' ') };
}

/** Its unit cannot be started as it is. */
function switchOn({ unit, why, condition }: Extract<Cause, { kind: 'unit-off' }>): Remedy {
  return why === 'masked'
    ? { say: 'if it should run again', run: `systemctl unmask --now ${shellWord(unit)}` }
    : { say: `make its ${condition ?? 'condition'} hold, then`, run: `systemctl start ${shellWord(unit)}` };
}

function log(m: Mismatch): Remedy {
  if (m.userUnit !== undefined) {
    const { uid, unit } = m.userUnit;
    return { say: 'its log', run: `sudo journalctl _UID=${uid} _SYSTEMD_USER_UNIT=${shellWord(unit)} -n 50` };
  }
  if (m.container !== undefined) return containerLog(m.container);
  return m.unit === undefined
    ? { say: 'read the end of its log' }
    : { say: 'its log', run: `journalctl -u ${shellWord(m.unit)} -n 50` };
}

/** Who holds the port now; owners are shown to root alone. */
function listing(m: Mismatch): Remedy {
  return { run: `sudo ss ${m.protocol === 'tcp' ? '-ltnp' : '-lunp'} 'sport = :${m.port ?? 0}'` };
}

const edit = (where: string, how: string): Remedy => ({ say: `edit ${where || 'its configuration'}: ${how}` });

/** First the edit, then what makes it take effect. */
function editThen(where: string, how: string, then: Remedy): Remedy {
  const say = [`edit ${where || 'its configuration'}: ${how}, then`, ...(then.say === undefined ? [] : [then.say])];
  return { ...then, say: say.join(' ') };
}

function faultPlace(cause: Cause): string {
  return 'fault' in cause ? positionText(cause.fault.at) : '';
}

/** What to do about the fault of a cause, in the middle of a sentence. */
function mend(cause: Cause): string {
  const cure = 'fault' in cause ? faultRemedy(cause.fault) : undefined;
  return cure === undefined ? 'fix it' : `${cure.charAt(0).toLowerCase()}${cure.slice(1).replace(/\.$/, '')}`;
}

function taken(m: Mismatch, cause: Cause): Remedy {
  if (cause.kind !== 'held-by' && cause.kind !== 'shared-with') return listing(m);
  const { owner, declaredIn } = cause;
  if (owner === undefined) return listing(m);
  if (declaredIn !== undefined)
    return edit(`${positionText(m.declaredIn)} or ${positionText(declaredIn)}`, 'give one of the two another port');
  if (owner.pid === 1) return { run: 'systemctl list-sockets --all' };
  if (owner.comm === 'docker-proxy')
    return { run: `sudo docker ps --filter publish=${m.port ?? 0}/${m.protocol ?? 'udp'}` };
  return { run: `ps -o pid,user,lstart,args -p ${owner.pid}` };
}

function missing(m: Mismatch, cause: Cause): Remedy {
  const where = positionText(m.declaredIn);
  switch (cause.kind) {
    case 'privileged-port': {
      const unit = ownUnit(m);
      return unit === undefined
        ? editThen(
            where,
            `take a port from ${cause.firstUnprivileged} up, or give its program CAP_NET_BIND_SERVICE`,
            restart(m),
          )
        : {
            say: 'add AmbientCapabilities=CAP_NET_BIND_SERVICE to its [Service] and restart it',
            run: `sudo systemctl edit ${shellWord(unit)}`,
          };
    }
    case 'address-not-local':
      return cause.inside && m.pid !== undefined
        ? { say: `put one of these addresses into ${where}`, run: `sudo nsenter -t ${m.pid} -n ip -br address` }
        : { say: `put one of these addresses into ${where}`, run: 'ip -br address' };
    case 'reloaded-file-broken':
      return edit(faultPlace(cause) || where, 'Filebeat reloads it by itself');
    case 'hangs-after-refusal':
      return editThen(faultPlace(cause) || where, mend(cause), restart(m));
    case 'reload-pending':
      return { say: 'wait for the reload; nothing is wrong yet' };
    case 'same-id':
      return editThen(where, 'give the input an id of its own', restart(m));
    case 'bind-failed':
      return cause.retry === 'busy' || cause.retry === 'every-10s' ? log(m) : restart(m);
    default:
      return restart(m);
  }
}

function frozen(m: Mismatch, cause: Cause): Remedy {
  if (cause.kind !== 'frozen' || m.pid === undefined) return log(m);
  switch (cause.how) {
    case 'stopped':
      return {
        say: 'find out who stopped it before you send it SIGCONT',
        run: `ps -o pid,ppid,user,stat,lstart,args -p ${m.pid}`,
      };
    case 'cgroup':
      if (m.container !== undefined) return thawContainer(m.container);
      return m.unit === undefined
        ? { say: 'see which control group is frozen', run: `cat /proc/${m.pid}/cgroup` }
        : { say: 'let it go on', run: `sudo systemctl thaw ${shellWord(m.unit)}` };
    case 'traced':
      return { say: 'see which process traces it', run: `grep TracerPid /proc/${m.pid}/status` };
    case 'uninterruptible':
      return { say: 'see what it waits for', run: `sudo cat /proc/${m.pid}/stack` };
  }
}

function unread(m: Mismatch): Remedy {
  if (m.subject === undefined) return { say: 'give the exporter read access' };
  return { run: `ls -l ${shellWord(m.subject)}` };
}

/** Its own words for a bad configuration, where the file is one path. */
function testConfig(m: Mismatch): Remedy {
  const file = m.config ?? '';
  return file.startsWith('/') && !file.includes(',') ? { run: `filebeat test config -c ${shellWord(file)}` } : log(m);
}

function invalidEdit(cause: Cause): string {
  if (cause.kind !== 'invalid') return 'write host:port';
  if (cause.why === 'wrong-family') return 'take an address of that family, or leave “network” out';
  if (cause.why === 'bad-option') return 'fix the options of the input';
  return cause.why === 'unknown-service' ? 'write the port as a number' : 'write host:port';
}

export function remedyOf(m: Mismatch): Remedy {
  const { cause } = m;
  const where = positionText(m.declaredIn);
  switch (m.code) {
    case 'instance_down':
      if (cause.kind === 'config') return editThen(faultPlace(cause), mend(cause), start(m));
      if (cause.kind === 'endpoint-held')
        return editThen(positionText(cause.declaredIn), 'take another port', start(m));
      if (cause.kind === 'cannot-start') return putRight(start(m));
      if (cause.kind === 'unit-off' && cause.why !== 'disabled' && cause.why !== 'static') return switchOn(cause);
      if (cause.kind === 'data-locked') return { say: 'start it with a --path.data of its own' };
      return cause.kind === 'runs-elsewhere'
        ? { run: `filebeat-port-exporter forget ${shellWord(m.name ?? '')}`, say: 'if that is intended' }
        : start(m);
    case 'instance_flapping':
      return log(m);
    case 'config_invalid': {
      const at = faultPlace(cause);
      if (at === '') return testConfig(m);
      return cause.kind === 'hangs-after-refusal'
        ? editThen(at, mend(cause), restart(m))
        : edit(at, `${mend(cause)}, before the next start`);
    }
    case 'config_unreadable':
      return unread(m);
    case 'config_unresolved':
      if (cause.kind === 'config' && cause.fault.code === 'release-decides')
        return edit(
          faultPlace(cause),
          'make it valid for the newest release, or make sure that the exporter can detect the release',
        );
      return edit(
        where || faultPlace(cause),
        'write address and port as literals; or list the port under “ports:” in the exporter’s settings',
      );
    case 'config_dynamic':
      return { say: 'nothing; its ports are learned from what it holds' };
    case 'restart_pending': {
      const [fault] = cause.kind === 'edited-after-start' ? (cause.refused ?? []) : [];
      return fault === undefined
        ? restart(m)
        : editThen(positionText(fault.at), mend({ kind: 'config', fault }), restart(m));
    }
    case 'listener_deaf':
      return restart(m);
    case 'data_path_conflict':
      return { say: `start one of the two with a --path.data of its own` };
    case 'listener_invalid':
      return editThen(where, invalidEdit(cause), restart(m));
    case 'port_random':
      return editThen(where, 'name a port', restart(m));
    case 'port_conflict':
      return cause.kind === 'other-listener'
        ? edit(`${where} or ${positionText(cause.declaredIn)}`, 'give one of the two another port')
        : edit(where, 'take another port');
    case 'port_taken':
      return taken(m, cause);
    case 'port_missing':
      return missing(m, cause);
    case 'learned_port_gone':
      return {
        say: 'if it was removed on purpose',
        run: `filebeat-port-exporter forget ${shellWord(m.name ?? '')} --port ${m.protocol ?? 'udp'}/${m.port ?? 0}`,
      };
    case 'input_refused':
      return editThen(faultPlace(cause) || where, mend(cause), restart(m));
    case 'prediction_refuted':
      return {
        say: 'report it as a bug of the exporter, with the configuration without its secrets and the Filebeat release',
      };
    case 'lookalike':
      return m.pid === undefined ? log(m) : { run: `ps -o pid,ppid,user,lstart,args -p ${m.pid}` };
    case 'instance_frozen':
      return frozen(m, cause);
    case 'output_failing':
    case 'output_slow':
    case 'events_dropped':
    case 'reload_failed':
      return log(m);
    case 'port_silent':
      return {
        say: 'see whether a datagram ever arrived (f0: none since the bind)',
        run: `ss -uanm 'sport = :${m.port ?? 0}'`,
      };
    case 'port_narrower':
      return editThen(where, `if IPv6 senders matter, write ${endpointText('::', m.port)}`, restart(m));
    case 'socket_unexpected':
    case 'owner_hidden':
    case 'static_port_down':
      return listing(m);
    case 'queue_high':
    case 'drops':
      if (m.output !== undefined && m.output !== 'flowing' && m.output !== 'idle')
        return { ...log(m), say: 'fix the output; Filebeat’s log has the reason' };
      return editThen(where, 'raise read_buffer (net.core.rmem_max caps it)', restart(m));
    case 'buffer_capped':
      return {
        say: 'raise the limit, then restart it',
        // In a file, so that it outlives a reboot.
        run: `sudo sh -c 'echo net.core.rmem_max=${cause.kind === 'rmem-max' ? cause.wanted : 0} >>/etc/sysctl.d/90-filebeat.conf && sysctl -p /etc/sysctl.d/90-filebeat.conf'`,
      };
  }
}

/** As one line: `add … to its [Service]: sudo systemctl edit filebeat`. */
export function remedyText({ say, run }: Remedy): string {
  return [say, run].filter((part) => part !== undefined).join(': ');
}
