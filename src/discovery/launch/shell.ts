/**
 * The little of a shell script that tells how a program is started: assignments, sourced files, simple commands
 * (POSIX shell, "2. Shell Command Language"). Nothing is run; what only running could tell becomes `unknown`.
 */
import { limits } from '../../model/limits.js';
import type { Environment } from '../systemd/unit-words.js';

/** Stands in a word for what only running the script could tell (command substitution, arithmetic, pattern removal). */
export const unknown = '\0';

export interface SimpleCommand {
  words: string[];
  /** Assignments before the command, and those made earlier in the script. */
  env: Environment;
  cwd?: string;
}

export interface ShellContext {
  env: Environment;
  /** `$0`, `$1`, …  */
  args: readonly string[];
  /** Text of a file that the script sources; undefined when it cannot be read. */
  source: (path: string) => string | undefined;
}

interface Piece {
  text: string;
  /** What joined it to the command before: newline or `;` is '', else `&&`, `||`, `|`, `&`. */
  joint: string;
}

const keywords = new Set([
  'then',
  'else',
  'do',
  '{',
  '!',
  'exec',
  'nohup',
  'time',
  'export',
  'readonly',
  'local',
  'command',
]);
const openers = new Set(['if', 'elif', 'while', 'until']);
const maxDepth = 4;

/**
 * Simple commands of a script in the order of its text, whatever branch or function they stand in. An assignment that
 * is only made on a condition counts when the variable has no value yet.
 */
export function simpleCommands(script: string, context: ShellContext): SimpleCommand[] {
  // One that sources itself a hundred times would otherwise have a hundred million commands.
  return commandsIn(script, context, 0, { sources: limits.scriptSources, commands: limits.scriptCommands });
}

function commandsIn(
  script: string,
  context: ShellContext,
  depth: number,
  left: { sources: number; commands: number },
): SimpleCommand[] {
  const env = depth === 0 ? { ...context.env } : context.env;
  const commands: SimpleCommand[] = [];
  let nesting = 0;
  let cwd: string | undefined;
  for (const { text, joint } of splitCommands(script)) {
    let words = shellWords(text, env, context.args);
    let conditional = nesting > 0 || joint === '&&' || joint === '||';
    // `name() {` and `pattern)` introduce a command, they are none.
    while (words[0] !== undefined) {
      const head: string = words[0];
      if (head === 'if' || head === 'case') nesting += 1;
      if (head === 'fi' || head === 'esac') nesting = Math.max(0, nesting - 1);
      if (openers.has(head)) conditional = true;
      const skip = keywords.has(head) || openers.has(head) || head === 'fi' || /^[\w*?.|-]*\(?\)$/.test(head);
      if (!skip) break;
      words = words.slice(1);
    }
    const own: Environment = {};
    while (words[0] !== undefined && /^[A-Za-z_]\w*\+?=/.test(words[0])) {
      const [, name, append, value] = /^([A-Za-z_]\w*)(\+?)=([\s\S]*)$/.exec(words[0])!;
      own[name!] = append ? (env[name!] ?? '') + value : value!;
      words = words.slice(1);
    }
    const [command, operand] = words;
    if (command === undefined) {
      for (const [name, value] of Object.entries(own)) if (!conditional || !env[name]) env[name] = value;
    } else if ((command === '.' || command === 'source') && operand !== undefined) {
      const mayFollow = depth < maxDepth && !operand.includes(unknown) && left.sources-- > 0;
      const sourced = mayFollow ? context.source(operand) : undefined;
      if (sourced !== undefined) commands.push(...commandsIn(sourced, { ...context, env }, depth + 1, left));
    } else if (command === 'cd' && operand !== undefined && nesting === 0) {
      cwd = operand;
    } else if (left.commands-- > 0) {
      commands.push({ words, env: { ...env, ...own }, ...(cwd === undefined ? {} : { cwd }) });
    }
  }
  return commands;
}

/** Cuts at newlines, `;`, `&&`, `||`, `|`, `&` outside of quotes; comments and redirections' targets are left to the words. */
function splitCommands(script: string): Piece[] {
  const pieces: Piece[] = [];
  let text = '';
  let joint = '';
  let quote = '';
  let braces = 0;
  const cut = (next: string) => {
    if (text.trim() !== '') pieces.push({ text: text.trim(), joint });
    text = '';
    joint = next;
  };
  for (let at = 0; at < script.length; at += 1) {
    const char = script[at]!;
    const two = script.slice(at, at + 2);
    if (char === '\\' && quote !== "'") {
      if (script[at + 1] !== '\n') text += two;
      at += 1;
    } else if (quote !== '') {
      text += char;
      if (char === quote) quote = '';
    } else if (char === "'" || char === '"' || char === '`') {
      quote = char;
      text += char;
    } else if (two === '${' || two === '$(') {
      braces += 1;
      text += two;
      at += 1;
    } else if (braces > 0) {
      if (char === '}' || char === ')') braces -= 1;
      text += char;
    } else if (char === '#' && (text === '' || /\s$/.test(text))) {
      while (at + 1 < script.length && script[at + 1] !== '\n') at += 1;
    } else if (two === '&&' || two === '||') {
      cut(two);
      at += 1;
    } else if (two === '>&' || two === '<&' || two === '&>') {
      text += two;
      at += 1;
    } else if ('\n;|&'.includes(char)) {
      cut(char === '\n' || char === ';' ? '' : char);
    } else {
      text += char;
    }
  }
  cut('');
  return pieces;
}

/** Words of one simple command, expanded; redirections are dropped. An unquoted value is split at blanks. */
function shellWords(text: string, env: Environment, args: readonly string[] = []): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote = '';
  const end = () => {
    if (word !== undefined) words.push(word);
    word = undefined;
  };
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at]!;
    if (char === '\\' && quote !== "'") {
      const next = text[at + 1] ?? '';
      word = (word ?? '') + (quote === '"' && !'$`"\\'.includes(next) ? char + next : next);
      at += 1;
    } else if (char === quote) {
      quote = '';
    } else if (quote === '' && (char === "'" || char === '"')) {
      quote = char;
      word ??= '';
    } else if (quote !== "'" && (char === '$' || char === '`')) {
      const read = expansion(text, at, env, args);
      at += read.length - 1;
      if (quote === '"' || /^[A-Za-z_]\w*=/.test(word ?? '')) {
        if (read.list && quote === '"' && word === '') {
          // "$@" is as many words as there are arguments.
          words.push(...read.list.slice(0, -1));
          word = read.list.at(-1);
        } else {
          word = (word ?? '') + (read.list?.join(' ') ?? read.value);
        }
      } else {
        const split = (read.list?.join(' ') ?? read.value).split(/[ \t\n]+/);
        for (const [index, part] of split.entries()) {
          if (index > 0) end();
          if (part !== '') word = (word ?? '') + part;
        }
      }
    } else if (quote === '' && /\s/.test(char)) {
      end();
    } else {
      word = (word ?? '') + char;
    }
  }
  end();
  return dropRedirections(words);
}

function dropRedirections(words: string[]): string[] {
  const kept: string[] = [];
  for (let at = 0; at < words.length; at += 1) {
    const redirect = /^(?:\d*|&)(?:>>?|<)(&?.*)$/s.exec(words[at]!);
    if (!redirect) kept.push(words[at]!);
    else if (redirect[1] === '') at += 1;
  }
  return kept;
}

function expansion(
  text: string,
  at: number,
  env: Environment,
  args: readonly string[],
): { value: string; length: number; list?: string[] } {
  const rest = text.slice(at);
  const simple = /^\$([A-Za-z_]\w*|[0-9@*#?$!-])/.exec(rest);
  if (simple) {
    const name = simple[1]!;
    if (name === '@' || name === '*') return { value: '', length: 2, list: args.slice(1) };
    if (/^[#?$!-]$/.test(name)) return { value: unknown, length: 2 };
    return { value: variable(name, env, args) ?? '', length: simple[0].length };
  }
  const braced = /^\$\{([A-Za-z_]\w*|[0-9@*])(?:(:?[-=+?])([^{}]*(?:\{[^{}]*\}[^{}]*)*))?\}/.exec(rest);
  if (braced) {
    const [all, name, operator, alternative] = braced;
    if (name === '@' || name === '*') return { value: '', length: all.length, list: args.slice(1) };
    const value = variable(name!, env, args);
    const present = value !== undefined && !(operator?.startsWith(':') && value === '');
    const fallback = () => shellWords(`"${(alternative ?? '').replace(/^(["'])(.*)\1$/s, '$2')}"`, env, args)[0] ?? '';
    if (operator?.endsWith('+')) return { value: present ? fallback() : '', length: all.length };
    if (operator && !present) return { value: fallback(), length: all.length };
    return { value: value ?? '', length: all.length };
  }
  const command = /^(?:\$\((?:[^()]|\([^()]*\))*\)|\$\{[^}]*\}|`[^`]*`)/.exec(rest);
  if (command) return { value: unknown, length: command[0].length };
  return { value: rest[0]!, length: 1 };
}

function variable(name: string, env: Environment, args: readonly string[]): string | undefined {
  if (/^\d/.test(name)) return args[Number(name)];
  return Object.hasOwn(env, name) ? env[name] : undefined;
}
