//! One walk over the parsed document: what it comes to with every fragment in place, each fragment counted once.

use super::items;
use super::limits::{Exceeded, Limit};
use async_graphql::parser::types::{
    Directive, ExecutableDocument, Field, OperationDefinition, Selection, SelectionSet,
};
use async_graphql::{Name, Positioned};
use async_graphql_value::Value;
use std::collections::HashMap;
use std::sync::Arc;

/// How many values an answer may hold at most, or about: each field of each item of each list is one. Of what the
/// variables say, only `first` matters; of what the record holds, nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Cost {
    fixed: u64,
    pages: Vec<Page>,
}

/// A list as long as a variable says.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Page {
    times: u64,
    variable: Name,
    usual: u64,
    below: Arc<Cost>,
}

/// How many items a list holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Items {
    /// So many at most.
    Fixed(u64),
    /// As many as a variable says; so many where it says nothing.
    Variable(Name, u64),
}

impl Cost {
    /// The cost when the variables say so much.
    pub(super) fn with(&self, first: &impl Fn(&str, u64) -> u64) -> u64 {
        self.pages.iter().fold(self.fixed, |sum, page| {
            let items = first(&page.variable, page.usual);
            sum.saturating_add(page.times.saturating_mul(items).saturating_mul(page.below.with(first)))
        })
    }

    /// How many bytes it takes.
    pub(super) fn weight(&self) -> u64 {
        self.pages.iter().map(|page| size_of::<Page>() as u64 + page.below.weight()).sum()
    }

    fn add(&mut self, mut other: Cost) {
        self.fixed = self.fixed.saturating_add(other.fixed);
        self.pages.append(&mut other.pages);
    }

    /// A field with this below it.
    fn below(mut self, items: Items) -> Cost {
        match items {
            Items::Fixed(items) => {
                self.fixed = self.fixed.saturating_mul(items).saturating_add(1);
                self.pages.iter_mut().for_each(|page| page.times = page.times.saturating_mul(items));
                self
            }
            Items::Variable(variable, usual) => {
                Cost { fixed: 1, pages: vec![Page { times: 1, variable, usual, below: Arc::new(self) }] }
            }
        }
    }
}

/// What a selection comes to with every fragment in place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Size {
    /// Fields and spreads of any kind: what the library walks, though it may lead nowhere.
    pub(super) selections: u64,
    pub(super) aliases: u64,
    /// Fields at the top.
    pub(super) roots: u64,
    /// Selections inside one another, spreads among them: the library counts so, too.
    pub(super) depth: u64,
    /// How often each variable is used, in the order of [`Walk::variables`]; as long as need be.
    uses: Vec<u64>,
    pub(super) cost: Cost,
}

impl Size {
    pub(super) fn add(&mut self, other: Size) {
        self.selections = self.selections.saturating_add(other.selections);
        self.aliases = self.aliases.saturating_add(other.aliases);
        self.roots = self.roots.saturating_add(other.roots);
        self.depth = self.depth.max(other.depth);
        // What is refused anyway need not be weighed, and its pages might be too many to keep.
        if self.selections > Limit::Selections.most() {
            (self.cost, self.uses) = (Cost::default(), Vec::new());
            return;
        }
        self.cost.add(other.cost);
        if self.uses.len() < other.uses.len() {
            self.uses.resize(other.uses.len(), 0);
        }
        for (uses, more) in self.uses.iter_mut().zip(other.uses) {
            *uses = uses.saturating_add(more);
        }
    }

    /// A spread of this.
    fn spread(mut self) -> Size {
        self.selections = self.selections.saturating_add(1);
        self.depth += 1;
        self
    }

    /// A field with this below it.
    fn below(mut self, field: &Field) -> Size {
        self.selections = self.selections.saturating_add(1);
        self.aliases = self.aliases.saturating_add(u64::from(field.alias.is_some()));
        self.roots = 1;
        self.depth += u64::from(!field.selection_set.node.items.is_empty());
        self.cost = self.cost.below(items(field));
        self
    }

    /// With the variables that some arguments use.
    fn using<'v>(
        mut self,
        arguments: impl IntoIterator<Item = &'v Argument>,
        variables: &HashMap<&Name, usize>,
    ) -> Size {
        arguments.into_iter().for_each(|(_, value)| self.note(&value.node, variables));
        self
    }

    fn note(&mut self, value: &Value, variables: &HashMap<&Name, usize>) {
        match value {
            // A variable that nobody defines holds nothing.
            Value::Variable(name) => {
                let Some(index) = variables.get(name) else { return };
                if self.uses.len() <= *index {
                    self.uses.resize(*index + 1, 0);
                }
                if let Some(uses) = self.uses.get_mut(*index) {
                    *uses = uses.saturating_add(1);
                }
            }
            Value::List(values) => values.iter().for_each(|value| self.note(value, variables)),
            Value::Object(fields) => fields.values().for_each(|value| self.note(value, variables)),
            _ => {}
        }
    }
}

type Argument = (Positioned<Name>, Positioned<Value>);

fn arguments(directives: &[Positioned<Directive>]) -> impl Iterator<Item = &Argument> {
    directives.iter().flat_map(|directive| &directive.node.arguments)
}

/// What each fragment comes to, counted once.
pub(super) struct Walk<'a> {
    document: &'a ExecutableDocument,
    /// None while a fragment is being counted.
    fragments: HashMap<&'a Name, Option<Arc<Size>>>,
    /// The variables of all operations.
    variables: HashMap<&'a Name, usize>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(document: &'a ExecutableDocument) -> Self {
        let mut variables = HashMap::new();
        let definitions = document.operations.iter().flat_map(|(_, operation)| &operation.node.variable_definitions);
        for definition in definitions {
            let next = variables.len();
            variables.entry(&definition.node.name.node).or_insert(next);
        }
        Walk { document, fragments: HashMap::new(), variables }
    }

    /// How often each variable is used in what came to this.
    pub(super) fn uses(&self, size: &Size) -> HashMap<Name, u64> {
        let uses = |index: &usize| size.uses.get(*index).copied().unwrap_or_default();
        self.variables.iter().map(|(name, index)| (Name::clone(name), uses(index))).collect()
    }

    /// What an operation comes to.
    ///
    /// # Errors
    ///
    /// It is nested too deeply, or a fragment in it spreads itself.
    pub(super) fn operation(&mut self, operation: &'a OperationDefinition) -> Result<Size, Exceeded> {
        let size = self.size(&operation.selection_set.node, 0)?;
        Ok(size.using(arguments(&operation.directives), &self.variables))
    }

    /// What the fragments come to that no operation has led to: the library checks those, too.
    ///
    /// # Errors
    ///
    /// As [`Walk::operation`].
    pub(super) fn unused(&mut self) -> Result<Size, Exceeded> {
        let mut total = Size::default();
        for name in self.document.fragments.keys() {
            if !self.fragments.contains_key(name) {
                let size = self.fragment(name, 0)?;
                total.add(Size { roots: 0, ..Size::clone(&size) });
            }
        }
        Ok(total)
    }

    fn size(&mut self, set: &'a SelectionSet, level: u64) -> Result<Size, Exceeded> {
        let mut total = Size::default();
        if set.items.is_empty() {
            return Ok(total);
        }
        // Checked on the way down, so that the walk itself stays shallow.
        Limit::Depth.check(level)?;
        for item in &set.items {
            let size = match &item.node {
                Selection::Field(field) => {
                    let size = self.size(&field.node.selection_set.node, level + 1)?.below(&field.node);
                    size.using(&field.node.arguments, &self.variables)
                }
                Selection::InlineFragment(fragment) => {
                    self.size(&fragment.node.selection_set.node, level + 1)?.spread()
                }
                Selection::FragmentSpread(spread) => {
                    Size::clone(&*self.fragment(&spread.node.fragment_name.node, level + 1)?).spread()
                }
            };
            let size = size.using(arguments(item.node.directives()), &self.variables);
            total.add(size);
        }
        Ok(total)
    }

    fn fragment(&mut self, name: &'a Name, level: u64) -> Result<Arc<Size>, Exceeded> {
        match self.fragments.get(name) {
            Some(Some(size)) => return Ok(size.clone()),
            Some(None) => return Err(Exceeded { limit: Limit::Circles, found: 1 }),
            None => {}
        }
        self.fragments.insert(name, None);
        let mut size = Size::default();
        if let Some(fragment) = self.document.fragments.get(name) {
            size = self.size(&fragment.node.selection_set.node, level)?;
            size = size.using(arguments(&fragment.node.directives), &self.variables);
        }
        let size = Arc::new(size);
        self.fragments.insert(name, Some(size.clone()));
        Ok(size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use async_graphql::parser::parse_query;
    use rand::rngs::StdRng;
    use rand::{Rng, SeedableRng};

    const FIELDS: [&str; 9] = [
        "a",
        "b:a",
        "children",
        "children(first:3)",
        "children(first:$n)",
        "revisions(first:$m)",
        "c:revisions@include(if:$n)",
        "withheld(x:[$n {y:$m}])",
        "types",
    ];
    const FRAGMENTS: usize = 4;

    /// A selection; a fragment spreads only those after it.
    fn selection(rng: &mut StdRng, level: usize, next: usize) -> String {
        let item = |rng: &mut StdRng| match rng.random_range(0..4) {
            0 if next < FRAGMENTS => format!("...f{} ", rng.random_range(next..FRAGMENTS)),
            1 if level < 3 => format!("...{}", selection(rng, level + 1, next)),
            2 if level < 3 => {
                format!("{}{}", FIELDS[rng.random_range(0..FIELDS.len())], selection(rng, level + 1, next))
            }
            _ => format!("{} ", FIELDS[rng.random_range(0..FIELDS.len())]),
        };
        let items: String = (0..rng.random_range(1..4)).map(|_| item(rng)).collect();
        format!("{{{items}}}")
    }

    /// The same sums, with every fragment put in place each time.
    #[derive(Debug, Default, PartialEq)]
    struct Plain {
        selections: u64,
        aliases: u64,
        depth: u64,
        cost: u64,
        uses: [u64; 2],
    }

    fn plain(document: &ExecutableDocument, set: &SelectionSet, first: &impl Fn(&str, u64) -> u64) -> Plain {
        let mut total = Plain::default();
        for item in &set.items {
            let (set, items, alias) = match &item.node {
                Selection::Field(field) => {
                    let items = match items(&field.node) {
                        Items::Fixed(items) => items,
                        Items::Variable(name, usual) => first(&name, usual),
                    };
                    (&field.node.selection_set.node, Some(items), field.node.alias.is_some())
                }
                Selection::InlineFragment(fragment) => (&fragment.node.selection_set.node, None, false),
                Selection::FragmentSpread(spread) => {
                    let fragment = &document.fragments[&spread.node.fragment_name.node];
                    (&fragment.node.selection_set.node, None, false)
                }
            };
            let below = plain(document, set, first);
            total.selections += 1 + below.selections;
            total.aliases += u64::from(alias) + below.aliases;
            total.depth = total.depth.max(below.depth + u64::from(!set.items.is_empty()));
            total.cost += items.map_or(below.cost, |items| 1 + items * below.cost);
            let text = match &item.node {
                Selection::Field(field) => format!("{:?}{:?}", field.node.arguments, field.node.directives),
                _ => String::new(),
            };
            for (index, name) in ["n", "m"].into_iter().enumerate() {
                let used = text.matches(&format!("Variable(Name(\"{name}\"))")).count() as u64;
                total.uses[index] += used + below.uses[index];
            }
        }
        total
    }

    #[test]
    fn counting_each_fragment_once_counts_as_much_as_putting_each_in_place() {
        for seed in 0..2_000 {
            let mut rng = StdRng::seed_from_u64(seed);
            let mut text = format!("query($n:Int,$m:Int){}", selection(&mut rng, 0, 0));
            for i in 0..FRAGMENTS {
                text += &format!("fragment f{i} on Query{}", selection(&mut rng, 1, i + 1));
            }
            let document = parse_query(&text).expect("a document");
            let (_, operation) = document.operations.iter().next().expect("an operation");
            let mut walk = Walk::new(&document);
            let size = walk.operation(&operation.node).expect("it is small");
            let uses = walk.uses(&size);
            let (n, m) = (rng.random_range(1..100), rng.random_range(1..100));
            let first = |name: &str, _| if name == "n" { n } else { m };
            let counted = Plain {
                selections: size.selections,
                aliases: size.aliases,
                depth: size.depth,
                cost: size.cost.with(&first),
                uses: [uses["n"], uses["m"]],
            };
            assert_eq!(counted, plain(&document, &operation.node.selection_set.node, &first), "{text}");
        }
    }
}
