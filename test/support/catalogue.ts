/** `docs/mismatches.md`, generated from the program: every code with its causes and remedies. */
import { mismatchCodes, mismatches } from '../../src/model/mismatches.js';
import type { Cause, Mismatch, MismatchCode } from '../../src/model/model.js';
import { words } from '../../src/words/words.js';

const file = '/etc/filebeat/core.yml';
const fault = { code: 'unknown-input', at: { file, line: 7 } };
const thief = { pid: 4711, startTicks: 1, comm: 'rsyslogd' };
const duplicate = { pid: 812, startTicks: 1, comm: 'filebeat' };
const unit = 'filebeat@core.service';
const other = { instance: 'edge', declaredIn: { file: '/etc/filebeat/edge.yml', line: 12 } };

/** Further evidence for an instance that is down. */
export const besideDown: Cause[] = [
  { kind: 'unit-state', unit, isStarted: false },
  { kind: 'unit-state', unit, isStarted: true },
  { kind: 'start-loses', ports: [{ protocol: 'udp', address: '*', port: 514, owner: thief }] },
  { kind: 'start-loses', ports: [{ protocol: 'udp', address: '192.0.2.7', port: 514 }] },
  { kind: 'start-refuses', fault: { code: 'unknown-processor', subject: 'no_such', at: { file, line: 7 } } },
];

/** The causes of each code. Second part of an entry: differences from the sample mismatch. */
export const told: Record<MismatchCode, [Cause, Partial<Mismatch>?][]> = {
  instance_down: [
    [{ kind: 'not-running', origin: 'systemd', end: 'crash' }],
    [{ kind: 'not-running', origin: 'systemd', end: 'clean' }],
    [{ kind: 'not-running', origin: 'remembered' }],
    [{ kind: 'not-since-boot', origin: 'systemd' }],
    [{ kind: 'never-seen', origin: 'declared' }],
    [{ kind: 'config', fault }],
    [{ kind: 'endpoint-held', uid: 0, port: 5066, declaredIn: { file, line: 20 }, owner: thief }],
    [{ kind: 'data-locked', instance: 'edge' }],
    [{ kind: 'runs-elsewhere', instance: 'core-2' }],
    [{ kind: 'cannot-start', whys: ['its EnvironmentFile /etc/default/core does not exist (resources)'] }],
    [{ kind: 'cannot-start', whys: ['its user beats may not read /etc/filebeat/core.yml (owner 0:0, mode 0600)'] }],
    [{ kind: 'unit-off', unit, why: 'condition', condition: 'ConditionPathExists=' }],
    [{ kind: 'unit-off', unit, why: 'masked' }],
    [{ kind: 'unit-off', unit, why: 'disabled' }],
    ...(['docker', 'podman'] as const).map((engine): [Cause, Partial<Mismatch>] => [
      { kind: 'not-running', origin: 'remembered', end: 'crash' },
      { unit: undefined as never, container: { id: '4a7d3e21f0b9', engine, name: 'web' } },
    ]),
    [
      { kind: 'not-running', origin: 'remembered', end: 'clean' },
      { unit: undefined as never, userUnit: { uid: 1001, unit: 'filebeat.service' } },
    ],
  ],
  instance_flapping: [[{ kind: 'restarts', count: 5, withinSeconds: 600 }]],
  config_invalid: [
    [{ kind: 'config', fault }],
    [{ kind: 'hangs-after-refusal', fault }],
    [{ kind: 'hangs-after-refusal', fault, portsUnknown: true }],
  ],
  config_unreadable: [
    [{ kind: 'unreadable', subject: file, reason: 'denied' }, { subject: file }],
    [{ kind: 'unreadable', subject: file, reason: 'denied', user: 998 }, { subject: file }],
    [{ kind: 'unreadable', subject: file, reason: 'missing' }, { subject: file }],
    [{ kind: 'unreadable', subject: file, reason: 'limit' }, { subject: file }],
  ],
  config_unresolved: [
    [{ kind: 'unresolved', why: 'keystore' }],
    [{ kind: 'unresolved', why: 'variable' }],
    [{ kind: 'unresolved', why: 'name' }],
    [{ kind: 'unresolved', why: 'service-name' }],
    [{ kind: 'config', fault: { code: 'ambiguous-setting', subject: 'filebeat.inputs', at: { file, line: 3 } } }],
  ],
  config_dynamic: [[{ kind: 'config', fault: { code: 'managed' } }]],
  restart_pending: [
    [
      {
        kind: 'edited-after-start',
        file,
        gained: [{ protocol: 'udp', address: '*', port: 9001 }],
        lost: [{ protocol: 'udp', address: '*', port: 9000 }],
      },
    ],
    [{ kind: 'edited-after-start', file, gained: [], lost: [], refused: [{ ...fault, code: 'unknown-module' }] }],
  ],
  data_path_conflict: [[{ kind: 'shared-data-path', instance: 'edge' }]],
  port_missing: [
    [
      { kind: 'bind-failed', retry: 'never' },
      { unit: undefined as never, userUnit: { uid: 1001, unit: 'filebeat.service' } },
    ],
    [{ kind: 'bind-failed', retry: 'never' }],
    [{ kind: 'bind-failed', retry: 'never' }, { unit: undefined as never }],
    [{ kind: 'bind-failed', retry: 'every-10s' }],
    [{ kind: 'bind-failed', retry: 'busy' }],
    [{ kind: 'bind-failed', retry: 'deaf' }],
    [{ kind: 'address-not-local' }],
    [{ kind: 'address-not-local', inside: true }],
    [{ kind: 'privileged-port', firstUnprivileged: 1024 }],
    [{ kind: 'edited-after-start', file }],
    [{ kind: 'reload-pending', file: '/etc/filebeat/inputs.d/a.yml', sinceSeconds: 4, periodSeconds: 10 }],
    [{ kind: 'reload-lost-port' }],
    [
      {
        kind: 'reloaded-file-broken',
        fault: { code: 'yaml-syntax', at: { file: '/etc/filebeat/inputs.d/a.yml', line: 2 } },
      },
    ],
    [{ kind: 'hangs-after-refusal', fault }],
    [{ kind: 'same-id', declaredIn: { file, line: 9 } }],
    [{ kind: 'bound-elsewhere', address: '::1', differs: 'family' }],
    [{ kind: 'bound-elsewhere', address: '127.0.0.2', differs: 'address' }],
    [{ kind: 'bound-elsewhere', address: '::', differs: 'namespace' }],
  ],
  input_refused: [
    [{ kind: 'config', fault: { code: 'unknown-processor', subject: 'no_such_processor', at: { file, line: 7 } } }],
    [{ kind: 'maybe-refused', fault: { code: 'unknown-module', subject: 'acme', at: { file, line: 7 } } }],
  ],
  prediction_refuted: [[{ kind: 'config', fault }]],
  lookalike: [
    [
      { kind: 'imitates', instance: 'core', differs: 'user' },
      { name: 'core-uid1000', unit: undefined as never },
    ],
  ],
  instance_frozen: [
    [{ kind: 'frozen', how: 'stopped', sinceSeconds: 30 }],
    [{ kind: 'frozen', how: 'cgroup' }],
    [{ kind: 'frozen', how: 'cgroup' }, { unit: undefined as never }],
    [{ kind: 'frozen', how: 'traced', sinceSeconds: 90 }],
    [{ kind: 'frozen', how: 'uninterruptible', sinceSeconds: 90 }],
  ],
  output_failing: [
    [{ kind: 'output', situation: 'down', sinceSeconds: 90, waiting: 3201, capacity: 3200 }],
    [{ kind: 'output', situation: 'refusing', sinceSeconds: 90, waiting: 700 }],
    [
      { kind: 'output', situation: 'mute', sinceSeconds: 90, waiting: 700 },
      { said: { what: 'output_publish', at: 1_795_727_708 } },
    ],
  ],
  output_slow: [[{ kind: 'output', situation: 'slow', sinceSeconds: 120, waiting: 3201, capacity: 3200 }]],
  events_dropped: [[{ kind: 'events-lost', events: 415, sinceSeconds: 300 }]],
  port_silent: [
    [{ kind: 'silent', forSeconds: 5400, never: false }],
    [{ kind: 'silent', forSeconds: 5400, never: true }],
  ],
  reload_failed: [[{ kind: 'none' }, { said: { what: 'reload', at: 1_795_727_708 } }]],
  learned_port_gone: [[{ kind: 'bind-failed', retry: 'never' }]],
  listener_invalid: [
    [{ kind: 'invalid', why: 'missing-port' }],
    [{ kind: 'invalid', why: 'too-many-colons' }],
    [{ kind: 'invalid', why: 'bad-port' }],
    [{ kind: 'invalid', why: 'unknown-service' }],
    [{ kind: 'invalid', why: 'bad-host' }],
    [{ kind: 'invalid', why: 'no-such-name' }],
    [{ kind: 'invalid', why: 'wrong-family' }],
    [{ kind: 'invalid', why: 'bad-option' }],
  ],
  port_taken: [
    [{ kind: 'held-by', retry: 'never', owner: thief, headStart: 7500 }],
    [{ kind: 'held-by', retry: 'busy', owner: thief, headStart: -90 }],
    [{ kind: 'held-by', retry: 'every-10s', owner: { ...duplicate }, headStart: 3, ...other }],
    [{ kind: 'held-by', retry: 'deaf', owner: { ...thief, comm: 'docker-proxy' } }],
    [{ kind: 'held-by', retry: 'never', owner: { pid: 1, startTicks: 1, comm: 'systemd' } }],
    [{ kind: 'held-by', retry: 'never', uid: 104 }],
    [{ kind: 'shared-with', owner: thief }],
  ],
  listener_deaf: [[{ kind: 'bind-failed', retry: 'deaf' }]],
  port_narrower: [[{ kind: 'ipv4-only-socket' }]],
  port_random: [[{ kind: 'none' }]],
  port_conflict: [
    [{ kind: 'other-listener', ...other, when: 'start' }],
    [{ kind: 'other-listener', ...other, when: 'restart' }],
    [{ kind: 'other-listener', instance: 'core', declaredIn: { file, line: 15 } }],
  ],
  socket_unexpected: [[{ kind: 'none' }]],
  owner_hidden: [[{ kind: 'permission', subject: '/proc/812/fd' }]],
  queue_high: [[{ kind: 'queue', bytes: 190_464, limit: 212_992 }]],
  drops: [
    [{ kind: 'dropped', datagrams: 1234, sinceSeconds: 300 }],
    [{ kind: 'dropped', datagrams: 1234, sinceSeconds: 300 }, { output: 'down' }],
    [{ kind: 'dropped', datagrams: 1234, sinceSeconds: 300 }, { output: 'flowing' }],
  ],
  buffer_capped: [[{ kind: 'rmem-max', wanted: 8_388_608, granted: 212_992 }]],
  static_port_down: [[{ kind: 'none' }], [{ kind: 'wrong-process', owner: thief }, { subject: 'filebeat' }]],
};

/** Codes that are about an instance as a whole. */
const wholeInstance: readonly MismatchCode[] = [
  'instance_down',
  'instance_flapping',
  'config_invalid',
  'config_unreadable',
  'config_dynamic',
  'restart_pending',
  'data_path_conflict',
  'prediction_refuted',
  'lookalike',
  'instance_frozen',
  'output_failing',
  'output_slow',
  'events_dropped',
  'reload_failed',
];

/** The sample mismatch. */
export function sample(code: MismatchCode, cause: Cause, over: Partial<Mismatch> = {}): Mismatch {
  const plain = code === 'static_port_down';
  const made: Mismatch = {
    code,
    cause,
    ...(plain ? {} : { name: 'core', config: file, unit: 'filebeat@core.service' }),
    ...(plain || code === 'instance_down' ? {} : { pid: 812 }),
    ...(wholeInstance.includes(code) ? {} : { protocol: 'udp' as const, address: '*', port: 514 }),
    ...(wholeInstance.includes(code) || plain || code === 'socket_unexpected'
      ? {}
      : { input: 'udp', declaredIn: { file, line: 4 } }),
    ...over,
  };
  if ('unit' in over) delete made.unit;
  return made;
}

export function samples(): Mismatch[] {
  return mismatchCodes.flatMap((code) => told[code].map(([cause, over]) => sample(code, cause, over)));
}

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('*', '\\*').replaceAll('<', '&lt;');

function remedyCell({ remedy, command }: ReturnType<typeof words>): string {
  if (command === undefined) return cell(remedy);
  return `${cell(remedy.slice(0, remedy.length - command.length))}\`${command.replaceAll('|', '\\|')}\``;
}

function section(code: MismatchCode): string {
  const { severity, title, meaning } = mismatches[code];
  const all = told[code].map(([cause, over]) => words(sample(code, cause, over)));
  const rows = all.map((one) => `| ${cell(one.cause)} | ${remedyCell(one)} |`);
  return `## \`${code}\`

**${title}** (${severity}). ${meaning} Expected: ${cell(all[0]!.expected)}. Seen: ${cell(all[0]!.seen)}.

| Likely cause | Try |
|---|---|
${[...new Set(rows)].join('\n')}
${code === 'instance_down' ? `\n${beside()}\n` : ''}`;
}

function beside(): string {
  const { evidence } = words({ ...sample('instance_down', { kind: 'none' }), evidence: besideDown });
  return `Whatever else is known stands below the likely cause (“also known”, \`evidence\` in JSON), the likeliest first: other causes of this table, and

${evidence.map((text) => `- ${cell(text)}`).join('\n')}`;
}

export function catalogue(): string {
  const index = mismatchCodes.map(
    (code) => `| [\`${code}\`](#${code}) | ${mismatches[code].severity} | ${mismatches[code].title} |`,
  );
  return `# Mismatches

A mismatch is one thing that an operator should know. The page, \`check\`, \`/api/v1/status\` and the label \`code\` of
\`filebeat_mismatch\` all report the same ones. One port has one verdict: a dead Filebeat has only \`instance_down\`, and a
port that another process holds is \`port_taken\`, not also \`port_missing\`.

Each mismatch says what was expected and where it was declared, what was seen, the likeliest cause, and one thing to try: a
command to paste, or one edit. The exporter checks causes in this order: what makes a bind impossible, what took the socket
away, why it was never opened. The sentences below are the program's own, for an instance \`core\` (unit
\`filebeat@core.service\`) and its port 514. For a Filebeat without a unit the exporter guesses no restart command; it says
how that Filebeat was started.

A listener of a process that started seconds ago is \`starting\`, and one that could not be read is \`unknown\`: neither is a mismatch.

| Code | Severity | In short |
|---|---|---|
${index.join('\n')}

${mismatchCodes.map(section).join('\n')}`;
}
