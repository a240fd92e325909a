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
    /// How often each variable is used.
    pub(super) uses: HashMap<Name, u64>,
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
            (self.cost, self.uses) = (Cost::default(), HashMap::new());
            return;
        }
        self.cost.add(other.cost);
        if self.uses.is_empty() {
            self.uses = other.uses;
        } else {
            other.uses.into_iter().for_each(|(variable, times)| self.note(variable, times));
        }
    }

    fn note(&mut self, variable: Name, times: u64) {
        let uses = self.uses.entry(variable).or_default();
        *uses = uses.saturating_add(times);
    }

    /// A spread of this.
    fn spread(mut self, directives: &[Positioned<Directive>]) -> Size {
        self.selections = self.selections.saturating_add(1);
        self.depth += 1;
        self.directives(directives);
        self
    }

    /// A field with this below it.
    fn below(mut self, field: &Field) -> Size {
        self.selections = self.selections.saturating_add(1);
        self.aliases = self.aliases.saturating_add(u64::from(field.alias.is_some()));
        self.roots = 1;
        self.depth += u64::from(!field.selection_set.node.items.is_empty());
        self.cost = self.cost.below(items(field));
        field.arguments.iter().for_each(|(_, value)| self.value(&value.node));
        self.directives(&field.directives);
        self
    }

    fn directives(&mut self, directives: &[Positioned<Directive>]) {
        let arguments = directives.iter().flat_map(|directive| &directive.node.arguments);
        arguments.for_each(|(_, value)| self.value(&value.node));
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::Variable(name) => self.note(name.clone(), 1),
            Value::List(values) => values.iter().for_each(|value| self.value(value)),
            Value::Object(fields) => fields.values().for_each(|value| self.value(value)),
            _ => {}
        }
    }
}

/// What each fragment comes to, counted once.
pub(super) struct Walk<'a> {
    document: &'a ExecutableDocument,
    /// None while a fragment is being counted.
    fragments: HashMap<&'a Name, Option<Arc<Size>>>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(document: &'a ExecutableDocument) -> Self {
        Walk { document, fragments: HashMap::new() }
    }

    /// What an operation comes to.
    ///
    /// # Errors
    ///
    /// It is nested too deeply, or a fragment in it spreads itself.
    pub(super) fn operation(&mut self, operation: &'a OperationDefinition) -> Result<Size, Exceeded> {
        let mut size = self.size(&operation.selection_set.node, 0)?;
        size.directives(&operation.directives);
        Ok(size)
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
                Selection::Field(field) => self.size(&field.node.selection_set.node, level + 1)?.below(&field.node),
                Selection::InlineFragment(fragment) => {
                    self.size(&fragment.node.selection_set.node, level + 1)?.spread(&fragment.node.directives)
                }
                Selection::FragmentSpread(spread) => {
                    let size = self.fragment(&spread.node.fragment_name.node, level + 1)?;
                    Size::clone(&size).spread(&spread.node.directives)
                }
            };
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
            size.directives(&fragment.node.directives);
        }
        let size = Arc::new(size);
        self.fragments.insert(name, Some(size.clone()));
        Ok(size)
    }
}
