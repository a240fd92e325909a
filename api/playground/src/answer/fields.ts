/** The fields of a document, and where their values will stand in the answer. */
import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLNamedType,
  type GraphQLSchema,
  type SelectionSetNode,
  getNamedType,
  isInterfaceType,
  isObjectType,
} from 'graphql';

/** A field of a type. */
export interface FieldOfType {
  readonly type: string;
  readonly field: string;
}

/** The fields by the path of their values, without the places in lists: `children.nodes.placement.street`. */
export type FieldsByPath = ReadonlyMap<string, FieldOfType>;

export function fieldsByPath(document: DocumentNode, schema: GraphQLSchema): FieldsByPath {
  const found = new Map<string, FieldOfType>();
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const definition of document.definitions) {
    if (definition.kind === 'FragmentDefinition') fragments.set(definition.name.value, definition);
  }

  const enter = (selections: SelectionSetNode, type: GraphQLNamedType | null | undefined, path: string, open: readonly string[]): void => {
    for (const selection of selections.selections) {
      if (selection.kind === 'Field') {
        take(selection, type, path, open);
      } else if (selection.kind === 'InlineFragment') {
        const narrowed = selection.typeCondition ? schema.getType(selection.typeCondition.name.value) : type;
        enter(selection.selectionSet, narrowed, path, open);
      } else {
        const name = selection.name.value;
        const fragment = fragments.get(name);
        // A fragment that holds itself is no document; the hub says so.
        if (fragment && !open.includes(name)) {
          enter(fragment.selectionSet, schema.getType(fragment.typeCondition.name.value), path, [...open, name]);
        }
      }
    }
  };

  const take = (node: FieldNode, type: GraphQLNamedType | null | undefined, path: string, open: readonly string[]): void => {
    if (!isObjectType(type) && !isInterfaceType(type)) return;
    const here = `${path}${path && '.'}${(node.alias ?? node.name).value}`;
    found.set(here, { type: type.name, field: node.name.value });
    const next = type.getFields()[node.name.value];
    if (next && node.selectionSet) enter(node.selectionSet, getNamedType(next.type), here, open);
  };

  for (const definition of document.definitions) {
    if (definition.kind === 'OperationDefinition') enter(definition.selectionSet, schema.getRootType(definition.operation), '', []);
  }
  return found;
}

/** What a section's type is called in the catalogue of fields: `SafetyPlan` is `safetyPlan`. */
export const sectionOfType = (type: string): string => type.charAt(0).toLowerCase() + type.slice(1);
