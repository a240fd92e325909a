//! Records → views: the only way out. The mask decides before the value is looked at, and what is
//! shown is noted for the access log in the same breath.

mod suggestion;

pub(crate) use suggestion::Suggested;

use crate::agency::AgencyKind;
use crate::caller::Caller;
use crate::catalogue::{
    Code, EntryField, FREE_WORDS, FieldId, FieldSet, IdentifierKind, Kind, List, Section, Source, Value,
};
use crate::error::{Error, ErrorCode, Refusal};
use crate::hub::Inner;
use crate::ids::{AgencyId, IdentifierId, PlacementId};
use crate::leak::Leak;
use crate::ledger::Showing;
use crate::policy::{Act, Decisions, Purpose, Role, RuleId, Situation};
use crate::stamps::Stamp;
use crate::store::{IdentifierRow, ListRow, Reach, Read, RevisionRow, Row, Standing};
use crate::view::{ChildView, RevisionView, SectionSelection, SectionView, Selection};
use serde_json::{Map, Value as Json};
use std::collections::{BTreeSet, HashMap};
use std::fmt::Write;
use std::sync::Arc;
use uuid::Uuid;

/// What was read for some children, by child.
#[derive(Default)]
pub(crate) struct Loaded {
    pub(crate) rows: HashMap<(Section, Uuid), Vec<Row>>,
    pub(crate) identifiers: HashMap<Uuid, Vec<IdentifierRow>>,
    pub(crate) responsible: HashMap<Uuid, AgencyId>,
    pub(crate) revisions: HashMap<(Section, Uuid), Vec<RevisionRow>>,
    pub(crate) lists: HashMap<(List, Uuid), Vec<ListRow>>,
}

impl Loaded {
    pub(crate) fn add(&mut self, read: Read) {
        self.responsible.extend(read.responsible);
        for (section, row) in read.rows {
            self.rows.entry((section, row.child)).or_default().push(row);
        }
    }

    pub(crate) fn rows(&self, section: Section, child: Uuid) -> &[Row] {
        self.rows.get(&(section, child)).map_or(&[], Vec::as_slice)
    }

    fn list(&self, list: List, child: Uuid) -> &[ListRow] {
        self.lists.get(&(list, child)).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn identifiers(&self, child: Uuid) -> &[IdentifierRow] {
        self.identifiers.get(&child).map_or(&[], Vec::as_slice)
    }
}

/// What is shown of a handover that the caller is a party of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OwnHandover {
    /// F28, also when it has ended.
    pub(crate) list: bool,
    /// That one is under way.
    pub(crate) under_way: bool,
    /// What is told with it besides the contact, and why it came to nothing.
    pub(crate) free_words: bool,
}

/// The decisions for one caller on one child.
pub(crate) struct Gate<'a> {
    hub: &'a Inner,
    agency: AgencyId,
    standing: Standing,
    situation: Situation,
    decisions: Arc<Decisions>,
}

impl<'a> Gate<'a> {
    pub(crate) fn new(hub: &'a Inner, caller: &Caller, purpose: Purpose, standing: Standing) -> Self {
        let situation = Situation {
            role: caller.role,
            relation: standing.relation,
            purpose,
            missing: standing.missing,
            protection: standing.protection,
            consents: standing.consents,
            break_glass: standing.break_glass,
            own: false,
        };
        let decisions = hub.decide(situation);
        Gate { hub, agency: caller.agency.id, standing, situation, decisions }
    }

    /// The decisions for another agency: what its systems would be shown.
    pub(crate) fn of_other(hub: &'a Inner, agency: AgencyId, role: Role, purpose: Purpose, standing: Standing) -> Self {
        let Standing { relation, missing, protection, consents, .. } = standing;
        let situation =
            Situation { role, relation, purpose, missing, protection, consents, break_glass: false, own: false };
        Gate { hub, agency, standing, situation, decisions: hub.decide(situation) }
    }

    /// Whether the caller may know that the child is in the hub.
    pub(crate) fn knows(&self) -> bool {
        self.decisions.known
    }

    /// Refuses what the caller may not do about the child: at the operation itself, with the rule.
    pub(crate) fn permit(&self, act: Act) -> Result<(), Error> {
        self.decisions.may(act).map_err(|rule| {
            let rule = Some(self.hub.engine.rule(rule).id.clone());
            Error::Refused(vec![Refusal { rule, ..Refusal::at(ErrorCode::Forbidden, [""; 0]) }])
        })
    }

    pub(crate) fn standing(&self) -> &Standing {
        &self.standing
    }

    /// The decisions for the row at hand: a placement with the caller is the caller's own entry.
    pub(crate) fn decisions(&self, row: Option<&Row>) -> Arc<Decisions> {
        let own = row.and_then(|row| row.entry).is_some_and(|entry| entry.agency == Some(self.agency));
        if own { self.own_decisions() } else { self.decisions.clone() }
    }

    fn own_decisions(&self) -> Arc<Decisions> {
        self.hub.decide(Situation { own: true, ..self.situation })
    }

    /// What is shown of a handover that the caller is a party of. Its free words may tell where the child is, and follow the address:
    /// by the decision that shows the handover, so that a home that the child has left does not read them as its own.
    pub(crate) fn of_own_handover(&self) -> OwnHandover {
        let (plain, own) = (&self.decisions, self.own_decisions());
        let has =
            |decisions: &Decisions, path: &str| FieldId::by_path(path).is_some_and(|id| decisions.shown.contains(id));
        let list = self.shows_path("handovers.list") || has(&own, "handovers.list");
        let decisions = if list { &own } else { plain };
        let under_way = self.shows_path("handovers.open");
        OwnHandover { list, under_way, free_words: has(decisions, FREE_WORDS) }
    }

    /// Whether a field, by its path, is shown where it is no entry of the caller's own.
    pub(crate) fn shows_path(&self, path: &str) -> bool {
        FieldId::by_path(path).is_some_and(|id| self.decisions.shown.contains(id))
    }

    /// Every field that some row of the section could show: what is worth reading.
    pub(crate) fn may_show(&self, section: Section) -> FieldSet {
        let shown = self.decisions.shown & section.field_set();
        let has_own = section == Section::Placement || section.fields().any(|id| list_of(id).is_some());
        if has_own { shown | (self.own_decisions().shown & section.field_set()) } else { shown }
    }

    /// Which rows of which lists are worth reading for some fields: their own, and those that flags tell of.
    pub(crate) fn reaches(&self, asked: FieldSet) -> impl Iterator<Item = Reach> {
        let own = self.own_decisions().shown;
        asked.iter().filter_map(move |id| {
            let (shown, own) = (self.decisions.shown.contains(id), own.contains(id));
            match id.field().source {
                Source::Rows(list) => Some(Reach { list, whole: shown, own, open: false }),
                Source::Flag(_) => {
                    let list = told_by(id).find_map(list_of).filter(|_| shown)?;
                    let opens = list.rows().open.is_some();
                    Some(Reach { list, whole: !opens, own: false, open: opens })
                }
                _ => None,
            }
            .filter(|reach| reach.whole || reach.own || reach.open)
        })
    }

    /// The view, and what the log must tell of it.
    pub(crate) fn reveal(&self, id: String, selection: &Selection, loaded: &Loaded) -> (ChildView, Showing) {
        let mut showing = Showing {
            relation: self.standing.relation,
            shown: FieldSet::EMPTY,
            withheld: FieldSet::EMPTY,
            versions: BTreeSet::new(),
            rules: BTreeSet::new(),
        };
        let mut sections = std::collections::BTreeMap::new();
        for (section, asked) in &selection.sections {
            sections.insert(*section, self.section(*section, asked, loaded, &mut showing));
        }
        (ChildView { id, sections, in_force_at: None }, showing)
    }

    fn section(
        &self,
        section: Section,
        asked: &SectionSelection,
        loaded: &Loaded,
        showing: &mut Showing,
    ) -> SectionView {
        let child = self.standing.child;
        let rows = loaded.rows(section, child);
        let current = rows.iter().find(|row| row.entry.is_none_or(|entry| entry.to.is_none()));
        let decisions = self.decisions(current);
        let all = section.field_set();
        let noted = if asked.revisions { asked.fields | all } else { asked.fields };
        for id in noted.iter() {
            showing.rules.insert(decisions.read_rule(id));
        }
        showing.shown = showing.shown | (noted & decisions.shown);
        showing.withheld = showing.withheld | (noted & !decisions.shown);
        // Of a list that is withheld, what is the caller's own is shown.
        for id in (asked.fields & all & !decisions.shown).iter().filter(|id| self.visible(*id, loaded).is_some()) {
            showing.shown.insert(id);
            showing.rules.insert(self.own_decisions().read_rule(id));
        }
        if section.is_dated() && asks_for_earlier(noted) {
            for (_, decisions) in self.earlier_rows(section, rows) {
                showing.shown = showing.shown | (columns_for(section, noted) & decisions.shown);
            }
        }
        let withheld =
            |set: FieldSet| (set & decisions.withheld()).iter().map(|id| (id, decisions.read_rule(id))).collect();
        let mut view = SectionView {
            values: self.values(asked.fields & all, &decisions, current, rows, loaded),
            withheld: withheld(all),
            withheld_asked: withheld(asked.fields),
            ..SectionView::default()
        };
        if asked.stamps {
            showing.versions.insert(section);
            let last = self.last_change(section, loaded);
            view.version = self.version(section, loaded);
            view.updated_at = last.map(|(at, _)| at);
            view.updated_by = last.and_then(|(_, by)| by).filter(|writer| self.may_name(*writer));
        }
        if asked.revisions {
            view.revisions = self.revisions(section, loaded);
        }
        view.photo = view.values.iter().find_map(|(_, value)| self.photo_handle(value));
        view.upload = self.upload_handle(section).filter(|_| asked.upload);
        view
    }

    fn values(
        &self,
        asked: FieldSet,
        decisions: &Decisions,
        current: Option<&Row>,
        rows: &[Row],
        loaded: &Loaded,
    ) -> Vec<(FieldId, Value)> {
        let child = self.standing.child;
        let value = |id: FieldId| match id.field().source {
            Source::Column | Source::Kept | Source::Photo => current.and_then(|row| row.value(id)).cloned(),
            Source::Rows(_) => self.visible(id, loaded).map(Value::List),
            Source::Flag(_) if id.field().section.is_of_protocols() => {
                Some(Value::Bool(self.is_told(id, current, loaded)))
            }
            Source::Flag(_) if id.field().section == Section::Identifiers => {
                let kinds = |row: &IdentifierRow| row.kind == IdentifierKind::DossierNumber;
                Some(Value::Bool(loaded.identifiers(child).iter().any(kinds)))
            }
            // A flag that was never raised and one that was lowered are the same answer.
            Source::Flag(_) => {
                let raised = current.and_then(|row| row.value(id)) == Some(&Value::Bool(true));
                Some(Value::Bool(raised))
            }
            Source::Involvement => self.involvement(id, loaded).map(Value::Agency),
            Source::Identifiers(kind) => Some(identifiers(kind, loaded.identifiers(child))),
            Source::Earlier => Some(Value::List(self.earlier(id.field().section, rows))),
        };
        let shown = |id: &FieldId| decisions.shown.contains(*id) || list_of(*id).is_some();
        asked.iter().filter(shown).filter_map(|id| Some((id, value(id)?))).collect()
    }

    /// The entries of a list that the caller may see, each decided by itself: the list, or what is the caller's own of it. None
    /// if the list is withheld and nothing of it is the caller's own.
    fn visible(&self, id: FieldId, loaded: &Loaded) -> Option<Vec<Json>> {
        let list = list_of(id)?;
        let own_decisions = self.own_decisions();
        let entries = loaded.list(list, self.standing.child).iter().filter_map(|row| {
            let decisions = if self.is_own(list, row) { &own_decisions } else { &self.decisions };
            decisions.shown.contains(id).then(|| self.list_entry(list, row, decisions))
        });
        let entries: Vec<Json> = entries.collect();
        (self.decisions.shown.contains(id) || !entries.is_empty()).then_some(entries)
    }

    fn is_own(&self, list: List, row: &ListRow) -> bool {
        let own = |part: &&str| row.part(part) == Some(&Value::Agency(self.agency));
        list.rows().own.iter().any(own)
    }

    fn list_entry(&self, list: List, row: &ListRow, decisions: &Decisions) -> Json {
        let shows = |guard: &str| FieldId::by_path(guard).is_some_and(|id| decisions.shown.contains(id));
        let parts = row.parts.iter().filter(|(part, value)| {
            let is_named = match value {
                Value::Agency(agency) => list.rows().names || self.may_name(*agency),
                _ => true,
            };
            is_named && part.guard.is_none_or(shows)
        });
        Json::Object(parts.map(|(part, value)| (part.name.to_owned(), value.to_json())).collect())
    }

    /// What a flag tells of what protocols write.
    fn is_told(&self, id: FieldId, current: Option<&Row>, loaded: &Loaded) -> bool {
        let child = self.standing.child;
        let has = |name: &str| {
            let of = id.field().section.field(name);
            current.zip(of).and_then(|(row, of)| row.value(of)).is_some_and(Value::raises_flag)
        };
        match id.field().name {
            "open" => loaded.list(List::Handovers, child).iter().any(|row| row.part("endedAt").is_none()),
            "isMissing" => has("since") && !has("foundAt") && !has("closedAt"),
            "followUpDone" => {
                let episode = current.and_then(|row| row.value(Section::Missing.field("episodeId")?));
                let rows = loaded.list(List::FollowUp, child);
                let is_done = |code: &str| {
                    let of_part = |row: &&ListRow| row.part("part") == Some(&Value::Text(code.to_owned()));
                    rows.iter().filter(of_part).any(|row| episode.is_some() && row.part("episodeId") == episode)
                };
                Code::FollowUpPart.values().is_some_and(|parts| parts.iter().all(|part| is_done(part.code)))
            }
            _ => told_by(id).any(|of| has(of.field().name)),
        }
    }

    fn involvement(&self, id: FieldId, loaded: &Loaded) -> Option<AgencyId> {
        match id.field().name {
            "leadAgency" => Some(self.standing.lead),
            _ => loaded.responsible.get(&self.standing.child).copied(),
        }
    }

    fn earlier(&self, section: Section, rows: &[Row]) -> Vec<Json> {
        let visible = self.earlier_rows(section, rows);
        visible.map(|(row, decisions)| earlier_entry(section, row, &decisions)).collect()
    }

    fn earlier_rows<'r>(
        &'r self,
        section: Section,
        rows: &'r [Row],
    ) -> impl Iterator<Item = (&'r Row, Arc<Decisions>)> + 'r {
        let ended = rows.iter().filter(|row| has_ended(row));
        let decided = ended.map(|row| (row, self.decisions(Some(row))));
        decided.filter(move |(_, decisions)| shows_earlier(section, decisions))
    }

    /// An opaque tag over the part of a section that the caller may see.
    pub(crate) fn version(&self, section: Section, loaded: &Loaded) -> String {
        let child = self.standing.child;
        // Bound to the caller: a tag that two callers share would tell them that they see the same child.
        let mut seen = format!("{}/{}/{child}/{}", self.agency, self.situation.role, section.name());
        for (name, id, stamp) in self.visible_stamps(section, loaded, Leak::VersionOverHidden) {
            _ = write!(seen, "|{name}:{id}:{}", stamp.0);
        }
        for id in section.fields().filter(|id| self.decisions.shown.contains(*id)) {
            match id.field().source {
                Source::Involvement => _ = write!(seen, "|{id}={:?}", self.involvement(id, loaded)),
                Source::Flag(_) if section.is_of_protocols() => {
                    let current = loaded.rows(section, child).iter().find(|row| !has_ended(row));
                    _ = write!(seen, "|{id}={}", self.is_told(id, current, loaded));
                }
                Source::Flag(_) if section == Section::Identifiers => {
                    let known = loaded.identifiers(child).iter().any(|row| row.kind == IdentifierKind::DossierNumber);
                    _ = write!(seen, "|{id}={known}");
                }
                _ => {}
            }
        }
        for id in section.fields().filter(|id| list_of(*id).is_some()) {
            if let Some(entries) = self.visible(id, loaded) {
                _ = write!(seen, "|{id}={}", Json::Array(entries));
            }
        }
        self.hub.keys.tag(seen.as_bytes())
    }

    /// When what the caller may see of a section last changed, and by whom, where that is known.
    fn last_change(&self, section: Section, loaded: &Loaded) -> Option<(i64, Option<AgencyId>)> {
        let stamps = self.visible_stamps(section, loaded, Leak::UpdatedOverHidden).into_iter();
        let stamps = stamps.map(|(_, _, stamp)| (stamp.1, Some(stamp.agency())));
        let lists = section.fields().filter_map(list_of).flat_map(|list| self.list_changes(list, loaded));
        stamps.chain(lists).max_by_key(|(at, _)| *at)
    }

    fn list_changes<'l>(
        &'l self,
        list: List,
        loaded: &'l Loaded,
    ) -> impl Iterator<Item = (i64, Option<AgencyId>)> + 'l {
        let own = self.own_decisions();
        let id = FieldId::all().find(|id| list_of(*id) == Some(list));
        let rows = loaded.list(list, self.standing.child).iter().filter(move |row| {
            let shown = if self.is_own(list, row) { own.shown } else { self.decisions.shown };
            id.is_some_and(|id| shown.contains(id))
        });
        let (moments, writer) = list.rows().changed;
        rows.flat_map(move |row| {
            let by = writer.and_then(|part| row.part(part)).and_then(|value| match value {
                Value::Agency(agency) => Some(*agency),
                _ => None,
            });
            moments.iter().filter_map(move |part| match row.part(part) {
                Some(Value::Instant(at)) => Some((*at, by)),
                _ => None,
            })
        })
    }

    /// The stamps of what the caller may see: column, row, stamp.
    fn visible_stamps(&self, section: Section, loaded: &Loaded, leak: Leak) -> Vec<(&'static str, Uuid, Stamp)> {
        let child = self.standing.child;
        let all = self.hub.leaks.planted(leak);
        if section == Section::Identifiers {
            let rows = loaded.identifiers(child).iter().filter(|row| self.decisions.shown.contains(row.kind.field()));
            return rows.filter_map(|row| Some(("value", row.id, row.stamps.get("value")?))).collect();
        }
        let mut seen = Vec::new();
        for row in loaded.rows(section, child) {
            let decisions = self.decisions(Some(row));
            if has_ended(row) && !shows_earlier(section, &decisions) {
                continue;
            }
            let row_id = row.entry.map_or(child, |entry| entry.id);
            let columns =
                section.fields().filter(|id| all || decisions.shown.contains(*id)).map(|id| id.field().column);
            let columns = columns.chain(row.entry.map(|_| "valid_to"));
            seen.extend(columns.filter_map(|column| Some((column, row_id, row.stamps.get(column)?))));
        }
        seen
    }

    fn revisions(&self, section: Section, loaded: &Loaded) -> Vec<RevisionView> {
        let child = self.standing.child;
        let rows = loaded.rows(section, child);
        let revisions = loaded.revisions.get(&(section, child)).map_or(&[][..], Vec::as_slice);
        let view = |revision: &RevisionRow| {
            let row = rows.iter().find(|row| row.entry.is_some_and(|entry| Some(entry.id) == revision.entry));
            let decisions = self.decisions(row);
            // The history of an earlier row is shown to whom the earlier rows are.
            if row.is_some_and(has_ended) && !shows_earlier(section, &decisions) {
                return None;
            }
            let changes = revision.changes.as_object()?.iter().filter_map(|(name, value)| {
                let id = section.field(name)?;
                decisions.shown.contains(id).then(|| (id, value.clone()))
            });
            let changes: Vec<(FieldId, Json)> = changes.collect();
            let agency = Some(revision.agency).filter(|writer| self.may_name(*writer));
            let suggested_by = revision.suggested_by.filter(|suggester| self.may_name(*suggester));
            let suggested = revision.suggested_by.is_some();
            let view = RevisionView { at: revision.at, agency, changes, suggested, suggested_by };
            (!view.changes.is_empty()).then_some(view)
        };
        revisions.iter().filter_map(view).collect()
    }

    /// Whether a writer may be named: a home or a school that writes tells where the child lives or learns, so it is
    /// named only to those who are shown that; an organisation, whom the child confides in, only to those who are shown
    /// the child's own words.
    pub(crate) fn may_name(&self, writer: AgencyId) -> bool {
        let shows = |path: &str| FieldId::by_path(path).is_some_and(|id| self.decisions.shown.contains(id));
        match self.hub.agency_kind(writer) {
            _ if writer == self.agency => true,
            Some(AgencyKind::CareHome) => shows("placement.unitAgency"),
            Some(AgencyKind::School) => shows("schooling.schoolName"),
            Some(AgencyKind::Partner) => shows("voice.wishes"),
            Some(_) => true,
            None => false,
        }
    }

    /// The rule that keeps a field from being written, if one does.
    pub(crate) fn write_refusal(&self, id: FieldId, row: Option<&Row>) -> Option<RuleId> {
        let decisions = self.decisions(row);
        (!decisions.writable.contains(id)).then(|| decisions.write_rule(id))
    }

    /// The refusal of a field that a rule forbids to write: which rule, and whom to ask.
    pub(crate) fn forbidden(&self, id: FieldId, rule: RuleId, input: Vec<String>) -> Refusal {
        let rule = Some(self.hub.engine.rule(rule).id.clone());
        Refusal { rule, ask: Some(id.group().owner), ..Refusal::at(ErrorCode::Forbidden, input) }
    }

    /// The handle of a photo: it holds nothing that others can read, and opens for this caller only.
    fn photo_handle(&self, value: &Value) -> Option<String> {
        let Value::Photo(photo) = value else { return None };
        let place = [self.standing.child.into_bytes(), photo.id.into_bytes()].concat();
        Some(self.hub.keys.seal(&place, &photo_use(self.agency, self.situation.role)))
    }

    /// The handle under which a photo is sent, if the section has one and the caller may write it.
    fn upload_handle(&self, section: Section) -> Option<String> {
        let id = section.fields().find(|id| id.field().source == Source::Photo)?;
        let sealed =
            || self.hub.keys.seal(self.standing.child.as_bytes(), &upload_use(self.agency, self.situation.role));
        self.decisions.writable.contains(id).then(sealed)
    }

    /// Whether a field of the section's one row is shown: else the rule that keeps it.
    pub(crate) fn read_refusal(&self, id: FieldId) -> Option<RuleId> {
        (!self.decisions.shown.contains(id)).then(|| self.decisions.read_rule(id))
    }

    /// What the log must tell of one field that was asked for, shown or not.
    pub(crate) fn look_at(&self, id: FieldId) -> Showing {
        let (shown, withheld) = match self.read_refusal(id) {
            None => (FieldSet::from_iter([id]), FieldSet::EMPTY),
            Some(_) => (FieldSet::EMPTY, FieldSet::from_iter([id])),
        };
        let rules = BTreeSet::from([self.decisions.read_rule(id)]);
        Showing { relation: self.standing.relation, shown, withheld, versions: BTreeSet::new(), rules }
    }

    /// What the log must tell of a child that was found by a field: its value is confirmed thereby.
    pub(crate) fn found_by(&self, id: FieldId) -> Showing {
        Showing {
            relation: self.standing.relation,
            shown: FieldSet::from_iter([id]),
            withheld: FieldSet::EMPTY,
            versions: BTreeSet::new(),
            rules: BTreeSet::from([self.decisions.read_rule(id)]),
        }
    }

    /// Whether the child may be found by a field.
    pub(crate) fn finds_by(&self, id: FieldId) -> bool {
        self.decisions.searchable.contains(id) || self.hub.leaks.planted(Leak::HiddenNumberFinds)
    }
}

/// What the handle of a photo is bound to.
pub(crate) fn photo_use(agency: AgencyId, role: Role) -> String {
    format!("photo|{agency}|{role}")
}

/// What the handle under which a photo is sent is bound to.
pub(crate) fn upload_use(agency: AgencyId, role: Role) -> String {
    format!("photo upload|{agency}|{role}")
}

/// The list that a field shows.
pub(crate) fn list_of(id: FieldId) -> Option<List> {
    match id.field().source {
        Source::Rows(list) => Some(list),
        _ => None,
    }
}

/// The fields that a flag tells of.
fn told_by(flag: FieldId) -> impl Iterator<Item = FieldId> {
    let of = match flag.field().source {
        Source::Flag(of) => of,
        _ => &[],
    };
    of.iter().filter_map(move |name| flag.field().section.field(name))
}

/// Whether a row of a dated section is not the current one.
fn has_ended(row: &Row) -> bool {
    row.entry.is_some_and(|entry| entry.to.is_some())
}

/// The field that shows the rows of a dated section that are not current.
fn earlier_field(section: Section) -> Option<FieldId> {
    section.fields().find(|id| id.field().source == Source::Earlier)
}

fn shows_earlier(section: Section, decisions: &Decisions) -> bool {
    earlier_field(section).is_some_and(|id| decisions.shown.contains(id))
}

fn identifiers(kind: IdentifierKind, rows: &[IdentifierRow]) -> Value {
    let of_kind = rows.iter().filter(|row| row.kind == kind);
    Value::List(of_kind.map(identifier).collect())
}

/// An identifier as an entry of its list.
pub(crate) fn identifier(row: &IdentifierRow) -> Json {
    let IdentifierRow { id, child: _, kind: _, value, identity_level, valid_from, valid_to, stamps: _ } = row;
    let day = |day: &Option<chrono::NaiveDate>| day.map(|day| day.to_string());
    serde_json::json!({
        "id": IdentifierId(*id).to_string(),
        "value": value,
        "identityLevel": identity_level,
        "validFrom": day(valid_from),
        "validTo": day(valid_to),
    })
}

fn earlier_entry(section: Section, row: &Row, decisions: &Decisions) -> Json {
    let mut entry = Map::new();
    for part in earlier_parts(section) {
        if let Some(value) = earlier_part(part, row, decisions) {
            entry.insert(part.name.to_owned(), value);
        }
    }
    Json::Object(entry)
}

fn earlier_part(part: &EntryField, row: &Row, decisions: &Decisions) -> Option<Json> {
    match part.guard {
        None if part.name == "id" => row.entry.map(|entry| Json::from(PlacementId(entry.id).to_string())),
        None => row.entry.and_then(|entry| entry.to).map(|day| Json::from(day.to_string())),
        Some(guard) => {
            let id = FieldId::by_path(guard).filter(|id| decisions.shown.contains(*id))?;
            row.value(id).map(Value::to_json)
        }
    }
}

fn earlier_parts(section: Section) -> &'static [EntryField] {
    match earlier_field(section).map(|id| id.field().kind) {
        Some(Kind::Entries(_, shape)) => shape.fields,
        _ => &[],
    }
}

fn asks_for_earlier(asked: FieldSet) -> bool {
    asked.iter().any(|id| id.field().source == Source::Earlier)
}

/// The columns that a section's asked fields need, besides their own.
pub(crate) fn columns_for(section: Section, asked: FieldSet) -> FieldSet {
    if !asks_for_earlier(asked) {
        return asked;
    }
    let guards: FieldSet = earlier_parts(section).iter().filter_map(|part| FieldId::by_path(part.guard?)).collect();
    asked | guards
}

/// The columns by which the flags among some fields are told, whether they are shown or not.
pub(crate) fn columns_of_flags(asked: FieldSet) -> FieldSet {
    let flags = asked.iter().filter(|id| id.field().section.is_of_protocols() && id.field().is_flag());
    let of_list = |id: FieldId| told_by(id).any(|of| list_of(of).is_some());
    let told = flags.flat_map(|id| told_by(id).chain(Section::Missing.field("episodeId").filter(|_| of_list(id))));
    told.filter(|id| list_of(*id).is_none() && id.field().section == Section::Missing).collect()
}
