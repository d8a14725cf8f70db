/** What counted usage and a stack's resources come to in dollars. */

import { table } from '../table';
import type { Charge } from './fixed';
import { mean } from './meter';
import { PRICES_OF, USAGE, type Usage, type UsageName } from './prices';
import type { Used } from './trial';

export interface Bill {
  /** All of it, US dollars. */
  usd: number;
  items: Record<UsageName, { amount: number; usd: number }>;
}

export interface Report {
  prices: string;
  seeds: number;
  usage: Record<keyof Used, Bill>;
  fixedMonth: { usd: number; charges: Charge[] };
}

const NAMES = Object.keys(USAGE) as UsageName[];
const OCCASIONS: Record<keyof Used, string> = {
  creation: 'creation',
  replacementTerminated: 'replacement, terminated',
  replacementHang: 'replacement, hang',
  idleMonth: 'idle month',
};

export function bill(usage: Usage): Bill {
  const items = Object.fromEntries(
    NAMES.map((name) => [name, { amount: usage[name], usd: usage[name] * USAGE[name].usd }]),
  ) as Bill['items'];
  return { usd: NAMES.reduce((sum, name) => sum + items[name].usd, 0), items };
}

/** @param runs means are billed */
export function report(runs: Used[], charges: Charge[]): Report {
  const usage = (occasion: keyof Used) => bill(mean(runs.map((run) => run[occasion])));
  return {
    prices: PRICES_OF,
    seeds: runs.length,
    usage: {
      creation: usage('creation'),
      replacementTerminated: usage('replacementTerminated'),
      replacementHang: usage('replacementHang'),
      idleMonth: usage('idleMonth'),
    },
    fixedMonth: { usd: charges.reduce((sum, { usd = 0 }) => sum + usd, 0), charges },
  };
}

/** For people. */
export function text({ prices, seeds, usage, fixedMonth }: Report): string {
  const occasions = Object.keys(OCCASIONS) as (keyof Used)[];
  const used = NAMES.map((name) => [
    `${USAGE[name].what}, ${USAGE[name].unit}`,
    ...occasions.flatMap((occasion) => {
      const { amount, usd } = usage[occasion].items[name];
      return [quantity(amount), dollars(usd)];
    }),
  ]);
  const total = ['together', ...occasions.flatMap((occasion) => ['', dollars(usage[occasion].usd)])];
  const header = ['', ...occasions.flatMap((occasion) => [OCCASIONS[occasion], 'USD'])];
  const fixed = fixedMonth.charges.map(({ what, count, usd }) => [
    what,
    String(count),
    usd === undefined ? 'see the price list' : usd.toFixed(2),
  ]);
  return [
    `Usage, counted in ${seeds} ${seeds === 1 ? 'run' : 'runs'} on the embedded AWS (means); list prices of ${prices}, free tiers ignored`,
    '',
    table(header, [...used, total]),
    '',
    'Fixed charges of a month',
    '',
    table(['', 'count', 'USD'], [...fixed, ['together', '', fixedMonth.usd.toFixed(2)]]),
  ].join('\n');
}

const dollars = (usd: number) => usd.toFixed(4);

/** Three digits that count: more would say that a model knows more than it does. */
function quantity(amount: number): string {
  if (amount === 0) return '0';
  if (amount >= 100) return Math.round(amount).toLocaleString('en-US');
  return String(Number(amount.toPrecision(3)));
}
