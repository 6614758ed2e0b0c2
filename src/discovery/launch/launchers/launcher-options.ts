/** The words of a launcher → its options and the words after them (getopt_long(3)). */
import type { Launch, LaunchContext } from '../launch-context.js';

export interface OptionRules {
  /** Options with a value: letters and long names, separated by blanks. All others are switches. */
  values?: string;
  /** Options may follow other words. */
  permutes?: true;
  /** Long names with one dash (`-exec`), as Go and old programs have them. */
  singleDash?: true;
}

export interface GivenOptions {
  /** The value of the last option of one of these names; '' for a switch. */
  option(...names: string[]): string | undefined;
  /** All values of options of these names, in order. */
  all(...names: string[]): string[];
  has(...names: string[]): boolean;
  operands: string[];
}

export function readOptions(
  words: readonly string[],
  { values = '', permutes, singleDash }: OptionRules,
): GivenOptions {
  const takes = new Set(values.split(' '));
  const given: { name: string; value: string }[] = [];
  const rest: string[] = [];
  let at = 0;
  for (; at < words.length; at += 1) {
    const word = words[at]!;
    if (word === '--') {
      at += 1;
      break;
    }
    if (word.startsWith('--') || (singleDash && /^-[^-]./.test(word))) {
      const [, name = '', value] = /^--?([^=]*)(?:=([\s\S]*))?$/.exec(word) ?? [];
      if (value !== undefined) given.push({ name, value });
      else if (takes.has(name) && at + 1 < words.length) given.push({ name, value: words[++at]! });
      else given.push({ name, value: '' });
    } else if (/^-./.test(word)) {
      for (let letters = word.slice(1); letters !== ''; ) {
        const name = letters[0]!;
        letters = letters.slice(1);
        if (!takes.has(name)) given.push({ name, value: '' });
        else {
          given.push({ name, value: letters !== '' ? letters : (words[++at] ?? '') });
          letters = '';
        }
      }
    } else if (permutes) {
      rest.push(word);
    } else {
      break;
    }
  }
  const all = (...names: string[]) => given.filter(({ name }) => names.includes(name)).map(({ value }) => value);
  return {
    all,
    option: (...names) => all(...names).at(-1),
    has: (...names) => all(...names).length > 0,
    operands: [...rest, ...words.slice(at)],
  };
}

/** What a launcher changes; `argv` is the program after it with its arguments. */
export interface Change {
  launch?: Partial<Launch>;
  argv?: string[];
  /** A shell line instead of a program. `args` are `$0`, `$1`, …; `login`: the shell reads profiles first. */
  line?: { text: string; shell?: string; args?: string[]; login?: boolean };
  /** The launcher ends, and what it started keeps running. */
  background?: boolean;
  /** Why what the program sees is not certain. */
  why?: string;
  /** A user whose shell is nologin or false: the launcher fails. */
  locked?: string;
  /** Starts nothing in this form. */
  nothing?: true;
}

export interface Launcher extends OptionRules {
  /** Number of words between the options and the program. */
  before?: number;
  /** Switches with which the launcher ends and the program keeps running. */
  background?: string;
  change?: (given: GivenOptions & { before: string[] }, launch: Launch, world: LaunchContext) => Change;
}
