/** What can be told of a child's rows in the access log, and how they are checked. Pure. */
import type { LogEntry } from '../api/types.ts';
import type { Receipt } from '../state/session.ts';

/** Who has been shown the child, and how much. */
export interface Reader {
  readonly agencyId: string;
  readonly role: string | null;
  readonly times: number;
  readonly fields: readonly string[];
  readonly latest: string;
}

export function readersOf(entries: readonly LogEntry[]): Reader[] {
  const readers = new Map<string, Reader>();
  for (const entry of entries) {
    const before = readers.get(entry.agencyId);
    const fields = [...new Set([...(before?.fields ?? []), ...entry.shown])];
    const latest = before && before.latest > entry.at ? before.latest : entry.at;
    readers.set(entry.agencyId, { agencyId: entry.agencyId, role: entry.role, times: (before?.times ?? 0) + 1, fields, latest });
  }
  return [...readers.values()].sort((one, other) => other.times - one.times);
}

export type Verdict = 'matches' | 'differs' | 'elsewhere';

export interface Check {
  readonly receipts: readonly { readonly receipt: Receipt; readonly verdict: Verdict }[];
  /** Whether no place is taken twice, and places in a lane follow time. */
  readonly isOrdered: boolean;
  readonly isSound: boolean;
}

/** The lane and the number of a place. */
function placeOf(place: string): [string, number] {
  const at = place.lastIndexOf('/');
  return [place.slice(0, at), Number(place.slice(at + 1))];
}

/** The receipts that this tab holds against the log as it is now: a row that was altered has another hash. */
export function check(entries: readonly LogEntry[], receipts: readonly Receipt[]): Check {
  const hashes = new Map(entries.map((entry) => [entry.place, entry.hash]));
  const checked = receipts.map((receipt) => {
    const hash = hashes.get(receipt.place);
    const verdict: Verdict = hash === undefined ? 'elsewhere' : hash === receipt.hash ? 'matches' : 'differs';
    return { receipt, verdict };
  });
  const isOrdered = hashes.size === entries.length && inOrder(entries);
  return { receipts: checked, isOrdered, isSound: isOrdered && checked.every((one) => one.verdict !== 'differs') };
}

function inOrder(entries: readonly LogEntry[]): boolean {
  const latest = new Map<string, [number, string]>();
  const byTime = [...entries].map((entry) => ({ at: entry.at, place: placeOf(entry.place) })).sort((one, other) => one.place[1] - other.place[1]);
  return byTime.every(({ at, place: [lane, number] }) => {
    const before = latest.get(lane);
    latest.set(lane, [number, at]);
    return !before || (before[0] < number && before[1] <= at);
  });
}
