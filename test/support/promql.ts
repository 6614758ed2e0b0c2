/** The series and labels of a PromQL expression: enough of its grammar to check them against the metric table. */

/** One selector: `filebeat_port_up{input!="learned"}`. */
export interface Selector {
  metric: string;
  matchers: { label: string; operator: string; value: string }[];
}

export interface Vocabulary {
  selectors: Selector[];
  /** Labels named by `by`, `without`, `on`, `ignoring`, `group_left`, `group_right`. */
  grouping: string[];
}

interface Token {
  kind: 'word' | 'text' | 'sign';
  text: string;
}

const grouping = new Set(['by', 'without', 'on', 'ignoring', 'group_left', 'group_right']);
/** Words that are not metrics although no bracket follows: operators, and aggregations before `by (…)`. */
const operators = new Set(['and', 'or', 'unless', 'bool', 'offset', 'sum', 'max', 'min', 'count', 'avg', 'group']);

/** Drops comments, spaces and ranges such as `[5m]`; throws for anything but words, strings and operators. */
function tokens(expression: string): Token[] {
  const found: Token[] = [];
  const pattern =
    /\s+|#.*|\[[^\]]*\]|(?<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`)|\d[\w.]*|(?<word>[A-Za-z_:][\w:]*)|(?<sign>[=!]~|[=!<>]=|[-+*/%^(){},=<>])/y;
  while (pattern.lastIndex < expression.length) {
    const at = pattern.lastIndex;
    const match = pattern.exec(expression);
    if (match === null) throw new Error(`not PromQL: ${expression.slice(at, at + 40)}`);
    const { text, word, sign } = match.groups ?? {};
    if (text !== undefined) found.push({ kind: 'text', text: text.slice(1, -1) });
    else if (word !== undefined) found.push({ kind: 'word', text: word });
    else if (sign !== undefined) found.push({ kind: 'sign', text: sign });
  }
  return found;
}

export function vocabulary(expression: string): Vocabulary {
  const list = tokens(expression);
  const found: Vocabulary = { selectors: [], grouping: [] };
  for (let i = 0; i < list.length; i++) {
    const { kind, text } = list[i]!;
    if (kind !== 'word') continue;
    if (grouping.has(text)) {
      if (list[i + 1]?.text !== '(') continue;
      for (i += 2; i < list.length && list[i]!.text !== ')'; i++)
        if (list[i]!.kind === 'word') found.grouping.push(list[i]!.text);
    } else if (list[i + 1]?.text !== '(' && !operators.has(text)) {
      const selector: Selector = { metric: text, matchers: [] };
      if (list[i + 1]?.text === '{') {
        for (i += 2; i < list.length && list[i]!.text !== '}'; i++) {
          if (list[i]!.kind !== 'word') continue;
          const [label, operator, value] = [list[i]!, list[i + 1], list[i + 2]];
          if (operator?.kind !== 'sign' || value?.kind !== 'text') throw new Error(`not a matcher: ${expression}`);
          selector.matchers.push({ label: label.text, operator: operator.text, value: value.text });
          i += 2;
        }
      }
      found.selectors.push(selector);
    }
  }
  return found;
}
