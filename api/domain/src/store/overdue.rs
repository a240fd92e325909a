//! Handovers that are overdue.

use super::Snapshot;
use super::columns::name;
use super::reading::Rows;
use super::seal::SEALED;
use crate::error::DatabaseError;
use crate::feed::EventKind;
use crate::ids::AgencyId;
use sea_orm::sea_query::{Cond, Expr, ExprTrait, JoinType, Order, Query};
use uuid::Uuid;

/// Whose handovers.
#[derive(Clone, Debug)]
pub(crate) enum Whose {
    /// An agency's own, as sender or receiver.
    Party(AgencyId),
    /// Those between these agencies and any, once the county was told of them.
    County(Vec<AgencyId>),
}

/// A handover that is overdue.
#[derive(Clone, Debug)]
pub(crate) struct OverdueRow {
    pub(crate) id: Uuid,
    pub(crate) subject: Uuid,
    pub(crate) kind: String,
    pub(crate) from: AgencyId,
    pub(crate) to: AgencyId,
    pub(crate) expected_at: i64,
    pub(crate) overdue_at: i64,
}

impl Snapshot {
    /// The handovers that are overdue, those that have been so the longest first, after a place.
    pub(crate) async fn overdue_handovers(
        &self,
        whose: &Whose,
        after: Option<(i64, Uuid)>,
        limit: u64,
    ) -> Result<Vec<OverdueRow>, DatabaseError> {
        let column = |column: &'static str| Expr::col((name("handover"), name(column)));
        let of_child = Cond::all().add(column("child_id").equals((name("child"), name("id"))));
        let mut query = Query::select();
        query
            .columns(
                ["id", "kind", "from_agency_id", "to_agency_id", "expected_at", "overdue_at"]
                    .map(|column| (name("handover"), name(column))),
            )
            .column((name("child"), name("subject")))
            .from(name("handover"))
            .join(JoinType::InnerJoin, name("child"), of_child)
            .and_where(column("overdue_at").is_not_null())
            .and_where(column("ended_at").is_null())
            .and_where(column("arrived_at").is_null())
            .and_where(Expr::col((name("child"), name("state"))).ne(SEALED));
        match whose {
            Whose::Party(agency) => {
                let own =
                    Cond::any().add(column("from_agency_id").eq(agency.0)).add(column("to_agency_id").eq(agency.0));
                let mut blocked = Query::select();
                blocked
                    .expr(Expr::val(1))
                    .from(name("block"))
                    .and_where(
                        Expr::col((name("block"), name("child_id"))).equals((name("handover"), name("child_id"))),
                    )
                    .and_where(Expr::col((name("block"), name("agency_id"))).eq(agency.0))
                    .and_where(Expr::col((name("block"), name("lifted_at"))).is_null());
                query.cond_where(own).and_where(Expr::exists(blocked).not());
            }
            Whose::County(agencies) => {
                let ids = || agencies.iter().map(|agency| agency.0);
                let within =
                    Cond::any().add(column("from_agency_id").is_in(ids())).add(column("to_agency_id").is_in(ids()));
                // The event, and not the deadline: that is set anew where the arrival is put off, and takes nothing back.
                let mut told = Query::select();
                told.expr(Expr::val(1))
                    .from(name("event"))
                    .and_where(Expr::col((name("event"), name("about_id"))).equals((name("handover"), name("id"))))
                    .and_where(Expr::col((name("event"), name("kind"))).eq(EventKind::HandoverOverdueInCounty.code()))
                    .and_where(Expr::col((name("event"), name("at"))).gte(column("overdue_at")));
                query.cond_where(within).and_where(Expr::exists(told));
            }
        }
        if let Some((at, id)) = after {
            let later = Cond::any()
                .add(column("overdue_at").gt(at))
                .add(Cond::all().add(column("overdue_at").eq(at)).add(column("id").gt(id)));
            query.cond_where(later);
        }
        query.order_by((name("handover"), name("overdue_at")), Order::Asc);
        query.order_by((name("handover"), name("id")), Order::Asc).limit(limit);
        let rows = self.rows(&query).await?;
        let read = |row: &sea_orm::QueryResult| {
            Ok(OverdueRow {
                id: row.try_get_by_index(0)?,
                kind: row.try_get_by_index(1)?,
                from: AgencyId(row.try_get_by_index(2)?),
                to: AgencyId(row.try_get_by_index(3)?),
                expected_at: row.try_get_by_index(4)?,
                overdue_at: row.try_get_by_index(5)?,
                subject: row.try_get_by_index(6)?,
            })
        };
        rows.iter().map(read).collect()
    }
}
