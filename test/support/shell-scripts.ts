/** Random shell scripts in the subset that `discovery/shell` evaluates. */
import type { Chance } from './random.js';

export interface MadeScript {
  text: string;
  args: string[];
}

const values = ['a', 'b c', '', 'one.yml', '/etc/x.d/two.yml', 'x=y', '3', '-e', 'k*', 'a:b:c', "it's", '10'];
const names = ['A', 'B', 'C', 'D'];
const files = ['one.yml', 'two.yml', 'empty', 'none.yml', 'folder', 'sub/deep.yml'];

/** `start`: the command of the script's Filebeat. Folders and files are those of `scriptFolder`. */
export function makeScript(chance: Chance, dialect: 'posix' | 'bash', start: string): MadeScript {
  const { pick, below, oneIn } = chance;
  const inBash = dialect === 'bash';
  const quote = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;
  const name = () => pick(names);

  function value(depth = 0): string {
    const made: (() => string)[] = [
      () => quote(pick(values)),
      () => `"$${name()}"`,
      () => `"\${${name()}}x"`,
      () => `"\${${name()}:-${pick(['d', 'dd', '$A'])}}"`,
      () => `"\${${name()}-${pick(['d', '${B}'])}}"`,
      () => `"\${${name()}:+set}"`,
      () => `"\${${name()}${pick(['#', '##', '%', '%%'])}${pick(['*/', '.*', '?', 'a*', '*:', '/*', '[a-c]*'])}}"`,
      () => `"\${#${name()}}"`,
      () => `"$(${pick(['echo', 'printf %s'])} ${depth > 1 ? 'x' : value(depth + 1)})"`,
      () => `"$(basename ${quote(pick(['/a/b.yml', 'c', '/d/']))} .yml)"`,
      () => `"$(dirname ${quote(pick(['/a/b.yml', 'c', '/d/e/']))})"`,
      () => `"$((${below(9)} ${pick(['+', '-', '*', '<', '=='])} ${below(9)}))"`,
      () => `"$${1 + below(3)}"`,
      () => '"$#"',
      () => '"$PWD"',
      () => '"$?"',
      () => `'x'"y$${name()}"z`,
    ];
    if (inBash) {
      made.push(
        () => `"\${${name()}/${pick(['a', 'yml', '.'])}/Z}"`,
        () => `"\${${name()}:${below(3)}:${below(4)}}"`,
        () => `"\${${name()}^^}"`,
        () => `$'t\\tab'`,
      );
    }
    return pick(made)();
  }

  const word = () => (oneIn(4) ? `$${name()}` : oneIn(9) ? pick(['"$@"', '$*', '"$*"', '*.yml', '{x,y}']) : value());

  function condition(): string {
    const made: (() => string)[] = [
      () => `[ ${pick(['-f', '-e', '-d', '-s', '-r'])} ${pick(files)} ]`,
      () => `[ ! -f ${pick(files)} ]`,
      () => `[ -n "$${name()}" ]`,
      () => `test -z "$${name()}"`,
      () => `[ "$${name()}" ${pick(['=', '!='])} ${quote(pick(values))} ]`,
      () => `[ "$#" ${pick(['-gt', '-eq', '-lt'])} ${below(4)} ]`,
      () => pick(['true', 'false', ':']),
      () => `! ${condition()}`,
      () => `${condition()} ${pick(['&&', '||'])} ${condition()}`,
    ];
    if (inBash)
      made.push(
        () => `[[ "$${name()}" == ${pick(['a*', '*.yml', '?', '"$B"'])} ]]`,
        () => `[[ -f ${pick(files)} && -n "$${name()}" ]]`,
      );
    return pick(made)();
  }

  const run = () => `${start} ${Array.from({ length: 1 + below(4) }, word).join(' ')} &`;

  function statement(depth: number): string {
    const made: (() => string)[] = [
      () => `${name()}=${value()}`,
      () => `${name()}=${value()}`,
      run,
      run,
      () => `export ${name()}=${value()}`,
      () => `unset ${name()}`,
      () => `: "\${${name()}:=${pick(['d', 'e f'])}}"`,
      () => `${condition()} && ${run()}`,
      () => `cd ${pick(['folder', 'sub/..', '.', 'sub', 'nowhere', 'sub/../folder'])} 2>/dev/null`,
      () => `${condition()} || { ${name()}=${value()}; ${run()} }`,
      () => `set -- ${word()} ${word()}`,
      () => `[ $# -gt 0 ] && shift`,
      () => `${name()}=${value()} ${run()}`,
      () => `f ${word()} ${word()}`,
      () => `eval "${name()}=v${below(9)}"`,
      () => `IFS=${pick(["':'", `" "`])}`,
      () => 'unset IFS',
      () => '. ./sourced',
      () =>
        `${run().slice(0, -1)} ${pick(['> /dev/null 2>&1 &', '2>&1 &', '< /dev/null &'])}`.replace(
          '> /dev/null 2>&1 &',
          '2> /dev/null &',
        ),
    ];
    if (inBash)
      made.push(
        () => `${name()}+=${value()}`,
        () => `L=(${value()} ${value()}); ${start} "\${L[@]}" "\${#L[@]}" "\${L[1]}" &`,
      );
    if (depth < 3) {
      const body = () => block(depth + 1);
      made.push(
        () => `if ${condition()}; then\n${body()}\nelif ${condition()}; then\n${body()}\nelse\n${body()}\nfi`,
        () =>
          `for ${name()} in ${word()} ${word()} ${quote('w')}; do\n${body()}\n${oneIn(4) ? pick(['break', 'continue']) : ':'}\ndone`,
        () => `for ${name()}; do\n${body()}\ndone`,
        () =>
          `case ${pick([`"$${name()}"`, '"$1"', `$${name()}`])} in\n${pick(['a', '*.yml', '"b c"', '?', '[0-9]*'])}) ${run()} ;;\n-*|x*)\n${body()}\n;;\n*) ${name()}=other ;;\nesac`,
        () => `( ${statement(depth + 1)}\n${run()} )`,
        () => `while read -r ${name()} ${name()}; do\n${run()}\ndone <<EOF\none two three\n$A\nEOF`,
        () => `while getopts c:ev o ${oneIn(2) ? '-c x -e' : ''}; do ${start} "$o" "$OPTARG" & done; OPTIND=1`,
        () => `{ ${statement(depth + 1)}\n}`,
        () => `n=0; while [ $n -lt ${below(4)} ]; do ${run()} n=$((n+1)); done`,
      );
    }
    return pick(made)();
  }

  function block(depth: number): string {
    return Array.from({ length: 1 + below(depth === 0 ? 7 : 3) }, () => statement(depth)).join('\n');
  }

  const local = pick(['', 'local D; D=inner\n']);
  const lines = [
    `f() {\n${local}${run()}\n${oneIn(3) ? `return ${below(2)}` : `B="$1"`}\n}`,
    block(0),
    oneIn(3) ? `exec ${start} ${word()} ${word()}` : run(),
  ];
  return { text: `${lines.join('\n')}\n`, args: Array.from({ length: below(4) }, () => pick(values)) };
}

/** Files of the folder in which scripts run: path → text. */
export const scriptFolder: Record<string, string> = {
  'one.yml': 'x\n',
  'two.yml': 'x\n',
  empty: '',
  'folder/in.yml': 'x\n',
  'sub/deep.yml': 'x\n',
  sourced: 'C=sourced\nset -- s1 s2\n',
  'folder/sourced': 'C=other\n',
};
