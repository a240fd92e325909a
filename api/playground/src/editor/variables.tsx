/** The editor of the variables. */
import { json, jsonParseLinter } from '@codemirror/lang-json';
import { linter } from '@codemirror/lint';
import { EditorView } from '@codemirror/view';
import { useEffect, useRef } from 'preact/hooks';
import { run, session, text, writeVariables } from '../state/session.ts';
import { useStore } from '../state/store.ts';
import { common, mount, replace, writing } from './base.ts';

const parseJson = jsonParseLinter();

export function VariablesEditor() {
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | null>(null);
  const language = useStore(session, (state) => state.language);
  const written = useStore(session, (state) => state.written);

  useEffect(() => {
    if (!host.current) return undefined;
    const editor = mount(host.current, session.get().variables, [
      common({ label: text('variables'), language }),
      writing(() => void run()),
      json(),
      linter((view) => (view.state.doc.toString().trim() === '' ? [] : parseJson(view))),
      EditorView.updateListener.of((update) => {
        if (update.docChanged) writeVariables(update.state.doc.toString());
      }),
    ]);
    view.current = editor;
    return () => editor.destroy();
  }, [language]);

  useEffect(() => {
    if (view.current) replace(view.current, session.get().variables);
  }, [written, language]);

  return <div class="editor" ref={host} />;
}
