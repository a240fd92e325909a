/** A story as a timeline: lanes, ribbons and marks. Pure, so that it can be tried without a page. */
import type { Turn } from '../api/types.ts';

/** A lane of the timeline, by persona. */
export type Lane = string;

/**
 * Those who have a part, in the order in which they get one; whoever leads or answers first, side by side, so that the
 * ribbon between them is short.
 */
export function lanesOf(turns: readonly Turn[]): Lane[] {
  const lanes: Lane[] = [];
  const take = (lane: string | null): void => {
    if (lane !== null && !lanes.includes(lane)) lanes.push(lane);
  };
  for (const turn of turns) {
    take(turn.lead);
    take(turn.responsible);
  }
  for (const turn of turns) {
    take(turn.by);
    for (const event of turn.events) take(event.to);
    for (const lane of Object.keys(turn.shown)) take(lane);
  }
  return lanes;
}

/** What stands in one lane at one turn. */
export interface Mark {
  readonly at: number;
  readonly lane: number;
  readonly kind: 'acts' | 'told' | 'alarm' | 'refused';
}

/** The marks of a story; an alarm stands for whatever else is told at once. */
export function marksOf(turns: readonly Turn[], lanes: readonly Lane[]): Mark[] {
  return turns.flatMap((turn, at) => {
    const told = new Map<string, 'told' | 'alarm'>();
    for (const event of turn.events) {
      if (event.alarm || !told.has(event.to)) told.set(event.to, event.alarm ? 'alarm' : 'told');
    }
    const marks: Mark[] = [...told].map(([lane, kind]) => ({ at, lane: lanes.indexOf(lane), kind }));
    if (turn.by !== null) marks.push({ at, lane: lanes.indexOf(turn.by), kind: turn.refused ? 'refused' : 'acts' });
    return marks.filter((mark) => mark.lane >= 0);
  });
}

/** How many fields each lane sees, by turn. */
export const seenBy = (turns: readonly Turn[], lane: Lane): number[] => turns.map((turn) => turn.shown[lane]?.length ?? 0);

/** The most that anyone sees. */
export const mostSeen = (turns: readonly Turn[]): number =>
  Math.max(1, ...turns.flatMap((turn) => Object.values(turn.shown).map((fields) => fields.length)));

/** A run of turns in which one lane has what a ribbon stands for. */
export interface Stretch {
  readonly lane: number;
  readonly from: number;
  readonly to: number;
}

export function stretchesOf(owners: readonly (string | null)[], lanes: readonly Lane[]): Stretch[] {
  const stretches: Stretch[] = [];
  owners.forEach((owner, at) => {
    const lane = owner === null ? -1 : lanes.indexOf(owner);
    const last = stretches.at(-1);
    if (lane < 0) return;
    if (last && last.lane === lane && last.to === at - 1) stretches[stretches.length - 1] = { ...last, to: at };
    else stretches.push({ lane, from: at, to: at });
  });
  return stretches;
}

/** Where turns and lanes are: `along` the story and `across` the lanes, whichever way it lies. */
export interface Plan {
  readonly along: (turn: number) => number;
  readonly across: (lane: number) => number;
  readonly point: (along: number, across: number) => string;
}

/** A ribbon through its stretches, in curves from lane to lane. */
export function ribbon(stretches: readonly Stretch[], plan: Plan, shift: number, reach: number): string {
  const parts: string[] = [];
  stretches.forEach((stretch, index) => {
    const across = plan.across(stretch.lane) + shift;
    const begin = plan.along(stretch.from) - (index === 0 ? reach : 0);
    const end = plan.along(stretch.to) + (index === stretches.length - 1 ? reach : 0);
    const before = stretches[index - 1];
    if (before) {
      const [from, middle] = [plan.across(before.lane) + shift, (plan.along(before.to) + begin) / 2];
      parts.push(`C${plan.point(middle, from)} ${plan.point(middle, across)} ${plan.point(begin, across)}`);
    } else {
      parts.push(`M${plan.point(begin, across)}`);
    }
    parts.push(`L${plan.point(end, across)}`);
  });
  return parts.join('');
}

/** Time since the beginning in its largest units: `0`, `5 h`, `3 d 20 h`. */
export function since(minutes: number): string {
  if (minutes === 0) return '0';
  const [days, hours, rest] = [Math.floor(minutes / 1440), Math.floor((minutes % 1440) / 60), minutes % 60];
  return [days && `${days} d`, hours && `${hours} h`, rest && `${rest} min`].filter(Boolean).join(' ');
}

/** Fields by section, with how many there are. */
export function sectionsOf(fields: readonly string[]): [string, string[]][] {
  const sections = new Map<string, string[]>();
  for (const field of fields) {
    const [section = '', name = ''] = field.split('.');
    sections.set(section, [...(sections.get(section) ?? []), name]);
  }
  return [...sections];
}
