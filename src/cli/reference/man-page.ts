/** filebeat-port-exporter(8) as man(7) source, generated from the flag table. Pure. */
import { commandNames, commands, type Flag, flagTable } from '../flags.js';
import { usages } from '../options.js';
import { exits, flagForm } from './flags-table.js';

/** Escapes backslashes, hyphens of flags, and dots and quotes that would begin a request. */
function roff(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll('’', '\\(cq')
    .replaceAll('…', '\\&...')
    .replaceAll('`', '')
    .replace(/^([.'])/gm, '\\&$1');
}

const paragraph = (term: string, text: string) => `.TP\n\\fB${roff(term)}\\fR\n${roff(text)}`;

/** `date` as 2026-01-31. */
export function manPage(version: string, date: string): string {
  const flags: [string, Flag][] = Object.entries(flagTable);
  return `${[
    `.TH FILEBEAT\\-PORT\\-EXPORTER 8 "${date}" "${version}" "System Administration"`,
    '.SH NAME',
    'filebeat\\-port\\-exporter \\- report which sockets every Filebeat of a host should have, and which are missing',
    '.SH SYNOPSIS',
    ...commandNames.flatMap((name) => [
      `.B filebeat\\-port\\-exporter ${roff(usages[name])}`,
      '[\\fIFLAGS\\fR]',
      '.br',
    ]),
    '.SH DESCRIPTION',
    roff(
      'Discovers every Filebeat that runs or is expected to run, predicts from its files which sockets it opens, finds sockets and their',
    ),
    roff(
      'owners through /proc, and reports the result as metrics for Prometheus, a page, JSON or a table. It sends nothing to any port,',
    ),
    roff('runs no program during a scrape, and writes nothing but its own state file.'),
    '.SH COMMANDS',
    ...commandNames.map((name) => paragraph(name, `${commands[name]}.`)),
    '.SH OPTIONS',
    'If a flag is given twice, the last one wins, unless it is repeatable.',
    ...flags.map(([name, flag]) => {
      const standard = flag.kind === 'toggle' || flag.default === undefined ? '' : ` Default: ${flag.default}.`;
      const only = flag.commands.length === commandNames.length ? '' : ` (${flag.commands.join(', ')})`;
      return paragraph(flagForm(name, flag), `${flag.help}.${standard}${only}`);
    }),
    '.SH EXIT STATUS',
    ...commandNames.map((name) => {
      const codes = exits[name].map(({ code, means }) => `${code} ${means}`);
      return paragraph(name, `${codes.join('; ')}.`);
    }),
    '.SH SIGNALS',
    paragraph('SIGTERM, SIGINT', 'serve exits; requests in flight have five seconds to finish.'),
    paragraph('SIGHUP', 'serve reads its settings file again.'),
    '.SH FILES',
    paragraph('/var/lib/filebeat-port-exporter/state.json', 'remembered instances and learned listeners.'),
    paragraph('/etc/default/filebeat-port-exporter', 'flags of the service that the packages install.'),
    '.SH SEE ALSO',
    '.BR prometheus (1),',
    '.BR proc (5),',
    '.BR capabilities (7)',
  ].join('\n')}\n`;
}
