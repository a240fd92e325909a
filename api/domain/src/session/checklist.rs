//! Checklists and the routines they are copied from: who ticks off what, and who publishes.

use super::Session;
use super::change::{Reading, Work};
use super::episode::Inputs;
use super::step::{Step, Stop};
use crate::catalogue::{FieldSet, Invalid};
use crate::error::{Error, ErrorCode, Refusal};
use crate::feed::EventKind;
use crate::gate::Gate;
use crate::ids::{AgencyId, EpisodeId, HandoverId, ItemId};
use crate::policy::{Act, Operation, Relation, Role};
use crate::reference;
use crate::routine::{self, Item, ItemState, MOST_ITEMS, Moment, NATIONAL, Routine, Why, faults, in_force, lacking};
use crate::store::{About, HandoverRow, ItemRow, RoutineRow, Tie};
use crate::view::{ChecklistView, ChildView, ItemAnswer, ItemView, RoutineView, Selection};
use chrono::NaiveDate;
use uuid::Uuid;

/// An hour, in microseconds.
const HOUR: i64 = 3_600_000_000;
/// Why an item is skipped.
const REASON: usize = 1000;

impl<'s> Step<'s> {
    /// Ticks an item off.
    ///
    /// # Errors
    ///
    /// `CONFLICT` with its state if it is not open; `FORBIDDEN` for one that is neither of the caller's role nor assigned to
    /// its agency; [`Error::NotFound`] alike for an item that never was and one of a child the caller may not know.
    pub async fn tick_item(&self, id: &str, selection: &Selection) -> Result<ItemAnswer, Error> {
        let result = async {
            let decide = |gate: &Gate<'_>, row: &mut ItemRow| {
                self.own_item(gate, row)?;
                row.state = ItemState::Done;
                self.end_item(row);
                Ok(())
            };
            self.on_item(id, EventKind::ItemTicked, "tickItem", selection, decide).await
        };
        self.conclude_item(Box::pin(result).await, selection).await
    }

    /// Leaves an item out, and says why.
    ///
    /// # Errors
    ///
    /// As [`Step::tick_item`]; `FORBIDDEN` at `itemId` for a mandatory one, unless the caller is the responsible board.
    pub async fn skip_item(&self, id: &str, reason: &str, selection: &Selection) -> Result<ItemAnswer, Error> {
        let result = async {
            let mut inputs = Inputs::default();
            let reason = inputs.text(&["reason"], Some(reason), REASON);
            inputs.checked()?;
            let decide = |gate: &Gate<'_>, row: &mut ItemRow| {
                self.own_item(gate, row)?;
                if row.mandatory && !self.is_responsible_board(gate) {
                    return Err(Error::refused_for(ErrorCode::Forbidden, ["itemId"], "the responsible board"));
                }
                row.state = ItemState::Skipped;
                row.reason.clone_from(&reason);
                self.end_item(row);
                Ok(())
            };
            self.on_item(id, EventKind::ItemSkipped, "skipItem", selection, decide).await
        };
        self.conclude_item(Box::pin(result).await, selection).await
    }

    /// Gives an item to an agency. The responsible board gives any item to any agency; others take their own role's.
    ///
    /// # Errors
    ///
    /// As [`Step::tick_item`]; `UNKNOWN_AGENCY`; `FORBIDDEN` at `agencyId` for another agency than one's own.
    pub async fn assign_item(&self, id: &str, agency: &str, selection: &Selection) -> Result<ItemAnswer, Error> {
        let result = async {
            let wrong = |_| Error::refused_for(ErrorCode::InvalidId, ["agencyId"], AgencyId::PREFIX);
            let agency: AgencyId = agency.parse().map_err(wrong)?;
            if self.hub.agency(agency).await?.is_none() {
                return Err(Error::refused(ErrorCode::UnknownAgency, ["agencyId"]).into());
            }
            let decide = |gate: &Gate<'_>, row: &mut ItemRow| {
                self.own_item(gate, row)?;
                if agency != self.caller.agency.id && !self.is_responsible_board(gate) {
                    return Err(Error::refused_for(ErrorCode::Forbidden, ["agencyId"], "the responsible board"));
                }
                row.agency = Some(agency);
                Ok(())
            };
            self.on_item(id, EventKind::ItemAssigned, "assignItem", selection, decide).await
        };
        self.conclude_item(Box::pin(result).await, selection).await
    }

    /// Publishes a new version of a county's routine. Checklists that run keep the version that they were copied from.
    ///
    /// # Errors
    ///
    /// `OPERATION_FORBIDDEN` to all but the county's own board; `REQUIRED` where an item is left out, or no longer mandatory, that a
    /// departure waits for; `UNKNOWN_CODE`; `DATE_ORDER` for a first day that has passed;
    /// `TOO_LONG`, `INVALID_FORMAT`, `INVALID_TEXT`, `EMPTY_LIST` for items. Nothing is published then.
    pub async fn publish_routine(
        &self,
        county: &str,
        valid_from: NaiveDate,
        items: Vec<Item>,
    ) -> Result<RoutineView, Error> {
        let result = async {
            self.may(Operation::PublishRoutine)?;
            self.read_routine(county, valid_from, &items)?;
            if self.caller.agency.county.as_deref() != Some(county) {
                return Err(Error::refused(ErrorCode::OperationForbidden, ["county"]).into());
            }
            let claim = self.claim(Uuid::nil(), Uuid::nil());
            self.stop_if_done(claim.as_ref()).await?;
            let published = self.reader().await?.routines_in_force(county).await?;
            let data = self.hub.routines.of(county).map(|routine| routine.version);
            let own = published.iter().map(|row| &row.routine).filter(|routine| routine.county == county);
            let latest = data.chain(own.map(|routine| routine.version)).max().unwrap_or_default();
            let routine = Routine { county: county.to_owned(), version: latest + 1, valid_from, items };
            let row = RoutineRow { routine, published_at: self.now, agency: Some(self.caller.agency.id) };
            self.begin();
            let claimed = self.hub.store.publish_routine(&row, claim.as_ref()).await?;
            self.go_on(claim.as_ref(), claimed)?;
            Ok(published_view(row))
        };
        let result = match Box::pin(result).await {
            Ok(view) => Ok(view),
            Err(Stop::Refused(error)) => Err(error),
            Err(Stop::Done(..)) => {
                self.note(|draft| draft.repeat());
                let own = Some(self.caller.agency.id);
                let versions = self.routines(county).await;
                versions.and_then(|versions| {
                    let latest = versions.into_iter().find(|version| version.agency == own);
                    latest.ok_or(Error::Code(ErrorCode::Internal))
                })
            }
        };
        self.refused(result)
    }

    fn read_routine(&self, county: &str, valid_from: NaiveDate, items: &[Item]) -> Result<(), Error> {
        let mut inputs = Inputs::default();
        if reference::county(county).is_none() {
            inputs.refuse(Refusal::at(ErrorCode::UnknownCode, ["county"]).expecting("CountyCode"));
        }
        let today = self.today();
        if valid_from < today {
            inputs.refuse(Refusal::at(ErrorCode::DateOrder, ["validFrom"]).expecting(format!("on or after {today}")));
        }
        let about_all = |invalid| Refusal::of_value(vec!["items".to_owned()], invalid);
        let lacks = lacking(items);
        if items.is_empty() {
            inputs.refuse(about_all(Invalid::EmptyList));
        } else if items.len() > MOST_ITEMS {
            inputs.refuse(about_all(Invalid::TooLong(MOST_ITEMS)));
        } else if !lacks.is_empty() {
            let expected = format!("mandatory items of PREVENT: {}", lacks.join(", "));
            inputs.refuse(Refusal::at(ErrorCode::Required, ["items"]).expecting(expected));
        }
        for routine::Wrong { place, part, why } in faults(items) {
            let path = vec!["items".to_owned(), place.to_string(), part.to_owned()];
            inputs.refuse(match why {
                Why::Key => Refusal::of_value(path, Invalid::Format("small letters, digits and hyphens, once")),
                Why::Words => Refusal::of_value(path, Invalid::Text),
                Why::TooLong(most) => Refusal::of_value(path, Invalid::TooLong(most)),
                Why::Due => Refusal::of_value(path, Invalid::Format("hours, at most a year")),
            });
        }
        inputs.checked()
    }

    /// The items that a moment brings by the routine in force: of the county of the agency that leads, or is responsible
    /// where that has none. Read before anything is written.
    pub(super) async fn items_for(
        &self,
        work: &Work<'_>,
        about: About,
        about_id: Uuid,
        moment: Moment,
    ) -> Result<Vec<ItemRow>, Error> {
        let ties = self.reader().await?.ties(work.child()).await?;
        let open = |tie: &&Tie| tie.kind == "RESPONSIBLE" && tie.closed_at.is_none();
        let responsible = ties.iter().find(open).map(|tie| tie.agency);
        let routine = self.routine_now(work.gate.standing().lead, responsible).await?;
        let there = self.reader().await?.items_about(about_id).await?;
        let Some(routine) = routine else { return Ok(Vec::new()) };
        let copy = |(place, item): (usize, &Item)| ItemRow {
            id: self.hub.dice.id(),
            child: work.child(),
            about: about.code().to_owned(),
            about_id,
            position: i32::try_from(there + place).unwrap_or(i32::MAX),
            routine: routine.label(),
            key: item.key.clone(),
            moment,
            actor: item.actor,
            sv: item.sv.clone(),
            en: item.en.clone(),
            source: item.source.clone(),
            mandatory: item.mandatory,
            due_at: item.due_hours.map(|hours| self.now + i64::from(hours) * HOUR),
            state: ItemState::Open,
            agency: None,
            done_at: None,
            done_by: None,
            done_user: None,
            reason: None,
        };
        Ok(routine.of(moment).enumerate().map(copy).collect())
    }

    /// Copies items into a checklist; each that has a time is an alarm.
    pub(super) fn put_items(&self, work: &mut Work<'_>, items: &[ItemRow]) -> Result<(), Error> {
        work.write.copy_checklist(items);
        for item in items {
            if let Some(due_at) = item.due_at {
                work.write.set_deadline("ITEM", item.id, "OVERDUE", due_at)?;
            }
        }
        Ok(())
    }

    /// Changes an item that is open.
    async fn on_item(
        &self,
        id: &str,
        kind: EventKind,
        operation: &'static str,
        selection: &Selection,
        decide: impl Fn(&Gate<'_>, &mut ItemRow) -> Result<(), Error>,
    ) -> Result<(ChildView, Uuid), Stop> {
        self.purpose()?;
        let wrong = |_| Error::refused_for(ErrorCode::InvalidId, ["itemId"], ItemId::PREFIX);
        let id = id.parse::<ItemId>().map_err(wrong)?.0;
        let child = self.reader().await?.item(id).await?.map(|row| row.child).unwrap_or_default();
        let decide = &decide;
        let decided = |mut work: Work<'s>| async move {
            work.gate.permit(Act::WorkChecklist)?;
            let row = self.reader().await?.item(id).await?.filter(|row| row.child == work.child());
            let mut row = row.ok_or(Error::NotFound)?;
            let is_of_handover = row.about == About::Handover.code();
            let handover = if is_of_handover { self.reader().await?.handover(row.about_id).await? } else { None };
            if !self.sees_item(&work.gate, &row, handover.as_ref()) {
                return Err(Error::NotFound);
            }
            if row.state != ItemState::Open {
                return Err(Error::Refused(vec![Refusal::in_state(["itemId"], row.state.code(), [])]));
            }
            decide(&work.gate, &mut row)?;
            work.write.update_item(&row);
            if row.state != ItemState::Open {
                work.write.cancel_deadlines(id, self.now);
            }
            work.write.event(kind, FieldSet::EMPTY, Some(id), row.agency);
            work.note(operation, FieldSet::EMPTY);
            Ok(work)
        };
        let work = self.decide(&self.public_id(child), id, Reading::Several, decided).await?;
        drop(self.reader().await?);
        Ok((self.child(&self.public_id(work.child()), selection).await?, id))
    }

    /// An item is its actor's and its assignee's. The responsible board answers for all of them.
    fn own_item(&self, gate: &Gate<'_>, row: &ItemRow) -> Result<(), Error> {
        let own = row.actor.is(self.caller.role) || row.agency == Some(self.caller.agency.id);
        let may = own || self.is_responsible_board(gate);
        may.then_some(()).ok_or_else(|| Error::refused_for(ErrorCode::Forbidden, ["itemId"], row.actor.code()))
    }

    fn is_responsible_board(&self, gate: &Gate<'_>) -> bool {
        let is_board = matches!(self.caller.role, Role::SocialServices | Role::SocialOnCall);
        is_board && gate.standing().relation == Relation::Responsible
    }

    fn end_item(&self, row: &mut ItemRow) {
        row.done_at = Some(self.now);
        row.done_by = Some(self.caller.agency.id);
        row.done_user = self.caller.user.clone();
    }

    /// What the caller is told of a change to an item; of one that was made before, as it is now.
    async fn conclude_item(
        &self,
        result: Result<(ChildView, Uuid), Stop>,
        selection: &Selection,
    ) -> Result<ItemAnswer, Error> {
        let made = match &result {
            Ok((_, made)) | Err(Stop::Done(_, made)) => *made,
            Err(Stop::Refused(_)) => Uuid::nil(),
        };
        let view = self.conclude(result.map(|(view, _)| view), selection).await?;
        let shown = async {
            let gate = self.known_child(&view.id).await?;
            let may = gate.permit(Act::WorkChecklist).is_ok();
            let row = self.reader().await?.item(made).await?.filter(|_| may);
            self.note(|draft| draft.show(gate.standing().subject, gate.glance()));
            let item = row.map(|row| item_view(&gate, &row, self.now));
            Ok(ItemAnswer { view, item })
        };
        self.refused(shown.await)
    }
}

impl Session {
    /// The routine in force: of the county of the agency that leads, or is responsible where that has none.
    pub(super) async fn routine_now(
        &self,
        lead: AgencyId,
        responsible: Option<AgencyId>,
    ) -> Result<Option<Routine>, Error> {
        let county = self.county_of(lead, responsible).await?;
        let published = self.reader().await?.routines_in_force(&county).await?;
        let published = published.iter().map(|row| &row.routine);
        let all: Vec<&Routine> = self.hub.routines.all().iter().chain(published).collect();
        Ok(in_force(all.into_iter(), &county, self.today()).cloned())
    }

    async fn county_of(&self, lead: AgencyId, responsible: Option<AgencyId>) -> Result<String, Error> {
        for agency in [Some(lead), responsible].into_iter().flatten() {
            let agency = self.hub.agency(agency).await?;
            let county = agency.as_ref().and_then(|agency| match &agency.municipality {
                Some(code) => reference::municipality(code).map(|municipality| municipality.county.to_owned()),
                None => agency.county.clone(),
            });
            if let Some(county) = county {
                return Ok(county);
            }
        }
        Ok(NATIONAL.to_owned())
    }

    /// What is to be done about a child now: the items of its latest episode, and of handovers that are under way.
    ///
    /// # Errors
    ///
    /// `FORBIDDEN` to those who work on no checklist; as [`Session::child`].
    pub async fn checklist(&self, child: &str) -> Result<ChecklistView, Error> {
        let result = async {
            self.purpose()?;
            let gate = self.known_child(child).await?;
            gate.permit(Act::WorkChecklist)?;
            let latest = self.reader().await?.episodes(gate.standing().child).await?.into_iter().next();
            self.note(|draft| draft.show(gate.standing().subject, gate.glance()));
            self.items_of(&gate, latest.map(|row| row.id).unwrap_or_default()).await
        };
        self.refused(Box::pin(result).await)
    }

    /// The versions of a county's routine, latest first; `00` is the national default. They are open to every caller.
    ///
    /// # Errors
    ///
    /// `UNKNOWN_CODE` for what is no county.
    pub async fn routines(&self, county: &str) -> Result<Vec<RoutineView>, Error> {
        if county != NATIONAL && reference::county(county).is_none() {
            let unknown = Refusal::at(ErrorCode::UnknownCode, ["county"]).expecting("CountyCode");
            return self.refused(Err(Error::Refused(vec![unknown])));
        }
        let published = self.reader().await?.routines(county).await?.into_iter().map(published_view);
        let data = self.hub.routines.of(county).cloned();
        let data = data.map(|routine| RoutineView { routine, published_at: None, agency: None });
        let mut all: Vec<RoutineView> = data.chain(published).collect();
        all.sort_by_key(|view| std::cmp::Reverse(view.routine.version));
        Ok(all)
    }

    /// The items of an episode and of handovers that are under way, as the caller may see them.
    pub(super) async fn items_of(&self, gate: &Gate<'_>, episode: Uuid) -> Result<ChecklistView, Error> {
        let (rows, handovers) = self.reader().await?.checklist(gate.standing().child, &[episode]).await?;
        let about = |row: &ItemRow| handovers.iter().find(|handover| handover.id == row.about_id);
        let seen = rows.iter().filter(|row| self.sees_item(gate, row, about(row)));
        Ok(ChecklistView { items: seen.map(|row| item_view(gate, row, self.now)).collect() })
    }

    /// Whether an item is the caller's to know: of a handover those are its parties' and theirs to whom handovers are shown. Whoever
    /// is told only that one is under way sees what it has to do itself, and whoever was given an item sees that.
    fn sees_item(&self, gate: &Gate<'_>, row: &ItemRow, handover: Option<&HandoverRow>) -> bool {
        let Some(handover) = handover else { return true };
        let own = Some(self.caller.agency.id);
        let is_given = own == row.agency || own == row.done_by;
        let is_own = row.actor.is(self.caller.role) && gate.shows_path("handovers.open");
        is_given || is_own || self.party_of(handover).is_some() || gate.shows_path("handovers.list")
    }
}

fn published_view(row: RoutineRow) -> RoutineView {
    let RoutineRow { routine, published_at, agency } = row;
    RoutineView { routine, published_at: Some(published_at), agency }
}

fn item_view(gate: &Gate<'_>, row: &ItemRow, now: i64) -> ItemView {
    let named = |agency: Option<AgencyId>| agency.filter(|agency| gate.may_name(*agency));
    let about = if row.about == About::Episode.code() {
        EpisodeId(row.about_id).to_string()
    } else {
        HandoverId(row.about_id).to_string()
    };
    ItemView {
        id: ItemId(row.id).to_string(),
        about,
        routine: row.routine.clone(),
        key: row.key.clone(),
        moment: row.moment,
        actor: row.actor,
        sv: row.sv.clone(),
        en: row.en.clone(),
        source: row.source.clone(),
        mandatory: row.mandatory,
        due_at: row.due_at,
        overdue: row.state == ItemState::Open && row.due_at.is_some_and(|due| due < now),
        state: row.state,
        assigned_to: named(row.agency),
        done_at: row.done_at,
        done_by: named(row.done_by),
        reason: row.reason.clone(),
    }
}
