/** The whole matrix: every field, every role. */
import { useEffect, useMemo, useState } from 'preact/hooks';
import type { FieldRules } from '../api/types.ts';
import { standingName } from '../editor/query.tsx';
import { Legend, Rules } from '../panels/myrules.tsx';
import { loadAllRules, roleOf, rolesOf, session, text } from '../state/session.ts';
import { useStore } from '../state/store.ts';
import { download } from '../ui/download.ts';
import { breakable, capital } from '../ui/words.ts';
import { matrixCsv } from './csv.ts';
import { SIGNS, bySection, may, nameOf, standing } from './standing.ts';

export function Matrix() {
  const language = useStore(session, (state) => state.language);
  const rules = useStore(session, (state) => state.rules);
  const personas = useStore(session, (state) => state.personas);
  const schema = useStore(session, (state) => state.schema);
  const persona = useStore(session, (state) => state.persona);
  const hasToken = useStore(session, (state) => state.hasToken);
  const [wanted, setWanted] = useState('');
  const [cell, setCell] = useState<{ field: string; role: string } | null>(null);
  const mine = roleOf(persona);
  useEffect(() => {
    if (schema && hasToken) void loadAllRules();
  }, [schema, hasToken]);
  const roles = useMemo(() => rolesOf(), [schema]);
  const loaded = roles.filter((role) => rules[role]);
  const [first] = loaded;
  const fields: FieldRules[] = useMemo(() => [...(rules[first ?? '']?.values() ?? [])], [first, rules]);
  const needle = wanted.trim().toLowerCase();
  const found = fields.filter((one) => `${one.field} ${one.number} ${one.group}`.toLowerCase().includes(needle));
  const nameOfRole = (role: string): string => personas.find((one) => one.role === role)?.roleName[language] ?? (role === 'SYSTEM_ADMIN' ? text('roleAdmin') : role);
  const save = (): void => {
    const csv = matrixCsv(loaded, (role) => [...(rules[role]?.values() ?? [])], { field: text('field'), number: text('number') });
    download('samverka-fields-and-roles.csv', 'text/csv;charset=utf-8', csv);
  };
  return (
    <section class="matrix" aria-label={text('viewRules')}>
      <header class="page-head">
        <p class="kicker">{text('matrixKicker')}</p>
        <h1>{text('fieldsAndRoles')}</h1>
        <p class="lede">{text('matrixLede')}</p>
      </header>
      <div class="matrix-bar">
        <Legend />
        <span class="verb-key">
          <b class="verb">{text('writesShort')}</b> {text('writes')} <b class="verb">{text('searchesShort')}</b> {text('searches')}
        </span>
        <span class="spring" />
        <input type="search" class="filter" value={wanted} placeholder={text('findField')} aria-label={text('findField')} onInput={(event) => setWanted(event.currentTarget.value)} />
        <button type="button" onClick={save} disabled={loaded.length < roles.length || roles.length === 0}>
          {text('downloadCsv')}
        </button>
      </div>
      {loaded.length < roles.length && <p class="hint">{text('loadingRules')}</p>}
      <div class="matrix-box" tabIndex={0} role="group" aria-label={text('fieldsAndRoles')}>
        <table>
          <thead>
            <tr>
              <th scope="col">{text('field')}</th>
              {loaded.map((role) => (
                <th key={role} scope="col" class={role === mine ? 'is-mine' : ''}>
                  <span>{nameOfRole(role)}</span>
                </th>
              ))}
            </tr>
          </thead>
          {bySection(found).map(([section, own]) => (
            <tbody key={section}>
              <tr class="section-row">
                <th scope="rowgroup" colSpan={loaded.length + 1}>
                  {capital(section)}
                </th>
              </tr>
              {own.map((one) => (
                <Row key={one.field} of={one} roles={loaded} mine={mine} chosen={cell?.field === one.field ? cell.role : ''} onChoose={(role) => setCell(cell?.field === one.field && cell.role === role ? null : { field: one.field, role })} nameOfRole={nameOfRole} />
              ))}
            </tbody>
          ))}
        </table>
      </div>
    </section>
  );
}

interface RowProperties {
  readonly of: FieldRules;
  readonly roles: readonly string[];
  readonly mine: string;
  readonly chosen: string;
  readonly onChoose: (role: string) => void;
  readonly nameOfRole: (role: string) => string;
}

function Row({ of, roles, mine, chosen, onChoose, nameOfRole }: RowProperties) {
  const rules = session.get().rules;
  const name = nameOf(of.field);
  const told = chosen === '' ? undefined : rules[chosen]?.get(of.field)?.rules;
  return (
    <>
      <tr>
        <th scope="row">
          <code>
            {breakable(name).map((part, index) => (
              <>
                {index > 0 && <wbr />}
                {part}
              </>
            ))}
          </code>{' '}
          <small>{of.number}</small>
        </th>
        {roles.map((role) => {
          const own = rules[role]?.get(of.field)?.rules ?? [];
          const is = standing(own);
          const verbs = [may(own, 'write') ? 'writes' : '', may(own, 'search') ? 'searches' : ''].filter(Boolean) as ('writes' | 'searches')[];
          const title = `${nameOfRole(role)}, ${name}: ${[standingName(is), ...verbs.map((verb) => text(verb))].join(', ')}`;
          return (
            <td key={role} class={role === mine ? 'is-mine' : ''}>
              <button type="button" class={`cell ${is}`} title={title} aria-expanded={chosen === role} onClick={() => onChoose(role)}>
                <span class="hidden">{title}</span>
                <span class="sign" aria-hidden="true">
                  {SIGNS[is]}
                </span>
                {verbs.map((verb) => (
                  <b key={verb} class="verb" aria-hidden="true">
                    {text(verb === 'writes' ? 'writesShort' : 'searchesShort')}
                  </b>
                ))}
              </button>
            </td>
          );
        })}
      </tr>
      {told && (
        <tr class="why-row">
          <td colSpan={roles.length + 1}>
            <div class="why">
              <p>
                <strong>
                  {of.field} · {nameOfRole(chosen)}
                </strong>
              </p>
              <Rules rules={told} />
            </div>
          </td>
        </tr>
      )}
    </>
  );
}
