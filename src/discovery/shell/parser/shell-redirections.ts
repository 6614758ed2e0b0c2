/** Redirections and here-documents of a shell script (POSIX shell "2.7 Redirection"). */
import { ShellExpansionParser } from './shell-expansions.js';
import type { Redirect } from './shell-tree.js';

const redirections = new Set(['<', '>', '>>', '<&', '>&', '<>', '>|', '&>', '&>>', '<<', '<<-', '<<<']);

interface HereDocument {
  redirect: Redirect;
  delimiter: string;
  /** The delimiter was quoted: nothing in the text is expanded. */
  quoted: boolean;
  /** `<<-` strips leading tabs. */
  strip: boolean;
}

export abstract class ShellRedirectionParser extends ShellExpansionParser {
  /** Announced on this line; their texts begin on the next one. */
  private pending: HereDocument[] = [];

  protected redirects(): Redirect[] {
    const found: Redirect[] = [];
    for (;;) {
      this.skipBlanks();
      const one = this.redirect();
      if (one === undefined) return found;
      found.push(one);
    }
  }

  protected redirect(): Redirect | undefined {
    const start = this.at;
    const descriptor = /^(?:\d+|\{[A-Za-z_]\w*\})(?=[<>])/.exec(this.text.slice(this.at, this.at + 64))?.[0];
    this.at += descriptor?.length ?? 0;
    const operator = this.operator();
    if (operator === undefined || !redirections.has(operator)) {
      this.at = start;
      return undefined;
    }
    this.at += operator.length;
    this.skipBlanks();
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

  protected override hereDocuments(): void {
    const { pending } = this;
    this.pending = [];
    for (const one of pending) this.hereDocument(one);
  }

  private hereDocument(one: HereDocument): void {
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
    else one.redirect.here = this.inner(text).quotedText('');
  }
}
