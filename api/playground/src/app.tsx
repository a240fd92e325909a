/** The frame of the page: the top, the chosen view, and the voice that tells what has happened. */
import { useEffect } from 'preact/hooks';
import { Guide } from './guide/guide.tsx';
import { Ledger } from './ledger/ledger.tsx';
import { Ask } from './panels/ask.tsx';
import { Header } from './panels/header.tsx';
import { Matrix } from './rules/matrix.tsx';
import { fromFragment } from './state/link.ts';
import { become, place, purpose, session, text, viewOf } from './state/session.ts';
import { useStore } from './state/store.ts';
import { Story } from './story/story.tsx';

const TITLES = { ask: 'viewAsk', rules: 'viewRules', story: 'viewStory', ledger: 'viewLedger', guide: 'viewGuide' } as const;

/** A link that was followed while the page is open. */
async function follow(): Promise<void> {
  session.set({ view: viewOf(location.hash) });
  const shared = fromFragment(location.hash);
  if (!shared) return;
  await become(shared.persona);
  place(shared.query, shared.variables);
  if (session.get().purpose !== shared.purpose) purpose(shared.purpose);
}

export function App() {
  const view = useStore(session, (state) => state.view);
  const phase = useStore(session, (state) => state.phase);
  const language = useStore(session, (state) => state.language);
  const announced = useStore(session, (state) => state.announced);

  useEffect(() => {
    const listener = (): void => void follow();
    addEventListener('hashchange', listener);
    return () => removeEventListener('hashchange', listener);
  }, []);

  useEffect(() => {
    document.documentElement.lang = language;
    document.title = `${text(TITLES[view])} · Samverka`;
  }, [language, view]);

  return (
    <>
      <a class="skip" href="#main" onClick={(event) => (event.preventDefault(), document.getElementById('main')?.focus())}>
        {text('skip')}
      </a>
      <Header />
      <main id="main" tabIndex={-1} class={`view-${view}`}>
        {view === 'ask' && <h1 class="hidden">{text('viewAsk')}</h1>}
        {phase === 'unreachable' && (
          <p class="banner is-bad" role="alert">
            {text('noServer')}
          </p>
        )}
        {phase === 'starting' && <p class="empty">{text('starting')}</p>}
        {phase === 'ready' && view === 'ask' && <Ask />}
        {phase === 'ready' && view === 'rules' && <Matrix />}
        {phase === 'ready' && view === 'story' && <Story />}
        {phase === 'ready' && view === 'ledger' && <Ledger />}
        {phase === 'ready' && view === 'guide' && <Guide />}
      </main>
      <footer class="foot">
        <nav aria-label={text('footer')}>
          <a href="#/guide">{text('viewGuide')}</a>
          <a href="/schema.graphql">schema.graphql</a>
          <a href="/playground/licenses.md">{text('guideLicences')}</a>
        </nav>
        <p>{text('footNote')}</p>
      </footer>
      <p class="hidden" role="status" aria-live="polite">
        {announced}
      </p>
    </>
  );
}
