/** A shell script as tokens: operators, reserved words, blanks (POSIX shell "2.3 Token Recognition"). */
import { type Dialect, ShellSyntaxError } from './shell-tree.js';

const operators = [
  '&>>',
  ';;&',
  '<<<',
  '<<-',
  '&&',
  '||',
  ';;',
  ';&',
  '<<',
  '>>',
  '<&',
  '>&',
  '<>',
  '>|',
  '&>',
  '|&',
  ';',
  '&',
  '|',
  '(',
  ')',
  '<',
  '>',
];
const operatorBeginnings = new Set(operators.map((one) => one[0]));
const bashOperators = new Set(['&>>', ';;&', ';&', '<<<', '&>', '|&']);
/** How deeply commands and expansions may be nested. */
const maxDepth = 150;

/** A position in the text of a script. The methods read the token that starts there, and move on behind it. */
export class ShellLexer {
  protected at = 0;

  constructor(
    protected readonly text: string,
    protected readonly dialect: Dialect,
    protected depth = 0,
  ) {}

  protected fail(): never {
    throw new ShellSyntaxError('not readable as a shell script');
  }

  /** Parses one nested construct; fails where the nesting is too deep. */
  protected nested<T>(parse: () => T): T {
    if (++this.depth > maxDepth) this.fail();
    const result = parse();
    this.depth -= 1;
    return result;
  }

  protected isAtEnd(): boolean {
    return this.at >= this.text.length;
  }

  /** Skips blanks, continued lines and comments. */
  protected skipBlanks(): void {
    for (;;) {
      const char = this.text[this.at];
      if (char === ' ' || char === '\t') this.at += 1;
      else if (char === '\\' && this.text[this.at + 1] === '\n') this.at += 2;
      else if (char === '#') while (this.at < this.text.length && this.text[this.at] !== '\n') this.at += 1;
      else return;
    }
  }

  /** Takes the end of a line; the here-documents that the line announced follow it. */
  private takeNewline(): boolean {
    if (this.text[this.at] !== '\n') return false;
    this.at += 1;
    this.hereDocuments();
    return true;
  }

  /** Reads the here-documents announced so far, for parsers that know redirections. */
  protected hereDocuments(): void {}

  protected skipNewlines(): void {
    do this.skipBlanks();
    while (this.takeNewline());
  }

  protected operator(): string | undefined {
    // Nearly every call is at a character that begins none.
    if (!operatorBeginnings.has(this.text[this.at] ?? '')) return undefined;
    return operators.find(
      (one) => this.text.startsWith(one, this.at) && (this.dialect === 'bash' || !bashOperators.has(one)),
    );
  }

  protected takeOperator(operator: string): boolean {
    this.skipBlanks();
    if (this.operator() !== operator) return false;
    this.at += operator.length;
    return true;
  }

  protected expectOperator(operator: string): void {
    if (!this.takeOperator(operator)) this.fail();
  }

  /** The next word, where nothing in it is quoted or expanded; only such a word can be a reserved word. It is not taken. */
  protected plainWord(): string | undefined {
    this.skipBlanks();
    const found = /^[^\s;&|<>()'"\\$`]+/.exec(this.text.slice(this.at, this.at + 256))?.[0];
    if (found === undefined) return undefined;
    const next = this.text[this.at + found.length];
    return next === undefined || /[\s;&|<>()]/.test(next) ? found : undefined;
  }

  protected takeKeyword(word: string): boolean {
    if (this.plainWord() !== word) return false;
    this.at += word.length;
    return true;
  }

  protected expectKeyword(word: string): void {
    this.skipNewlines();
    if (!this.takeKeyword(word)) this.fail();
  }

  /** Takes `((` up to the matching `))` and returns the text between; undefined where there is no match. */
  protected balanced(opening: number): string | undefined {
    let open = opening;
    for (let at = this.at + opening; at < this.text.length; at += 1) {
      const char = this.text[at];
      if (char === '(') open += 1;
      if (char === ')') {
        open -= 1;
        if (open === 1 && opening === 2 && this.text[at + 1] !== ')') return undefined;
        if (open === 0) {
          const inner = this.text.slice(this.at + opening, at - opening + 1);
          this.at = at + 1;
          return inner;
        }
      }
    }
    return undefined;
  }
}
