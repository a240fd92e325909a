/** The question in another language, ready to paste. */
import { useState } from 'preact/hooks';
import { headersOf } from '../api/http.ts';
import { SNIPPETS, callOf } from '../snippets/index.ts';
import { session, text } from '../state/session.ts';
import { CopyButton } from '../ui/copy.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { Tabs } from '../ui/tabs.tsx';

type Kind = (typeof SNIPPETS)[number][0];

function variablesOf(written: string): unknown {
  try {
    return JSON.parse(written.trim() === '' ? '{}' : written);
  } catch {
    return {};
  }
}

export function CopyDialog({ onClose }: { readonly onClose: () => void }) {
  const [kind, setKind] = useState<Kind>('curl');
  const { config, purpose, caseNumber, user, query, variables, persona } = session.get();
  const headers = headersOf({ token: '', purpose, caseNumber, user });
  const call = callOf(location.origin + (config?.graphql ?? '/graphql'), headers, query, variablesOf(variables));
  const made = SNIPPETS.find(([name]) => name === kind)?.[2](call) ?? '';
  return (
    <Dialog title={text('copyAs')} onClose={onClose}>
      <Tabs label={text('copyAs')} tabs={SNIPPETS.map(([name, title]) => [name, title] as const)} chosen={kind} onChoose={setKind}>
        <pre class="snippet" tabIndex={0} aria-label={kind}>{made}</pre>
      </Tabs>
      <div class="bar">
        <CopyButton content={made} label={text('copy')} kind="primary" />
        <p class="hint">
          {text('snippetToken')} {config?.sandbox && <code>POST /sandbox/token {`{"persona":"${persona}"}`}</code>}
        </p>
      </div>
    </Dialog>
  );
}
