/** The PromQL expressions of a Grafana dashboard, with variables filled in, ready to execute. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export interface Target {
  refId: string;
  expr: string;
  /** `{{label}}` templates name labels of the result. */
  legendFormat?: string;
}

export interface Panel {
  id: number;
  type: string;
  title: string;
  gridPos: { x: number; y: number; w: number; h: number };
  datasource?: { type: string; uid: string };
  targets?: Target[];
  /** Panels of a collapsed row. */
  panels?: Panel[];
}

export interface Variable {
  name: string;
  type: string;
  datasource?: { uid: string };
  definition?: string;
}

export interface Dashboard {
  uid: string;
  title: string;
  schemaVersion: number;
  panels: Panel[];
  annotations: { list: { name: string; expr?: string }[] };
  templating: { list: Variable[] };
}

export interface Expression {
  /** Panel, variable or annotation of the expression. */
  where: string;
  expr: string;
}

/** One of the example dashboards, by its file's name. */
export function readDashboard(name: string): Dashboard {
  const file = fileURLToPath(new URL(`../../../examples/grafana/${name}.json`, import.meta.url));
  return JSON.parse(readFileSync(file, 'utf8')) as Dashboard;
}

/** Panels in order, those inside rows too. */
export function allPanels(panels: readonly Panel[]): Panel[] {
  return panels.flatMap((panel) => [panel, ...allPanels(panel.panels ?? [])]);
}

/** Fills in the variables like Grafana; a multi-value variable is `.*` unless given. */
export function filledIn(expr: string, variables: Readonly<Record<string, string>> = {}): string {
  const values: Record<string, string> = {
    __rate_interval: '5m',
    __interval: '1m',
    __range: '6h',
    job: '.*',
    host: '.*',
    name: '.*',
    ...variables,
  };
  return expr.replace(/\$(?:(\w+)|\{(\w+)(?::\w+)?\})/g, (_, bare?: string, braced?: string) => {
    const value = values[bare ?? braced ?? ''];
    if (value === undefined) throw new Error(`a variable that the dashboard does not have: ${bare ?? braced}`);
    return value;
  });
}

/** Panels' and annotations' expressions, and the selectors that fill the variables' lists. */
export function dashboardExpressions(
  dashboard: Dashboard,
  variables: Readonly<Record<string, string>> = {},
): Expression[] {
  const found: Expression[] = [];
  const add = (where: string, expr: string) => found.push({ where, expr: filledIn(expr, variables) });
  for (const variable of dashboard.templating.list) {
    const selector = /^label_values\((.+), \w+\)$/s.exec(variable.definition ?? '')?.[1];
    if (selector !== undefined) add(`variable ${variable.name}`, selector);
  }
  for (const { name, expr } of dashboard.annotations.list) if (expr !== undefined) add(`annotation ${name}`, expr);
  for (const panel of allPanels(dashboard.panels)) {
    for (const { refId, expr } of panel.targets ?? []) add(`panel ${panel.title} ${refId}`, expr);
  }
  return found;
}
