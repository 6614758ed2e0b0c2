/** Simple commands of a shell script: assignments, words and redirections (POSIX shell "2.9.1 Simple Commands"). */
import { ShellRedirectionParser } from './shell-redirections.js';
import { type Assignment, literal, type Node, type Redirect, type Word } from './shell-tree.js';

/** Builtins whose arguments may be assignments of arrays. */
const declaringBuiltins = ['declare', 'local', 'typeset', 'readonly', 'export'];

export abstract class ShellSimpleCommandParser extends ShellRedirectionParser {
  protected simple(): Node {
    const assignments: Assignment[] = [];
    const words: Word[] = [];
    const redirects: Redirect[] = [];
    for (;;) {
      this.skipBlanks();
      const redirect = this.redirect();
      if (redirect !== undefined) {
        redirects.push(redirect);
        continue;
      }
      if (this.isAtEnd() || this.text[this.at] === '\n' || this.operator() !== undefined) break;
      const assignment = words.length === 0 ? this.assignment() : this.declaredArray(words);
      if (assignment === undefined) words.push(this.word());
      else assignments.push(assignment);
    }
    if (assignments.length + words.length + redirects.length === 0) this.fail();
    return { kind: 'simple', assignments, words, redirects };
  }

  /** Takes the array in `declare -a names=(a b)` as an assignment. */
  private declaredArray(words: Word[]): Assignment | undefined {
    const first = literal(words[0]!);
    if (this.dialect !== 'bash' || !declaringBuiltins.includes(first ?? '')) {
      return undefined;
    }
    return /^[A-Za-z_]\w*\+?=\(/.test(this.text.slice(this.at, this.at + 300)) ? this.assignment() : undefined;
  }

  private assignment(): Assignment | undefined {
    const start = this.at;
    const head = /^([A-Za-z_]\w*)(\+?=|\[)/.exec(this.text.slice(this.at, this.at + 300));
    if (head === null) return undefined;
    const name = head[1]!;
    this.at += name.length;
    const index = head[2] === '[' ? this.index() : undefined;
    const append = this.text[this.at] === '+';
    const isBashOnly = head[2] === '[' || append;
    if ((isBashOnly && this.dialect !== 'bash') || (head[2] === '[' && index === undefined)) {
      this.at = start;
      return undefined;
    }
    this.at += append ? 2 : 1;
    if (this.text[this.at] === '(' && this.dialect === 'bash') return { name, append, value: [], list: this.array() };
    const char = this.text[this.at];
    const isEmpty = char === undefined || /[\s;&|<>()]/.test(char);
    const value = isEmpty ? [] : this.word();
    return { name, append, value, ...(index === undefined ? {} : { index }) };
  }

  /** Takes `[index]` where an assignment follows it. */
  private index(): Word | undefined {
    const end = this.text.indexOf(']', this.at);
    if (end < 0 || !/^\+?=/.test(this.text.slice(end + 1, end + 3))) return undefined;
    const index = this.inner(this.text.slice(this.at + 1, end)).quotedText('');
    this.at = end + 1;
    return index;
  }

  /** Takes `(a b)`. */
  private array(): Word[] {
    this.at += 1;
    const list: Word[] = [];
    for (;;) {
      this.skipNewlines();
      if (this.takeOperator(')')) return list;
      if (this.isAtEnd() || this.operator() !== undefined) this.fail();
      list.push(this.word());
    }
  }
}
