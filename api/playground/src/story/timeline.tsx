/** The picture of a story: agencies as lanes, the lead as a ribbon between them, marks for who acts and who is told. */
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { Turn } from '../api/types.ts';
import { nameOfPersona, session, text } from '../state/session.ts';
import { useStore } from '../state/store.ts';
import { type Lane, type Mark, type Plan, lanesOf, marksOf, mostSeen, ribbon, seenBy, since, stretchesOf } from './model.ts';

interface Properties {
  readonly turns: readonly Turn[];
  readonly at: number;
  readonly onGo: (turn: number) => void;
}

/** Narrower than this, the story runs downwards. */
const NARROW = 760;

/** Sizes in pixels. */
interface Measure {
  readonly isDown: boolean;
  readonly unit: number;
  readonly lane: number;
  readonly length: number;
  readonly breadth: number;
}

function measure(width: number, turns: number, lanes: number): Measure {
  const isDown = width < NARROW;
  const room = isDown ? width - 46 : width - 170;
  const unit = isDown ? 34 : Math.max(22, room / turns);
  const lane = isDown ? Math.max(18, Math.floor(room / lanes)) : 35;
  return { isDown, unit, lane, length: unit * turns, breadth: lane * lanes };
}

export function Timeline({ turns, at, onGo }: Properties) {
  const box = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  useStore(session, (state) => state.language);
  const lanes = useMemo(() => lanesOf(turns), [turns]);
  useEffect(() => {
    const one = box.current;
    if (!one) return undefined;
    const observer = new ResizeObserver(() => setWidth(one.clientWidth));
    observer.observe(one);
    setWidth(one.clientWidth);
    return () => observer.disconnect();
  }, []);
  const size = measure(width, turns.length, lanes.length);
  // Where the story runs downwards in a box of its own, the turn is kept in view.
  useEffect(() => {
    const stage = box.current?.parentElement;
    if (!stage || !size.isDown) return;
    const names = stage.querySelector('.lanes')?.clientHeight ?? 0;
    stage.scrollTo({ top: (at + 0.5) * size.unit - (stage.clientHeight - names) / 2, behavior: matchMedia('(prefers-reduced-motion: reduce)').matches ? 'auto' : 'smooth' });
  }, [at, size.isDown, size.unit]);
  return (
    <div ref={box} class={size.isDown ? 'timeline is-down' : 'timeline'}>
      {width > 0 && (
        <>
          <Labels lanes={lanes} turn={turns[at]} size={size} />
          <div class="timeline-main">
            <Hours turns={turns} at={at} size={size} />
            <Picture turns={turns} lanes={lanes} at={at} size={size} onGo={onGo} />
          </div>
        </>
      )}
    </div>
  );
}

/** The names of the lanes, with how much each sees now. */
function Labels({ lanes, turn, size }: { readonly lanes: readonly Lane[]; readonly turn: Turn | undefined; readonly size: Measure }) {
  return (
    <ul class="lanes">
      {lanes.map((lane) => {
        const count = turn?.shown[lane]?.length ?? 0;
        const leads = turn?.lead === lane;
        return (
          <li key={lane} class={leads ? 'leads' : count === 0 ? 'knows-not' : ''} style={size.isDown ? { width: `${size.lane}px` } : { height: `${size.lane}px` }}>
            <span class="lane-name">{nameOfPersona(lane)}</span>
            <span class="lane-count">{count === 0 ? '–' : count}</span>
          </li>
        );
      })}
    </ul>
  );
}

/** The time at the turns where it moves. */
function Hours({ turns, at, size }: { readonly turns: readonly Turn[]; readonly at: number; readonly size: Measure }) {
  return (
    <div class="hours" aria-hidden="true">
      {turns.map((turn, index) => {
        if (index > 0 && turns[index - 1]?.minute === turn.minute) return null;
        const place = index * size.unit + size.unit / 2;
        return (
          <span key={index} class={index <= at ? 'is-past' : ''} style={size.isDown ? { top: `${place}px` } : { left: `${place}px` }}>
            {since(turn.minute)}
          </span>
        );
      })}
    </div>
  );
}

interface PictureProperties extends Properties {
  readonly lanes: readonly Lane[];
  readonly size: Measure;
}

function Picture({ turns, lanes, at, size, onGo }: PictureProperties) {
  const { isDown, unit, lane, length, breadth } = size;
  const [wide, high] = isDown ? [breadth, length] : [length, breadth];
  const plan: Plan = useMemo(
    () => ({
      along: (turn) => turn * unit + unit / 2,
      across: (one) => one * lane + lane / 2,
      point: (along, across) => (isDown ? `${across} ${along}` : `${along} ${across}`),
    }),
    [isDown, unit, lane],
  );
  const past = (at + 1) * unit;
  const box = (from: number, to: number, one: number, half: number): string => {
    const middle = one * lane + lane / 2;
    return isDown
      ? `M${middle - half} ${from}H${middle + half}V${to}H${middle - half}Z`
      : `M${from} ${middle - half}H${to}V${middle + half}H${from}Z`;
  };
  const most = mostSeen(turns);
  const bands = useMemo(
    () =>
      lanes.map((name, one) =>
        seenBy(turns, name)
          .map((count, turn) => (count === 0 ? '' : box(turn * unit, (turn + 1) * unit, one, Math.max(2, (count / most) * lane * 0.42))))
          .join(''),
      ),
    [turns, lanes, unit, lane, isDown],
  );
  const edges = useMemo(() => edgesOf(turns, lanes), [turns, lanes]);
  const marks = useMemo(() => marksOf(turns, lanes), [turns, lanes]);
  const lead = useMemo(() => ribbon(stretchesOf(turns.map((turn) => turn.lead), lanes), plan, 0, unit / 2), [turns, lanes, plan]);
  const responsible = useMemo(
    () => ribbon(stretchesOf(turns.map((turn) => turn.responsible), lanes), plan, Math.min(9, lane * 0.26), unit / 2),
    [turns, lanes, plan, lane],
  );
  const clip = isDown ? { width: wide, height: past } : { width: past, height: high };
  return (
    <svg class="picture" width={wide} height={high} viewBox={`0 0 ${wide} ${high}`} role="img" aria-label={text('storyPicture')}>
      <defs>
        <clipPath id="story-past">
          <rect x="0" y="0" {...clip} class="glide" />
        </clipPath>
      </defs>
      {turns.map((turn, index) => (
        <rect
          key={index}
          class={`column ${index === at ? 'is-now' : ''} ${turn.by === null ? (turn.overdue ? 'is-overdue' : 'is-silent') : ''}`}
          {...(isDown ? { x: 0, y: index * unit, width: wide, height: unit } : { x: index * unit, y: 0, width: unit, height: high })}
        />
      ))}
      {lanes.map((name, one) => (
        <path key={name} class="lane-line" d={`M${plan.point(0, plan.across(one))}L${plan.point(length, plan.across(one))}`} />
      ))}
      <g class="future" aria-hidden="true">
        {bands.map((d, one) => (
          <path key={one} class="band" d={d} />
        ))}
        <path class="ribbon responsible" d={responsible} />
        <path class="ribbon lead" d={lead} />
      </g>
      <g clip-path="url(#story-past)">
        {bands.map((d, one) => (
          <path key={one} class="band" d={d} />
        ))}
        {edges.map((edge) => (
          <path
            key={`${edge.at}-${edge.lane}-${edge.kind}`}
            class={`edge ${edge.kind}`}
            d={box(edge.at * unit, edge.at * unit + 3, edge.lane, lane * 0.42)}
          />
        ))}
        <path class="ribbon responsible" d={responsible} />
        <path class="ribbon lead" d={lead} />
      </g>
      {marks.map((mark, index) => (
        <Sign key={index} mark={mark} plan={plan} isPast={mark.at <= at} isNow={mark.at === at} small={lane < 26} />
      ))}
      {turns.map((_, index) => (
        <rect
          key={index}
          class="target"
          onClick={() => onGo(index)}
          {...(isDown ? { x: 0, y: index * unit, width: wide, height: unit } : { x: index * unit, y: 0, width: unit, height: high })}
        />
      ))}
    </svg>
  );
}

/** Where a lane begins to see more, or less. */
function edgesOf(turns: readonly Turn[], lanes: readonly Lane[]): { at: number; lane: number; kind: 'opened' | 'closed' }[] {
  return turns.flatMap((turn, at) =>
    (['opened', 'closed'] as const).flatMap((kind) =>
      Object.entries(turn[kind])
        .filter(([, fields]) => fields.length > 0)
        .map(([name]) => ({ at, lane: lanes.indexOf(name), kind })),
    ),
  );
}

interface SignProperties {
  readonly mark: Mark;
  readonly plan: Plan;
  readonly isPast: boolean;
  readonly isNow: boolean;
  readonly small: boolean;
}

function Sign({ mark, plan, isPast, isNow, small }: SignProperties) {
  const [x, y] = plan.point(plan.along(mark.at), plan.across(mark.lane)).split(' ');
  const size = small ? 0.78 : 1;
  const kind = `sign-mark ${mark.kind} ${isPast ? 'is-past' : ''} ${isNow ? 'is-now' : ''}`;
  return (
    <g class={kind} transform={`translate(${x} ${y}) scale(${size})`}>
      {mark.kind === 'told' && <circle r="4.5" />}
      {mark.kind === 'alarm' && <path d="M0 -8.5L8.2 6H-8.2Z" />}
      {mark.kind === 'alarm' && <path class="bang" d="M0 -3V2M0 4V4.4" />}
      {mark.kind === 'acts' && <circle r="6.5" />}
      {mark.kind === 'refused' && <circle r="6.5" />}
      {mark.kind === 'refused' && <path class="bang" d="M-2.5 -2.5L2.5 2.5M2.5 -2.5L-2.5 2.5" />}
    </g>
  );
}
