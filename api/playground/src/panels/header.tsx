/** The top of the page: its name, the sandbox flag, the views, the token and the language. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { VIEWS, renewToken, session, speak, text } from '../state/session.ts';
import { useStore } from '../state/store.ts';
import { clock } from '../ui/words.ts';
import { TokenDialog } from './token.tsx';

function Mark() {
  return (
    <svg class="mark" viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="8" class="mark-ground" />
      <circle cx="16" cy="16" r="3.6" class="mark-child" />
      <g class="mark-ring">
        <path d="M16 5.5a10.5 10.5 0 0 1 9.1 5.25" />
        <path d="M26.5 16a10.5 10.5 0 0 1-5.25 9.1" />
        <path d="M16 26.5a10.5 10.5 0 0 1-9.1-5.25" />
        <path d="M5.5 16a10.5 10.5 0 0 1 5.25-9.1" />
      </g>
    </svg>
  );
}

export function Header() {
  const language = useStore(session, (state) => state.language);
  const view = useStore(session, (state) => state.view);
  const config = useStore(session, (state) => state.config);
  const names = { ask: text('viewAsk'), rules: text('viewRules'), story: text('viewStory'), ledger: text('viewLedger'), guide: text('viewGuide') };
  const views = VIEWS.filter((one) => config?.sandbox !== false || one !== 'story');
  const other = language === 'sv' ? 'en' : 'sv';
  const nav = useRef<HTMLElement>(null);
  // Where the views do not fit side by side, the chosen one is brought into sight.
  useEffect(() => {
    const chosen = nav.current?.querySelector<HTMLElement>('[aria-current]');
    if (nav.current && chosen) nav.current.scrollLeft = chosen.offsetLeft - nav.current.clientWidth / 2 + chosen.clientWidth / 2;
  }, [view, language, config]);
  return (
    <header class="top">
      <a class="name" href="#/ask">
        <Mark />
        <span>
          <strong>Samverka</strong>
          <small>{text('portal')}</small>
        </span>
      </a>
      {config?.sandbox && (
        <p class="flag">
          <strong>{text('sandbox')}</strong> <span>{text('madeUp')}</span>
        </p>
      )}
      <nav class="views" ref={nav} aria-label={text('views')}>
        {views.map((one) => (
          <a key={one} href={`#/${one}`} aria-current={view === one ? 'page' : undefined}>
            {names[one]}
          </a>
        ))}
      </nav>
      <TokenLeft />
      <button type="button" class="quiet" lang={other} onClick={() => speak(other)}>
        {other === 'sv' ? 'Svenska' : 'English'}
      </button>
    </header>
  );
}

/** How long the token lasts. The seconds are told to those who ask, not read out one by one. */
function TokenLeft() {
  const endsAt = useStore(session, (state) => state.tokenEndsAt);
  const isSandbox = useStore(session, (state) => state.config?.sandbox === true);
  const [open, setOpen] = useState(false);
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, [endsAt]);
  if (endsAt === null) return <span class="token" />;
  const left = (endsAt - now) / 1000;
  return (
    <div class={left > 0 ? 'token' : 'token is-out'}>
      <button type="button" class="link" onClick={() => setOpen(true)}>
        {left > 0 ? `${text('tokenLeft')} ` : text('tokenOut')}
        {left > 0 && <span class="digits">{clock(left)}</span>}
      </button>
      {isSandbox && (
        <button type="button" class={left > 0 ? 'quiet' : ''} onClick={() => void renewToken()}>
          {text('renew')}
        </button>
      )}
      {open && <TokenDialog onClose={() => setOpen(false)} />}
    </div>
  );
}
