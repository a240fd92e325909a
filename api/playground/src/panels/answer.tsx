/** The answer: what it holds, what it withholds and why, and what went wrong. */
import { useEffect, useState } from 'preact/hooks';
import { said } from '../answer/errors.ts';
import { withheldCount } from '../answer/notes.ts';
import { ResponseView } from '../editor/response.tsx';
import { type Answer, announce, renewToken, run, session, text } from '../state/session.ts';
import { useStore } from '../state/store.ts';
import { Coded } from '../ui/coded.tsx';
import { CopyButton } from '../ui/copy.tsx';

export function AnswerPanel() {
  const answer = useStore(session, (state) => state.answer);
  const [withExtensions, setWithExtensions] = useState(false);
  useStore(session, (state) => state.language);
  return (
    <section class="panel answer" aria-label={text('response')}>
      <div class="bar">
        <h2>{text('response')}</h2>
        <span class="spring" />
        <Meta answer={answer} />
      </div>
      <Banner answer={answer} />
      <Errors answer={answer} />
      <div class="response-box" hidden={answer === null}>
        <ResponseView answer={answer} withExtensions={withExtensions} />
      </div>
      {answer && (
        <label class="bar small check">
          <input type="checkbox" checked={withExtensions} onChange={(event) => setWithExtensions(event.currentTarget.checked)} />
          <span>
            {text('showExtensions')} <code>extensions</code>
          </span>
          {answer.body.extensions?.cost && (
            <span class="cost">
              {text('cost')} {answer.body.extensions.cost.requested}
            </span>
          )}
        </label>
      )}
    </section>
  );
}

export function Meta({ answer }: { readonly answer: Answer | null }) {
  const running = useStore(session, (state) => state.running);
  if (running) return <span class="meta is-running">{text('running')}</span>;
  if (!answer) return null;
  return (
    <span class="meta">
      <span>
        {answer.status} · {answer.milliseconds} ms
      </span>
      {answer.requestId && (
        <span class="trace">
          <abbr title={answer.requestId}>
            {text('trace')} <code>{answer.requestId.slice(0, 8)}…</code>
          </abbr>
          <CopyButton content={answer.requestId} label={text('copy')} kind="tiny" />
        </span>
      )}
    </span>
  );
}

/** How much is withheld, in one line; it is also read out. */
export function limited(count: number): string {
  if (count === 0) return text('limited0');
  return count === 1 ? text('limited1') : text('limitedN').replace('{n}', String(count));
}

export function Banner({ answer }: { readonly answer: Answer | null }) {
  const trouble = useStore(session, (state) => state.trouble);
  const running = useStore(session, (state) => state.running);
  const query = useStore(session, (state) => state.query);
  const count = answer ? withheldCount(answer.access) : 0;
  // That nothing is named as limited is said only of an answer without errors. It is no promise: of some fields not even it is told
  // that they are withheld.
  const isSaid = answer !== null && (count > 0 || (answer.body.errors === undefined && answer.data !== undefined));
  const message = isSaid ? limited(count) : null;
  useEffect(() => {
    if (message) announce(message);
  }, [answer, message]);
  if (trouble) return <p class="banner is-bad">{text(trouble === 'variables' ? 'badVariables' : 'noServer')}</p>;
  if (!answer) return running ? null : <p class="empty">{text('notRun')}</p>;
  return (
    <>
      {message && <p class={count === 0 ? 'banner' : 'banner is-bad'}>{message}</p>}
      {answer.asked !== query && <p class="banner is-some">{text('stale')}</p>}
      <Unplaced answer={answer} />
    </>
  );
}

/** Where many rows share a pattern and it cannot be told which, the pattern itself says it. */
function Unplaced({ answer }: { readonly answer: Answer }) {
  const placed = new Map<string, number>();
  for (const note of answer.notes) {
    const key = `${note.path.map((step) => (typeof step === 'number' ? '*' : step)).join('.')} ${note.rule}`;
    placed.set(key, (placed.get(key) ?? 0) + 1);
  }
  const left = answer.access.filter((entry) => !placed.has(`${entry.path} ${entry.rule}`));
  if (left.length === 0) return null;
  return (
    <ul class="patterns">
      {left.map((entry) => (
        <li key={entry.path + entry.rule}>
          <code>{entry.path}</code> {entry.count} × <code>{entry.rule}</code>
        </li>
      ))}
    </ul>
  );
}

export function Errors({ answer }: { readonly answer: Answer | null }) {
  const language = useStore(session, (state) => state.language);
  const isSandbox = useStore(session, (state) => state.config?.sandbox === true);
  const errors = answer?.body.errors ?? [];
  if (errors.length === 0) return null;
  const isPartial = Object.values((answer?.data ?? {}) as Record<string, unknown>).some((value) => value !== null);
  const isToken = errors.some((error) => error.extensions?.code === 'TOKEN_EXPIRED' || error.extensions?.code === 'UNAUTHENTICATED');
  return (
    <div class="errors" role="alert">
      <h3>{text(isPartial ? 'partial' : 'failed')}</h3>
      <ul>
        {errors.slice(0, 20).map((error, index) => {
          const one = said(error, language);
          return (
            <li key={index}>
              <p>
                <strong>
                  <Coded>{one.text}</Coded>
                </strong> {one.code === 'GRAPHQL_VALIDATION_FAILED' && <span lang="en">{error.message}</span>}
              </p>
              {one.remedy && (
                <p>
                  <Coded>{one.remedy}</Coded>
                </p>
              )}
              <p class="codes">
                {one.code && <code>{one.code}</code>}
                {one.rule && <code>{one.rule}</code>}
                {one.path && <code>{one.path}</code>}
              </p>
            </li>
          );
        })}
      </ul>
      {isToken && isSandbox && (
        <button type="button" onClick={() => void renewToken().then(run)}>
          {text('renewAndRun')}
        </button>
      )}
    </div>
  );
}
