/** How a role stands to a field, read from the rules that the hub enforces. The page decides nothing by itself. */
import type { FieldRules, Rule } from '../api/types.ts';

/**
 * `OPEN`: a rule opens the field and none closes it; `SOMETIMES`: a rule opens it and another may close it, for a
 * protected child, say; `CLOSED`: no rule opens it. What a rule asks for besides (that the child is yours) it says itself.
 */
export type Standing = 'OPEN' | 'SOMETIMES' | 'CLOSED';

export const SIGNS: Readonly<Record<Standing, string>> = { OPEN: '●', SOMETIMES: '◐', CLOSED: '○' };

const about = (rules: readonly Rule[], verb: string): Rule[] => rules.filter((rule) => rule.verbs.includes(verb));

export function standing(rules: readonly Rule[], verb = 'read'): Standing {
  const named = about(rules, verb);
  if (!named.some((rule) => rule.effect === 'PERMIT')) return 'CLOSED';
  return named.some((rule) => rule.effect === 'FORBID') ? 'SOMETIMES' : 'OPEN';
}

/** Whether any rule lets the role do this with the field. */
export const may = (rules: readonly Rule[], verb: string): boolean =>
  about(rules, verb).some((rule) => rule.effect === 'PERMIT');

/** The rules of a role by `section.field`. */
export type RuleBook = ReadonlyMap<string, FieldRules>;

export const ruleBook = (fields: readonly FieldRules[]): RuleBook => new Map(fields.map((field) => [field.field, field]));

/** The section of `section.field`. */
export const sectionOf = (field: string): string => field.slice(0, field.indexOf('.'));

/** The field of `section.field`. */
export const nameOf = (field: string): string => field.slice(field.indexOf('.') + 1);

/** The fields of a list, by section, in the order of the list. */
export function bySection<T extends { readonly field: string }>(fields: readonly T[]): [string, T[]][] {
  const sections = new Map<string, T[]>();
  for (const field of fields) {
    const section = sectionOf(field.field);
    sections.set(section, [...(sections.get(section) ?? []), field]);
  }
  return [...sections];
}
