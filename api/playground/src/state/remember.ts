/** The two things that outlive the tab: the language and the persona. Nothing else is ever kept. */
import type { Language } from '../api/types.ts';

const LANGUAGE = 'samverka.language';
const PERSONA = 'samverka.persona';

// A browser may refuse storage altogether; then nothing is remembered, and all else works.
function read(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

function write(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    // Refused: see above.
  }
}

export const rememberedLanguage = (): Language => (read(LANGUAGE) === 'en' ? 'en' : 'sv');
export const rememberLanguage = (language: Language): void => write(LANGUAGE, language);
export const rememberedPersona = (): string | null => read(PERSONA);
export const rememberPersona = (code: string): void => write(PERSONA, code);
