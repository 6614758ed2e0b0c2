/** Filter, order and page of the tables from the query of the URL, and the URLs that change them. Pure. */

const instanceSorts = ['state', 'name', 'pid', 'ports', 'version', 'started', 'restarts'] as const;
const portSorts = ['state', 'instance', 'port', 'input', 'owner', 'queue', 'drops'] as const;

export type InstanceSort = (typeof instanceSorts)[number];
export type PortSort = (typeof portSorts)[number];

export interface Order<S extends string> {
  by: S;
  descending: boolean;
}

export interface HomeQuery {
  /** Substring to filter by, lower case; empty: everything. */
  filter: string;
  /** Only rows in trouble. */
  trouble: boolean;
  instances: Order<InstanceSort>;
  ports: Order<PortSort>;
  /** Counted from 1. */
  instancePage: number;
  portPage: number;
}

function order<S extends string>(text: string | null, sorts: readonly S[]): Order<S> {
  const descending = text?.startsWith('-') ?? false;
  const by = sorts.find((sort) => sort === text?.slice(descending ? 1 : 0));
  return by === undefined ? { by: sorts[0]!, descending: false } : { by, descending };
}

function page(text: string | null): number {
  return text !== null && /^[1-9]\d{0,5}$/.test(text) ? Number(text) : 1;
}

/** An invalid parameter gives the default, never an error. */
export function parseQuery(params: URLSearchParams): HomeQuery {
  return {
    filter: (params.get('q') ?? '').trim().slice(0, 200).toLowerCase(),
    trouble: params.get('show') === 'trouble',
    instances: order(params.get('instances'), instanceSorts),
    ports: order(params.get('ports'), portSorts),
    instancePage: page(params.get('ipage')),
    portPage: page(params.get('ppage')),
  };
}

const orderText = ({ by, descending }: Order<string>): string => `${descending ? '-' : ''}${by}`;

/** The parameters that differ from the defaults, in a fixed order. */
export function queryPairs(query: HomeQuery): [string, string][] {
  const pairs: [string, string, string][] = [
    ['q', query.filter, ''],
    ['show', query.trouble ? 'trouble' : '', ''],
    ['instances', orderText(query.instances), 'state'],
    ['ports', orderText(query.ports), 'state'],
    ['ipage', String(query.instancePage), '1'],
    ['ppage', String(query.portPage), '1'],
  ];
  return pairs.filter(([, value, standard]) => value !== standard).map(([name, value]) => [name, value]);
}

/** URL of the page with a changed query. The fragment scrolls to the table. */
export function address(query: HomeQuery, change: Partial<HomeQuery>, fragment: string): string {
  const text = new URLSearchParams(queryPairs({ ...query, ...change })).toString();
  return `/${text === '' ? '' : `?${text}`}#${fragment}`;
}
