/** The reference of commands and flags as Markdown, generated from the flag table. Pure. `scripts/reference.mjs` writes it to docs/flags.md. */
import { type Command, commandNames, commands, type Flag, flagTable } from '../flags.js';
import { usages } from '../options.js';

export interface Exit {
  code: number;
  means: string;
}

/** Exit codes of each command, also for the manual page. */
export const exits: Record<Command, readonly Exit[]> = {
  serve: [
    { code: 0, means: 'ended by SIGTERM or SIGINT' },
    { code: 1, means: 'a temporary failure: the listen address is in use or does not exist yet' },
    { code: 2, means: 'a flag or file is wrong' },
  ],
  check: [
    { code: 0, means: 'ok, also if there is no Filebeat' },
    { code: 1, means: 'warning' },
    { code: 2, means: 'critical' },
    { code: 3, means: 'unknown: a listener or a Filebeat could not be judged, or a flag or file is wrong' },
  ],
  explain: [
    { code: 0, means: 'everything is known and fine; with `--compare-release`: nothing changes' },
    {
      code: 1,
      means:
        'a Filebeat would not start, would run without an input, or would collide; with `--compare-release`: something changes',
    },
    { code: 2, means: 'no such process, or a flag or file is wrong' },
    { code: 3, means: 'something cannot be determined from outside' },
  ],
  forget: [
    { code: 0, means: 'forgotten' },
    { code: 2, means: 'nothing of that name is remembered, or a flag or file is wrong' },
  ],
  metrics: [
    { code: 0, means: 'written' },
    { code: 2, means: 'a flag or file is wrong, or the output cannot be written' },
    { code: 3, means: 'the scan failed' },
  ],
};

/** `--config.file=FILE`, `--json`. */
export function flagForm(name: string, flag: Flag): string {
  return flag.kind === 'toggle' ? `--${name}` : `--${name}=${flag.placeholder}`;
}

export function flagsOf(command: Command): [string, Flag][] {
  const all: [string, Flag][] = Object.entries(flagTable);
  return all.filter(([, flag]) => flag.commands.includes(command));
}

const cell = (text: string) => text.replaceAll('|', '\\|');

function row([name, flag]: [string, Flag]): string {
  const standard = flag.kind === 'toggle' || flag.default === undefined ? '' : `\`${flag.default}\``;
  const used = flag.commands.length === commandNames.length ? 'all' : flag.commands.join(', ');
  return `| \`${cell(flagForm(name, flag))}\` | ${standard} | ${cell(flag.help)} | ${used} |`;
}

export function flagsMarkdown(): string {
  const list: [string, Flag][] = Object.entries(flagTable);
  return [
    '## Commands',
    '',
    '| command | does | exit code |',
    '|---|---|---|',
    ...commandNames.map((name) => {
      const codes = exits[name].map(({ code, means }) => `${code} ${means}`).join('; ');
      return `| \`${cell(usages[name])}\` | ${commands[name]} | ${codes} |`;
    }),
    '',
    '## Flags',
    '',
    '| flag | default | what | commands |',
    '|---|---|---|---|',
    ...list.map(row),
    '',
  ].join('\n');
}
