/** Words of a shell script: quoted and unquoted text (POSIX shell "2.2 Quoting"). Expansions are left to the subclass. */
import { ShellLexer } from './shell-lexer.js';
import { addText, type Part, type Word } from './shell-tree.js';

/** In double quotes a backslash escapes these characters; before others it is literal. */
const escapableInQuotes = '$`"\\';

export abstract class ShellWordParser extends ShellLexer {
  /** Takes `$…` and adds what it stands for. */
  protected abstract dollar(parts: Part[], quoted: boolean): void;
  /** Takes a command substitution in backquotes. */
  protected abstract backquote(quoted: boolean): Part;

  /** Takes one word of at least one character. */
  protected word(): Word {
    const parts: Part[] = [];
    const start = this.at;
    for (;;) {
      const char = this.text[this.at];
      if (char === undefined || /[\s;&|<>()]/.test(char)) break;
      this.piece(char, parts, '');
    }
    if (this.at === start) this.fail();
    return parts;
  }

  /** Takes one part outside double quotes: quoted, expanded or plain. `end`: the character that ends a word in braces. */
  protected piece(char: string, parts: Part[], end: string): void {
    if (char === '\\') {
      const next = this.text[this.at + 1];
      this.at += 2;
      if (next === '\n') return;
      addText(parts, next ?? '\\', true);
    } else if (char === "'") {
      const close = this.text.indexOf("'", this.at + 1);
      if (close < 0) this.fail();
      addText(parts, this.text.slice(this.at + 1, close), true);
      this.at = close + 1;
    } else if (char === '"') {
      this.at += 1;
      const inner = this.quotedText('"');
      if (inner.length === 0) addText(parts, '', true);
      parts.push(...inner);
    } else if (char === '$') {
      this.dollar(parts, false);
    } else if (char === '`') {
      parts.push(this.backquote(false));
    } else {
      let stop = this.at + 1;
      while (stop < this.text.length && !/[\s;&|<>()\\'"$`]/.test(this.text[stop]!) && this.text[stop] !== end)
        stop += 1;
      addText(parts, this.text.slice(this.at, stop), false);
      this.at = stop;
    }
  }

  /** Takes the inside of double quotes up to and including `end`; where `end` is empty, all of the text. */
  quotedText(end: string): Word {
    const parts: Part[] = [];
    let plain = '';
    const flush = () => {
      if (plain !== '') addText(parts, plain, true);
      plain = '';
    };
    for (;;) {
      const char = this.text[this.at];
      if (char === undefined) {
        if (end !== '') this.fail();
        break;
      }
      if (char === end) {
        this.at += 1;
        break;
      }
      if (char === '\\') {
        const next = this.text[this.at + 1] ?? '';
        this.at += 2;
        const escapes = end === '' ? '$`\\' : end === '}' ? `${escapableInQuotes}}` : escapableInQuotes;
        if (next === '\n') continue;
        plain += next !== '' && escapes.includes(next) ? next : `\\${next}`;
      } else if (char === '$') {
        flush();
        this.dollar(parts, true);
      } else if (char === '`') {
        flush();
        parts.push(this.backquote(true));
      } else {
        plain += char;
        this.at += 1;
      }
    }
    flush();
    return parts;
  }

  /** Takes the operand of `${name:-…}` up to the closing `}`, which is not taken. */
  protected operand(quoted: boolean, end: string): Word {
    if (quoted) return this.quotedOperand();
    const parts: Part[] = [];
    for (;;) {
      const char = this.text[this.at];
      if (char === undefined) this.fail();
      if (char === '}' || char === end) return parts;
      if (/[\s;&|<>()]/.test(char)) {
        addText(parts, char, false);
        this.at += 1;
      } else {
        this.operandPiece(char, parts, end);
      }
    }
  }

  protected operandPiece(char: string, parts: Part[], end: string): void {
    if ('\\\'"$`'.includes(char)) {
      this.piece(char, parts, '}');
      return;
    }
    let stop = this.at + 1;
    while (stop < this.text.length && !/[\s;&|<>()\\'"$`}]/.test(this.text[stop]!) && this.text[stop] !== end)
      stop += 1;
    addText(parts, this.text.slice(this.at, stop), false);
    this.at = stop;
  }

  /** The same inside double quotes: single quotes are literal, and double quotes begin a nested quotation. */
  protected quotedOperand(): Word {
    const parts: Part[] = [];
    for (;;) {
      const char = this.text[this.at];
      if (char === undefined) this.fail();
      if (char === '}') return parts;
      if (char === '"') {
        this.at += 1;
        parts.push(...this.quotedText('"'));
      } else if (char === '$') {
        this.dollar(parts, true);
      } else if (char === '`') {
        parts.push(this.backquote(true));
      } else if (char === '\\') {
        const next = this.text[this.at + 1] ?? '';
        this.at += 2;
        if (next !== '\n') addText(parts, `${escapableInQuotes}}`.includes(next) ? next : `\\${next}`, true);
      } else {
        addText(parts, char, true);
        this.at += 1;
      }
    }
  }
}
