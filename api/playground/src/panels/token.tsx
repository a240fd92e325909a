/** What a token says, and how one is got here and in production. */
import { session, text } from '../state/session.ts';
import { useStore } from '../state/store.ts';
import { CopyButton } from '../ui/copy.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { moment } from '../ui/words.ts';

export function TokenDialog({ onClose }: { readonly onClose: () => void }) {
  return (
    <Dialog title={text('token')} onClose={onClose}>
      <Claims />
      <Ways />
    </Dialog>
  );
}

function Claims() {
  const claims = useStore(session, (state) => state.claims);
  const language = useStore(session, (state) => state.language);
  if (!claims) return null;
  const said: [string, unknown][] = [
    [text('claimAgency'), claims.agency],
    [text('claimRole'), claims.role],
    [text('claimIssuer'), claims.iss],
    [text('claimAudience'), claims.aud],
    [text('claimSystem'), claims['client_id']],
    [text('claimUntil'), typeof claims.exp === 'number' ? moment(new Date(claims.exp * 1000).toISOString(), language) : undefined],
  ];
  return (
    <>
      <dl class="facts">
        {said.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{typeof value === 'string' ? value : '–'}</dd>
          </div>
        ))}
      </dl>
      <p class="hint">{text('tokenKept')}</p>
    </>
  );
}

/** The two ways, side by side. */
export function Ways() {
  const origin = location.origin;
  const persona = useStore(session, (state) => state.persona);
  const test = `TOKEN=$(curl -sS ${origin}/sandbox/token \\
  -H 'Content-Type: application/json' \\
  --data-raw '{"persona":"${persona}"}' | jq -r .token)`;
  const production = `{
  "typ": "at+jwt", "alg": "ES256"
}
{
  "iss": "https://login.example/…",
  "aud": "urn:samverka:…",
  "sub": "…", "client_id": "…",
  "role": "SOCIAL_SERVICES",
  "iat": …, "exp": …, "jti": "…"
}`;
  return (
    <div class="ways">
      <section>
        <h3>{text('wayTest')}</h3>
        <p>{text('wayTestHow')}</p>
        <pre tabIndex={0} aria-label={text('wayTest')}>{test}</pre>
        <CopyButton content={test} label={text('copy')} kind="quiet" />
      </section>
      <section>
        <h3>{text('wayProduction')}</h3>
        <p>{text('wayProductionHow')}</p>
        <pre tabIndex={0} aria-label={text('wayProduction')}>{production}</pre>
      </section>
    </div>
  );
}
