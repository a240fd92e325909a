/** Text as a literal of a language. */

const escaped = (text: string, unicode: (code: number) => string): string => {
  const named: Readonly<Record<string, string>> = { '"': '\\"', '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' };
  return `"${text.replace(/["\\\n\r\t\u0000-\u001f\u007f\u2028\u2029]/g, (one) => named[one] ?? unicode(one.charCodeAt(0)))}"`;
};

const four = (code: number): string => `\\u${code.toString(16).padStart(4, '0')}`;

/** Of C#, Java, Python and JavaScript alike: what they escape in the same way. */
export const literal = (text: string): string => escaped(text, four);

/** In pieces that fit a line, joined by the language's operator. */
export function pieces(text: string, join: string, width = 100): string {
  const parts: string[] = [];
  let rest = [...text];
  while (rest.length > 0) {
    parts.push(literal(rest.slice(0, width).join('')));
    rest = rest.slice(width);
  }
  return parts.length === 0 ? '""' : parts.join(join);
}
