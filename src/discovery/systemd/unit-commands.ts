/** `ExecStart=` and the like → commands (systemd.service(5) "COMMAND LINES"). */
import type { Environment } from '../launch/launch-context.js';
import type { SourcedAssignment, UnitSettings } from './unit-files/unit-settings.js';
import { expandVariables, firstWord } from './unit-files/unit-words.js';

export interface ServiceCommand {
  /** As written: a path, or a name that systemd searches for in its own directories. */
  program: string;
  argv: string[];
  /** `@`: argv[0] is not the program. */
  renamed: boolean;
  /** `-`: it may fail. */
  mayFail: boolean;
}

export interface ServiceCommands {
  commands: ServiceCommand[];
  /** Lines that systemd refuses, with the reason. */
  refused: { at: string; why: string; command?: ServiceCommand }[];
}

export function readCommands(key: string, settings: UnitSettings, env: Environment): ServiceCommands {
  const commands: ServiceCommand[] = [];
  const refused: ServiceCommands['refused'] = [];
  for (const assignment of settings.list(key)) {
    const at = settings.at(assignment);
    const parsed = parseCommands(assignment, settings, env);
    const relative = parsed.commands.find(({ program }) => program.includes('/') && !program.startsWith('/'));
    if (parsed.why !== undefined) refused.push({ at, why: parsed.why });
    else if (relative !== undefined) {
      refused.push({
        at,
        why: 'the program is a relative path with a slash, which systemd refuses',
        command: relative,
      });
    } else commands.push(...parsed.commands);
  }
  return { commands, refused };
}

/**
 * Prefixes `-@:+!|` may precede the program, `@` makes the next word argv[0], `:` keeps dollar signs; a lone `;`
 * starts another command, `\;` is a semicolon.
 */
function parseCommands(
  assignment: SourcedAssignment,
  settings: UnitSettings,
  env: Environment,
): { commands: ServiceCommand[]; why?: string } {
  const commands: ServiceCommand[] = [];
  const badSpecifier = { commands, why: 'it contains an unknown specifier' };
  let rest = assignment.value;
  while (rest !== '') {
    const first = firstWord(rest);
    if (first === undefined) break;
    if ('error' in first) return { commands, why: 'unbalanced quote' };
    rest = first.rest;
    if (first.word === ';') continue;
    const prefix = /^[-@:+!|]*/.exec(first.word)![0];
    const program = settings.expand(first.word.slice(prefix.length), assignment);
    if (program === undefined) return badSpecifier;
    const argv: string[] = prefix.includes('@') ? [] : [program];
    while (rest !== '') {
      const separator = /^(\\?);(?:[ \t\n\r]+|$)/.exec(rest);
      if (separator) {
        rest = rest.slice(separator[0].length);
        if (separator[1] === '') break;
        argv.push(';');
        continue;
      }
      const next = firstWord(rest);
      if (next === undefined) break;
      if ('error' in next) return { commands, why: 'unbalanced quote' };
      const word = settings.expand(next.word, assignment);
      if (word === undefined) return badSpecifier;
      argv.push(word);
      rest = next.rest;
    }
    if (program === '' || argv.length === 0) continue;
    commands.push({
      program,
      argv: prefix.includes(':') ? argv : expandVariables(argv, env),
      renamed: prefix.includes('@'),
      mayFail: prefix.includes('-'),
    });
  }
  return { commands };
}
