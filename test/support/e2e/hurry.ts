/** The example configurations with all times divided, so that minutes become seconds. */
import { readFileSync } from 'node:fs';
import { load } from 'js-yaml';
import { parseDuration } from '../../../src/settings/duration.js';
import { prometheusFolder, type Rule, recorded, rules, rulesName } from '../rules.js';

/** One minute of the rules takes two seconds. */
export const haste = 30;
/** Scrape and evaluation interval in seconds: as many per minute of the rules as at 30 s. */
export const interval = 2;
/** Waits for `count` scrapes. */
export const scrapes = (count: number) => new Promise((resolve) => setTimeout(resolve, count * interval * 1000));

function hurriedDuration(text: string): string {
  const seconds = (parseDuration(text) ?? Number.NaN) / haste;
  if (!Number.isInteger(seconds)) throw new Error(`${text} is no whole number of seconds when divided by ${haste}`);
  return `${seconds}s`;
}

/** Divides `for` and the ranges in expressions alike, so that their relation stays the same. */
export function hurried(rule: Rule): Rule {
  const expr = rule.expr.replace(/\[(\w+)\]/g, (_, range: string) => `[${hurriedDuration(range)}]`);
  return { ...rule, expr, ...(rule.for === undefined ? {} : { for: hurriedDuration(rule.for) }) };
}

const nameOf = (rule: Rule) => rule.alert ?? rule.record!;

/** Every rule that can be removed. */
export const ruleNames = rules.map(nameOf);

/** A rules file (JSON is YAML). */
export function rulesFile(group: string, list: readonly Rule[]): string {
  return JSON.stringify({ groups: [{ name: group, interval: `${interval}s`, rules: list.map(hurried) }] });
}

/**
 * The rules without one of them, for use beside the complete rules: recorded series get another name, alerts the label
 * `mutant`.
 */
export function mutantFile(without: string): string {
  const prefix = `without_${ruleNames.indexOf(without)}:`;
  const renamed = (text: string) => [...recorded.keys()].reduce((t, name) => t.replaceAll(name, prefix + name), text);
  const rest = rules
    .filter((rule) => nameOf(rule) !== without)
    .map(({ annotations: _, record, expr, ...rule }) => ({
      ...rule,
      expr: renamed(expr),
      ...(record === undefined ? { labels: { ...rule.labels, mutant: without } } : { record: renamed(record) }),
    }));
  return rulesFile(`without ${without}`, rest);
}

interface PrometheusConfig {
  global: { scrape_interval: string; evaluation_interval: string };
  rule_files: string[];
  alerting: Record<string, unknown>;
  scrape_configs: { scrape_timeout: string; file_sd_configs: { refresh_interval: string }[] }[];
}

/**
 * The example scrape configuration with `more`, and with the mutants in addition to its rules. Their alerts do not reach the
 * Alertmanager.
 */
export function prometheusFile(more: object): string {
  const config = load(readFileSync(`${prometheusFolder}prometheus.yml`, 'utf8')) as PrometheusConfig;
  const pace = `${interval}s`;
  return JSON.stringify({
    ...config,
    ...more,
    global: { ...config.global, scrape_interval: pace, evaluation_interval: pace },
    rule_files: [...config.rule_files, 'mutants/*.yml'],
    alerting: {
      ...config.alerting,
      alert_relabel_configs: [{ source_labels: ['mutant'], regex: '.+', action: 'drop' }],
    },
    scrape_configs: config.scrape_configs.map((job) => ({
      ...job,
      scrape_timeout: pace,
      file_sd_configs: job.file_sd_configs.map((sd) => ({ ...sd, refresh_interval: '1s' })),
    })),
  });
}

interface Route {
  routes: object[];
}

/** The example Alertmanager configuration without waiting times, except `shared` seconds for alerts of many hosts. */
export function alertmanagerFile(shared: number): string {
  const config = load(readFileSync(`${prometheusFolder}alertmanager.yml`, 'utf8')) as { route: Route };
  const soon = { group_wait: '1s', group_interval: '1s' };
  const routes = config.route.routes.map((route) => ({
    ...route,
    ...soon,
    ...('group_wait' in route ? { group_wait: `${shared}s` } : {}),
  }));
  return JSON.stringify({ ...config, route: { ...config.route, ...soon, routes } });
}

export { rules, rulesName };
