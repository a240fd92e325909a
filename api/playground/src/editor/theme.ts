/** How the editors look. The page's style sheet does not reach into their shadow roots; its custom properties do. */
import { HighlightStyle, syntaxHighlighting } from '@codemirror/language';
import { EditorView } from '@codemirror/view';
import { tags } from '@lezer/highlight';

const highlight = HighlightStyle.define([
  { tag: [tags.keyword, tags.definitionKeyword, tags.modifier], color: 'var(--code-keyword)' },
  { tag: [tags.propertyName, tags.attributeName], color: 'var(--code-name)' },
  { tag: tags.string, color: 'var(--code-string)' },
  { tag: [tags.number, tags.bool, tags.null, tags.atom, tags.special(tags.name)], color: 'var(--code-value)' },
  { tag: [tags.variableName, tags.special(tags.variableName)], color: 'var(--code-variable)' },
  { tag: tags.comment, color: 'var(--muted)', fontStyle: 'italic' },
  { tag: [tags.punctuation, tags.brace, tags.paren, tags.separator], color: 'var(--code-mark)' },
]);

const look = EditorView.theme({
  '&': { height: '100%', fontSize: '13.5px', color: 'var(--ink)', backgroundColor: 'var(--paper)' },
  '&.cm-focused': { outline: '2px solid var(--focus)', outlineOffset: '-2px' },
  '.cm-scroller': { fontFamily: 'var(--mono)', lineHeight: '1.6' },
  '.cm-content': { padding: '10px 0', caretColor: 'var(--ink)' },
  '.cm-cursor': { borderLeftColor: 'var(--ink)' },
  '.cm-gutters': { backgroundColor: 'var(--paper)', color: 'var(--faint)', border: '0' },
  '.cm-lineNumbers .cm-gutterElement': { minWidth: '26px', padding: '0 4px 0 8px', fontSize: '12px' },
  '.cm-foldGutter .cm-gutterElement': { padding: '0 2px', color: 'var(--faint)' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': { backgroundColor: 'var(--selected) !important' },
  '.cm-matchingBracket': { backgroundColor: 'var(--selected) !important', outline: '1px solid var(--line-strong)' },
  '.cm-placeholder': { color: 'var(--muted)' },
  // What a role may see, in the gutter.
  '.cm-signs': { width: '20px' },
  '.cm-signs .cm-gutterElement': { textAlign: 'center', fontSize: '12px' },
  '.sign.OPEN': { color: 'var(--open)' },
  '.sign.SOMETIMES': { color: 'var(--some)' },
  '.sign.CLOSED': { color: 'var(--closed)' },
  // Marks of validation; the originals are pictures in `data:` addresses, which the page's policy does not allow.
  '.cm-lintRange-error': { backgroundImage: 'none !important', textDecoration: 'underline wavy var(--closed)', textUnderlineOffset: '4px' },
  '.cm-lintRange-warning': { backgroundImage: 'none !important', textDecoration: 'underline wavy var(--some)', textUnderlineOffset: '4px' },
  '.cm-gutter-lint': { width: '16px' },
  '.cm-lint-marker': { content: 'none !important', width: '14px' },
  '.cm-lint-marker-error::before': { content: '"✕"', color: 'var(--closed)', fontWeight: '700', fontSize: '12px' },
  '.cm-lint-marker-warning::before': { content: '"!"', color: 'var(--some)', fontWeight: '700', fontSize: '12px' },
  '.cm-tooltip': { backgroundColor: 'var(--raised)', color: 'var(--ink)', border: '1px solid var(--line-strong)', borderRadius: '8px', boxShadow: 'var(--shadow)' },
  '.cm-tooltip.cm-completionInfo': { padding: '8px 12px', maxWidth: '340px', font: '13px/1.45 var(--sans)' },
  '.cm-tooltip-autocomplete > ul': { fontFamily: 'var(--mono)', fontSize: '13px', maxHeight: '15em', borderRadius: '8px' },
  '.cm-tooltip-autocomplete > ul > li': { padding: '3px 10px' },
  '.cm-tooltip-autocomplete ul li[aria-selected]': { background: 'var(--brand) !important', color: 'var(--on-brand) !important' },
  '.cm-completionDetail': { color: 'inherit', opacity: '0.75', marginLeft: '1em' },
  '.cm-diagnostic': { font: '13px/1.45 var(--sans)', padding: '6px 12px' },
  '.cm-diagnostic-error': { borderLeft: '3px solid var(--closed)' },
  '.info p': { margin: '0' },
  '.info p + p': { marginTop: '6px' },
  '.info .OPEN': { color: 'var(--open)' },
  '.info .SOMETIMES': { color: 'var(--some)' },
  '.info .CLOSED': { color: 'var(--closed)' },
  '.cm-panels': { backgroundColor: 'var(--raised)', color: 'var(--ink)' },
  '.cm-searchMatch': { backgroundColor: 'var(--some-soft)' },
  // The reason below a value. A block widget has no margin of its own, or the line numbers drift.
  '.noterow': { padding: '2px 12px 6px 26px', whiteSpace: 'normal' },
  '.note': { display: 'block', maxWidth: '640px', font: '13px/1.45 var(--sans)', padding: '5px 10px 6px', borderLeft: '3px solid var(--closed)', borderRadius: '0 6px 6px 0', backgroundColor: 'var(--closed-soft)', color: 'var(--closed-ink)' },
  '.note b': { fontWeight: '650' },
  '.note .more': { display: 'block', fontSize: '12px', marginTop: '1px', color: 'var(--closed-ink)' },
  '.note code': { fontFamily: 'var(--mono)', fontSize: '11.5px' },
});

export const appearance = [look, syntaxHighlighting(highlight)];
