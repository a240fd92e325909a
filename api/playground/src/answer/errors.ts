/** What an error says, in the language of the page. */
import type { GraphQLError, Language } from '../api/types.ts';
import { sentence } from '../ui/words.ts';

export interface Said {
  readonly text: string;
  readonly remedy: string;
  readonly code: string;
  readonly path: string;
  readonly rule: string;
}

export function said(error: GraphQLError, language: Language): Said {
  const more = error.extensions ?? {};
  const text = language === 'sv' ? (more.sv ?? error.message) : error.message;
  const remedy = language === 'sv' ? (more.remedySv ?? '') : (more.remedy ?? '');
  const input = Array.isArray(more['input']) ? (more['input'] as unknown[]).join('.') : '';
  return {
    text: sentence(text),
    remedy: remedy === '' ? '' : sentence(remedy),
    code: more.code ?? '',
    path: input || (error.path ?? []).join('.'),
    rule: more.rule ?? '',
  };
}
