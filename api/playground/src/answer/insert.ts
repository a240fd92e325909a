/** Adding a field to a document without touching what stands there, comments least of all. */
import { type FieldNode, type GraphQLSchema, type SelectionSetNode, TypeInfo, getNamedType, isLeafType, parse, visit, visitWithTypeInfo } from 'graphql';

/** A question that reads one child. */
const whole = (inside: string): string => `query ChildRecord($id: ID!) {\n  child(id: $id) {\n    ${inside}\n  }\n}\n`;

/** What must be selected of a field that holds more than a value: all of its plain values. */
function selection(schema: GraphQLSchema, section: string, field: string): string {
  const child = schema.getType('Child');
  const held = child && 'getFields' in child ? child.getFields()[section] : undefined;
  const type = held && getNamedType(held.type);
  const inner = type && 'getFields' in type ? type.getFields()[field] : undefined;
  const own = inner && getNamedType(inner.type);
  if (!own || !('getFields' in own)) return field;
  const plain = Object.values(own.getFields()).filter((one) => isLeafType(getNamedType(one.type)));
  return `${field} { ${plain.slice(0, 6).map((one) => one.name).join(' ')} }`;
}

/** The document with `section.field` in it; the same document where it is there already. */
export function withField(text: string, schema: GraphQLSchema, section: string, field: string): string {
  const asked = selection(schema, section, field);
  let record: SelectionSetNode | undefined;
  let part: FieldNode | undefined;
  let isThere = false;
  try {
    const types = new TypeInfo(schema);
    visit(
      parse(text),
      visitWithTypeInfo(types, {
        Field(node) {
          const parent = types.getParentType()?.name;
          const own = getNamedType(types.getType() ?? undefined)?.name;
          if (own === 'Child' && !record) record = node.selectionSet;
          if (parent === 'Child' && node.name.value === section && !part) part = node;
          if (part?.selectionSet?.selections.some((one) => one.kind === 'Field' && one.name.value === field)) isThere = true;
        },
      }),
    );
  } catch {
    return text;
  }
  if (isThere) return text;
  if (part?.selectionSet) return into(text, part.selectionSet, asked);
  return record ? into(text, record, `${section} { ${asked} }`) : whole(`${section} { ${asked} }`);
}

/** Writes before the closing brace, on a line of its own where the braces stand on lines of their own. */
function into(text: string, selections: SelectionSetNode, added: string): string {
  const end = (selections.loc?.end ?? text.length) - 1;
  const head = text.slice(0, end);
  const lineStart = head.lastIndexOf('\n') + 1;
  const margin = head.slice(lineStart);
  if (margin.trim() === '') return `${head.slice(0, lineStart)}${margin}  ${added}\n${margin}${text.slice(end)}`;
  return `${head.trimEnd()} ${added} ${text.slice(end)}`;
}
