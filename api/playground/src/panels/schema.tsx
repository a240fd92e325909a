/** The schema, with its descriptions and the roles of each guarded field. */
import { type GraphQLField, type GraphQLInputField, type GraphQLNamedType, getNamedType, isEnumType, isInputObjectType, isObjectType } from 'graphql';
import { useState } from 'preact/hooks';
import { sectionOfType } from '../answer/fields.ts';
import { SIGNS, standing } from '../rules/standing.ts';
import { standingName } from '../editor/query.tsx';
import { nameOfPersona, roleOf, session, text } from '../state/session.ts';
import { useStore } from '../state/store.ts';
import { Coded } from '../ui/coded.tsx';

/** Beyond so many, a search is to be narrowed. */
const MOST = 60;

export function SchemaBrowser() {
  const schema = useStore(session, (state) => state.schema);
  useStore(session, (state) => state.language);
  const [path, setPath] = useState<readonly string[]>(['Query']);
  const [wanted, setWanted] = useState('');
  if (!schema) return <p class="empty">{text('noSchema')}</p>;
  const types = Object.values(schema.getTypeMap()).filter((type) => !type.name.startsWith('__'));
  const needle = wanted.trim().toLowerCase();
  const hits = needle === '' ? [] : types.filter((type) => matches(type, needle)).slice(0, MOST);
  const current = schema.getType(path.at(-1) ?? 'Query');
  const go = (name: string): void => {
    setWanted('');
    setPath([...path.filter((one) => one !== name), name]);
  };
  return (
    <>
      <input type="search" class="filter" value={wanted} placeholder={text('findType')} aria-label={text('findType')} onInput={(event) => setWanted(event.currentTarget.value)} />
      {needle !== '' ? (
        <ul class="types">
          {hits.map((type) => (
            <li key={type.name}>
              <button type="button" class="link" onClick={() => go(type.name)}>
                <code>{type.name}</code>
              </button>
            </li>
          ))}
        </ul>
      ) : (
        <>
          <nav class="crumbs" aria-label={text('schema')}>
            {['Query', 'Mutation', ...path.filter((one) => one !== 'Query' && one !== 'Mutation').slice(-3)].map((name) => (
              <button key={name} type="button" class="link" aria-current={name === path.at(-1) ? 'true' : undefined} onClick={() => go(name)}>
                {name}
              </button>
            ))}
          </nav>
          {current && <TypeView type={current} go={go} />}
        </>
      )}
      <p class="hint">
        <a href="/schema.graphql" download="schema.graphql">
          schema.graphql
        </a>{' '}
        ·{' '}
        <a href="/schema.json" download="schema.json">
          schema.json
        </a>
      </p>
    </>
  );
}

function matches(type: GraphQLNamedType, needle: string): boolean {
  if (type.name.toLowerCase().includes(needle)) return true;
  if (!isObjectType(type) && !isInputObjectType(type)) return false;
  return Object.keys(type.getFields()).some((field) => field.toLowerCase().includes(needle));
}

interface Properties {
  readonly type: GraphQLNamedType;
  readonly go: (name: string) => void;
}

function TypeView({ type, go }: Properties) {
  const fields: (GraphQLField<unknown, unknown> | GraphQLInputField)[] =
    isObjectType(type) || isInputObjectType(type) ? Object.values(type.getFields()) : [];
  const values = isEnumType(type) ? type.getValues() : [];
  return (
    <section class="type">
      <h3>
        <code>{type.name}</code>
      </h3>
      {type.description && (
        <p lang="en">
          <Coded>{type.description}</Coded>
        </p>
      )}
      <dl>
        {fields.map((field) => (
          <div key={field.name}>
            <dt>
              <Sign type={type.name} field={field.name} />
              <code>{field.name}</code>{' '}
              <button type="button" class="link" onClick={() => go(getNamedType(field.type).name)}>
                <code>{String(field.type)}</code>
              </button>
            </dt>
            <dd lang="en">
              <Coded>{field.description ?? ''}</Coded>
              {'args' in field && <Arguments field={field} go={go} />}
            </dd>
          </div>
        ))}
        {values.map((value) => (
          <div key={value.name}>
            <dt>
              <code>{value.name}</code>
            </dt>
            <dd lang="en">
              <Coded>{value.description ?? ''}</Coded>
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

function Arguments({ field, go }: { readonly field: GraphQLField<unknown, unknown>; readonly go: (name: string) => void }) {
  if (field.args.length === 0) return null;
  return (
    <ul class="arguments">
      {field.args.map((argument) => (
        <li key={argument.name}>
          <code>{argument.name}</code>{' '}
          <button type="button" class="link" onClick={() => go(getNamedType(argument.type).name)}>
            <code>{String(argument.type)}</code>
          </button>
        </li>
      ))}
    </ul>
  );
}

/** How the chosen role stands to a field, where a rule guards it. */
function Sign({ type, field }: { readonly type: string; readonly field: string }) {
  const persona = useStore(session, (state) => state.persona);
  const rules = useStore(session, (state) => state.rules);
  const told = rules[roleOf(persona)]?.get(`${sectionOfType(type)}.${field}`);
  if (!told) return null;
  const is = standing(told.rules);
  const title = `${nameOfPersona(persona)}: ${standingName(is)}`;
  return (
    <span class={`sign ${is}`} role="img" aria-label={title} title={title}>
      {SIGNS[is]}{' '}
    </span>
  );
}
