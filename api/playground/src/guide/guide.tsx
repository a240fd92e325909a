/** What an integrator asks besides: own tools, test children, tokens, errors, limits, changes, accessibility, licences. */
import { useEffect, useState } from 'preact/hooks';
import { Ways } from '../panels/token.tsx';
import { loadErrors, place, resetSandbox, session, text } from '../state/session.ts';
import { useStore } from '../state/store.ts';
import { Coded } from '../ui/coded.tsx';
import { CopyButton } from '../ui/copy.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { sentence } from '../ui/words.ts';

export function Guide() {
  const isSandbox = useStore(session, (state) => state.config?.sandbox === true);
  useStore(session, (state) => state.language);
  const sections = [
    ['tools', text('guideTools'), <Tools />],
    ...(isSandbox ? ([['children', text('guideChildren'), <Children />]] as const) : []),
    ['tokens', text('guideTokens'), <Ways />],
    ['errors', text('guideErrors'), <Errors />],
    ['limits', text('guideLimits'), <Paragraphs keys={['limits1', 'limits2', 'limits3']} />],
    ['changes', text('guideChanges'), <Paragraphs keys={['changes1', 'changes2']} />],
    ...(isSandbox ? ([['reset', text('guideReset'), <Reset />]] as const) : []),
    ['status', text('guideStatus'), <Status />],
    ['accessibility', text('guideAccessibility'), <Paragraphs keys={['accessibility1', 'accessibility2', 'accessibility3']} />],
    ['licences', text('guideLicences'), <Licences />],
  ] as const;
  return (
    <section class="guide" aria-label={text('viewGuide')}>
      <header class="page-head">
        <p class="kicker">{text('guideKicker')}</p>
        <h1>{text('viewGuide')}</h1>
      </header>
      <div class="guide-body">
        <nav class="guide-nav" aria-label={text('guideContents')}>
          <ul>
            {sections.map(([key, title]) => (
              <li key={key}>
                <button type="button" class="link" onClick={() => jump(key)}>
                  {title}
                </button>
              </li>
            ))}
          </ul>
        </nav>
        <div class="guide-sections">
          {sections.map(([key, title, content]) => (
            <section key={key} id={`guide-${key}`} tabIndex={-1} aria-label={title}>
              <h2>{title}</h2>
              {content}
            </section>
          ))}
        </div>
      </div>
    </section>
  );
}

function jump(key: string): void {
  const section = document.getElementById(`guide-${key}`);
  section?.scrollIntoView();
  section?.focus({ preventScroll: true });
}

function Paragraphs({ keys }: { readonly keys: readonly Parameters<typeof text>[0][] }) {
  return (
    <>
      {keys.map((key) => (
        <p key={key}>{text(key)}</p>
      ))}
    </>
  );
}

function Tools() {
  const address = location.origin + (session.get().config?.graphql ?? '/graphql');
  const headers = 'Authorization: Bearer $TOKEN\nSamverka-Purpose: PROTECT';
  return (
    <>
      <p>{text('ownTool')}</p>
      <dl class="facts">
        <div>
          <dt>{text('address')}</dt>
          <dd>
            <code>POST {address}</code> <CopyButton content={address} label={text('copy')} kind="tiny" />
          </dd>
        </div>
        <div>
          <dt>{text('headers')}</dt>
          <dd>
            <pre tabIndex={0} aria-label={text('headers')}>{headers}</pre>
          </dd>
        </div>
        <div>
          <dt>{text('schema')}</dt>
          <dd>
            <a href="/schema.graphql" download="schema.graphql">
              schema.graphql
            </a>{' '}
            ({text('sdl')}),{' '}
            <a href="/schema.json" download="schema.json">
              schema.json
            </a>{' '}
            ({text('introspection')})
          </dd>
        </div>
      </dl>
    </>
  );
}

function Children() {
  const children = useStore(session, (state) => state.children);
  const language = useStore(session, (state) => state.language);
  const ask = (id: string): void => {
    place(session.get().query, JSON.stringify({ id }, null, 2));
    location.hash = '#/ask';
  };
  return (
    <>
      <p>{text('childrenNote')}</p>
      <ul class="children">
        {children.map((one) => (
          <li key={one.key}>
            <h3>{one.name}</h3>
            <p>{one.about[language]}</p>
            <p class="shows">{one.shows[language]}</p>
            <p class="codes">
              <code>{one.id}</code>
              <CopyButton content={one.id} label={text('copy')} kind="tiny" />
              <button type="button" class="tiny" onClick={() => ask(one.id)}>
                {text('askAbout')}
              </button>
            </p>
          </li>
        ))}
      </ul>
    </>
  );
}

/** Statuses after which the same may be sent again. */
const AGAIN = new Set(['TOO_MANY_REQUESTS', 'DECISION_STALE', 'AUDIT_UNAVAILABLE', 'UNAVAILABLE', 'INTERNAL', 'BODY_TOO_SLOW']);
const RENEW = new Set(['TOKEN_EXPIRED', 'UNAUTHENTICATED']);

function Errors() {
  const errors = useStore(session, (state) => state.errors);
  const language = useStore(session, (state) => state.language);
  const hasToken = useStore(session, (state) => state.hasToken);
  const [wanted, setWanted] = useState('');
  useEffect(() => {
    if (hasToken) void loadErrors().catch(() => undefined);
  }, [hasToken]);
  const needle = wanted.trim().toLowerCase();
  const found = errors.filter((one) => `${one.code} ${one.status} ${one[language]}`.toLowerCase().includes(needle));
  const again = (code: string): string => text(AGAIN.has(code) ? 'againYes' : RENEW.has(code) ? 'againToken' : 'againNo');
  return (
    <>
      <p>{text('errorsNote')}</p>
      <input type="search" class="filter" value={wanted} placeholder={text('findError')} aria-label={text('findError')} onInput={(event) => setWanted(event.currentTarget.value)} />
      <div class="table-box" tabIndex={0} role="group" aria-label={text('guideErrors')}>
        <table class="catalogue">
          <thead>
            <tr>
              <th scope="col">{text('code')}</th>
              <th scope="col">HTTP</th>
              <th scope="col">{text('meaning')}</th>
              <th scope="col">{text('remedy')}</th>
              <th scope="col">{text('again2')}</th>
            </tr>
          </thead>
          <tbody>
            {found.map((one) => (
              <tr key={one.code}>
                <th scope="row">
                  <code>
                    {one.code.split('_').map((part, index) => (
                      <>
                        {index > 0 && '_'}
                        {index > 0 && <wbr />}
                        {part}
                      </>
                    ))}
                  </code>
                </th>
                <td>{one.status}</td>
                <td>
                  <Coded>{sentence(one[language])}</Coded>
                </td>
                <td>
                  <Coded>{sentence(language === 'sv' ? one.remedySv : one.remedy)}</Coded>
                </td>
                <td>{again(one.code)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}

function Reset() {
  const [asking, setAsking] = useState(false);
  const [state, setState] = useState<'idle' | 'busy' | 'done' | 'failed'>('idle');
  const act = async (): Promise<void> => {
    setAsking(false);
    setState('busy');
    setState((await resetSandbox()) ? 'done' : 'failed');
  };
  return (
    <>
      <p>{text('resetAsk')}</p>
      <button type="button" disabled={state === 'busy'} onClick={() => setAsking(true)}>
        {text('reset')}
      </button>
      <p role="status">{state === 'idle' ? '' : text(state === 'busy' ? 'resetBusy' : state === 'done' ? 'resetDone' : 'noServer')}</p>
      {asking && (
        <Dialog title={text('reset')} onClose={() => setAsking(false)}>
          <p>{text('resetAsk')}</p>
          <button type="button" class="primary" onClick={() => void act()}>
            {text('reset')}
          </button>
        </Dialog>
      )}
    </>
  );
}

/** Whether the hub can take questions now, by its own word. */
function Status() {
  const [state, setState] = useState<'asking' | 'up' | 'down'>('asking');
  const ask = (): void => {
    setState('asking');
    fetch('/health/ready', { credentials: 'omit', cache: 'no-store' }).then(
      (response) => setState(response.ok ? 'up' : 'down'),
      () => setState('down'),
    );
  };
  useEffect(ask, []);
  return (
    <>
      <p role="status" class={state === 'up' ? 'sign OPEN' : state === 'down' ? 'sign CLOSED' : ''}>
        {text(state === 'up' ? 'statusUp' : state === 'down' ? 'statusDown' : 'running')}
      </p>
      <p>{text('statusNote')}</p>
      <button type="button" class="quiet" onClick={ask}>
        {text('askAgain')}
      </button>
    </>
  );
}

function Licences() {
  return (
    <p>
      {text('licencesNote')} <a href="/playground/licenses.md">licenses.md</a>
    </p>
  );
}
