//! The catalogue's columns as the database knows them.

use crate::catalogue::{Field, FieldId, FieldSet, Kind, Section, Source, Value};
use crate::error::DatabaseError;
use crate::ids::{AgencyId, typed, untyped};
use crate::photo::Photo;
use chrono::NaiveDate;
use sea_orm::sea_query::{Alias, Expr, SimpleExpr};
use sea_orm::{QueryResult, Value as Bound};
use serde_json::{Value as Json, json};
use std::sync::LazyLock;
use uuid::Uuid;

/// A column or table by name. Names come from the catalogue or this room, never from a caller.
pub(super) fn name(name: &'static str) -> Alias {
    Alias::new(name)
}

/// The fields of a section that are columns of its table.
pub(super) fn stored(section: Section) -> FieldSet {
    static SETS: LazyLock<FieldSet> = LazyLock::new(|| FieldId::all().filter(|id| is_stored(id.field())).collect());
    section.field_set() & *SETS
}

fn is_stored(field: &Field) -> bool {
    match field.source {
        Source::Column | Source::Kept | Source::Photo => true,
        Source::Flag(_) => field.section != Section::Identifiers && !field.section.is_of_protocols(),
        Source::Involvement | Source::Identifiers(_) | Source::Earlier | Source::Rows(_) => false,
    }
}

/// Reads a column of this kind by its place in the row.
pub(super) fn read(row: &QueryResult, index: usize, kind: Kind) -> Result<Option<Value>, DatabaseError> {
    Ok(match kind {
        Kind::Date => row.try_get_by_index::<Option<NaiveDate>>(index)?.map(Value::Date),
        Kind::Bool => row.try_get_by_index::<Option<bool>>(index)?.map(Value::Bool),
        Kind::Agency => row.try_get_by_index::<Option<Uuid>>(index)?.map(|uuid| Value::Agency(AgencyId(uuid))),
        Kind::Texts(..) | Kind::Codes(..) | Kind::Phones(..) | Kind::Entries(..) => {
            let json = row.try_get_by_index::<Option<Json>>(index)?;
            json.and_then(|json| if let Json::Array(items) = json { Some(Value::List(items)) } else { None })
        }
        Kind::Instant => row.try_get_by_index::<Option<i64>>(index)?.map(Value::Instant),
        Kind::Id(prefix) => row.try_get_by_index::<Option<Uuid>>(index)?.map(|id| Value::Text(typed(prefix, id))),
        Kind::Json => row.try_get_by_index::<Option<Json>>(index)?.map(Value::Json),
        Kind::Photo => row.try_get_by_index::<Option<Json>>(index)?.and_then(Photo::from_stored).map(Value::Photo),
        Kind::Text(_) | Kind::Code(_) | Kind::Phone | Kind::Email | Kind::PostalCode | Kind::OrganisationNumber => {
            row.try_get_by_index::<Option<String>>(index)?.map(Value::Text)
        }
    })
}

/// A value as a bound parameter of a column.
pub(super) fn bind(id: FieldId, value: Option<&Value>) -> SimpleExpr {
    bind_kind(id.field().kind, value)
}

/// The type of a column in PostgreSQL.
pub(super) fn sql_type(id: FieldId) -> &'static str {
    match id.field().kind {
        Kind::Date => "date",
        Kind::Bool => "boolean",
        Kind::Agency | Kind::Id(_) => "uuid",
        Kind::Instant => "bigint",
        Kind::Texts(..) | Kind::Codes(..) | Kind::Phones(..) | Kind::Entries(..) | Kind::Photo | Kind::Json => "jsonb",
        Kind::Text(_) | Kind::Code(_) | Kind::Phone | Kind::Email | Kind::PostalCode | Kind::OrganisationNumber => {
            "text"
        }
    }
}

/// A value as the database reads it from a record of that type.
pub(super) fn plain(id: FieldId, value: Option<&Value>) -> Json {
    match value {
        Some(Value::Text(text)) => match id.field().kind {
            Kind::Id(prefix) => json!(untyped(prefix, text)),
            _ => json!(text),
        },
        Some(Value::Bool(yes)) => json!(yes),
        Some(Value::Date(date)) => json!(date),
        Some(Value::Agency(AgencyId(uuid))) => json!(uuid),
        Some(Value::List(items)) => json!(items),
        Some(Value::Photo(photo)) => photo.to_stored(),
        Some(Value::Instant(micros)) => json!(micros),
        Some(Value::Json(json)) => json.clone(),
        None => Json::Null,
    }
}

/// A value as a bound parameter of a column of this kind.
pub(super) fn bind_kind(kind: Kind, value: Option<&Value>) -> SimpleExpr {
    Expr::val(bound_kind(kind, value))
}

fn bound_kind(kind: Kind, value: Option<&Value>) -> Bound {
    match value {
        Some(Value::Text(text)) => match kind {
            Kind::Id(prefix) => untyped(prefix, text).into(),
            _ => text.clone().into(),
        },
        Some(Value::Bool(yes)) => (*yes).into(),
        Some(Value::Date(date)) => (*date).into(),
        Some(Value::Agency(AgencyId(uuid))) => (*uuid).into(),
        Some(Value::List(items)) => Json::Array(items.clone()).into(),
        Some(Value::Photo(photo)) => photo.to_stored().into(),
        Some(Value::Instant(micros)) => (*micros).into(),
        Some(Value::Json(json)) => json.clone().into(),
        None => match kind {
            Kind::Date => None::<NaiveDate>.into(),
            Kind::Bool => None::<bool>.into(),
            Kind::Agency | Kind::Id(_) => None::<Uuid>.into(),
            Kind::Instant => None::<i64>.into(),
            Kind::Texts(..) | Kind::Codes(..) | Kind::Phones(..) | Kind::Entries(..) | Kind::Photo | Kind::Json => {
                None::<Json>.into()
            }
            _ => None::<String>.into(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use samverka_entities as entities;
    use sea_orm::{ColumnTrait, EntityTrait, Iterable};
    use std::collections::BTreeSet;

    fn columns<E: EntityTrait>() -> BTreeSet<String> {
        E::Column::iter().map(|column| sea_orm::IdenStatic::as_str(&column).to_owned()).collect()
    }

    fn entity(section: Section) -> (BTreeSet<String>, &'static [&'static str]) {
        const ROW: &[&str] = &["child_id", "stamps"];
        match section {
            Section::Identity => (columns::<entities::identity::Entity>(), ROW),
            Section::Identifiers => (
                columns::<entities::identifier::Entity>(),
                &["id", "child_id", "kind", "value", "identity_level", "valid_from", "valid_to", "stamps"],
            ),
            Section::Protection => (columns::<entities::protection::Entity>(), ROW),
            Section::Asylum => (columns::<entities::asylum::Entity>(), ROW),
            Section::Responsibility => (columns::<entities::responsibility::Entity>(), ROW),
            Section::Placement => (columns::<entities::placement::Entity>(), &["id", "child_id", "valid_to", "stamps"]),
            Section::Guardianship => (columns::<entities::guardianship::Entity>(), ROW),
            Section::Health => (columns::<entities::health::Entity>(), ROW),
            Section::Schooling => (columns::<entities::schooling::Entity>(), ROW),
            Section::Network => (columns::<entities::network::Entity>(), ROW),
            Section::Voice => (columns::<entities::voice::Entity>(), ROW),
            Section::Description => (columns::<entities::description::Entity>(), ROW),
            Section::Risk => (columns::<entities::risk::Entity>(), ROW),
            Section::SafetyPlan => (columns::<entities::safety_plan::Entity>(), ROW),
            Section::Missing => (
                columns::<entities::missing_episode::Entity>(),
                &["child_id", "stamps", "opened_by", "closed_by", "reopens"],
            ),
            Section::Concerns | Section::Handovers | Section::Consents => (BTreeSet::new(), &[]),
        }
    }

    /// A column that is not in the catalogue could never be shown; a field without a column could
    /// never be kept. Add what is missing to `catalogue/fields.rs`, or to the entity and a migration.
    #[test]
    fn entities_and_catalogue_have_the_same_columns() {
        for section in Section::ALL {
            let (columns, bookkeeping) = entity(section);
            let mut expected: BTreeSet<String> = bookkeeping.iter().map(|name| (*name).to_owned()).collect();
            expected.extend(stored(section).iter().map(|id| id.field().column.to_owned()));
            assert_eq!(columns, expected, "{section:?}");
        }
        let _ = <entities::identity::Column as ColumnTrait>::def;
    }
}
