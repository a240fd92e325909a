/** The answer, with the reason below each value that is withheld. */
import { json } from '@codemirror/lang-json';
import { type Range, StateEffect, StateField } from '@codemirror/state';
import { Decoration, type DecorationSet, EditorView, WidgetType } from '@codemirror/view';
import { useLayoutEffect, useRef } from 'preact/hooks';
import type { Json, Language } from '../api/types.ts';
import type { Note } from '../answer/notes.ts';
import { printed } from '../answer/print.ts';
import { pathKey } from '../answer/reasons.ts';
import { type Answer, session, text } from '../state/session.ts';
import { useStore } from '../state/store.ts';
import { common, mount, reading } from './base.ts';

/** A note below a line. */
class Reason extends WidgetType {
  constructor(
    readonly note: Note,
    readonly language: Language,
  ) {
    super();
  }

  override eq(other: Reason): boolean {
    const [one, two] = [this.note, other.note];
    return one.rule === two.rule && one.field === two.field && one.legalGround === two.legalGround && this.language === other.language;
  }

  override get estimatedHeight(): number {
    return 52;
  }

  override toDOM(): HTMLElement {
    const { note, language } = this;
    const row = document.createElement('div');
    row.className = 'noterow';
    const box = document.createElement('span');
    box.className = 'note';
    const lead = document.createElement('b');
    lead.textContent = `${text('seesNot')}. `;
    const more = document.createElement('span');
    more.className = 'more';
    const code = document.createElement('code');
    code.textContent = [note.rule, note.number].filter(Boolean).join(' · ');
    const ask = note.ask?.[language] ? ` · ${text('askThem')} ${note.ask[language]}` : '';
    more.append(`${note.legalGround}${ask} · `, code);
    box.append(lead, note.reason[language], more);
    row.append(box);
    return row;
  }
}

const setNotes = StateEffect.define<DecorationSet>();

const notesField = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(before, transaction) {
    for (const effect of transaction.effects) if (effect.is(setNotes)) return effect.value;
    return before.map(transaction.changes);
  },
  provide: (field) => EditorView.decorations.from(field),
});

/** What of an answer is shown: the hub's own words, without what the page has asked for besides. */
function shown(answer: Answer, withExtensions: boolean): Json {
  const { errors, extensions } = answer.body;
  return {
    ...(errors ? { errors: errors as unknown as Json } : {}),
    ...(answer.data === undefined ? {} : { data: answer.data }),
    ...(withExtensions && extensions ? { extensions: extensions as unknown as Json } : {}),
  };
}

function show(view: EditorView, answer: Answer | null, withExtensions: boolean, language: Language): void {
  const { text: doc, lines } = answer ? printed(shown(answer, withExtensions)) : { text: '', lines: new Map<string, number>() };
  view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: doc }, selection: { anchor: 0 }, effects: setNotes.of(Decoration.none) });
  const placed: Range<Decoration>[] = [];
  for (const note of answer?.notes ?? []) {
    const line = lines.get(pathKey(['data', ...note.path]));
    if (line === undefined) continue;
    placed.push(Decoration.widget({ widget: new Reason(note, language), side: 1, block: true }).range(view.state.doc.line(line).to));
  }
  view.dispatch({ effects: [setNotes.of(Decoration.set(placed, true)), EditorView.scrollIntoView(0)] });
}

export function ResponseView({ answer, withExtensions }: { readonly answer: Answer | null; readonly withExtensions: boolean }) {
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | null>(null);
  const language = useStore(session, (state) => state.language);

  useLayoutEffect(() => {
    if (!host.current) return undefined;
    const editor = mount(host.current, '', [common({ label: text('response'), language }), reading, json(), notesField]);
    view.current = editor;
    return () => editor.destroy();
  }, [language]);

  // With the layout, not after it: what another persona was shown must not stand for another frame.
  useLayoutEffect(() => {
    if (view.current) show(view.current, answer, withExtensions, language);
  }, [answer, withExtensions, language]);

  return <div class="editor" ref={host} />;
}
