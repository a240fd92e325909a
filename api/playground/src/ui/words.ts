/** Small matters of language. */
import type { Language } from '../api/types.ts';

/** With a capital and a full stop: the hub's sentences have neither. */
export function sentence(text: string): string {
  const capital = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(capital) ? capital : `${capital}.`;
}

/** With a capital. */
export const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** A name that may break where its words meet. */
export const breakable = (name: string): string[] => name.split(/(?<=[a-zåäö.])(?=[A-ZÅÄÖ])|(?<=\.)/);

/** How long until, in minutes and seconds. */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.ceil(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}

/** A moment, to the second, in the reader's own time. */
export const moment = (at: string, language: Language): string =>
  new Intl.DateTimeFormat(language === 'sv' ? 'sv-SE' : 'en-GB', { dateStyle: 'short', timeStyle: 'medium' }).format(new Date(at));
