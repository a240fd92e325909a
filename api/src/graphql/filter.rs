//! The filter and the order of a list, as inputs.

use super::inputs::IdentifierKind;
use super::scalars::Date;
use async_graphql::{Enum, InputObject};
use samverka_domain::catalogue::{IdentifierKind as Number, ListKey};
use samverka_domain::list::{Filter, Operand, Operator, Order, Test};
use serde_json::Value as Json;

/// Which children a list shall hold (*urval*). All that is set must hold; what is left out or null asks for nothing.
///
/// A comparison with an absent name or day is unknown: it does not hold, nor does its opposite under `not`. So is every
/// comparison of a field that is withheld. Whether a child has a number is known where its numbers of the kind are shown,
/// though it has none. A field that you may search in no child is refused with `FORBIDDEN`, whatever children there are.
#[derive(InputObject)]
pub(super) struct ChildFilter {
    /// All of these hold (*och*).
    and: Option<Vec<ChildFilter>>,
    /// One of these holds (*eller*); of an empty list none does.
    or: Option<Vec<ChildFilter>>,
    /// This is known not to hold (*inte*).
    not: Option<Box<ChildFilter>>,
    /// F02 *förnamn*.
    given_names: Option<NameFilter>,
    /// F03 *efternamn*.
    family_name: Option<NameFilter>,
    /// F05 *födelsedatum*.
    birth_date: Option<DateFilter>,
    /// F11 *personnummer*.
    personal_number: Option<NumberFilter>,
    /// F12 *samordningsnummer*.
    coordination_number: Option<NumberFilter>,
    /// F13 *dossiernummer*.
    dossier_number: Option<NumberFilter>,
    /// F14 *LMA-kort*.
    lma_card: Option<NumberFilter>,
}

/// Compares a name (*namn*) as a Swede looks it up: whatever the case, the accents, the hyphens and the spaces; å, ä and ö
/// are letters of their own.
#[derive(InputObject)]
struct NameFilter {
    /// The name is this (*är*).
    equals: Option<String>,
    /// The name begins so (*börjar med*).
    starts_with: Option<String>,
}

/// Compares a day (*dag*).
#[derive(InputObject)]
struct DateFilter {
    /// The day is this (*är*).
    equals: Option<Date>,
    /// The day is this or later (*från och med*).
    from: Option<Date>,
    /// The day is this or earlier (*till och med*).
    to: Option<Date>,
}

/// Compares a number (*nummer*); check digits are checked.
#[derive(InputObject)]
struct NumberFilter {
    /// One of the child's numbers is this (*är*).
    equals: Option<String>,
}

/// In which order a list comes (*ordning*). Children whose value is absent or withheld come last, whatever the direction.
#[derive(InputObject)]
pub(super) struct ChildOrder {
    /// By what (*efter*).
    field: ChildOrderField,
    /// Which end comes first (*riktning*).
    #[graphql(default)]
    direction: OrderDirection,
}

/// What a list of children can be put in order by (*ordna efter*).
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
enum ChildOrderField {
    /// F02 *förnamn*, in Swedish alphabetical order.
    GivenNames,
    /// F03 *efternamn*, in Swedish alphabetical order.
    FamilyName,
    /// F05 *födelsedatum*.
    BirthDate,
    /// F49: the day of the latest risk observation (*senaste riskobservation*).
    RiskDate,
    /// F51: the day the safety plan is to be reviewed (*trygghetsplanen följs upp*).
    PlanReviewOn,
}

/// Which end of an order comes first (*riktning*).
#[derive(Clone, Copy, Default, PartialEq, Eq, Enum)]
enum OrderDirection {
    /// The lowest, the earliest (*stigande*).
    #[default]
    Asc,
    /// The highest, the latest (*fallande*).
    Desc,
}

impl From<ChildOrder> for Order {
    fn from(order: ChildOrder) -> Self {
        let by = match order.field {
            ChildOrderField::GivenNames => ListKey::GivenNames,
            ChildOrderField::FamilyName => ListKey::FamilyName,
            ChildOrderField::BirthDate => ListKey::BirthDate,
            ChildOrderField::RiskDate => ListKey::RiskDate,
            ChildOrderField::PlanReviewOn => ListKey::PlanReview,
        };
        Order { by, descending: order.direction == OrderDirection::Desc }
    }
}

impl ChildFilter {
    /// The filter, each comparison with its path among the arguments.
    pub(super) fn into_domain(self, path: &[String]) -> Filter {
        let ChildFilter {
            and,
            or,
            not,
            given_names,
            family_name,
            birth_date,
            personal_number,
            coordination_number,
            dossier_number,
            lma_card,
        } = self;
        let below = |name: &str| path.iter().cloned().chain([name.to_owned()]).collect::<Vec<_>>();
        let each = |name: &str, filters: Vec<ChildFilter>| -> Vec<Filter> {
            let at = |index: usize| below(name).into_iter().chain([index.to_string()]).collect::<Vec<_>>();
            filters.into_iter().enumerate().map(|(index, filter)| filter.into_domain(&at(index))).collect()
        };
        let mut all = Vec::new();
        all.extend(and.map(|and| Filter::All(each("and", and))));
        all.extend(or.map(|or| Filter::Any(each("or", or))));
        all.extend(not.map(|not| Filter::Not(Box::new(not.into_domain(&below("not"))))));
        let names =
            [("givenNames", ListKey::GivenNames, given_names), ("familyName", ListKey::FamilyName, family_name)];
        for (name, key, filter) in names {
            let NameFilter { equals, starts_with } = filter.unwrap_or(NameFilter { equals: None, starts_with: None });
            let values = [
                ("equals", Operator::Equals, equals.map(Json::from)),
                ("startsWith", Operator::StartsWith, starts_with.map(Json::from)),
            ];
            all.extend(tests(&below(name), Operand::Key(key), values));
        }
        if let Some(DateFilter { equals, from, to }) = birth_date {
            let values = [
                ("equals", Operator::Equals, equals.map(|day| day.0)),
                ("from", Operator::From, from.map(|day| day.0)),
                ("to", Operator::To, to.map(|day| day.0)),
            ];
            all.extend(tests(&below("birthDate"), Operand::Key(ListKey::BirthDate), values));
        }
        let numbers = [
            ("personalNumber", IdentifierKind::PersonalNumber, personal_number),
            ("coordinationNumber", IdentifierKind::CoordinationNumber, coordination_number),
            ("dossierNumber", IdentifierKind::DossierNumber, dossier_number),
            ("lmaCard", IdentifierKind::LmaCard, lma_card),
        ];
        for (name, kind, filter) in numbers {
            let values = [("equals", Operator::Equals, filter.and_then(|filter| filter.equals).map(Json::from))];
            all.extend(tests(&below(name), Operand::Number(Number::from(kind)), values));
        }
        Filter::All(all)
    }
}

fn tests<const N: usize>(
    path: &[String],
    of: Operand,
    values: [(&'static str, Operator, Option<Json>); N],
) -> impl Iterator<Item = Filter> {
    let test = move |(name, operator, value): (&'static str, Operator, Option<Json>)| {
        let path = path.iter().cloned().chain([name.to_owned()]).collect();
        Some(Filter::Test(Test { path, of, operator, value: value? }))
    };
    values.into_iter().filter_map(test)
}
