/** The matrix as a table for a spreadsheet: RFC 4180, with a byte order mark so that å, ä and ö survive. */
import type { FieldRules } from '../api/types.ts';
import { may, standing } from './standing.ts';

// A cell that a spreadsheet would run as a formula is led by an apostrophe.
const cell = (text: string): string => `"${(/^[=+\-@\t\r]/.test(text) ? `'${text}` : text).replaceAll('"', '""')}"`;

export function matrixCsv(
  roles: readonly string[],
  fieldsOf: (role: string) => readonly FieldRules[],
  heads: { readonly field: string; readonly number: string },
): string {
  const rows = [[heads.field, heads.number, ...roles]];
  const [first] = roles;
  const columns = roles.map((role) => new Map(fieldsOf(role).map((field) => [field.field, field.rules])));
  for (const { field, number } of first === undefined ? [] : fieldsOf(first)) {
    const cells = columns.map((rules) => {
      const own = rules.get(field) ?? [];
      const verbs = ['write', 'search'].filter((verb) => may(own, verb));
      return [standing(own), ...verbs.map((verb) => verb.toUpperCase())].join('+');
    });
    rows.push([field, number, ...cells]);
  }
  return `\uFEFF${rows.map((row) => row.map(cell).join(',')).join('\r\n')}\r\n`;
}
