/** Building blocks of remedies: restart, start, read the log, edit a file. Pure. */
import type { Mismatch } from '../model/model.js';
import { containerLog, restartContainer, startContainer } from './container.js';
import { ownerText, shellWord } from './locations.js';

export interface Remedy {
  /** What to do; with a command: what the command is for. */
  say?: string;
  /** One command line, as it can be pasted into a shell. */
  run?: string;
}

/** The unit whose own ExecStart is this Filebeat: another one may be cron's, or a user's whole session. */
export function ownUnit({ unit, unitIsOnlyCgroup }: Mismatch): string | undefined {
  return unitIsOnlyCgroup ? undefined : unit;
}

/** Without a unit only its parent knows how it is started: the remedy shows both, and never kills a process. */
export function restart(m: Mismatch): Remedy {
  const unit = ownUnit(m);
  if (unit !== undefined) return { run: `systemctl restart ${shellWord(unit)}` };
  if (m.userUnit !== undefined) return { run: userCommand('restart', m.userUnit) };
  if (m.container !== undefined) return restartContainer(m.container);
  const filebeat = `this Filebeat (${m.name ?? 'unknown'})`;
  if (m.pid === undefined) return { say: `restart ${filebeat}` };
  const { parent } = m;
  return parent === undefined
    ? {
        say: `restart ${filebeat} the way it was started; to see its command line`,
        run: `ps -o pid,ppid,user,lstart,args -p ${m.pid}`,
      }
    : {
        say: `restart ${filebeat} the way ${ownerText(parent)} started it; to see both command lines`,
        run: `ps -o pid,ppid,user,lstart,args -p ${parent.pid},${m.pid}`,
      };
}

/** `systemctl --user` reaches another user's manager by `-M UID@` (systemd 248 and later). */
function userCommand(verb: 'restart' | 'start', { uid, unit }: NonNullable<Mismatch['userUnit']>): string {
  return `sudo systemctl --user -M ${uid}@ ${verb} ${shellWord(unit)}`;
}

export function start(m: Mismatch): Remedy {
  const unit = ownUnit(m);
  if (unit !== undefined) return { run: `systemctl start ${shellWord(unit)}` };
  if (m.userUnit !== undefined) return { run: userCommand('start', m.userUnit) };
  if (m.container !== undefined) return startContainer(m.container);
  const place = m.unit === undefined ? '' : `; it ran in the control group of ${m.unit}`;
  return { say: `start this Filebeat (${m.name ?? 'unknown'}) the way it was started before${place}` };
}

export function readLog(m: Mismatch): Remedy {
  if (m.userUnit !== undefined) {
    const { uid, unit } = m.userUnit;
    return { say: 'read its log', run: `sudo journalctl _UID=${uid} _SYSTEMD_USER_UNIT=${shellWord(unit)} -n 50` };
  }
  if (m.container !== undefined) return containerLog(m.container);
  return m.unit === undefined
    ? { say: 'read the end of its log' }
    : { say: 'read its log', run: `journalctl -u ${shellWord(m.unit)} -n 50` };
}

/** The sockets on the port; `ss` shows owners to root only. */
export function listing({ protocol, port }: Mismatch): Remedy {
  const flags = protocol === 'tcp' ? '-ltnp' : '-lunp';
  return { say: 'see what is bound to the port now', run: `sudo ss ${flags} 'sport = :${port ?? 0}'` };
}

export const edit = (where: string, change: string): Remedy => ({
  say: `edit ${where || 'its configuration'}: ${change}`,
});

/** First something by hand, then what makes it take effect. */
export function firstThen(first: string, then: Remedy): Remedy {
  return { ...then, say: [`${first}, then`, ...(then.say === undefined ? [] : [then.say])].join(' ') };
}

export function editThen(where: string, change: string, then: Remedy): Remedy {
  return firstThen(`edit ${where || 'its configuration'}: ${change}`, then);
}
