/** Text in which what stands in backticks is code, and what stands between asterisks is stressed: as the schema's descriptions are written. */
export function Coded({ children }: { readonly children: string }) {
  return (
    <>
      {children.split(/(`[^`]*`|\*[^*\s][^*]*\*)/).map((part, index) => {
        if (/^`.*`$/s.test(part)) return <code key={index}>{part.slice(1, -1)}</code>;
        if (/^\*.+\*$/s.test(part)) return <em key={index}>{part.slice(1, -1)}</em>;
        return part;
      })}
    </>
  );
}
