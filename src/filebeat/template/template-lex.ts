/** Splits a Go text/template into tokens: plain text, and the words and marks between `{{` and `}}`. */

/** `unsupported`: valid in Go, but not supported here. */
export class TemplateError extends Error {
  constructor(
    /** 1-based line of the template. */
    readonly line: number,
    readonly unsupported = false,
  ) {
    super('template');
  }
}

/** For errors while a template runs; its lines are no longer known then. */
export function fail(unsupported = false): never {
  throw new TemplateError(0, unsupported);
}

export interface TemplateToken {
  kind: 'text' | 'open' | 'close' | 'word' | 'field' | 'variable' | 'string' | 'number' | 'mark' | 'space';
  text: string;
  line: number;
}

const insides: [TemplateToken['kind'], RegExp][] = [
  ['space', /[ \t\r\n]+/y],
  ['string', /"(?:[^"\\\n]|\\.)*"|`[^`]*`/y],
  ['number', /[+-]?(?:0[xX][0-9a-fA-F]+|[0-9][0-9_]*(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?)/y],
  ['field', /\.[\p{L}_][\p{L}\p{N}_]*/uy],
  ['variable', /\$[\p{L}\p{N}_]*/uy],
  ['word', /[\p{L}_][\p{L}\p{N}_]*/uy],
  ['mark', /:=|[=|(),.]/y],
];

const comment = /\{\{(?:-[ \t\r\n]+)?\/\*[\s\S]*?\*\/(?:[ \t\r\n]+-)?\}\}/y;
const end = /[ \t\r\n]-\}\}|\}\}/y;

export function tokenize(source: string): TemplateToken[] {
  const tokens: TemplateToken[] = [];
  let at = 0;
  let line = 1;
  const push = (kind: TemplateToken['kind'], text: string) => tokens.push({ kind, text, line });
  const refuse = (): never => {
    throw new TemplateError(line);
  };
  const advance = (text: string) => {
    for (let next = text.indexOf('\n'); next >= 0; next = text.indexOf('\n', next + 1)) line++;
    at += text.length;
  };
  while (at < source.length) {
    const open = source.indexOf('{{', at);
    let text = source.slice(at, open < 0 ? source.length : open);
    const raw = text;
    if (open >= 0 && /^\{\{-[ \t\r\n]/.test(source.slice(open, open + 4))) text = text.replace(/[ \t\r\n]+$/, '');
    if (text !== '') push('text', text);
    advance(raw);
    if (open < 0) break;
    comment.lastIndex = at;
    const skipped = comment.exec(source)?.[0];
    if (skipped) {
      advance(skipped);
      if (skipped.endsWith('-}}')) advance(/^[ \t\r\n]*/.exec(source.slice(at))?.[0] ?? '');
      continue;
    }
    advance(/^\{\{-[ \t\r\n]/.test(source.slice(at, at + 4)) ? '{{-' : '{{');
    push('open', '');
    for (;;) {
      end.lastIndex = at;
      const closing = end.exec(source)?.[0];
      if (closing !== undefined) {
        advance(closing);
        push('close', '');
        if (closing !== '}}') advance(/^[ \t\r\n]*/.exec(source.slice(at))?.[0] ?? '');
        break;
      }
      const { kind, match } = insideAt(source, at) ?? refuse();
      // A blank before `-}}` belongs to the closing mark.
      const taken = kind === 'space' && source.startsWith('-}}', at + match.length) ? match.slice(0, -1) : match;
      if (kind === 'string') push('string', unquote(match, line));
      else if (taken !== '') push(kind, kind === 'field' ? match.slice(1) : taken);
      advance(taken);
    }
  }
  return tokens;
}

function insideAt(source: string, at: number): { kind: TemplateToken['kind']; match: string } | undefined {
  for (const [kind, pattern] of insides) {
    pattern.lastIndex = at;
    const match = pattern.exec(source)?.[0];
    if (match) return { kind, match };
  }
  return undefined;
}

function unquote(text: string, line: number): string {
  if (text.startsWith('`')) return text.slice(1, -1).replaceAll('\r', '');
  const simple: Record<string, string> = {
    n: '\n',
    t: '\t',
    r: '\r',
    a: '\x07',
    b: '\b',
    f: '\f',
    v: '\v',
    '\\': '\\',
    '"': '"',
  };
  return text
    .slice(1, -1)
    .replace(/\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{3}|.)/g, (_, code: string) => {
      const plain = simple[code];
      if (plain !== undefined) return plain;
      const point = /^[xuU]./.test(code)
        ? Number.parseInt(code.slice(1), 16)
        : /^[0-7]{3}$/.test(code)
          ? Number.parseInt(code, 8)
          : -1;
      if (point < 0 || point > 0x10ffff) throw new TemplateError(line);
      return String.fromCodePoint(point);
    });
}
