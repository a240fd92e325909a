/** One question, two personas, one row a value. */
import { useEffect, useMemo, useState } from 'preact/hooks';
import { type Side, compared } from '../answer/compare.ts';
import { announce, nameOfPersona, session, text } from '../state/session.ts';
import { useStore } from '../state/store.ts';
import { breakable } from '../ui/words.ts';
import { Errors, Meta } from './answer.tsx';

/** So many rows are drawn at once; the rest when asked for. */
const PAGE = 400;

export function Comparison() {
  const left = useStore(session, (state) => state.answer);
  const right = useStore(session, (state) => state.comparison);
  const persona = useStore(session, (state) => state.persona);
  const other = useStore(session, (state) => state.compareWith);
  const trouble = useStore(session, (state) => state.trouble);
  const running = useStore(session, (state) => state.running);
  useStore(session, (state) => state.language);
  const [onlyDifferent, setOnlyDifferent] = useState(false);
  const [limit, setLimit] = useState(PAGE);
  const rows = useMemo(() => (left && right ? compared(left, right) : []), [left, right]);
  const different = rows.filter((row) => row.differs);
  const shown = onlyDifferent ? different : rows;
  const message = different.length === 0 ? text('noDifference') : text('differences').replace('{n}', String(different.length)).replace('{of}', String(rows.length));
  useEffect(() => {
    setLimit(PAGE);
    if (left && right) announce(message);
  }, [left, right]);
  return (
    <section class="panel comparison" aria-label={text('compareTitle')}>
      <div class="bar">
        <h2>{text('compareTitle')}</h2>
        <span class="spring" />
        <Meta answer={left} />
      </div>
      {trouble && <p class="banner is-bad">{text(trouble === 'variables' ? 'badVariables' : 'noServer')}</p>}
      {left && right ? (
        <>
          <div class="bar small">
            <p class="count-line">{message}</p>
            <span class="spring" />
            <label class="check">
              <input type="checkbox" checked={onlyDifferent} onChange={(event) => setOnlyDifferent(event.currentTarget.checked)} />
              <span>{text('onlyDifferences')}</span>
            </label>
          </div>
          <Errors answer={left} />
          <Errors answer={right} />
          <div class="table-box" tabIndex={0} role="group" aria-label={text('compareTitle')}>
            <table class="differences">
              <thead>
                <tr>
                  <th scope="col">{text('field')}</th>
                  <th scope="col">{nameOfPersona(persona)}</th>
                  <th scope="col">{nameOfPersona(other)}</th>
                </tr>
              </thead>
              <tbody>
                {shown.slice(0, limit).map((row) => (
                  <tr key={row.path} class={row.differs ? 'differs' : ''}>
                    <th scope="row">
                      {breakable(row.path).map((part, index) => (
                        <>
                          {index > 0 && <wbr />}
                          {part}
                        </>
                      ))}
                    </th>
                    <Cell side={row.left} />
                    <Cell side={row.right} />
                  </tr>
                ))}
              </tbody>
            </table>
            {shown.length > limit && (
              <button type="button" class="quiet" onClick={() => setLimit(limit + PAGE)}>
                {text('showMore')} ({shown.length - limit})
              </button>
            )}
          </div>
        </>
      ) : (
        !running && !trouble && <p class="empty">{text('notRunCompare')}</p>
      )}
    </section>
  );
}

function Cell({ side }: { readonly side: Side }) {
  const language = session.get().language;
  const { value, note } = side;
  return (
    <td class={note ? 'is-closed' : ''}>
      {value === null ? <span class="absent">{text('absent')}</span> : <code>{value}</code>}
      {note && (
        <p class="reason">
          <strong>{text('seesNot')}.</strong> {note.reason[language]} <span class="ground">{note.legalGround}</span>
        </p>
      )}
    </td>
  );
}
