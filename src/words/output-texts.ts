/** What Filebeat says about its own output, as sentences. Pure. */
import type { Cause, Mismatch, OutputSituation } from '../model/model.js';
import { duration, grouped } from './figures.js';

/** Classes of log messages, after `Filebeat logged at 21:15:08: `. */
const logMessages: Record<NonNullable<Mismatch['said']>['what'], string> = {
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
  locked: 'it exits, because another Filebeat has locked the data path',
  config: 'it exits, because of its configuration',
  module: 'it exits, because of a module or fileset',
  output: 'it exits, because of its output settings',
  exit: 'it exits, because of an error',
};

/** `21:15:08` UTC. */
const clockText = (at: number): string => new Date(at * 1000).toISOString().slice(11, 19);

/** Why datagrams pile up, by the situation of the output. */
const backlogs: Record<OutputSituation | 'frozen', string> = {
  frozen: 'It is frozen, so nothing reads from the socket.',
  down: 'Its output cannot be reached: once the queue is full, Filebeat stops reading.',
  refusing: 'Its output refuses events: once the queue is full, Filebeat stops reading.',
  mute: 'Its output does not answer: once the queue is full, Filebeat stops reading.',
  slow: 'Its output accepts less than arrives, and the queue is full.',
  flowing: 'Its output keeps up: a burst, or too small a buffer.',
  idle: 'Its output keeps up: a burst, or too small a buffer.',
  unknown: '',
};

const situations: Record<OutputSituation, string> = {
  down: 'No event is handed to the output: it cannot be reached, or it refuses the connection.',
  refusing: 'The output refuses events, or times out.',
  mute: 'Events are sent but not acknowledged.',
  slow: 'Events are acknowledged, but the queue stays full.',
  flowing: '',
  idle: '',
  unknown: '',
};

export function outputText({ situation, sinceSeconds, waiting, capacity }: Extract<Cause, { kind: 'output' }>): string {
  const of = capacity === undefined ? '' : ` of ${grouped(capacity)}`;
  const events = waiting === undefined ? '' : `${grouped(waiting)}${of} events are waiting.`;
  return [situations[situation], `This has lasted for ${duration(sinceSeconds)}.`, events]
    .filter((part) => part !== '')
    .join(' ');
}

/** Empty where the output is not known. */
export function backlogText({ output }: Mismatch): string {
  return output === undefined ? '' : backlogs[output];
}

/** `Filebeat logged at 21:15:08: address already in use.` Empty where its log has nothing about it. */
export function logText({ said }: Mismatch): string {
  if (said === undefined) return '';
  const differs = said.differs ? ', which is not what the exporter sees now' : '';
  return `Filebeat logged at ${clockText(said.at)}: ${logMessages[said.what]}${differs}.`;
}
