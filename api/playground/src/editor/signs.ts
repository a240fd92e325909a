/** The gutter that tells, before anything is asked, how the role stands to each field of the question. */
import { StateEffect, StateField } from '@codemirror/state';
import { type EditorView, GutterMarker, gutter } from '@codemirror/view';
import { type GraphQLSchema, TypeInfo, parse, visit, visitWithTypeInfo } from 'graphql';
import { SIGNS, type Standing } from '../rules/standing.ts';

export interface Sign {
  readonly standing: Standing;
  readonly title: string;
}

/** How the role stands to a field of a type; nothing where no rule guards it. */
export type SignOf = (type: string, field: string) => Sign | undefined;

interface Signs {
  readonly schema: GraphQLSchema | null;
  readonly of: SignOf | null;
  readonly lines: ReadonlyMap<number, Sign>;
}

const WEIGHT: Readonly<Record<Standing, number>> = { OPEN: 0, SOMETIMES: 1, CLOSED: 2 };

const setSigns = StateEffect.define<{ schema: GraphQLSchema; of: SignOf }>();

/** One sign a line: that of the field of which the role sees least. Offsets are turned into lines by `lineAt`. */
export function signsOf(text: string, schema: GraphQLSchema, of: SignOf, lineAt: (offset: number) => number): Map<number, Sign> {
  const lines = new Map<number, Sign>();
  const types = new TypeInfo(schema);
  visit(
    parse(text),
    visitWithTypeInfo(types, {
      Field(node) {
        const parent = types.getParentType();
        const sign = parent ? of(parent.name, node.name.value) : undefined;
        if (!sign || !node.name.loc) return;
        const line = lineAt(node.name.loc.start);
        const other = lines.get(line);
        if (!other || WEIGHT[sign.standing] > WEIGHT[other.standing]) lines.set(line, sign);
      },
    }),
  );
  return lines;
}

const field = StateField.define<Signs>({
  create: () => ({ schema: null, of: null, lines: new Map() }),
  update(before, transaction) {
    let { schema, of } = before;
    for (const effect of transaction.effects) if (effect.is(setSigns)) ({ schema, of } = effect.value);
    if (of === before.of && !transaction.docChanged) return before;
    if (!schema || !of) return { schema, of, lines: new Map() };
    const { doc } = transaction.state;
    try {
      return { schema, of, lines: signsOf(doc.toString(), schema, of, (offset) => doc.lineAt(offset).number) };
    } catch {
      // While somebody types, the text is no document; the signs stay as they were until it is one.
      return { schema, of, lines: before.lines };
    }
  },
});

class Marker extends GutterMarker {
  constructor(readonly sign: Sign) {
    super();
  }

  override eq(other: Marker): boolean {
    return other.sign.standing === this.sign.standing && other.sign.title === this.sign.title;
  }

  override toDOM(): Node {
    const mark = document.createElement('span');
    mark.className = `sign ${this.sign.standing}`;
    mark.textContent = SIGNS[this.sign.standing];
    mark.title = this.sign.title;
    return mark;
  }
}

export const signGutter = [
  field,
  gutter({
    class: 'cm-signs',
    lineMarker(view, line) {
      const sign = view.state.field(field).lines.get(view.state.doc.lineAt(line.from).number);
      return sign ? new Marker(sign) : null;
    },
    lineMarkerChange: (update) => update.startState.field(field) !== update.state.field(field),
    initialSpacer: () => new Marker({ standing: 'OPEN', title: '' }),
  }),
];

export const tellSigns = (view: EditorView, schema: GraphQLSchema, of: SignOf): void =>
  view.dispatch({ effects: setSigns.of({ schema, of }) });
