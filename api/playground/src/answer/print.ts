/** JSON as text, and the line that each value ends on. */
import type { Json } from '../api/types.ts';
import { type Path, pathKey } from './reasons.ts';

export interface Printed {
  readonly text: string;
  /** The line, from 1, by place. */
  readonly lines: ReadonlyMap<string, number>;
}

export function printed(value: Json): Printed {
  const rows: string[] = [];
  const lines = new Map<string, number>();

  const put = (path: Path, text: string): void => {
    rows.push(text);
    lines.set(pathKey(path), rows.length);
  };

  const walk = (entry: Json, path: Path, before: string, after: string, depth: number): void => {
    const margin = '  '.repeat(depth);
    if (entry === null || typeof entry !== 'object') {
      put(path, `${margin}${before}${JSON.stringify(entry)}${after}`);
      return;
    }
    const isList = Array.isArray(entry);
    const inner: [string | number, Json][] = isList ? entry.map((one: Json, index) => [index, one]) : Object.entries(entry);
    if (inner.length === 0) {
      put(path, `${margin}${before}${isList ? '[]' : '{}'}${after}`);
      return;
    }
    put(path, `${margin}${before}${isList ? '[' : '{'}`);
    inner.forEach(([name, one], index) => {
      const label = isList ? '' : `${JSON.stringify(name)}: `;
      walk(one, [...path, name], label, index < inner.length - 1 ? ',' : '', depth + 1);
    });
    rows.push(`${margin}${isList ? ']' : '}'}${after}`);
  };

  walk(value, [], '', '', 0);
  return { text: rows.join('\n'), lines };
}
