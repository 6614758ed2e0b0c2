/** Environment files of systemd (systemd.exec(5) `EnvironmentFile=`). */
import { type Environment, validName } from './unit-words.js';

/**
 * Lines `NAME=value` → variables, and the numbers of other lines. Quoted parts are joined to the value, a backslash at the
 * end of a line continues it, blanks around the value are removed, `#` and `;` begin a comment only where a name could.
 */
export function parseEnvironmentFile(text: string): { env: Environment; badLines: number[] } {
  const env: Environment = {};
  const badLines: number[] = [];
  let at = 0;
  let line = 1;
  const peek = () => text[at];
  const next = () => {
    const char = text[at++];
    if (char === '\n') line += 1;
    return char;
  };
  const isEnd = (char: string | undefined) => char === undefined || char === '\n' || char === '\r';

  while (at < text.length) {
    if (/[\s]/.test(peek()!)) {
      next();
      continue;
    }
    if (peek() === '#' || peek() === ';') {
      // Since systemd 254 a backslash does not continue a comment.
      while (!isEnd(peek())) next();
      continue;
    }
    const startLine = line;
    let key = '';
    while (!isEnd(peek()) && peek() !== '=') key += next();
    if (isEnd(peek())) {
      badLines.push(startLine);
      continue;
    }
    next();
    const value = environmentValue(next, peek, isEnd);
    if (validName.test(key.trimEnd())) env[key.trimEnd()] = value;
    else badLines.push(startLine);
  }
  return { env, badLines };
}

function environmentValue(
  next: () => string | undefined,
  peek: () => string | undefined,
  isEnd: (char: string | undefined) => boolean,
): string {
  let value = '';
  /** Length without trailing blanks that are neither quoted nor escaped. */
  let length = 0;
  let plain = false;
  while (!isEnd(peek())) {
    const char = next()!;
    if (char === '\\') {
      const escaped = next();
      plain = true;
      if (!isEnd(escaped)) value += escaped;
      length = value.length;
    } else if (!plain && (char === "'" || char === '"')) {
      // A quote is special only at the start of the value or after another quoted part.
      for (let inner = next(); inner !== undefined && inner !== char; inner = next()) {
        if (inner !== '\\' || char === "'") {
          value += inner;
        } else {
          const escaped = next();
          if (escaped !== undefined && '"\\`$'.includes(escaped)) value += escaped;
          else if (escaped !== '\n') value += `\\${escaped ?? ''}`;
        }
      }
      length = value.length;
    } else if (plain || !/\s/.test(char)) {
      plain = true;
      value += char;
      if (!/\s/.test(char)) length = value.length;
    }
  }
  return value.slice(0, length);
}
