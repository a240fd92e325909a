/** What was asked in this tab. */
import { become, childrenFor, place, purpose, nameOfPersona, session, text, type Asked } from '../state/session.ts';
import { useStore } from '../state/store.ts';

const name = (query: string): string => /\b(?:query|mutation)\s+(\w+)/.exec(query)?.[1] ?? /\{\s*(\w+)/.exec(query)?.[1] ?? '…';

async function recall(asked: Asked): Promise<void> {
  place(asked.query, asked.variables);
  if (session.get().persona !== asked.persona) await become(asked.persona);
  place(asked.query, childrenFor(asked.variables, asked.persona));
  if (session.get().purpose !== asked.purpose) purpose(asked.purpose);
}

export function History() {
  const asked = useStore(session, (state) => state.asked);
  const language = useStore(session, (state) => state.language);
  const at = new Intl.DateTimeFormat(language === 'sv' ? 'sv-SE' : 'en-GB', { timeStyle: 'medium' });
  return (
    <>
      <p class="hint">{text('historyNote')}</p>
      {asked.length === 0 && <p class="empty">{text('historyEmpty')}</p>}
      <ol class="examples">
        {asked.map((one) => (
          <li key={one.at}>
            <button type="button" class="example" onClick={() => void recall(one)}>
              <strong>{name(one.query)}</strong>
              <span>
                {at.format(one.at)} · {nameOfPersona(one.persona)} · {one.purpose}
              </span>
            </button>
          </li>
        ))}
      </ol>
    </>
  );
}
