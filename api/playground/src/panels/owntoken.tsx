/** Where the hub gives no tokens: the caller's own, pasted, and kept in memory alone. */
import { useState } from 'preact/hooks';
import { forgetOwnToken, session, text, useOwnToken } from '../state/session.ts';
import { useStore } from '../state/store.ts';

export function OwnToken() {
  const hasToken = useStore(session, (state) => state.hasToken);
  const claims = useStore(session, (state) => state.claims);
  useStore(session, (state) => state.language);
  const [value, setValue] = useState('');
  const submit = (event: Event): void => {
    event.preventDefault();
    void useOwnToken(value);
    setValue('');
  };
  return (
    <section class="own-token" aria-label={text('ownToken')}>
      <p class="warning">{text('productionWarning')}</p>
      {hasToken ? (
        <p>
          <strong>{claims?.role ?? text('ownToken')}</strong> {claims?.agency ?? ''}{' '}
          <button type="button" class="quiet" onClick={forgetOwnToken}>
            {text('forgetToken')}
          </button>
        </p>
      ) : (
        <form onSubmit={submit}>
          <label>
            <span>{text('pasteToken')}</span>
            <input type="password" autoComplete="off" spellcheck={false} required value={value} onInput={(event) => setValue(event.currentTarget.value)} />
          </label>
          <button type="submit" class="primary">
            {text('useToken')}
          </button>
          <p class="hint">{text('tokenKept')}</p>
        </form>
      )}
    </section>
  );
}
