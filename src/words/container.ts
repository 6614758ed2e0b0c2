/** What to try at a container, by the engine that is known to run it. Pure. */
import type { Container } from '../model/model.js';
import { shellWord } from './locations.js';
import type { Remedy } from './remedy.js';

/** `web (docker)`, or the id of one that has no known name. */
function called({ name, id, engine }: Container): string {
  const shown = name ?? id;
  return engine === undefined || engine === 'cri' ? shown : `${shown} (${engine})`;
}

/** An ordinary user's engine has containers of its own, which nobody else's command reaches. */
function command({ engine, name, id, uid }: Container, words: string): string {
  const as = uid === undefined ? 'sudo' : `sudo -iu '#${uid}'`;
  return `${as} ${engine === 'cri' ? 'crictl' : engine} ${words} ${shellWord(engine === 'cri' ? id : (name ?? id))}`;
}

export function restartContainer(container: Container): Remedy {
  switch (container.engine) {
    case undefined:
      return { say: `restart its container, ${called(container)}` };
    case 'cri':
      return {
        say: 'stop its container, which the kubelet then starts anew as its pod says',
        run: command(container, 'stop'),
      };
    default:
      return { run: command(container, 'restart') };
  }
}

export function startContainer(container: Container): Remedy {
  switch (container.engine) {
    case undefined:
      return { say: `start its container, ${called(container)}` };
    case 'cri':
      return {
        say: 'see what became of its container; its pod says what starts it anew',
        run: command(container, 'ps -a --id'),
      };
    default:
      return { run: command(container, 'start') };
  }
}

export function thawContainer(container: Container): Remedy {
  return container.engine === undefined || container.engine === 'cri'
    ? { say: `let its container go on, ${called(container)}` }
    : { run: command(container, 'unpause') };
}

export function containerLog(container: Container): Remedy {
  return container.engine === undefined
    ? { say: `read the log of its container, ${called(container)}` }
    : { say: 'its log', run: command(container, 'logs --tail 50') };
}
