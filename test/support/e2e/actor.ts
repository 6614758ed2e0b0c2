/** One host of the run as a process in its own pid namespace; acts on request. */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { actsOn } from './acts.js';
import { type HostName, type PlotName, plots } from './plots.js';
import { setStage } from './stage.js';

interface Order {
  /** `end`, or an action on a fault. */
  act: 'end' | 'break' | 'mend';
  plot?: PlotName;
}
interface Answer {
  order?: Order;
  error?: string;
}

export interface Actor {
  break(plot: PlotName): Promise<void>;
  mend(plot: PlotName): Promise<void>;
  end(): Promise<void>;
}

const own = fileURLToPath(import.meta.url);
const same = (a: Order | undefined, b: Order) => a?.act === b.act && a.plot === b.plot;

/** Resolves once its host is ready. */
export async function hire(host: HostName): Promise<Actor> {
  const words = ['--pid', '--fork', '--kill-child', '--mount-proc', process.execPath, own, host];
  const child: ChildProcess = spawn('unshare', words, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  child.setMaxListeners(Object.keys(plots).length + 5);
  const left = new Promise<never>((_, reject) => child.once('exit', () => reject(new Error(`${host} has left`))));
  left.catch(() => undefined);
  const answer = (order: Order | undefined) => {
    const told = new Promise<void>((resolve, reject) => {
      const listen = (message: Answer) => {
        if (order === undefined ? message.order !== undefined : !same(message.order, order)) return;
        child.off('message', listen);
        if (message.error === undefined) resolve();
        else reject(new Error(`${host}: ${message.error}`));
      };
      child.on('message', listen);
    });
    return Promise.race([told, left]);
  };
  const tell = (order: Order) => {
    const done = answer(order);
    child.send(order);
    return done;
  };
  await answer(undefined);
  return {
    break: (plot) => tell({ act: 'break', plot }),
    mend: (plot) => tell({ act: 'mend', plot }),
    end: () => tell({ act: 'end' }),
  };
}

async function play(host: HostName): Promise<void> {
  const stage = await setStage(host);
  const acts = actsOn(stage);
  const send = (answer: Answer) => process.send!(answer);
  process.on('message', async (order: Order) => {
    try {
      if (order.act === 'end') await stage.end();
      else if (order.plot !== undefined && plots[order.plot].host === host) await acts[order.plot][order.act]();
      send({ order });
    } catch (error) {
      send({ order, error: (error as Error).stack ?? String(error) });
    }
    if (order.act === 'end') process.disconnect();
  });
  send({});
}

if (process.argv[1] === own) await play(process.argv[2] as HostName);
