/** filebeat-port-exporter(8) as man(7) source, from the table of flags. Pure. */
import { commandNames, commands, type Flag, flagTable } from '../flags.js';
import { usages } from '../options.js';
import { exits, flagForm } from './flags-table.js';

/** Backslashes, hyphens that are to be typed, and dots and quotes that would begin a request. */
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
    'filebeat\\-port\\-exporter \\- tell which sockets every Filebeat of a host ought to hold, and which it lacks',
    '.SH SYNOPSIS',
    ...commandNames.flatMap((name) => [
      `.B filebeat\\-port\\-exporter ${roff(usages[name])}`,
      '[\\fIFLAGS\\fR]',
      '.br',
    ]),
    '.SH DESCRIPTION',
    roff(
      'Discovers every Filebeat that runs or ought to run, predicts from its files which sockets it will open, finds sockets and owners',
    ),
    roff(
      'through /proc, and tells: metrics for Prometheus, a page, JSON, a table. It sends nothing to any port, runs no program',
    ),
    roff('while it is scraped, and changes nothing but its own state file.'),
    '.SH COMMANDS',
    ...commandNames.map((name) => paragraph(name, `${commands[name]}.`)),
    '.SH OPTIONS',
    'A flag given twice: the last one counts, unless it is repeatable.',
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
    paragraph('SIGTERM, SIGINT', 'serve ends; requests in flight may take five seconds more.'),
    paragraph('SIGHUP', 'serve reads its own settings file again.'),
    '.SH FILES',
    paragraph('/var/lib/filebeat-port-exporter/state.json', 'Filebeats once seen.'),
    paragraph('/etc/default/filebeat-port-exporter', 'flags of the service that the packages install.'),
    '.SH SEE ALSO',
    '.BR prometheus (1),',
    '.BR proc (5),',
    '.BR capabilities (7)',
  ].join('\n')}\n`;
}
