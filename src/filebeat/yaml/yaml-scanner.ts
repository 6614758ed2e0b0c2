/**
 * What libyaml's scanner (scannerc.go of gopkg.in/yaml.v2) remembers between two tokens: indentation, open brackets,
 * possible mapping keys and where the first document ends.
 */
import { Cursor } from './yaml-cursor.js';

/** A token that becomes a mapping key if a `:` follows on its line within 1,024 characters. */
interface SimpleKey {
  possible: boolean;
  /** The token stands where a block mapping expects a key: without a `:` the text is wrong. */
  required: boolean;
  position: number;
  line: number;
  column: number;
}

/** An open `[` or `{`. */
interface Flow {
  /** A `?` waits for its `:`. */
  explicitKey: boolean;
  /** Right after the bracket or a comma. */
  fresh: boolean;
  key: SimpleKey;
}

const noKey: SimpleKey = { possible: false, required: false, position: 0, line: 0, column: 0 };
const maximalKeyLength = 1024;

export class Scanner extends Cursor {
  /** Column of the innermost block collection; -1 outside of all. */
  indent = -1;
  private readonly outerIndents: number[] = [];
  /** A mapping key or a block indicator may begin here. */
  keyAllowed = true;
  private blockKey = noKey;
  private readonly flows: Flow[] = [];
  /** The innermost open bracket. */
  flow: Flow | undefined;
  /** js-yaml wants the lines inside the outermost brackets indented to this column at least. */
  flowColumn = 0;
  /** After `-`, `:` or `?`, with nothing but an anchor or a tag since. */
  valueAwaited = false;
  /** A token was read. */
  started = false;
  /** The root node is complete. For yaml.v2 another document follows, which it never parses. */
  rootDone = false;
  /** Where the first document ends, once known. */
  end: number | undefined;
  /** The token after the root. yaml.v2 keeps scanning while that token could still turn out to be a key. */
  private lookahead: SimpleKey | undefined;

  openFlow(): void {
    if (this.flow) this.flow.fresh = false;
    else this.flowColumn = this.column;
    this.flow = { explicitKey: false, fresh: true, key: noKey };
    this.flows.push(this.flow);
  }

  closeFlow(): void {
    this.flows.pop();
    this.flow = this.flows.at(-1);
  }

  /** For errors of yaml.v2's parser, not of its scanner: it parses nothing after the first document. */
  refuseStructure(): void {
    if (this.end === undefined) this.refuse();
  }

  private isValid(key: SimpleKey): boolean {
    return key.possible && key.line === this.line && key.position + maximalKeyLength >= this.position;
  }

  private setKey(key: SimpleKey): void {
    if (this.flow) this.flow.key = key;
    else this.blockKey = key;
  }

  /** The token at the cursor may become a key. */
  saveKey(): void {
    if (!this.keyAllowed) return;
    this.dropKey();
    const { position, line, column } = this;
    this.setKey({ possible: true, required: !this.flow && this.indent === column, position, line, column });
  }

  /** The last token that could have become a key did not. */
  dropKey(): void {
    const key = this.flow?.key ?? this.blockKey;
    if (key.possible && key.required) this.refuse();
    this.setKey(noKey);
  }

  /** At `:`. Makes the token before it a key, if that token can be one; says whether it can. */
  takeKey(): boolean {
    const key = this.flow?.key ?? this.blockKey;
    if (!this.isValid(key)) {
      if (key.possible && key.required) this.refuse();
      return false;
    }
    if (this.end !== undefined && key.position < this.end) this.refuse();
    this.openBlock(key.column);
    this.setKey(noKey);
    return true;
  }

  /** A block collection at this column begins, unless it has begun before. */
  openBlock(column: number): void {
    if (this.flow || this.indent >= column) return;
    this.outerIndents.push(this.indent);
    this.indent = column;
  }

  /** Block collections that are indented deeper than this column end. */
  closeBlocks(column: number): void {
    if (this.flow || this.indent <= column) return;
    while (this.indent > column) this.indent = this.outerIndents.pop() ?? -1;
    this.rootDone ||= this.indent === -1;
  }

  /** Before each token: ends the document where a token follows the complete root. `strict`: see `translateDialect`. */
  watchEnd(strict: boolean): void {
    if (this.end !== undefined || !this.rootDone) return;
    const isRootKey = this.at() === ':' && this.isGap(1) && this.isValid(this.blockKey);
    if (this.indent !== -1 || this.flow || isRootKey) {
      this.rootDone = false;
      return;
    }
    if (strict && !this.atDocumentMark()) this.refuse();
    this.end = this.position;
    if (this.isValid(this.blockKey)) this.lookahead = this.blockKey;
  }

  /** After each token: does yaml.v2 scan on? */
  scansOn(): boolean {
    if (this.end === undefined) return true;
    this.lookahead ??= this.blockKey;
    return this.lookahead === this.blockKey && this.isValid(this.blockKey);
  }
}
