/**
 * The reasons beside the values. Every section of the record can tell what of it is withheld and why; the page asks for
 * that with the caller's own question, under a name of its own, and takes it out of the answer before it is shown.
 */
import {
  type DocumentNode,
  type FieldNode,
  type GraphQLSchema,
  Kind,
  TypeInfo,
  getNamedType,
  isObjectType,
  parse,
  print,
  visit,
  visitWithTypeInfo,
} from 'graphql';
import type { Json, Withheld } from '../api/types.ts';

/** Under which name the reasons come; nobody else would choose it. */
export const REASONS = 'playgroundReasons';

const ADDED = ((): FieldNode => {
  const document = parse(`{ ${REASONS}: withheld { field number rule reason reasonSv legalGround ask askSv } }`);
  const [operation] = document.definitions;
  if (operation?.kind !== Kind.OPERATION_DEFINITION) throw new Error('a constant document');
  const [field] = operation.selectionSet.selections;
  if (field?.kind !== Kind.FIELD) throw new Error('a constant document');
  return field;
})();

/** The document with the reasons of every section that it reads. */
export function withReasons(document: DocumentNode, schema: GraphQLSchema): string {
  const types = new TypeInfo(schema);
  const added = visit(
    document,
    visitWithTypeInfo(types, {
      SelectionSet: {
        leave(node) {
          const type = getNamedType(types.getParentType() ?? undefined);
          if (!isObjectType(type)) return undefined;
          const told = type.getFields()['withheld'];
          if (!told || getNamedType(told.type).name !== 'Withheld') return undefined;
          return { ...node, selections: [...node.selections, ADDED] };
        },
      },
    }),
  );
  return print(added);
}

/** A place in an answer. */
export type Path = readonly (string | number)[];

export const pathKey = (path: Path): string => path.join('.');

/** The answer as the caller asked for it, and the reasons by the place of their section. */
export function takeReasons(data: Json | undefined): { data: Json | undefined; reasons: Map<string, readonly Withheld[]> } {
  const reasons = new Map<string, readonly Withheld[]>();
  const clean = (value: Json, path: Path): Json => {
    if (Array.isArray(value)) return value.map((entry: Json, index) => clean(entry, [...path, index]));
    if (value === null || typeof value !== 'object') return value;
    const kept: Record<string, Json> = {};
    for (const [name, entry] of Object.entries(value)) {
      if (name === REASONS) reasons.set(pathKey(path), entry as unknown as Withheld[]);
      else kept[name] = clean(entry, [...path, name]);
    }
    return kept;
  };
  return { data: data === undefined ? undefined : clean(data, []), reasons };
}
