/** Text in which what stands in backticks is code. */
export function Coded({ children }: { readonly children: string }) {
  return <>{children.split('`').map((part, index) => (index % 2 === 1 ? <code key={index}>{part}</code> : part))}</>;
}
