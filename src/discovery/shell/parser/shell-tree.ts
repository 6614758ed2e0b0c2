/** The syntax tree of a shell script: POSIX shell "2.10 Shell Grammar" and the additions of bash. */

export type Part =
  | { kind: 'text'; text: string; quoted: boolean }
  | { kind: 'variable'; variable: Expansion; quoted: boolean }
  | { kind: 'command'; script: Node; quoted: boolean }
  | { kind: 'arithmetic'; text: Word; quoted: boolean }
  /** Syntax that this parser does not support; its value is unknown. */
  | { kind: 'unsupported'; quoted: boolean };

export interface Expansion {
  name: string;
  /** `${#name}` */
  length?: true;
  /** `:-`, `%%`, `//`, … */
  operator?: string;
  operand?: Word;
  /** The text after the second slash of `${name/pattern/text}`. */
  replacement?: Word;
  /** `${name[index]}`; `@` and `*` stand for all elements. */
  index?: Word;
}

/** One word before expansion, as its quoted and unquoted parts. */
export type Word = Part[];

export interface Redirect {
  /** `<`, `>`, `>>`, `<&`, `>&`, `&>`, `<<`, `<<<`, … */
  operator: string;
  descriptor?: number;
  target: Word;
  /** The text of a here-document. */
  here?: Word;
}

export interface Assignment {
  name: string;
  append: boolean;
  value: Word;
  /** `name=(a b)` */
  list?: Word[];
  index?: Word;
}

export type Node =
  | { kind: 'simple'; assignments: Assignment[]; words: Word[]; redirects: Redirect[] }
  | { kind: 'pipeline'; negated: boolean; nodes: Node[] }
  | { kind: 'and-or'; first: Node; others: { operator: '&&' | '||'; node: Node }[] }
  | { kind: 'list'; items: { node: Node; background: boolean }[] }
  | { kind: 'if'; branches: { condition: Node; body: Node }[]; otherwise?: Node; redirects: Redirect[] }
  | { kind: 'loop'; until: boolean; condition: Node; body: Node; redirects: Redirect[] }
  /** Without `words` it loops over the positional parameters. */
  | { kind: 'for'; name: string; words?: Word[]; body: Node; redirects: Redirect[] }
  | { kind: 'count'; text: [string, string, string]; body: Node; redirects: Redirect[] }
  | { kind: 'case'; subject: Word; clauses: { patterns: Word[]; body: Node; end: string }[]; redirects: Redirect[] }
  | { kind: 'group'; subshell: boolean; body: Node; redirects: Redirect[] }
  | { kind: 'function'; name: string; body: Node }
  /** bash's `[[ … ]]`, as words and operators. */
  | { kind: 'condition'; tokens: (Word | string)[]; redirects: Redirect[] }
  /** bash's `(( … ))`. */
  | { kind: 'arithmetic'; text: string; redirects: Redirect[] };

export type Dialect = 'posix' | 'bash';

/** The script is not valid, or uses syntax that this parser does not support. */
export class ShellSyntaxError extends Error {}

/** The text of a word that is nothing but unquoted text. */
export function literal(word: Word): string | undefined {
  const [only] = word;
  return word.length === 1 && only?.kind === 'text' && !only.quoted ? only.text : undefined;
}

/** Appends text to the parts of a word, joining it to the last part where both are quoted alike. */
export function addText(parts: Part[], text: string, quoted: boolean): void {
  const last = parts.at(-1);
  if (last?.kind === 'text' && last.quoted === quoted) last.text += text;
  else parts.push({ kind: 'text', text, quoted });
}
