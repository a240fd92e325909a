/** The fields of the record, and how the chosen role stands to each. */
import { useMemo, useState } from 'preact/hooks';
import type { FieldRules, Rule } from '../api/types.ts';
import { withField } from '../answer/insert.ts';
import { standingName } from '../editor/query.tsx';
import { SIGNS, type Standing, bySection, may, nameOf, sectionOf, standing } from '../rules/standing.ts';
import { nameOfPersona, place, roleOf, session, text } from '../state/session.ts';
import { useStore } from '../state/store.ts';
import { capital } from '../ui/words.ts';

export function Legend() {
  return (
    <p class="legend">
      {(['OPEN', 'SOMETIMES', 'CLOSED'] as const).map((one) => (
        <span key={one} class={`sign ${one}`}>
          {SIGNS[one]} {standingName(one)}
        </span>
      ))}
    </p>
  );
}

export function MyRules() {
  const persona = useStore(session, (state) => state.persona);
  const claims = useStore(session, (state) => state.claims);
  const rules = useStore(session, (state) => state.rules);
  useStore(session, (state) => state.language);
  const [wanted, setWanted] = useState('');
  const [open, setOpen] = useState('');
  const book = rules[roleOf(persona)];
  const fields = useMemo(() => [...(book?.values() ?? [])], [book, claims]);
  const needle = wanted.trim().toLowerCase();
  const found = fields.filter((one) => `${one.field} ${one.number} ${one.group}`.toLowerCase().includes(needle));
  const sees = fields.filter((one) => standing(one.rules) !== 'CLOSED').length;
  return (
    <>
      <Legend />
      {book && (
        <p class="tally">
          {text('tally').replace('{who}', nameOfPersona(persona)).replace('{n}', String(sees)).replace('{of}', String(fields.length))}{' '}
          <a href="#/rules">{text('wholeMatrix')}</a>
        </p>
      )}
      <input type="search" class="filter" value={wanted} placeholder={text('findField')} aria-label={text('findField')} onInput={(event) => setWanted(event.currentTarget.value)} />
      {bySection(found).map(([section, own]) => (
        <section key={section} class="section">
          <h3>{capital(section)}</h3>
          <ul>
            {own.map((one) => (
              <Field key={one.field} of={one} isOpen={open === one.field} onToggle={() => setOpen(open === one.field ? '' : one.field)} />
            ))}
          </ul>
        </section>
      ))}
    </>
  );
}

interface FieldProperties {
  readonly of: FieldRules;
  readonly isOpen: boolean;
  readonly onToggle: () => void;
}

function Field({ of, isOpen, onToggle }: FieldProperties) {
  const is: Standing = standing(of.rules);
  const name = nameOf(of.field);
  const schema = useStore(session, (state) => state.schema);
  const add = (): void => {
    const { query, variables } = session.get();
    if (schema) place(withField(query, schema, sectionOf(of.field), name), variables);
  };
  return (
    <li class={isOpen ? 'field is-open' : 'field'}>
      <button type="button" class="field-head" aria-expanded={isOpen} onClick={onToggle}>
        <span class={`sign ${is}`} aria-hidden="true">
          {SIGNS[is]}
        </span>
        <code>{name}</code>
        <span class="hidden">, {standingName(is)}</span>
        <span class="verbs">
          {may(of.rules, 'write') && <span class="verb">{text('writes')}</span>}
          {may(of.rules, 'search') && <span class="verb">{text('searches')}</span>}
        </span>
      </button>
      {isOpen && (
        <div class="why">
          <Rules rules={of.rules} />
          <p class="codes">
            <code>{of.number}</code> <code>{of.group}</code>
          </p>
          {schema && (
            <button type="button" class="quiet" onClick={add}>
              {text('addField').replace('{field}', name)}
            </button>
          )}
        </div>
      )}
    </li>
  );
}

const VERBS: Readonly<Record<string, 'verbRead' | 'verbWrite' | 'verbSearch' | 'verbSubmit'>> = {
  read: 'verbRead',
  write: 'verbWrite',
  search: 'verbSearch',
  submit: 'verbSubmit',
};

/** The rules of a field in words: what opens it first, then what closes it. */
export function Rules({ rules }: { readonly rules: readonly Rule[] }) {
  const language = session.get().language;
  const ordered = [...rules].sort((one, other) => Number(one.effect === 'FORBID') - Number(other.effect === 'FORBID'));
  const reads = rules.some((rule) => rule.effect === 'PERMIT' && rule.verbs.includes('read'));
  return (
    <>
      {!reads && <p class="rule FORBID">{text('noRuleOpens')}</p>}
      {ordered.map((rule) => (
        <p key={rule.id} class={`rule ${rule.effect}`}>
          <b>
            {text(rule.effect === 'PERMIT' ? 'opens' : 'closes')} {rule.verbs.map((verb) => (VERBS[verb] ? text(VERBS[verb]) : verb)).join(', ')}.
          </b>{' '}
          {rule[language]} <span class="ground">{rule.legalGround}</span> <code>{rule.id}</code>
        </p>
      ))}
    </>
  );
}
