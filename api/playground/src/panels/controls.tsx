/** What goes along with a question: the child, why it is asked, in which case, for whom, and whom to compare with. */
import { childrenFor, compareWith, place, purpose, purposesOf, session, text } from '../state/session.ts';
import { useStore } from '../state/store.ts';

export function Controls() {
  const persona = useStore(session, (state) => state.persona);
  const chosen = useStore(session, (state) => state.purpose);
  const language = useStore(session, (state) => state.language);
  const caseNumber = useStore(session, (state) => state.caseNumber);
  const user = useStore(session, (state) => state.user);
  const isSandbox = useStore(session, (state) => state.config?.sandbox === true);
  return (
    <div class="controls">
      {isSandbox && <ChildChoice />}
      <label>
        <span>
          {text('purpose')} <code>Samverka-Purpose</code>
        </span>
        <select value={chosen} onChange={(event) => purpose(event.currentTarget.value)}>
          <option value="">{text('noPurpose')}</option>
          {purposesOf(persona).map((one) => (
            <option key={one.code} value={one.code}>
              {one.name[language]} {one.name[language] === one.code ? '' : `(${one.code})`}
            </option>
          ))}
        </select>
      </label>
      <label>
        <span>
          {text('caseNumber')} <code>Samverka-Case</code>
        </span>
        <input type="text" maxLength={128} value={caseNumber} onInput={(event) => session.set({ caseNumber: event.currentTarget.value })} />
      </label>
      <label>
        <span>
          {text('user')} <code>Samverka-User</code>
        </span>
        <input type="text" maxLength={128} value={user} onInput={(event) => session.set({ user: event.currentTarget.value })} />
      </label>
      {isSandbox && <OtherPersona />}
    </div>
  );
}

function OtherPersona() {
  const personas = useStore(session, (state) => state.personas);
  const persona = useStore(session, (state) => state.persona);
  const other = useStore(session, (state) => state.compareWith);
  return (
    <label class="compare-with">
      <span>{text('compare')}</span>
      <select value={other} onChange={(event) => compareWith(event.currentTarget.value)}>
        <option value="">{text('none')}</option>
        {personas
          .filter((one) => one.code !== persona)
          .map((one) => (
            <option key={one.code} value={one.code}>
              {one.agencyShort}
            </option>
          ))}
      </select>
    </label>
  );
}

/** The made-up children, by what they show: their names are for those to see who may. */
function ChildChoice() {
  const children = useStore(session, (state) => state.children);
  const variables = useStore(session, (state) => state.variables);
  const persona = useStore(session, (state) => state.persona);
  const language = useStore(session, (state) => state.language);
  const idOf = (key: string): string => {
    const child = children.find((one) => one.key === key);
    return child?.partnerIds[persona] ?? child?.id ?? '';
  };
  const current = children.find((one) => variables.includes(`"${idOf(one.key)}"`));
  const choose = (key: string): void => {
    const { query } = session.get();
    place(query, withChild(variables, current ? idOf(current.key) : '', idOf(key)));
  };
  return (
    <label class="child-choice">
      <span>{text('child')}</span>
      <select value={current?.key ?? ''} onChange={(event) => choose(event.currentTarget.value)}>
        {!current && <option value="">{text('otherChild')}</option>}
        {children.map((one) => (
          <option key={one.key} value={one.key}>
            {one.about[language]}
          </option>
        ))}
      </select>
    </label>
  );
}

/** The variables with another child: in place of the one that is there, or as `id`. */
export function withChild(variables: string, before: string, id: string): string {
  if (before !== '') return variables.replaceAll(`"${before}"`, `"${id}"`);
  try {
    const value: unknown = JSON.parse(variables.trim() === '' ? '{}' : variables);
    const held = typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
    return JSON.stringify({ ...held, id }, null, 2);
  } catch {
    return childrenFor(JSON.stringify({ id }, null, 2), session.get().persona);
  }
}
