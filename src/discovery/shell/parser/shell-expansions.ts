/** Expansions of a shell script: `$name`, `${…}`, `$(…)`, `$((…))`, backquotes (POSIX shell "2.6 Word Expansions"). */
import { addText, type Expansion, type Node, type Part } from './shell-tree.js';
import { ShellWordParser } from './shell-words.js';

export abstract class ShellExpansionParser extends ShellWordParser {
  /** Takes commands up to a closing token. */
  protected abstract list(): Node;
  /** A parser for a text inside this script; it counts towards the same nesting limit. */
  protected abstract inner(text: string): ShellExpansionParser & { script(): Node };

  protected override dollar(parts: Part[], quoted: boolean): void {
    this.nested(() => this.expansion(parts, quoted));
  }

  private expansion(parts: Part[], quoted: boolean): void {
    const rest = this.text.slice(this.at + 1, this.at + 200);
    const name = /^(?:[A-Za-z_]\w*|[0-9@*#?$!-])/.exec(rest)?.[0];
    if (rest.startsWith('((')) {
      const start = this.at;
      this.at += 1;
      const text = this.balanced(2);
      if (text !== undefined) {
        parts.push({ kind: 'arithmetic', text: this.inner(text).quotedText(''), quoted });
        return;
      }
      this.at = start;
    }
    if (rest.startsWith('(')) {
      this.at += 2;
      const script = this.list();
      this.skipNewlines();
      this.expectOperator(')');
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
      const text = ansiQuoted(close[1]!);
      if (text === undefined) parts.push({ kind: 'unsupported', quoted: true });
      else addText(parts, text, true);
    } else {
      this.at += 1;
      addText(parts, '$', quoted);
    }
  }

  protected override backquote(quoted: boolean): Part {
    let script = '';
    let at = this.at + 1;
    for (; at < this.text.length && this.text[at] !== '`'; at += 1) {
      const next = this.text[at + 1] ?? '';
      if (this.text[at] === '\\' && ('$`\\'.includes(next) || (quoted && next === '"'))) at += 1;
      script += this.text[at];
    }
    if (at >= this.text.length) this.fail();
    this.at = at + 1;
    return { kind: 'command', script: this.inner(script).script(), quoted };
  }

  /** Takes the rest of an expansion after its `${`. */
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
      variable.index = this.inner(this.text.slice(this.at + 1, end)).quotedText('');
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

  /** Skips an expansion that is not supported up to its closing brace. */
  private skipBraces(quoted: boolean): Part {
    for (let open = 1; open > 0; this.at += 1) {
      const char = this.text[this.at];
      if (char === undefined) this.fail();
      if (char === '{') open += 1;
      if (char === '}') open -= 1;
    }
    return { kind: 'unsupported', quoted };
  }
}

const ansiEscapes: Record<string, string> = { n: '\n', t: '\t', r: '\r', '\\': '\\', "'": "'", '"': '"' };

/** The text of `$'…'`; undefined where it uses an escape other than the common ones. */
function ansiQuoted(text: string): string | undefined {
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
