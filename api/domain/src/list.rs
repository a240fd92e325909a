//! What a list is asked for: a filter and an order, as the caller puts them, and what they come to under the rules.

use crate::catalogue::{FieldId, FieldSet, IdentifierKind, ListKey, Value};
use crate::collation::name_key;
use crate::error::{Error, ErrorCode, Refusal};
use crate::policy::{ListRules, RowRule};
use chrono::NaiveDate;
use serde_json::Value as Json;
use uuid::Uuid;

/// How many comparisons a filter has at most.
const MOST_TESTS: usize = 50;
/// How deep `and`, `or` and `not` are nested at most.
const DEEPEST: usize = 8;
/// How many parts a filter has at most, comparisons or not: what holds no comparison costs something, too.
const MOST_PARTS: usize = 250;

/// A filter as it is asked for.
#[derive(Clone, Debug)]
pub enum Filter {
    /// All of them hold; where there are none, every child qualifies.
    All(Vec<Filter>),
    /// One of them holds; where there are none, no child qualifies.
    Any(Vec<Filter>),
    /// It is known not to hold.
    Not(Box<Filter>),
    /// A field is compared with a value.
    Test(Test),
}

/// One comparison as it is asked for.
#[derive(Clone, Debug)]
pub struct Test {
    /// Where it stands among the arguments.
    pub path: Vec<String>,
    /// What is compared.
    pub of: Operand,
    /// How.
    pub operator: Operator,
    /// With what: a text or a day.
    pub value: Json,
}

/// What a comparison looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operand {
    /// A key of the list table.
    Key(ListKey),
    /// The child's numbers of a kind.
    Number(IdentifierKind),
}

impl Operand {
    fn field(self) -> FieldId {
        match self {
            Operand::Key(key) => key.field(),
            Operand::Number(kind) => kind.field(),
        }
    }
}

/// How a comparison is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// It is this; names whatever the case, the accents, the hyphens and the spaces.
    Equals,
    /// The name begins so.
    StartsWith,
    /// The day is this or later.
    From,
    /// The day is this or earlier.
    To,
}

impl Operator {
    /// The name of the operator in a filter.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Operator::Equals => "equals",
            Operator::StartsWith => "startsWith",
            Operator::From => "from",
            Operator::To => "to",
        }
    }
}

/// In which order a list comes. Where the key is absent or withheld, the child comes last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    /// The key.
    pub by: ListKey,
    /// Whether the highest comes first.
    pub descending: bool,
}

/// A list under the rules of its caller.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Listing {
    /// The rows that the caller may know of.
    pub(crate) known: RowRule,
    pub(crate) filter: Option<Condition>,
    pub(crate) order: Option<(Order, RowRule)>,
    /// The fields that it confirms something of.
    pub(crate) confirms: FieldSet,
}

impl Listing {
    /// The comparisons of the filter.
    pub(crate) fn comparisons(&self) -> Vec<&Comparison> {
        fn gather<'c>(condition: &'c Condition, all: &mut Vec<&'c Comparison>) {
            match condition {
                Condition::All(parts) | Condition::Any(parts) => parts.iter().for_each(|part| gather(part, all)),
                Condition::Not(part) => gather(part, all),
                Condition::Test(_, comparison) => all.push(comparison),
            }
        }
        let mut all = Vec::new();
        self.filter.iter().for_each(|filter| gather(filter, &mut all));
        all
    }
}

/// A filter under the rules: a comparison holds only in rows where its field may be searched, and is unknown in all
/// others, so that neither it nor its opposite matches a withheld value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Condition {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Box<Condition>),
    Test(RowRule, Comparison),
}

impl Condition {
    /// Whether it holds of every child, or of none, where it compares nothing: unknown where it does.
    pub(crate) fn constant(&self) -> Option<bool> {
        match self {
            Condition::All(all) => all.iter().try_fold(true, |every, part| Some(every & part.constant()?)),
            Condition::Any(any) => any.iter().try_fold(false, |some, part| Some(some | part.constant()?)),
            Condition::Not(not) => not.constant().map(|holds| !holds),
            Condition::Test(..) => None,
        }
    }
}

/// A comparison with a checked value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Comparison {
    Is(ListKey, Key),
    StartsWith(ListKey, Vec<u8>),
    From(ListKey, NaiveDate),
    To(ListKey, NaiveDate),
    HasNumber(IdentifierKind, String),
}

impl Comparison {
    /// The field that is compared, how, and with what, as bytes.
    pub(crate) fn parts(&self) -> (FieldId, Operator, Vec<u8>) {
        let day = |day: &NaiveDate| day.to_string().into_bytes();
        match self {
            Comparison::Is(key, Key::Name(name)) => (key.field(), Operator::Equals, name.clone()),
            Comparison::Is(key, Key::Day(value)) => (key.field(), Operator::Equals, day(value)),
            Comparison::StartsWith(key, name) => (key.field(), Operator::StartsWith, name.clone()),
            Comparison::From(key, value) => (key.field(), Operator::From, day(value)),
            Comparison::To(key, value) => (key.field(), Operator::To, day(value)),
            Comparison::HasNumber(kind, number) => (kind.field(), Operator::Equals, number.clone().into_bytes()),
        }
    }
}

/// A value of a key as the list table holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    Name(Vec<u8>),
    Day(NaiveDate),
}

/// A place in a list: the key, none where it is absent or withheld, and the child.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) key: Option<Key>,
    pub(crate) child: Uuid,
}

impl Listing {
    /// Checks a filter and an order.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] with everything that is wrong: `FORBIDDEN` for a field that the caller can search in no row,
    /// whatever rows there are; a value that cannot be one; `FILTER_TOO_LARGE`.
    pub(crate) fn read(rules: &ListRules, filter: Option<Filter>, order: Option<Order>) -> Result<Self, Error> {
        let mut reading = Reading { rules, refusals: Vec::new(), parts: 0, tests: 0, confirms: FieldSet::EMPTY };
        let filter = filter.and_then(|filter| reading.filter(filter, 0));
        let order = order.and_then(|order| {
            let path = || ["orderBy", "field"].map(str::to_owned).to_vec();
            Some((order, reading.rule(order.by.field(), path)?))
        });
        let Reading { refusals, confirms, .. } = reading;
        if !refusals.is_empty() {
            return Err(Error::Refused(refusals));
        }
        Ok(Listing { known: rules.known().clone(), filter, order, confirms })
    }
}

/// A filter while it is read.
struct Reading<'a> {
    rules: &'a ListRules,
    refusals: Vec<Refusal>,
    parts: usize,
    tests: usize,
    confirms: FieldSet,
}

impl Reading<'_> {
    fn filter(&mut self, filter: Filter, depth: usize) -> Option<Condition> {
        self.parts += 1;
        if self.parts > MOST_PARTS {
            self.too_large(MOST_PARTS);
            return None;
        }
        if depth > DEEPEST {
            self.too_large(DEEPEST);
            return None;
        }
        let mut parts =
            |parts: Vec<Filter>| parts.into_iter().filter_map(|part| self.filter(part, depth + 1)).collect();
        match filter {
            Filter::All(all) => Some(Condition::All(parts(all))),
            Filter::Any(any) => Some(Condition::Any(parts(any))),
            Filter::Not(not) => Some(Condition::Not(Box::new(self.filter(*not, depth + 1)?))),
            Filter::Test(test) => self.test(test),
        }
    }

    fn test(&mut self, test: Test) -> Option<Condition> {
        let Test { path, of, operator, value } = test;
        self.tests += 1;
        if self.tests > MOST_TESTS {
            self.too_large(MOST_TESTS);
            return None;
        }
        let rule = self.rule(of.field(), || path.clone());
        match read(of, operator, &value) {
            Ok(comparison) => Some(Condition::Test(rule?, comparison)),
            Err(refuse) => {
                self.refusals.push(refuse(path));
                None
            }
        }
    }

    /// The rows in which a field may be searched. A refusal is the same whatever rows there are.
    fn rule(&mut self, id: FieldId, path: impl FnOnce() -> Vec<String>) -> Option<RowRule> {
        self.confirms.insert(id);
        let rule = self.rules.searchable(id).cloned();
        if rule.is_none() {
            let refusal = Refusal { ask: Some(id.group().owner), ..Refusal::at(ErrorCode::Forbidden, path()) };
            self.refusals.push(refusal);
        }
        rule
    }

    fn too_large(&mut self, limit: usize) {
        let refusal = Refusal { limit: Some(limit), ..Refusal::at(ErrorCode::FilterTooLarge, ["filter"]) };
        if !self.refusals.contains(&refusal) {
            self.refusals.push(refusal);
        }
    }
}

type Refuse = Box<dyn FnOnce(Vec<String>) -> Refusal>;

fn read(of: Operand, operator: Operator, value: &Json) -> Result<Comparison, Refuse> {
    let invalid = |invalid| -> Refuse { Box::new(move |path| Refusal::of_value(path, invalid)) };
    let code = |code| -> Refuse { Box::new(move |path| Refusal::at(code, path)) };
    let key = match of {
        Operand::Number(kind) => {
            let number = value.as_str().ok_or_else(|| code(ErrorCode::InvalidInput))?;
            return kind.normalise(number).map(|number| Comparison::HasNumber(kind, number)).map_err(invalid);
        }
        Operand::Key(key) => key,
    };
    match (key.field().field().kind.read(value).map_err(|(_, reason)| invalid(reason))?, operator) {
        (Value::Text(name), Operator::Equals | Operator::StartsWith) => {
            let name = name_key(&name).ok_or_else(|| code(ErrorCode::InvalidText))?;
            Ok(match operator {
                Operator::StartsWith => Comparison::StartsWith(key, name),
                _ => Comparison::Is(key, Key::Name(name)),
            })
        }
        (Value::Date(day), Operator::Equals) => Ok(Comparison::Is(key, Key::Day(day))),
        (Value::Date(day), Operator::From) => Ok(Comparison::From(key, day)),
        (Value::Date(day), Operator::To) => Ok(Comparison::To(key, day)),
        _ => Err(code(ErrorCode::InvalidInput)),
    }
}

impl Place {
    /// The place as bytes for a cursor.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.child.as_bytes().to_vec();
        match &self.key {
            None => bytes.push(0),
            Some(Key::Day(day)) => {
                bytes.push(1);
                bytes.extend(chrono::Datelike::num_days_from_ce(day).to_be_bytes());
            }
            Some(Key::Name(name)) => {
                bytes.push(2);
                bytes.extend(name);
            }
        }
        bytes
    }

    /// The place that bytes of a cursor stand for.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (child, rest) = bytes.split_at_checked(16)?;
        let (kind, rest) = rest.split_first()?;
        let key = match kind {
            0 => None,
            1 => Some(Key::Day(NaiveDate::from_num_days_from_ce_opt(i32::from_be_bytes(rest.try_into().ok()?))?)),
            2 => Some(Key::Name(rest.to_vec())),
            _ => return None,
        };
        Some(Place { key, child: Uuid::from_slice(child).ok()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{Engine, Purpose, Role};

    fn rules(role: Role) -> std::sync::Arc<ListRules> {
        Engine::embedded().list_rules(role, Purpose::Protect)
    }

    fn named(name: &str) -> Filter {
        let of = Operand::Key(ListKey::FamilyName);
        Filter::Test(Test { path: vec!["filter".to_owned()], of, operator: Operator::Equals, value: name.into() })
    }

    fn codes(result: Result<Listing, Error>) -> Vec<ErrorCode> {
        match result {
            Err(Error::Refused(refusals)) => refusals.iter().map(|refusal| refusal.code).collect(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn places_survive_the_way_through_a_cursor() {
        let child = Uuid::from_u128(7);
        let day = NaiveDate::from_ymd_opt(2009, 3, 4);
        for key in [None, day.map(Key::Day), Some(Key::Name(vec![1, 2, 3]))] {
            let place = Place { key, child };
            assert_eq!(Place::from_bytes(&place.to_bytes()), Some(place));
        }
        assert_eq!(Place::from_bytes(&[0; 16]), None);
        assert_eq!(Place::from_bytes(&[9; 40]), None);
    }

    #[test]
    fn a_filter_is_bounded() {
        let rules = rules(Role::Migration);
        let nested = |depth: usize| (0..depth).fold(named("Ali"), |filter, _| Filter::Not(Box::new(filter)));
        assert!(Listing::read(&rules, Some(nested(DEEPEST)), None).is_ok());
        assert_eq!(codes(Listing::read(&rules, Some(nested(DEEPEST + 1)), None)), [ErrorCode::FilterTooLarge]);
        let nothing = |parts: usize| Filter::All((0..parts).map(|_| Filter::All(Vec::new())).collect());
        assert!(Listing::read(&rules, Some(nothing(MOST_PARTS - 1)), None).is_ok());
        assert_eq!(codes(Listing::read(&rules, Some(nothing(9_000)), None)), [ErrorCode::FilterTooLarge]);
        let wide = |tests: usize| Filter::Any((0..tests).map(|_| named("Ali")).collect());
        assert!(Listing::read(&rules, Some(wide(MOST_TESTS)), None).is_ok());
        assert_eq!(codes(Listing::read(&rules, Some(wide(1000)), None)), [ErrorCode::FilterTooLarge]);
    }

    #[test]
    fn all_that_is_wrong_is_told_at_once() {
        let order = Some(Order { by: ListKey::RiskDate, descending: true });
        let filter = Filter::All(vec![named("-"), named("Ali")]);
        let told = codes(Listing::read(&rules(Role::School), Some(filter), order));
        assert_eq!(told, [ErrorCode::InvalidText, ErrorCode::Forbidden]);
        assert!(Listing::read(&rules(Role::SocialServices), None, order).is_ok());
    }
}
