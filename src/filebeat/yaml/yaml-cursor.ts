/** A position in a YAML text, with the edits made so far: the base of the scanner in `yaml-scanner`. */

/** Thrown inside this folder only; `parseYaml` turns it into a Fault. */
export class YamlRefusal extends Error {
  constructor(
    readonly code: string,
    /** 1-based. */
    readonly line: number,
  ) {
    super(code);
  }
}

const SPACE = 32;

/** Line breaks are `\n`; `line` and `column` count from 0, as libyaml's marks do. */
export class Cursor {
  position = 0;
  line = 0;
  lineStart = 0;
  private readonly edits: { at: number; remove: number; insert: string }[] = [];

  constructor(readonly text: string) {}

  get column(): number {
    return this.position - this.lineStart;
  }

  /** Empty at the end of the text. */
  at(offset = 0): string {
    return this.text.charAt(this.position + offset);
  }

  isBreak(offset = 0): boolean {
    return this.at(offset) === '\n';
  }

  isBlank(offset = 0): boolean {
    const c = this.at(offset);
    return c === ' ' || c === '\t';
  }

  /** Blank, line break or end of text. */
  isGap(offset = 0): boolean {
    const c = this.at(offset);
    return c === ' ' || c === '\n' || c === '\t' || c === '';
  }

  skipSpaces(): void {
    const { text } = this;
    let { position } = this;
    while (text.charCodeAt(position) === SPACE) position++;
    this.position = position;
  }

  atDocumentMark(): boolean {
    if (this.column !== 0) return false;
    return (this.text.startsWith('---', this.position) || this.text.startsWith('...', this.position)) && this.isGap(3);
  }

  /** Steps over a line break. */
  nextLine(): void {
    this.position++;
    this.line++;
    this.lineStart = this.position;
  }

  skipLineRest(): void {
    const next = this.text.indexOf('\n', this.position);
    this.position = next < 0 ? this.text.length : next;
  }

  /** At `#`. yaml.v2 allows a comment right after a token; js-yaml needs a blank before it. */
  skipComment(): void {
    if (this.position > 0 && !this.isGap(-1)) this.edit(this.position, 0, ' ');
    this.skipLineRest();
  }

  refuse(code = 'yaml-syntax'): never {
    throw new YamlRefusal(code, this.line + 1);
  }

  edit(at: number, remove: number, insert: string): void {
    this.edits.push({ at, remove, insert });
  }

  /** Indents the token at the cursor to this column at least, if only blanks precede it on its line. */
  pad(column: number): void {
    if (this.column >= column || this.text.slice(this.lineStart, this.position).trim() !== '') return;
    this.edit(this.lineStart, 0, ' '.repeat(column - this.column));
  }

  /** The text up to `end`, with the edits applied. */
  spelled(end = this.text.length): string {
    const pieces: string[] = [];
    let copied = 0;
    for (const { at, remove, insert } of this.edits.sort((a, b) => a.at - b.at)) {
      if (at >= end) break;
      pieces.push(this.text.slice(copied, at), insert);
      copied = at + remove;
    }
    if (copied < end) pieces.push(this.text.slice(copied, end));
    return pieces.join('');
  }
}
