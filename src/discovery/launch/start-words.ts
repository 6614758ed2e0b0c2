/** Words of a Filebeat's command line that are not fully known. */
import { isKnown } from './launch-context.js';

/** Settings that do not affect listeners, files or directories. */
const harmless =
  /^(?:name|tags|fields|fields_under_root|output|logging|monitoring|xpack|cloud|setup|queue|max_procs|timestamp|processors|http\.enabled=false)\b/;

/** The command line without unknown words that do not matter, and why the remaining ones are uncertain. */
export function withoutUnknown(argv: readonly string[]): { argv: string[]; whys: string[] } {
  const words: string[] = [];
  const whys: string[] = [];
  const uncertain = () => {
    if (whys.length === 0) whys.push('a word of its command line is known only at run time');
  };
  for (let at = 0; at < argv.length; at += 1) {
    const word = argv[at]!;
    const next = argv[at + 1];
    if (isKnown(word)) {
      const takesSetting = word === '-E' || word === '-M';
      const takesText = /^(?:-d|--?environment|--?cpuprofile|--?memprofile)$/.test(word);
      if (next !== undefined && !isKnown(next) && (takesText || (takesSetting && harmless.test(next)))) at += 1;
      else words.push(word);
    } else if (!/^-E./.test(word) || !harmless.test(word.slice(2))) {
      if (!/^--?(?:environment|d)=/.test(word)) {
        uncertain();
        words.push(word);
      }
    }
  }
  return { argv: words, whys };
}
