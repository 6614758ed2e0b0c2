/** Text of a shell script → its syntax tree. Nothing is expanded here. */
import { ShellCompoundCommandParser } from './shell-compound-commands.js';
import type { Dialect, Node } from './shell-tree.js';

/** Reserved words that end a list. */
const closers = new Set(['then', 'else', 'elif', 'fi', 'do', 'done', 'esac', '}']);

/** Throws `ShellSyntaxError` for a script that is not valid or not supported. */
export function parseShell(text: string, dialect: Dialect): Node {
  return new ShellParser(text.replaceAll('\r\n', '\n'), dialect).script();
}

/** Lists, `&&` and `||`, pipelines (POSIX shell "2.9.2", "2.9.3"). */
class ShellParser extends ShellCompoundCommandParser {
  protected override inner(text: string): ShellParser {
    return new ShellParser(text, this.dialect, this.depth);
  }

  script(): Node {
    const node = this.list();
    if (!this.isAtEnd()) this.fail();
    return node;
  }

  protected override list(): Node {
    return this.nested(() => this.listItems());
  }

  private listItems(): Node {
    const items: { node: Node; background: boolean }[] = [];
    for (;;) {
      this.skipNewlines();
      const operator = this.operator();
      if (this.isAtEnd() || operator === ')' || operator?.startsWith(';;') || operator === ';&') break;
      const plain = this.plainWord();
      if (plain !== undefined && closers.has(plain)) break;
      const node = this.andOrList();
      this.skipBlanks();
      const end = this.operator();
      if (end === '&' || end === ';') {
        this.at += 1;
        items.push({ node, background: end === '&' });
        continue;
      }
      items.push({ node, background: false });
      if (this.text[this.at] !== '\n') break;
    }
    return { kind: 'list', items };
  }

  private andOrList(): Node {
    const first = this.pipeline();
    const others: { operator: '&&' | '||'; node: Node }[] = [];
    for (;;) {
      this.skipBlanks();
      const operator = this.operator();
      if (operator !== '&&' && operator !== '||') break;
      this.at += 2;
      this.skipNewlines();
      others.push({ operator, node: this.pipeline() });
    }
    return others.length === 0 ? first : { kind: 'and-or', first, others };
  }

  private pipeline(): Node {
    let negated = false;
    while (this.takeKeyword('!')) {
      // dash accepts it once.
      if (negated && this.dialect === 'posix') this.fail();
      negated = !negated;
    }
    if (this.dialect === 'bash' && this.takeKeyword('time')) this.takeKeyword('-p');
    const nodes = [this.command()];
    for (;;) {
      this.skipBlanks();
      const operator = this.operator();
      if (operator !== '|' && operator !== '|&') break;
      this.at += operator.length;
      this.skipNewlines();
      nodes.push(this.command());
    }
    return nodes.length === 1 && !negated ? nodes[0]! : { kind: 'pipeline', negated, nodes };
  }

  private command(): Node {
    return this.nested(() => this.compound() ?? this.simple());
  }
}
