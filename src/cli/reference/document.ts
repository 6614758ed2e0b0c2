/** Generated tables in documents, between `<!-- made: NAME -->` and `<!-- /made -->`. Pure. */
import { flagsMarkdown } from './flags-table.js';
import { metricGroups, metricsMarkdown } from './metrics-table.js';
import { releasesMarkdown } from './releases-table.js';

const tables: Record<string, () => string> = {
  flags: flagsMarkdown,
  releases: releasesMarkdown,
  ...Object.fromEntries(metricGroups.map((group) => [`metrics ${group}`, () => metricsMarkdown(group)])),
};

/** The document with its tables up to date. Throws for an unknown table name. */
export function withTables(text: string): string {
  return text.replace(
    /(<!-- made: (.+?) -->\n)[\s\S]*?(<!-- \/made -->)/g,
    (_, open: string, name: string, end: string) => {
      const table = tables[name];
      if (table === undefined) throw new Error(`no table is called ${name}`);
      return `${open}\n${table()}\n${end}`;
    },
  );
}

/** Names of the tables that a document has. */
export function tablesIn(text: string): string[] {
  return [...text.matchAll(/<!-- made: (.+?) -->/g)].map((m) => m[1]!);
}

export const tableNames: readonly string[] = Object.keys(tables);
