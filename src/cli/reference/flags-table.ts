/** The reference of commands and flags as Markdown, from the table of flags. Pure; `scripts/reference.mjs` writes it to docs/flags.md. */
import { type Command, commandNames, commands, type Flag, flagTable } from '../flags.js';
import { usages } from '../options.js';

export interface Exit {
  code: number;
  means: string;
}

/** What each command's exit code says; the manual page has them too. */
export const exits: Record<Command, readonly Exit[]> = {
  serve: [
    { code: 0, means: 'ended by SIGTERM or SIGINT' },
    { code: 1, means: 'what may pass: an address that is in use or not there yet' },
    { code: 2, means: 'what has to be changed: options or a file that it cannot honour' },
  ],
  check: [
    { code: 0, means: 'ok, also where there is no Filebeat' },
    { code: 1, means: 'warning' },
    { code: 2, means: 'critical' },
    { code: 3, means: 'unknown: a listener or a Filebeat could not be judged, or a flag or file is wrong' },
  ],
  explain: [
    { code: 0, means: 'everything could be told; with `--compare-release`: nothing changes' },
    {
      code: 1,
      means:
        'that Filebeat could not start, or collides with what is bound; with `--compare-release`: something changes',
    },
    { code: 2, means: 'no such process, or a flag or file is wrong' },
    { code: 3, means: 'something cannot be told from outside' },
  ],
  forget: [
    { code: 0, means: 'forgotten' },
    { code: 2, means: 'nothing of that name is remembered, or a flag or file is wrong' },
  ],
  metrics: [
    { code: 0, means: 'written' },
    { code: 2, means: 'a flag or file is wrong, or the output cannot be written' },
    { code: 3, means: 'nothing could be looked at' },
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
