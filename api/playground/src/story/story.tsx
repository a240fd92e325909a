/** The story player: one child between agencies, turn by turn. */
import { useEffect, useRef, useState } from 'preact/hooks';
import * as http from '../api/http.ts';
import type { StoryTitle, Turn } from '../api/types.ts';
import { announce, nameOfPersona, session, text } from '../state/session.ts';
import { useStore } from '../state/store.ts';
import { capital, sentence } from '../ui/words.ts';
import { sectionsOf, since } from './model.ts';
import { Timeline } from './timeline.tsx';

/** The story that the page opens with. */
const FIRST = 'failing';

type Phase = 'loading' | 'ready' | 'failed';

export function Story() {
  const [titles, setTitles] = useState<readonly StoryTitle[]>([]);
  const [name, setName] = useState(FIRST);
  const [turns, setTurns] = useState<readonly Turn[]>([]);
  const [phase, setPhase] = useState<Phase>('loading');
  const language = useStore(session, (state) => state.language);

  useEffect(() => {
    void http.stories().then(setTitles, () => undefined);
  }, []);

  useEffect(() => {
    const control = new AbortController();
    setPhase('loading');
    setTurns([]);
    http.story(name, control.signal).then(
      (told) => {
        setTurns(told);
        setPhase('ready');
      },
      () => {
        if (!control.signal.aborted) setPhase('failed');
      },
    );
    return () => control.abort();
  }, [name]);

  const ordered = [...titles].sort((one, other) => Number(other.name === FIRST) - Number(one.name === FIRST));
  return (
    <section class="story" aria-label={text('viewStory')}>
      <header class="story-head">
        <p class="kicker">{text('storyKicker')}</p>
        <h1>{titles.find((one) => one.name === name)?.title[language] ?? text('viewStory')}</h1>
        <div class="choices" role="group" aria-label={text('chooseStory')}>
          {ordered.map((one) => (
            <button key={one.name} type="button" class="choice" aria-pressed={one.name === name} onClick={() => setName(one.name)}>
              {text(one.name === FIRST ? 'storyFails' : 'storyArrives')}
            </button>
          ))}
        </div>
      </header>
      {phase === 'loading' && <p class="empty">{text('storyLoading')}</p>}
      {phase === 'failed' && <p class="banner is-bad">{text('noServer')}</p>}
      {phase === 'ready' && turns.length > 0 && <Player key={name} turns={turns} />}
    </section>
  );
}

/** How long a turn stands, in milliseconds: time to read it. */
const standing = (turn: Turn | undefined, said: string): number => 1_600 + said.length * 32 + (turn?.events.some((event) => event.alarm) ? 900 : 0);

function Player({ turns }: { readonly turns: readonly Turn[] }) {
  const [at, setAt] = useState(0);
  const [playing, setPlaying] = useState(false);
  const language = useStore(session, (state) => state.language);
  const last = turns.length - 1;
  const turn = turns[at];
  const said = turn?.[language] ?? '';
  const go = (to: number): void => setAt(Math.min(last, Math.max(0, to)));
  const stage = useRef<HTMLDivElement>(null);

  useEffect(() => {
    if (!playing) return undefined;
    if (at >= last) {
      setPlaying(false);
      return undefined;
    }
    const timer = setTimeout(() => setAt(at + 1), standing(turn, said));
    return () => clearTimeout(timer);
  }, [playing, at, said]);

  useEffect(() => {
    // Played by itself, each turn would be read out over the one before; stepped through, it is wanted.
    if (!playing && at > 0) announce(said);
  }, [at, playing]);

  const play = (): void => {
    if (!playing && at >= last) setAt(0);
    setPlaying(!playing);
  };
  const step = (by: number): void => {
    setPlaying(false);
    go(at + by);
  };
  const onKey = (event: KeyboardEvent): void => {
    const target = event.target as HTMLElement;
    const isOwn = target === stage.current;
    const acts: Record<string, () => void> = {
      ArrowRight: () => step(1),
      ArrowLeft: () => step(-1),
      Home: () => step(-at),
      End: () => step(last - at),
      ' ': play,
    };
    const act = acts[event.key];
    if (!act || !isOwn) return;
    event.preventDefault();
    act();
  };

  return (
    <>
      <div class="now">
        <div class="player" role="group" aria-label={text('playerControls')}>
          <button type="button" class="primary play" onClick={play}>
            {text(playing ? 'pause' : at >= last ? 'again' : 'play')}
          </button>
          <button type="button" onClick={() => step(-1)} disabled={at === 0}>
            {text('back')}
          </button>
          <button type="button" onClick={() => step(1)} disabled={at === last}>
            {text('forward')}
          </button>
          <label class="scrub">
            <span class="hidden">{text('turn')}</span>
            <input
              type="range"
              min="0"
              max={last}
              value={at}
              aria-valuetext={`${at + 1} / ${turns.length}: ${said}`}
              onInput={(event) => {
                setPlaying(false);
                go(Number(event.currentTarget.value));
              }}
            />
          </label>
          <span class="digits">
            {at + 1}/{turns.length}
          </span>
        </div>
        {turn && <Moment turn={turn} />}
      </div>
      <div class="stage" ref={stage} tabIndex={0} role="group" aria-label={text('storyStage')} onKeyDown={onKey}>
        <Timeline
          turns={turns}
          at={at}
          onGo={(to) => {
            setPlaying(false);
            go(to);
          }}
        />
      </div>
      <StoryLegend />
      <AsText turns={turns} at={at} />
    </>
  );
}

function StoryLegend() {
  return (
    <ul class="story-legend">
      <li>
        <i class="key lead" /> {text('legendLead')}
      </li>
      <li>
        <i class="key responsible" /> {text('legendResponsible')}
      </li>
      <li>
        <i class="key band" /> {text('legendSees')}
      </li>
      <li>
        <i class="key edge-opened" /> {text('legendOpened')}
      </li>
      <li>
        <i class="key edge-closed" /> {text('legendClosed')}
      </li>
      <li>
        <i class="key acts" /> {text('legendActs')}
      </li>
      <li>
        <i class="key told" /> {text('legendTold')}
      </li>
      <li>
        <i class="key alarm" /> {text('legendAlarm')}
      </li>
    </ul>
  );
}

/** One turn in words. */
function Moment({ turn }: { readonly turn: Turn }) {
  const language = useStore(session, (state) => state.language);
  const alarm = turn.events.some((event) => event.alarm);
  return (
    <div class={alarm ? 'moment is-alarm' : 'moment'}>
      <div class="moment-main">
        <p class="moment-time">
          {turn.minute === 0 ? text('atStart') : text('after').replace('{time}', since(turn.minute))}
          {turn.by ? ` · ${nameOfPersona(turn.by)}` : ` · ${text('timePasses')}`}
        </p>
        <p class="moment-text">{turn[language]}</p>
        <dl class="states">
          <State name={text('leads')} value={turn.lead ? nameOfPersona(turn.lead) : '–'} kind="lead" />
          <State name={text('isResponsible')} value={turn.responsible ? nameOfPersona(turn.responsible) : '–'} kind="responsible" />
          {turn.handover && <State name={text('handover')} value={`${text(HANDOVER[turn.handover] ?? 'stateOther')}${turn.overdue ? ` · ${text('overdue')}` : ''}`} kind={turn.overdue ? 'bad' : ''} />}
          {turn.episode && <State name={text('episode')} value={text(EPISODE[turn.episode] ?? 'stateOther')} kind={turn.episode === 'CLOSED' || turn.episode === 'SAFE' ? 'good' : 'bad'} />}
        </dl>
        {turn.refused && (
          <p class="refused">
            {text('refusedWith')} <code>{turn.refused}</code>
          </p>
        )}
      </div>
      <div class="moment-side" tabIndex={0} role="group" aria-label={text('momentDetails')}>
        <section>
          <h2>{text('toldNow')}</h2>
          {turn.events.length === 0 ? <p class="none">{text('toldNobody')}</p> : <Told turn={turn} />}
        </section>
        <section>
          <h2>{text('seenNow')}</h2>
          <Shifts turn={turn} />
        </section>
      </div>
    </div>
  );
}

const HANDOVER: Readonly<Record<string, 'handoverProposed' | 'handoverAccepted' | 'handoverTravelling' | 'handoverArrived' | 'handoverNotArrived'>> = {
  PROPOSED: 'handoverProposed',
  ACCEPTED: 'handoverAccepted',
  TRAVELLING: 'handoverTravelling',
  ARRIVED: 'handoverArrived',
  NOT_ARRIVED: 'handoverNotArrived',
};

const EPISODE: Readonly<Record<string, 'episodeReported' | 'episodeSearching' | 'episodeLocated' | 'episodeSafe' | 'episodeClosed'>> = {
  SUSPECTED: 'episodeReported',
  REPORTED: 'episodeReported',
  SEARCHING: 'episodeSearching',
  LOCATED: 'episodeLocated',
  SAFE: 'episodeSafe',
  CLOSED: 'episodeClosed',
};

function State({ name, value, kind }: { readonly name: string; readonly value: string; readonly kind: string }) {
  return (
    <div class={`state ${kind}`}>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

/** Who is told what: one line a message, with all who get it. */
function Told({ turn }: { readonly turn: Turn }) {
  const language = session.get().language;
  const messages = new Map<string, { text: string; alarm: boolean; to: string[]; count: number }>();
  for (const event of turn.events) {
    const one = messages.get(event.kind) ?? { text: event.text[language], alarm: event.alarm, to: [], count: 1 };
    messages.set(event.kind, { ...one, to: [...one.to, nameOfPersona(event.to)], count: Math.max(one.count, event.count) });
  }
  return (
    <ul class="told-list">
      {[...messages].map(([kind, one]) => (
        <li key={kind} class={one.alarm ? 'is-alarm' : ''}>
          <strong>
            {sentence(one.text)}
            {one.count > 1 && ` (${one.count} ×)`}
          </strong>
          <span>{one.to.join(', ')}</span>
        </li>
      ))}
    </ul>
  );
}

/** For whom fields open and close. */
function Shifts({ turn }: { readonly turn: Turn }) {
  const shifts = (['opened', 'closed'] as const).flatMap((kind) =>
    Object.entries(turn[kind])
      .filter(([, fields]) => fields.length > 0)
      .map(([lane, fields]) => ({ kind, lane, fields })),
  );
  if (shifts.length === 0) return <p class="none">{text('shiftsNone')}</p>;
  return (
    <ul class="shifts">
      {shifts.map(({ kind, lane, fields }) => (
        <li key={kind + lane} class={kind}>
          <details>
            <summary>
              <strong>{nameOfPersona(lane)}</strong>{' '}
              <span>
                {kind === 'opened' ? '+' : '−'}
                {fields.length} {text(fields.length === 1 ? 'oneField' : 'fields')}
              </span>
            </summary>
            <p>
              {sectionsOf(fields).map(([section, names]) => (
                <span key={section} class="fieldset">
                  <b>{capital(section)}</b> {names.join(', ')}
                </span>
              ))}
            </p>
          </details>
        </li>
      ))}
    </ul>
  );
}

/** The whole story in words, for whoever does not see the picture. */
function AsText({ turns, at }: { readonly turns: readonly Turn[]; readonly at: number }) {
  const language = useStore(session, (state) => state.language);
  return (
    <details class="as-text">
      <summary>{text('storyAsText')}</summary>
      <ol>
        {turns.map((turn, index) => (
          <li key={index} aria-current={index === at ? 'step' : undefined}>
            <b>{turn.minute === 0 ? text('atStart') : text('after').replace('{time}', since(turn.minute))}.</b> {turn[language]}{' '}
            {text('leads')}: {turn.lead ? nameOfPersona(turn.lead) : '–'}. {text('isResponsible')}: {turn.responsible ? nameOfPersona(turn.responsible) : '–'}.
          </li>
        ))}
      </ol>
    </details>
  );
}
