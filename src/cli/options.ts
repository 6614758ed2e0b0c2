/** argv and environment → Options. Pure. An error is one sentence and never repeats the value of a flag. */
import { parseArgs } from 'node:util';
import { type Command, commandNames, commands, type Flag, type FlagName, type Flags, flagTable } from './flags.js';

export type Options =
  /** `given`: the flags that were typed; the others have their defaults. */
  | { command: 'serve' | 'check' | 'metrics'; flags: Flags; given: ReadonlySet<FlagName> }
  | { command: 'explain'; flags: Flags; argv?: string[] }
  | { command: 'forget'; flags: Flags; name: string };

export type ParsedOptions =
  | { kind: 'run'; options: Options }
  | { kind: 'help'; text: string }
  | { kind: 'version' }
  | { kind: 'refused'; message: string; command: Command };

/** Unwinds to `parseOptions`, which returns its message. */
class Refusal extends Error {}

interface Given {
  name: FlagName;
  /** Undefined for a toggle without `=`. */
  value: string | undefined;
}

interface Words {
  given: Given[];
  positionals: string[];
  /** The words after `--`; undefined if there is no `--`. */
  operands: string[] | undefined;
}

const isFlag = (name: string): name is FlagName => Object.hasOwn(flagTable, name);

/** node:util only splits the words. It is not strict, because `flagTable` has the rules for each flag. */
function tokensOf(argv: readonly string[]) {
  return parseArgs({
    args: [...argv],
    strict: false,
    tokens: true,
    options: {
      ...Object.fromEntries(
        Object.entries(flagTable).map(([name, flag]) => [
          name,
          { type: flag.kind === 'toggle' ? 'boolean' : 'string' },
        ]),
      ),
      help: { type: 'boolean', short: 'h' },
    },
  }).tokens;
}

/** The words before `--` and after it. */
function splitAtDoubleDash(argv: readonly string[]): { own: readonly string[]; operands: string[] | undefined } {
  const at = argv.indexOf('--');
  return at === -1 ? { own: argv, operands: undefined } : { own: argv.slice(0, at), operands: argv.slice(at + 1) };
}

function splitWords(argv: readonly string[]): Words {
  const { own, operands } = splitAtDoubleDash(argv);
  const words: Words = { given: [], positionals: [], operands };
  for (const token of tokensOf(own)) {
    if (token.kind === 'positional') words.positionals.push(token.value);
    if (token.kind !== 'option') continue;
    if (
      !isFlag(token.name) ||
      (token.rawName.startsWith('-') && !token.rawName.startsWith('--') && token.name !== 'help')
    )
      throw new Refusal(`unknown flag ${token.rawName}; --help lists them`);
    // `--config.file --quiet` is a forgotten value, not a file named --quiet; `--config.file=--quiet` is.
    if (token.inlineValue === false && token.value?.startsWith('-'))
      throw new Refusal(`${token.rawName} needs a value`);
    words.given.push({ name: token.name, value: token.value });
  }
  return words;
}

function commandOf(words: Words): Command {
  const [first] = words.positionals;
  if (first === undefined) return 'serve';
  const command = commandNames.find((name) => name === first);
  if (command === undefined) throw new Refusal(`unknown command; there are ${commandNames.join(', ')}`);
  return command;
}

/** The command whose exit code a refusal uses, even where `commandOf` refuses the words. */
function commandMeant(argv: readonly string[]): Command {
  const positionals = tokensOf(splitAtDoubleDash(argv).own).flatMap((token) =>
    token.kind === 'positional' ? [token.value] : [],
  );
  return commandNames.find((name) => name === positionals[0]) ?? (positionals.includes('check') ? 'check' : 'serve');
}

function parseValue(name: FlagName, flag: Exclude<Flag, { kind: 'toggle' }>, text: string | undefined): unknown {
  const value = text === undefined ? undefined : flag.parse(text);
  if (value === undefined) throw new Refusal(`--${name} needs ${flag.expected}`);
  return value;
}

function toggleValue(name: FlagName, text: string | undefined): boolean {
  if (text === undefined || text === 'true') return true;
  if (text === 'false') return false;
  throw new Refusal(`--${name} is a switch and takes no value`);
}

function defaultText(
  name: FlagName,
  flag: Exclude<Flag, { kind: 'toggle' }>,
  env: NodeJS.ProcessEnv,
): string | undefined {
  // Several directories are joined by colons (systemd.exec(5)).
  const directory = name === 'state.file' ? env['STATE_DIRECTORY']?.split(':')[0] : undefined;
  return directory === undefined || directory === '' ? flag.default : `${directory}/state.json`;
}

function flagValues(given: readonly Given[], env: NodeJS.ProcessEnv): Flags {
  const values = Object.entries(flagTable).map(([key, flag]: [string, Flag]) => {
    const name = key as FlagName;
    const texts = given.filter((g) => g.name === name).map((g) => g.value);
    if (flag.kind === 'toggle') return [name, texts.map((text) => toggleValue(name, text)).at(-1) ?? false];
    const standard = defaultText(name, flag, env);
    const parsed = (texts.length === 0 && standard !== undefined ? [standard] : texts).map((text) =>
      parseValue(name, flag, text),
    );
    return [name, flag.kind === 'many' ? parsed : parsed.at(-1)];
  });
  // Each value comes from the `parse` of its own flag.
  return Object.fromEntries(values) as Flags;
}

function assemble(command: Command, words: Words, flags: Flags): Options {
  const [, subject, ...more] = words.positionals;
  if (command !== 'explain' && words.operands !== undefined)
    throw new Refusal(`${command} takes no command line after --`);
  if (command === 'forget') {
    if (subject === undefined) throw new Refusal('forget needs the name of an instance');
    if (more.length > 0) throw new Refusal('forget takes one name; quote a name that has spaces');
    return { command, flags, name: subject };
  }
  if (subject !== undefined)
    throw new Refusal(
      command === 'explain' ? 'put the command line of the Filebeat after --' : `${command} takes no argument`,
    );
  if (command !== 'explain') return { command, flags, given: new Set(words.given.map(({ name }) => name)) };
  if (words.operands?.length === 0) throw new Refusal('put the command line of the Filebeat after --');
  if (words.operands === undefined) return { command, flags };
  if (flags.pid !== undefined) throw new Refusal('--pid and a command line after -- exclude each other');
  return { command, flags, argv: words.operands };
}

/** Accepts `--flag value` and `--flag=value`. If a flag is given twice, the last one wins, unless it is repeatable. */
export function parseOptions(argv: readonly string[], env: NodeJS.ProcessEnv): ParsedOptions {
  try {
    const words = splitWords(argv);
    const command = commandOf(words);
    if (words.given.some((g) => g.name === 'help'))
      return { kind: 'help', text: helpText(words.positionals.length > 0 ? command : undefined) };
    if (words.given.some((g) => g.name === 'version')) return { kind: 'version' };
    const foreign = words.given.find((g) => !(flagTable[g.name].commands as readonly Command[]).includes(command));
    if (foreign !== undefined) {
      const { name } = foreign;
      throw new Refusal(`--${name} is a flag of ${flagTable[name].commands.join(', ')}, not of ${command}`);
    }
    return { kind: 'run', options: assemble(command, words, flagValues(words.given, env)) };
  } catch (error) {
    if (error instanceof Refusal) return { kind: 'refused', message: error.message, command: commandMeant(argv) };
    throw error;
  }
}

export const usages: Record<Command, string> = {
  serve: '[serve]',
  check: 'check',
  explain: 'explain [--pid PID | -- FILEBEAT-ARGV…]',
  forget: 'forget NAME',
  metrics: 'metrics',
};

/** The text of `--help`, for one command or all. */
export function helpText(command?: Command): string {
  const named = command === undefined ? commandNames : [command];
  const rows = Object.entries(flagTable)
    .filter(([, flag]) => named.some((name) => (flag.commands as readonly Command[]).includes(name)))
    .map(([name, flag]: [string, Flag]) => {
      const left = flag.kind === 'toggle' ? `--${name}` : `--${name}=${flag.placeholder}`;
      const standard = flag.kind === 'toggle' || flag.default === undefined ? '' : ` (default ${flag.default})`;
      const only = command !== undefined || flag.commands.length > 3 ? '' : ` [${flag.commands.join(', ')}]`;
      return { left, right: `${flag.help}${standard}${only}` };
    });
  const widest = Math.max(...rows.map((row) => row.left.length));
  const wide = Math.max(...named.map((name) => usages[name].length));
  return [
    'usage: filebeat-port-exporter [COMMAND] [FLAGS]',
    '',
    ...named.map((name) => `  ${usages[name].padEnd(wide)}  ${commands[name]}`),
    '',
    ...rows.map(({ left, right }) => `  ${left.padEnd(widest)}  ${right}`),
    '',
  ].join('\n');
}
