/** Remedies for a Filebeat in a container, by the engine that runs it. Pure. */
import type { Container } from '../model/model.js';
import { shellWord } from './locations.js';
import type { Remedy } from './remedy-actions.js';

/** `web (docker)`; the id where no name is known. */
function called({ name, id, engine }: Container): string {
  const shown = name ?? id;
  return engine === undefined || engine === 'cri' ? shown : `${shown} (${engine})`;
}

/** Containers of an ordinary user's engine are visible to that user's commands only. */
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
        say: 'stop its container; the kubelet starts it again as its pod says',
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
        say: 'see the state of its container; the kubelet starts it again as its pod says',
        run: command(container, 'ps -a --id'),
      };
    default:
      return { run: command(container, 'start') };
  }
}

export function thawContainer(container: Container): Remedy {
  return container.engine === undefined || container.engine === 'cri'
    ? { say: `unfreeze its container, ${called(container)}` }
    : { run: command(container, 'unpause') };
}

export function containerLog(container: Container): Remedy {
  return container.engine === undefined
    ? { say: `read the log of its container, ${called(container)}` }
    : { say: 'read its log', run: command(container, 'logs --tail 50') };
}
