/** Text of a shell script → its tree. Throws `ShellTrouble` for what it cannot read. Nothing is expanded here. */
import {
  type Assignment,
  type Dialect,
  type Expansion,
  type Node,
  type Part,
  type Redirect,
  ShellTrouble,
  type Word,
} from './shell-syntax.js';

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
const bashOperators = new Set(['&>>', ';;&', ';&', '<<<', '&>', '|&']);
const redirections = new Set(['<', '>', '>>', '<&', '>&', '<>', '>|', '&>', '&>>', '<<', '<<-', '<<<']);
const closers = new Set(['then', 'else', 'elif', 'fi', 'do', 'done', 'esac', '}']);
const deepest = 150;
/** In double quotes a backslash stands for itself but before these. */
const escapedInQuotes = '$`"\\';

export function parseShell(text: string, dialect: Dialect): Node {
  const parser = new Parser(text.replaceAll('\r\n', '\n'), dialect);
  return parser.script();
}

class Parser {
  private at = 0;
  private pending: { redirect: Redirect; delimiter: string; quoted: boolean; strip: boolean }[] = [];

  constructor(
    private readonly text: string,
    private readonly dialect: Dialect,
    private depth = 0,
  ) {}

  script(): Node {
    const node = this.list();
    if (this.at < this.text.length) this.fail();
    return node;
  }

  private fail(): never {
    throw new ShellTrouble('not readable as a shell script');
  }

  /** Blanks, joined lines and comments. */
  private blanks(): void {
    for (;;) {
      const char = this.text[this.at];
      if (char === ' ' || char === '\t') this.at += 1;
      else if (char === '\\' && this.text[this.at + 1] === '\n') this.at += 2;
      else if (char === '#') while (this.at < this.text.length && this.text[this.at] !== '\n') this.at += 1;
      else return;
    }
  }

  private newline(): boolean {
    if (this.text[this.at] !== '\n') return false;
    this.at += 1;
    const pending = this.pending;
    this.pending = [];
    for (const one of pending) this.hereDocument(one);
    return true;
  }

  private newlines(): void {
    do this.blanks();
    while (this.newline());
  }

  private operator(): string | undefined {
    return operators.find(
      (one) => this.text.startsWith(one, this.at) && (this.dialect === 'bash' || !bashOperators.has(one)),
    );
  }

  private take(operator: string): boolean {
    this.blanks();
    if (this.operator() !== operator) return false;
    this.at += operator.length;
    return true;
  }

  private need(operator: string): void {
    if (!this.take(operator)) this.fail();
  }

  /** The next word where it is plain letters: reserved words are. */
  private plain(): string | undefined {
    this.blanks();
    const found = /^[^\s;&|<>()'"\\$`]+/.exec(this.text.slice(this.at, this.at + 256))?.[0];
    if (found === undefined) return undefined;
    const next = this.text[this.at + found.length];
    return next === undefined || /[\s;&|<>()]/.test(next) ? found : undefined;
  }

  private keyword(word: string): boolean {
    if (this.plain() !== word) return false;
    this.at += word.length;
    return true;
  }

  private expect(word: string): void {
    this.newlines();
    if (!this.keyword(word)) this.fail();
  }

  private list(): Node {
    if (++this.depth > deepest) this.fail();
    const items: { node: Node; background: boolean }[] = [];
    for (;;) {
      this.newlines();
      const operator = this.operator();
      if (this.at >= this.text.length || operator === ')' || operator?.startsWith(';;') || operator === ';&') break;
      const plain = this.plain();
      if (plain !== undefined && closers.has(plain)) break;
      const node = this.chain();
      this.blanks();
      const end = this.operator();
      if (end === '&' || end === ';') {
        this.at += 1;
        items.push({ node, background: end === '&' });
        continue;
      }
      items.push({ node, background: false });
      if (this.text[this.at] !== '\n') break;
    }
    this.depth -= 1;
    return { kind: 'list', items };
  }

  private chain(): Node {
    const first = this.pipeline();
    const rest: { operator: '&&' | '||'; node: Node }[] = [];
    for (;;) {
      this.blanks();
      const operator = this.operator();
      if (operator !== '&&' && operator !== '||') break;
      this.at += 2;
      this.newlines();
      rest.push({ operator, node: this.pipeline() });
    }
    return rest.length === 0 ? first : { kind: 'chain', first, rest };
  }

  private pipeline(): Node {
    let negated = false;
    while (this.keyword('!')) {
      // dash knows it once.
      if (negated && this.dialect === 'posix') this.fail();
      negated = !negated;
    }
    if (this.dialect === 'bash' && this.keyword('time')) this.keyword('-p');
    const nodes = [this.command()];
    for (;;) {
      this.blanks();
      const operator = this.operator();
      if (operator !== '|' && operator !== '|&') break;
      this.at += operator.length;
      this.newlines();
      nodes.push(this.command());
    }
    return nodes.length === 1 && !negated ? nodes[0]! : { kind: 'pipeline', negated, nodes };
  }

  private command(): Node {
    if (++this.depth > deepest) this.fail();
    const node = this.compound() ?? this.simple();
    this.depth -= 1;
    return node;
  }

  private compound(): Node | undefined {
    this.blanks();
    const bash = this.dialect === 'bash';
    if (bash && this.text.startsWith('((', this.at)) {
      const text = this.balanced(2);
      if (text !== undefined) return { kind: 'arithmetic', text, redirects: this.redirects() };
    }
    if (this.take('(')) {
      const body = this.list();
      this.need(')');
      return { kind: 'group', subshell: true, body, redirects: this.redirects() };
    }
    const word = this.plain();
    switch (word) {
      case '{': {
        this.at += 1;
        const body = this.list();
        this.expect('}');
        return { kind: 'group', subshell: false, body, redirects: this.redirects() };
      }
      case 'if':
        return this.conditional();
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
        return bash ? this.condition() : undefined;
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
    this.blanks();
    const name = this.plain() ?? this.fail();
    this.at += name.length;
    if (this.take('(')) this.need(')');
    return this.functionBody(name);
  }

  private functionBody(name: string): Node {
    this.newlines();
    const body = this.compound();
    if (body === undefined) this.fail();
    return { kind: 'function', name, body };
  }

  private conditional(): Node {
    const branches: { condition: Node; body: Node }[] = [];
    let otherwise: Node | undefined;
    this.at += 2;
    for (;;) {
      const condition = this.list();
      this.expect('then');
      branches.push({ condition, body: this.list() });
      this.newlines();
      if (this.keyword('elif')) continue;
      if (this.keyword('else')) otherwise = this.list();
      this.expect('fi');
      const redirects = this.redirects();
      return { kind: 'if', branches, redirects, ...(otherwise === undefined ? {} : { otherwise }) };
    }
  }

  private doGroup(): Node {
    this.newlines();
    if (this.keyword('{')) {
      const body = this.list();
      this.expect('}');
      return body;
    }
    this.expect('do');
    const body = this.list();
    this.expect('done');
    return body;
  }

  private forLoop(): Node {
    this.at += 3;
    this.blanks();
    if (this.dialect === 'bash' && this.text.startsWith('((', this.at)) {
      const parts = (this.balanced(2) ?? this.fail()).split(';');
      if (parts.length !== 3) this.fail();
      this.take(';');
      const body = this.doGroup();
      return { kind: 'count', text: parts as [string, string, string], body, redirects: this.redirects() };
    }
    const name = this.plain() ?? this.fail();
    this.at += name.length;
    this.newlines();
    let words: Word[] | undefined;
    if (this.keyword('in')) {
      words = [];
      for (;;) {
        this.blanks();
        if (this.text[this.at] === '\n' || this.operator() === ';' || this.at >= this.text.length) break;
        if (this.operator() !== undefined) this.fail();
        words.push(this.word());
      }
    }
    this.take(';');
    const body = this.doGroup();
    return { kind: 'for', name, ...(words === undefined ? {} : { words }), body, redirects: this.redirects() };
  }

  private caseCommand(): Node {
    this.at += 4;
    this.blanks();
    const subject = this.word();
    this.expect('in');
    const clauses: { patterns: Word[]; body: Node; end: string }[] = [];
    for (;;) {
      this.newlines();
      if (this.keyword('esac')) return { kind: 'case', subject, clauses, redirects: this.redirects() };
      this.take('(');
      const patterns: Word[] = [];
      do {
        this.blanks();
        patterns.push(this.word());
      } while (this.take('|'));
      this.need(')');
      const body = this.list();
      this.newlines();
      const end = [';;&', ';;', ';&'].find((one) => this.take(one)) ?? '';
      clauses.push({ patterns, body, end });
      this.newlines();
      if (end === '' && this.plain() !== 'esac') this.fail();
    }
  }

  private condition(): Node {
    this.at += 2;
    const tokens: (Word | string)[] = [];
    for (;;) {
      this.newlines();
      if (this.at >= this.text.length) this.fail();
      if (this.keyword(']]')) return { kind: 'condition', tokens, redirects: this.redirects() };
      const operator = this.operator();
      if (operator !== undefined) {
        if (!['&&', '||', '(', ')', '<', '>'].includes(operator)) this.fail();
        tokens.push(operator);
        this.at += operator.length;
        continue;
      }
      const regex = tokens.at(-1);
      if (Array.isArray(regex) && literal(regex) === '=~') {
        // A regular expression may hold what elsewhere is an operator.
        const found = /^(?:\\.|"[^"]*"|'[^']*'|[^\s])+/.exec(this.text.slice(this.at, this.at + 2000))![0];
        this.at += found.length;
        tokens.push([{ kind: 'odd', quoted: true }]);
        continue;
      }
      tokens.push(this.word());
    }
  }

  /** `((` to the `))` that belongs to it; undefined where there is none. */
  private balanced(opening: number): string | undefined {
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

  private redirects(): Redirect[] {
    const found: Redirect[] = [];
    for (;;) {
      this.blanks();
      const one = this.redirect();
      if (one === undefined) return found;
      found.push(one);
    }
  }

  private redirect(): Redirect | undefined {
    const start = this.at;
    const descriptor = /^(?:\d+|\{[A-Za-z_]\w*\})(?=[<>])/.exec(this.text.slice(this.at, this.at + 64))?.[0];
    this.at += descriptor?.length ?? 0;
    const operator = this.operator();
    if (operator === undefined || !redirections.has(operator)) {
      this.at = start;
      return undefined;
    }
    this.at += operator.length;
    this.blanks();
    if (operator === '<' && this.text[this.at] === '(') this.fail();
    const from = this.at;
    const target = this.word();
    const number = Number(descriptor);
    const redirect: Redirect = { operator, target, ...(Number.isNaN(number) ? {} : { descriptor: number }) };
    if (operator === '<<' || operator === '<<-') {
      const written = this.text.slice(from, this.at);
      const quoted = /['"\\]/.test(written);
      this.pending.push({
        redirect,
        delimiter: written.replace(/['"\\]/g, ''),
        quoted,
        strip: operator === '<<-',
      });
    }
    return redirect;
  }

  private hereDocument(one: { redirect: Redirect; delimiter: string; quoted: boolean; strip: boolean }): void {
    const lines: string[] = [];
    for (;;) {
      if (this.at >= this.text.length) break;
      const end = this.text.indexOf('\n', this.at);
      let line = this.text.slice(this.at, end < 0 ? this.text.length : end);
      this.at = end < 0 ? this.text.length : end + 1;
      if (one.strip) line = line.replace(/^\t+/, '');
      if (line === one.delimiter) break;
      lines.push(line);
    }
    const text = lines.map((line) => `${line}\n`).join('');
    if (one.quoted) one.redirect.here = [{ kind: 'text', text, quoted: true }];
    else one.redirect.here = new Parser(text, this.dialect, this.depth).quotedText('');
  }

  private simple(): Node {
    const assignments: Assignment[] = [];
    const words: Word[] = [];
    const redirects: Redirect[] = [];
    for (;;) {
      this.blanks();
      const redirect = this.redirect();
      if (redirect !== undefined) {
        redirects.push(redirect);
        continue;
      }
      if (this.at >= this.text.length || this.text[this.at] === '\n' || this.operator() !== undefined) break;
      const assignment = words.length === 0 ? this.assignment() : this.declaration(words);
      if (assignment === undefined) words.push(this.word());
      else assignments.push(assignment);
    }
    if (assignments.length + words.length + redirects.length === 0) this.fail();
    return { kind: 'simple', assignments, words, redirects };
  }

  /** `declare -a names=(a b)`: a list behind a word that declares is an assignment of its own. */
  private declaration(words: Word[]): Assignment | undefined {
    const first = literal(words[0]!);
    if (this.dialect !== 'bash' || !['declare', 'local', 'typeset', 'readonly', 'export'].includes(first ?? '')) {
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
    let index: Word | undefined;
    if (head[2] === '[') {
      if (this.dialect !== 'bash') {
        this.at = start;
        return undefined;
      }
      const end = this.text.indexOf(']', this.at);
      const inner = this.text.slice(this.at + 1, end);
      if (end < 0 || !/^\+?=/.test(this.text.slice(end + 1, end + 3))) {
        this.at = start;
        return undefined;
      }
      index = new Parser(inner, this.dialect, this.depth).quotedText('');
      this.at = end + 1;
    }
    const append = this.text[this.at] === '+';
    if (append && this.dialect !== 'bash') {
      this.at = start;
      return undefined;
    }
    this.at += append ? 2 : 1;
    if (this.text[this.at] === '(' && this.dialect === 'bash') {
      this.at += 1;
      const list: Word[] = [];
      for (;;) {
        this.newlines();
        if (this.take(')')) break;
        if (this.at >= this.text.length || this.operator() !== undefined) this.fail();
        list.push(this.word());
      }
      return { name, append, value: [], list };
    }
    const char = this.text[this.at];
    const empty = char === undefined || /[\s;&|<>()]/.test(char);
    const value = empty ? [] : this.word();
    return { name, append, value, ...(index === undefined ? {} : { index }) };
  }

  /** One word; at least one character. */
  private word(): Word {
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

  /** One quoted, expanded or plain piece outside of double quotes. `end`: what ends a word within braces. */
  private piece(char: string, parts: Part[], end: string): void {
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

  /** Text in double quotes up to `end`, or to the end of the text. */
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
        const escapes = end === '' ? '$`\\' : end === '}' ? `${escapedInQuotes}}` : escapedInQuotes;
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

  private dollar(parts: Part[], quoted: boolean): void {
    if (++this.depth > deepest) this.fail();
    this.expansion(parts, quoted);
    this.depth -= 1;
  }

  private expansion(parts: Part[], quoted: boolean): void {
    const rest = this.text.slice(this.at + 1, this.at + 200);
    const name = /^(?:[A-Za-z_]\w*|[0-9@*#?$!-])/.exec(rest)?.[0];
    if (rest.startsWith('((')) {
      const start = this.at;
      this.at += 1;
      const text = this.balanced(2);
      if (text !== undefined) {
        parts.push({ kind: 'arithmetic', text: new Parser(text, this.dialect, this.depth).quotedText(''), quoted });
        return;
      }
      this.at = start;
    }
    if (rest.startsWith('(')) {
      this.at += 2;
      const script = this.list();
      this.newlines();
      this.need(')');
      parts.push({ kind: 'command', script, quoted });
    } else if (rest.startsWith('{')) {
      this.at += 2;
      parts.push(this.braces(quoted));
    } else if (name !== undefined) {
      this.at += 1 + name.length;
      parts.push({ kind: 'variable', variable: { name }, quoted });
    } else if (!quoted && this.dialect === 'bash' && rest.startsWith('"')) {
      this.at += 1;
    } else if (!quoted && this.dialect === 'bash' && rest.startsWith("'")) {
      const close = /^'((?:[^'\\]|\\[\s\S])*)'/.exec(this.text.slice(this.at + 1));
      if (close === null) this.fail();
      this.at += 1 + close[0].length;
      const text = ansiText(close[1]!);
      if (text === undefined) parts.push({ kind: 'odd', quoted: true });
      else addText(parts, text, true);
    } else {
      this.at += 1;
      addText(parts, '$', quoted);
    }
  }

  private backquote(quoted: boolean): Part {
    let inner = '';
    let at = this.at + 1;
    for (; at < this.text.length && this.text[at] !== '`'; at += 1) {
      const next = this.text[at + 1] ?? '';
      if (this.text[at] === '\\' && ('$`\\'.includes(next) || (quoted && next === '"'))) at += 1;
      inner += this.text[at];
    }
    if (at >= this.text.length) this.fail();
    this.at = at + 1;
    return { kind: 'command', script: new Parser(inner, this.dialect, this.depth).script(), quoted };
  }

  /** Behind `${`. */
  private braces(quoted: boolean): Part {
    const head = /^(#?)([A-Za-z_]\w*|[0-9]+|[@*#?$!-])/.exec(this.text.slice(this.at, this.at + 200));
    if (head === null) return this.skipBraces(quoted);
    // `${#}` is the number of arguments.
    const isCount = head[1] === '#';
    const variable: Expansion = { name: head[2]!, ...(isCount ? { length: true as const } : {}) };
    this.at += head[0].length;
    if (this.text[this.at] === '[' && this.dialect === 'bash') {
      const end = this.text.indexOf(']', this.at);
      if (end < 0) this.fail();
      variable.index = new Parser(this.text.slice(this.at + 1, end), this.dialect, this.depth).quotedText('');
      this.at = end + 1;
    }
    if (this.text[this.at] === '}') {
      this.at += 1;
      return { kind: 'variable', variable, quoted };
    }
    const found = /^(?::?[-=?+]|##?|%%?)/.exec(this.text.slice(this.at, this.at + 4))?.[0];
    const bashOnly = /^(?:\/\/|\/|\^\^|,,|:)/.exec(this.text.slice(this.at, this.at + 4))?.[0];
    if (isCount || (found === undefined && (bashOnly === undefined || this.dialect !== 'bash'))) {
      return this.skipBraces(quoted);
    }
    variable.operator = found ?? bashOnly!;
    this.at += variable.operator.length;
    const isPattern = /^[#%/]/.test(variable.operator);
    variable.operand = this.operand(quoted && !isPattern, variable.operator.startsWith('/') ? '/' : '}');
    if (variable.operator.startsWith('/') && this.text[this.at] === '/') {
      this.at += 1;
      variable.replacement = this.operand(quoted, '}');
    }
    if (this.text[this.at] !== '}') this.fail();
    this.at += 1;
    return { kind: 'variable', variable, quoted };
  }

  /** Up to the `}` that ends the braces (not taken). */
  private operand(quoted: boolean, end: string): Word {
    if (quoted) {
      const parts = this.quotedOperand();
      return parts;
    }
    const parts: Part[] = [];
    for (;;) {
      const char = this.text[this.at];
      if (char === undefined) this.fail();
      if (char === '}' || char === end) return parts;
      if (/[\s;&|<>()]/.test(char)) {
        addText(parts, char, false);
        this.at += 1;
      } else {
        this.braced(char, parts, end);
      }
    }
  }

  private braced(char: string, parts: Part[], end: string): void {
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

  /** Within double quotes: single quotes are plain, double quotes open a piece of their own. */
  private quotedOperand(): Word {
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
        if (next !== '\n') addText(parts, `${escapedInQuotes}}`.includes(next) ? next : `\\${next}`, true);
      } else {
        addText(parts, char, true);
        this.at += 1;
      }
    }
  }

  /** An expansion that this reader does not know: its value is not known, and its text is passed over. */
  private skipBraces(quoted: boolean): Part {
    for (let open = 1; open > 0; this.at += 1) {
      const char = this.text[this.at];
      if (char === undefined) this.fail();
      if (char === '{') open += 1;
      if (char === '}') open -= 1;
    }
    return { kind: 'odd', quoted };
  }
}

function addText(parts: Part[], text: string, quoted: boolean): void {
  const last = parts.at(-1);
  if (last?.kind === 'text' && last.quoted === quoted) last.text += text;
  else parts.push({ kind: 'text', text, quoted });
}

/** A word that is nothing but unquoted text. */
export function literal(word: Word): string | undefined {
  const [only] = word;
  return word.length === 1 && only?.kind === 'text' && !only.quoted ? only.text : undefined;
}

const ansiEscapes: Record<string, string> = { n: '\n', t: '\t', r: '\r', '\\': '\\', "'": "'", '"': '"' };

function ansiText(text: string): string | undefined {
  let plain = '';
  for (let at = 0; at < text.length; at += 1) {
    if (text[at] !== '\\') {
      plain += text[at];
      continue;
    }
    const escaped = ansiEscapes[text[at + 1] ?? ''];
    if (escaped === undefined) return undefined;
    plain += escaped;
    at += 1;
  }
  return plain;
}
