/** The editor of the question. */
import type { EditorView } from '@codemirror/view';
import { EditorView as View } from '@codemirror/view';
import type { CompletionContext } from '@codemirror/autocomplete';
import { graphql, offsetToPos, updateSchema } from 'cm6-graphql';
import { getTokenAtPosition, getTypeInfo } from 'graphql-language-service';
import { useEffect, useRef } from 'preact/hooks';
import { sectionOfType } from '../answer/fields.ts';
import { SIGNS, type Standing, standing } from '../rules/standing.ts';
import { nameOfPersona, roleOf, run, session, text, write } from '../state/session.ts';
import { useStore } from '../state/store.ts';
import { common, mount, replace, writing } from './base.ts';
import { type SignOf, signGutter, tellSigns } from './signs.ts';

/** What a standing is called. */
export const standingName = (of: Standing): string => text(of === 'OPEN' ? 'sees' : of === 'SOMETIMES' ? 'seesSometimes' : 'seesNot');

function signFor(role: string, persona: string): SignOf {
  const book = session.get().rules[role];
  return (type, field) => {
    const told = book?.get(`${sectionOfType(type)}.${field}`);
    if (!told) return undefined;
    const of = standing(told.rules);
    return { standing: of, title: `${nameOfPersona(persona)}: ${standingName(of)}` };
  };
}

/** What the pop-up of a suggestion says: the description, and how the role stands to the field. */
function information(item: { readonly documentation?: string | null | undefined; readonly label: string }, parent: string): HTMLElement {
  const { persona, rules, language } = session.get();
  const box = document.createElement('div');
  box.className = 'info';
  const paragraph = (content: string, kind = ''): void => {
    const one = document.createElement('p');
    one.textContent = content;
    one.className = kind;
    box.append(one);
  };
  // The marks of the descriptions are for those who render them.
  if (item.documentation) paragraph(item.documentation.replaceAll(/[*`]/g, ''));
  const told = rules[roleOf(persona)]?.get(`${sectionOfType(parent)}.${item.label}`);
  if (told) {
    const of = standing(told.rules);
    paragraph(`${SIGNS[of]} ${nameOfPersona(persona)}: ${standingName(of)}`, of);
    for (const rule of told.rules.filter((one) => one.verbs.includes('read') && one.effect === 'PERMIT').slice(0, 2)) {
      paragraph(`${rule[language]} ${rule.legalGround}`);
    }
  }
  return box;
}

export function QueryEditor() {
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | null>(null);
  const language = useStore(session, (state) => state.language);
  const schema = useStore(session, (state) => state.schema);
  const persona = useStore(session, (state) => state.persona);
  const rules = useStore(session, (state) => state.rules);
  const written = useStore(session, (state) => state.written);

  useEffect(() => {
    if (!host.current) return undefined;
    const editor = mount(host.current, session.get().query, [
      common({ label: text('query'), language }),
      writing(() => void run()),
      signGutter,
      graphql(session.get().schema ?? undefined, {
        onCompletionInfoRender: (item, context) => information(item, parentAt(context)),
      }),
      View.updateListener.of((update) => {
        if (update.docChanged) write(update.state.doc.toString());
      }),
    ]);
    view.current = editor;
    return () => editor.destroy();
  }, [language]);

  useEffect(() => {
    if (view.current) replace(view.current, session.get().query);
  }, [written, language]);

  useEffect(() => {
    if (!view.current || !schema) return;
    updateSchema(view.current, schema);
    tellSigns(view.current, schema, signFor(roleOf(persona), persona));
  }, [schema, persona, rules, language]);

  return <div class="editor" ref={host} />;
}

/** The type whose fields are suggested here. */
function parentAt(context: CompletionContext): string {
  const { schema } = session.get();
  if (!schema) return '';
  const token = getTokenAtPosition(context.state.doc.toString(), offsetToPos(context.state.doc, context.pos));
  return getTypeInfo(schema, token.state).parentType?.toString() ?? '';
}
