/** What all editors have in common. */
import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import { bracketMatching, foldGutter, foldKeymap, indentOnInput } from '@codemirror/language';
import { lintGutter, lintKeymap } from '@codemirror/lint';
import { searchKeymap } from '@codemirror/search';
import { EditorState, type Extension } from '@codemirror/state';
import { EditorView, drawSelection, keymap, lineNumbers } from '@codemirror/view';
import type { Language } from '../api/types.ts';
import { PHRASES } from './phrases.ts';
import { appearance } from './theme.ts';

/** What an editor is called, and in which language it speaks. */
export interface Setting {
  readonly label: string;
  readonly language: Language;
}

export const common = ({ label, language }: Setting): Extension => [
  lineNumbers(),
  foldGutter({ openText: '⌄', closedText: '›' }),
  drawSelection(),
  bracketMatching(),
  appearance,
  EditorState.phrases.of(language === 'sv' ? PHRASES : {}),
  EditorView.lineWrapping,
  // With a place in the tab order the content can be scrolled by keyboard. Tab leaves it: no key is bound to it.
  EditorView.contentAttributes.of({ 'aria-label': label, tabindex: '0', spellcheck: 'false' }),
];

/**
 * Text typed over a selection goes into the document from here. Left to itself, Chromium first keeps the style of what it deletes
 * in a style attribute, which the page's policy refuses. Brackets are left to what closes them.
 */
const typedOver = EditorView.domEventHandlers({
  beforeinput(event, view) {
    const { data, inputType } = event;
    if (inputType !== 'insertText' || !data || view.composing || view.state.selection.main.empty || /^[([{"'`]$/.test(data)) return false;
    event.preventDefault();
    view.dispatch(view.state.replaceSelection(data), { userEvent: 'input.type', scrollIntoView: true });
    return true;
  },
});

export const writing = (onRun: () => void): Extension => [
  keymap.of([
    {
      key: 'Mod-Enter',
      run: () => {
        onRun();
        return true;
      },
    },
  ]),
  typedOver,
  history(),
  indentOnInput(),
  closeBrackets(),
  autocompletion(),
  lintGutter(),
  keymap.of([...closeBracketsKeymap, ...defaultKeymap, ...historyKeymap, ...completionKeymap, ...lintKeymap, ...foldKeymap, ...searchKeymap]),
];

export const reading: Extension = [EditorState.readOnly.of(true), keymap.of([...defaultKeymap, ...foldKeymap, ...searchKeymap])];

/**
 * An editor in a shadow root: there CodeMirror adopts its style sheets instead of writing a `<style>` element, which the
 * page's Content-Security-Policy does not allow.
 */
export function mount(host: HTMLElement, doc: string, extensions: Extension): EditorView {
  const root = host.shadowRoot ?? host.attachShadow({ mode: 'open' });
  const parent = document.createElement('div');
  parent.style.height = '100%';
  root.replaceChildren(parent);
  return new EditorView({ root, parent, state: EditorState.create({ doc, extensions }) });
}

/** Replaces the whole text, if it is another. */
export function replace(view: EditorView, doc: string): void {
  if (view.state.doc.toString() === doc) return;
  view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: doc }, selection: { anchor: 0 } });
}
