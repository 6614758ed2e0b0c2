/** Compound commands of a shell script: groups, `if`, loops, `case`, functions (POSIX shell "2.9.4 Compound Commands"). */
import { ShellSimpleCommandParser } from './shell-simple-commands.js';
import { literal, type Node, type Word } from './shell-tree.js';

export abstract class ShellCompoundCommandParser extends ShellSimpleCommandParser {
  protected compound(): Node | undefined {
    this.skipBlanks();
    const bash = this.dialect === 'bash';
    if (bash && this.text.startsWith('((', this.at)) {
      const text = this.balanced(2);
      if (text !== undefined) return { kind: 'arithmetic', text, redirects: this.redirects() };
    }
    if (this.takeOperator('(')) {
      const body = this.list();
      this.expectOperator(')');
      return { kind: 'group', subshell: true, body, redirects: this.redirects() };
    }
    const word = this.plainWord();
    switch (word) {
      case '{': {
        this.at += 1;
        const body = this.list();
        this.expectKeyword('}');
        return { kind: 'group', subshell: false, body, redirects: this.redirects() };
      }
      case 'if':
        return this.ifCommand();
      case 'while':
      case 'until': {
        this.at += word.length;
        const condition = this.list();
        const body = this.doGroup();
        return { kind: 'loop', until: word === 'until', condition, body, redirects: this.redirects() };
      }
      case 'for':
        return this.forLoop();
      case 'case':
        return this.caseCommand();
      case '[[':
        return bash ? this.conditionalExpression() : undefined;
      case 'function':
        return bash ? this.bashFunction() : undefined;
      case 'select':
      case 'coproc':
        return bash ? this.fail() : undefined;
    }
    const named = /^([A-Za-z_][\w.:-]*)[ \t]*\([ \t]*\)/.exec(this.text.slice(this.at, this.at + 300));
    if (named === null) return undefined;
    this.at += named[0].length;
    return this.functionBody(named[1]!);
  }

  private bashFunction(): Node {
    this.at += 'function'.length;
    this.skipBlanks();
    const name = this.plainWord() ?? this.fail();
    this.at += name.length;
    if (this.takeOperator('(')) this.expectOperator(')');
    return this.functionBody(name);
  }

  private functionBody(name: string): Node {
    this.skipNewlines();
    const body = this.compound();
    if (body === undefined) this.fail();
    return { kind: 'function', name, body };
  }

  private ifCommand(): Node {
    const branches: { condition: Node; body: Node }[] = [];
    let otherwise: Node | undefined;
    this.at += 2;
    for (;;) {
      const condition = this.list();
      this.expectKeyword('then');
      branches.push({ condition, body: this.list() });
      this.skipNewlines();
      if (this.takeKeyword('elif')) continue;
      if (this.takeKeyword('else')) otherwise = this.list();
      this.expectKeyword('fi');
      const redirects = this.redirects();
      return { kind: 'if', branches, redirects, ...(otherwise === undefined ? {} : { otherwise }) };
    }
  }

  private doGroup(): Node {
    this.skipNewlines();
    if (this.takeKeyword('{')) {
      const body = this.list();
      this.expectKeyword('}');
      return body;
    }
    this.expectKeyword('do');
    const body = this.list();
    this.expectKeyword('done');
    return body;
  }

  private forLoop(): Node {
    this.at += 3;
    this.skipBlanks();
    if (this.dialect === 'bash' && this.text.startsWith('((', this.at)) {
      const parts = (this.balanced(2) ?? this.fail()).split(';');
      if (parts.length !== 3) this.fail();
      this.takeOperator(';');
      const body = this.doGroup();
      return { kind: 'count', text: parts as [string, string, string], body, redirects: this.redirects() };
    }
    const name = this.plainWord() ?? this.fail();
    this.at += name.length;
    this.skipNewlines();
    const words = this.takeKeyword('in') ? this.loopWords() : undefined;
    this.takeOperator(';');
    const body = this.doGroup();
    return { kind: 'for', name, ...(words === undefined ? {} : { words }), body, redirects: this.redirects() };
  }

  private loopWords(): Word[] {
    const words: Word[] = [];
    for (;;) {
      this.skipBlanks();
      const operator = this.operator();
      if (this.text[this.at] === '\n' || operator === ';' || this.isAtEnd()) return words;
      if (operator !== undefined) this.fail();
      words.push(this.word());
    }
  }

  private caseCommand(): Node {
    this.at += 4;
    this.skipBlanks();
    const subject = this.word();
    this.expectKeyword('in');
    const clauses: { patterns: Word[]; body: Node; end: string }[] = [];
    for (;;) {
      this.skipNewlines();
      if (this.takeKeyword('esac')) return { kind: 'case', subject, clauses, redirects: this.redirects() };
      this.takeOperator('(');
      const patterns: Word[] = [];
      do {
        this.skipBlanks();
        patterns.push(this.word());
      } while (this.takeOperator('|'));
      this.expectOperator(')');
      const body = this.list();
      this.skipNewlines();
      const end = [';;&', ';;', ';&'].find((one) => this.takeOperator(one)) ?? '';
      clauses.push({ patterns, body, end });
      this.skipNewlines();
      if (end === '' && this.plainWord() !== 'esac') this.fail();
    }
  }

  private conditionalExpression(): Node {
    this.at += 2;
    const tokens: (Word | string)[] = [];
    for (;;) {
      this.skipNewlines();
      if (this.isAtEnd()) this.fail();
      if (this.takeKeyword(']]')) return { kind: 'condition', tokens, redirects: this.redirects() };
      const operator = this.operator();
      if (operator !== undefined) {
        if (!['&&', '||', '(', ')', '<', '>'].includes(operator)) this.fail();
        tokens.push(operator);
        this.at += operator.length;
        continue;
      }
      const regex = tokens.at(-1);
      if (Array.isArray(regex) && literal(regex) === '=~') {
        // A regular expression may contain characters that are operators elsewhere.
        const found = /^(?:\\.|"[^"]*"|'[^']*'|[^\s])+/.exec(this.text.slice(this.at, this.at + 2000))![0];
        this.at += found.length;
        tokens.push([{ kind: 'unsupported', quoted: true }]);
        continue;
      }
      tokens.push(this.word());
    }
  }
}
