/** The tree of a shell script (POSIX shell "2.10 Shell Grammar", with what bash adds to it). */

export type Part =
  | { kind: 'text'; text: string; quoted: boolean }
  | { kind: 'variable'; variable: Expansion; quoted: boolean }
  | { kind: 'command'; script: Node; quoted: boolean }
  | { kind: 'arithmetic'; text: Word; quoted: boolean }
  /** Something that this reader does not know. */
  | { kind: 'odd'; quoted: boolean };

export interface Expansion {
  name: string;
  /** `${#name}` */
  length?: true;
  /** `:-`, `%%`, `//`, … */
  operator?: string;
  operand?: Word;
  /** Behind the second slash of `${name/pattern/text}`. */
  replacement?: Word;
  /** `${name[index]}`; `@` and `*` are all. */
  index?: Word;
}

export type Word = Part[];

export interface Redirect {
  /** `<`, `>`, `>>`, `<&`, `>&`, `&>`, `<<`, `<<<`, … */
  operator: string;
  descriptor?: number;
  target: Word;
  /** Text of a here-document. */
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
  | { kind: 'chain'; first: Node; rest: { operator: '&&' | '||'; node: Node }[] }
  | { kind: 'list'; items: { node: Node; background: boolean }[] }
  | { kind: 'if'; branches: { condition: Node; body: Node }[]; otherwise?: Node; redirects: Redirect[] }
  | { kind: 'loop'; until: boolean; condition: Node; body: Node; redirects: Redirect[] }
  /** Without words: the positional parameters. */
  | { kind: 'for'; name: string; words?: Word[]; body: Node; redirects: Redirect[] }
  | { kind: 'count'; text: [string, string, string]; body: Node; redirects: Redirect[] }
  | { kind: 'case'; subject: Word; clauses: { patterns: Word[]; body: Node; end: string }[]; redirects: Redirect[] }
  | { kind: 'group'; subshell: boolean; body: Node; redirects: Redirect[] }
  | { kind: 'function'; name: string; body: Node }
  /** `[[ … ]]` of bash, as its words and operators. */
  | { kind: 'condition'; tokens: (Word | string)[]; redirects: Redirect[] }
  /** `(( … ))` of bash. */
  | { kind: 'arithmetic'; text: string; redirects: Redirect[] };

export type Dialect = 'posix' | 'bash';

/** A script that the shell could not read either, or that is beyond this reader. */
export class ShellTrouble extends Error {}
