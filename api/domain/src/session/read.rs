//! Seeing children: find, decide, read only what will be shown, reveal.

use super::Session;
use crate::catalogue::{FieldId, FieldSet, IdentifierKind, Section, Source};
use crate::error::{Error, ErrorCode, Refusal};
use crate::gate::{Gate, Loaded, columns_for, columns_of_flags, list_of};
use crate::store::{Asked, Plan, Planned, Reach, Snapshot, Standing};
use crate::view::{ChildView, SectionSelection, Selection};
use tokio::sync::MutexGuard;
use tracing::{Instrument, debug_span};
use uuid::Uuid;

/// How often a child that others write to is looked at, before a snapshot is taken.
const LOOKS: usize = 3;

impl Session {
    /// One child by the id under which the caller knows it.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] alike for an id that never was and one the caller may not know;
    /// `INVALID_ID` for anything that is not a child's id; `PURPOSE_REQUIRED`.
    pub async fn child(&self, id: &str, selection: &Selection) -> Result<ChildView, Error> {
        let result = async {
            self.purpose()?;
            let child = match self.child_id(id) {
                Err(Error::NotFound) => Uuid::nil(),
                other => other?,
            };
            self.one(Asked::Id(child), selection, None).await
        };
        self.refused(Box::pin(result).await)
    }

    /// One child by a number.
    ///
    /// # Errors
    ///
    /// As [`Session::child`]; `INVALID_IDENTIFIER` or `CHECK_DIGIT` for a number that cannot be one.
    /// `OPERATION_FORBIDDEN` for a kind of number that the caller's role never finds children by; `AMBIGUOUS` where the caller may
    /// find several children by this number.
    pub async fn child_by_identifier(
        &self,
        kind: IdentifierKind,
        value: &str,
        selection: &Selection,
    ) -> Result<ChildView, Error> {
        let result = async {
            self.purpose()?;
            let normal = kind.normalise(value);
            let normal = normal.map_err(|e| Error::Refused(vec![Refusal::of_value(vec!["value".to_owned()], e)]))?;
            self.may_ever_find_by(kind)?;
            self.one(Asked::Number(kind, &normal), selection, Some(kind.field())).await
        };
        self.refused(Box::pin(result).await)
    }

    /// Whether there is any child that a caller of this role could find by this kind of number: a question of the rules
    /// alone, whatever children there are.
    fn may_ever_find_by(&self, kind: IdentifierKind) -> Result<(), Error> {
        let ever = self.hub.engine.may_ever_search(self.caller.role, self.purpose()?, kind.field());
        ever.then_some(()).ok_or_else(|| Error::refused(ErrorCode::OperationForbidden, ["kind"]))
    }

    /// The one child that the caller may know of and find; a miss is noted.
    async fn one(&self, asked: Asked<'_>, selection: &Selection, by: Option<FieldId>) -> Result<ChildView, Error> {
        let (gate, loaded) = match self.at_a_look(asked, selection, by).await? {
            Some(found) => found,
            None => self.in_a_snapshot(asked, selection, by).await?,
        };
        if let Some(id) = by {
            self.note(|draft| draft.show(gate.standing().subject, gate.found_by(id)));
        }
        let _span = debug_span!("reveal", count = 1).entered();
        Ok(self.show(&gate, selection, &loaded))
    }

    /// The child, where one statement can tell all that is asked. What the caller is to the child decides what is read, so
    /// it must be known before: it is guessed from the last time, or looked up, and the statement that reads the sections
    /// reads it again. Only where it is the same is anything shown: that, too, is one instant of the record.
    async fn at_a_look(
        &self,
        asked: Asked<'_>,
        selection: &Selection,
        by: Option<FieldId>,
    ) -> Result<Option<(Gate<'_>, Loaded)>, Error> {
        let holds_snapshot = self.snapshot.lock().await.is_some();
        if holds_snapshot || self.rests_on_consent() || !self.fits_a_look(selection) {
            return Ok(None);
        }
        let agency = self.caller.agency.id;
        let mut guess = match asked {
            Asked::Id(child) => self.hub.recent.get(&(agency, child)),
            Asked::Number(..) => None,
        };
        for _ in 0..LOOKS {
            let planned = guess.map(|standing| self.gate(standing)).transpose()?.filter(Gate::knows);
            let plan = planned.map(|gate| plan(&[gate], selection).rest).unwrap_or_default();
            let span = match guess {
                Some(_) => debug_span!("read", count = 1),
                None => debug_span!("standing", count = 1),
            };
            let look = self.hub.store.look(self.party()?, asked, &plan, self.now);
            let (found, read) = look.instrument(span).await?;
            let standings = found.into_iter().map(|found| found.standing);
            let gate = self.the_one(self.asked(standings.collect())?.into_iter(), by)?;
            let standing = *gate.standing();
            self.hub.recent.insert((agency, standing.child), standing);
            if guess == Some(standing) {
                let mut loaded = Loaded::default();
                loaded.add(read);
                return Ok(Some((gate, loaded)));
            }
            guess = Some(standing);
        }
        Ok(None)
    }

    /// Whether one statement can tell all that is asked, and nothing else is read beside it.
    pub(super) fn fits_a_look(&self, selection: &Selection) -> bool {
        let lists = |(section, asked): (&Section, &SectionSelection)| {
            *section == Section::Identifiers || asked.revisions || needs_lists(*section, asked)
        };
        self.request.alone && !selection.sections.iter().any(lists)
    }

    async fn in_a_snapshot(
        &self,
        asked: Asked<'_>,
        selection: &Selection,
        by: Option<FieldId>,
    ) -> Result<(Gate<'_>, Loaded), Error> {
        let known = {
            let reader = self.reader().await?;
            let children = match asked {
                Asked::Id(child) => vec![child],
                Asked::Number(kind, value) => reader.children_by_identifier(kind, value, None).await?,
            };
            // Unknown and unknowable take one way.
            let children = if children.is_empty() { vec![Uuid::nil()] } else { children };
            self.asked_for(&reader, &children).await?
        };
        let gate = self.the_one(known.into_iter(), by)?;
        let load = self.load(std::slice::from_ref(&gate), selection);
        let loaded = load.instrument(debug_span!("read", count = 1)).await?;
        Ok((gate, loaded))
    }

    /// The only one of some children that may be found; a miss is noted.
    fn the_one<'g>(&self, known: impl Iterator<Item = Gate<'g>>, by: Option<FieldId>) -> Result<Gate<'g>, Error> {
        let finds = |gate: &Gate<'g>| {
            let finds = by.is_none_or(|id| gate.finds_by(id));
            if !finds {
                self.signal(gate.standing());
            }
            finds
        };
        let mut found = known.filter(finds);
        match (found.next(), found.next()) {
            (Some(gate), None) => Ok(gate),
            (Some(_), Some(_)) => Err(Error::refused(ErrorCode::Ambiguous, ["value"])),
            (None, _) => {
                self.note(|draft| draft.miss());
                Err(Error::NotFound)
            }
        }
    }

    pub(super) async fn known(&self, reader: &Snapshot, children: &[Uuid]) -> Result<Vec<Gate<'_>>, Error> {
        if children.is_empty() {
            return Ok(Vec::new());
        }
        let standings = reader.standings(self.party()?, children, self.now, self.rests_on_consent());
        let standings = standings.instrument(debug_span!("standing", count = children.len())).await?;
        self.gates(standings)
    }

    /// The same of children that the caller asks for: whoever leads the case of one that is missing is told, though the caller is
    /// told that there is no such child.
    pub(super) async fn asked_for(&self, reader: &Snapshot, children: &[Uuid]) -> Result<Vec<Gate<'_>>, Error> {
        let standings = reader.standings(self.party()?, children, self.now, self.rests_on_consent());
        self.asked(standings.instrument(debug_span!("standing", count = children.len())).await?)
    }

    fn asked(&self, standings: Vec<Standing>) -> Result<Vec<Gate<'_>>, Error> {
        let found = standings.clone();
        let gates = self.gates(standings)?;
        let is_known = |standing: &Standing| gates.iter().any(|gate| gate.standing().child == standing.child);
        found.iter().filter(|standing| !is_known(standing)).for_each(|standing| self.signal(standing));
        Ok(gates)
    }

    /// Notes that the caller asked for a child in vain.
    pub(super) fn signal(&self, standing: &Standing) {
        if standing.missing {
            self.note(|draft| draft.signal(standing.subject));
        }
    }

    /// The gates of the children that the caller may know of.
    fn gates(&self, standings: Vec<Standing>) -> Result<Vec<Gate<'_>>, Error> {
        let _span = debug_span!("decide", count = standings.len()).entered();
        let gates = standings.into_iter().map(|standing: Standing| self.gate(standing));
        let gates: Vec<Gate<'_>> = gates.collect::<Result<_, _>>()?;
        let gates: Vec<Gate<'_>> = gates.into_iter().filter(Gate::knows).collect();
        self.note(|draft| gates.iter().for_each(|gate| _ = draft.decide(gate.standing())));
        Ok(gates)
    }

    /// Reads what the gates will show, and shows it.
    pub(super) async fn reveal(
        &self,
        gates: Vec<Gate<'_>>,
        selection: &Selection,
    ) -> Result<Vec<(Uuid, ChildView)>, Error> {
        let loaded = self.load(&gates, selection).instrument(debug_span!("read", count = gates.len())).await?;
        let _span = debug_span!("reveal", count = gates.len()).entered();
        Ok(gates.iter().map(|gate| (gate.standing().child, self.show(gate, selection, &loaded))).collect())
    }

    /// The view of a child; the log is told of it.
    pub(super) fn show(&self, gate: &Gate<'_>, selection: &Selection, loaded: &Loaded) -> ChildView {
        let Standing { child, subject, .. } = *gate.standing();
        let (view, showing) = gate.reveal(self.public_id(child), selection, loaded);
        self.note(|draft| draft.show(subject, showing));
        view
    }

    pub(super) async fn load(&self, gates: &[Gate<'_>], selection: &Selection) -> Result<Loaded, Error> {
        let children: Vec<Uuid> = gates.iter().map(|gate| gate.standing().child).collect();
        let mut loaded = Loaded::default();
        if children.is_empty() {
            return Ok(loaded);
        }
        let plan = plan(gates, selection);
        let reader = self.reader().await?;
        if plan.identifiers {
            for row in reader.identifiers(&children, &IdentifierKind::ALL).await? {
                loaded.identifiers.entry(row.child).or_default().push(row);
            }
        }
        if !plan.rest.sections.is_empty() || plan.rest.responsible {
            loaded.add(reader.sections(&children, &plan.rest).await?);
        }
        for reach in plan.lists {
            for row in reader.list(&children, reach, self.caller.agency.id).await? {
                loaded.lists.entry((reach.list, row.child)).or_default().push(row);
            }
        }
        // What cannot be shown is not read: its amount would show in the time it takes.
        let shows = |section: Section| gates.iter().any(|gate| !gate.may_show(section).is_empty());
        let revised = selection.sections.iter().filter(|(section, asked)| asked.revisions && shows(**section));
        let revised: Vec<Section> = revised.map(|(section, _)| *section).collect();
        if !revised.is_empty() {
            for row in reader.revisions(&children, &revised).await? {
                loaded.revisions.entry((row.section, row.child)).or_default().push(row);
            }
        }
        Ok(loaded)
    }

    /// The request's one snapshot, begun with the first read.
    pub(super) async fn reader(&self) -> Result<Reader<'_>, Error> {
        let mut held = self.snapshot.lock().await;
        if held.is_none() {
            *held = Some(self.hub.store.snapshot().await?);
        }
        MutexGuard::try_map(held, Option::as_mut).map_err(|_| Error::Code(ErrorCode::Internal)).map(Reader)
    }

    /// Gives the snapshot back, so that the next read sees what was written since.
    pub(super) async fn forget(&self) -> Result<(), Error> {
        if let Some(snapshot) = self.snapshot.lock().await.take() {
            snapshot.end();
        }
        Ok(())
    }
}

/// What to read, and nothing that no gate would show.
#[derive(Default)]
pub(super) struct Needed {
    identifiers: bool,
    pub(super) rest: Plan,
    lists: Vec<Reach>,
}

/// Whether rows of lists with tables of their own may be needed.
fn needs_lists(section: Section, asked: &SectionSelection) -> bool {
    let is_list = |id: FieldId| list_of(id).is_some();
    let told = |id: FieldId| matches!(id.field().source, Source::Flag(of) if of.iter().filter_map(|name| section.field(name)).any(is_list));
    wanted(section, asked).iter().any(|id| is_list(id) || told(id))
}

/// The fields that are shown, or that the version speaks of.
fn wanted(section: Section, asked: &SectionSelection) -> FieldSet {
    if asked.stamps { asked.fields | section.field_set() } else { asked.fields }
}

pub(super) fn plan(gates: &[Gate<'_>], selection: &Selection) -> Needed {
    let mut needed = Needed::default();
    for (section, asked) in &selection.sections {
        let shown = gates.iter().fold(FieldSet::EMPTY, |all, gate| all | gate.may_show(*section));
        needed.section(*section, asked, shown);
        for gate in gates.iter().filter(|_| needs_lists(*section, asked)) {
            gate.reaches(wanted(*section, asked)).for_each(|reach| needed.reach(reach));
        }
    }
    needed
}

impl Needed {
    fn section(&mut self, section: Section, asked: &SectionSelection, shown: FieldSet) {
        let all = asked.stamps || asked.revisions;
        let fields = (columns_for(section, asked.fields) & shown) | columns_of_flags(wanted(section, asked) & shown);
        if fields.is_empty() && (!all || shown.is_empty()) {
            return;
        }
        if section == Section::Identifiers {
            self.identifiers = true;
            return;
        }
        let is = |source: fn(&Source) -> bool| {
            (if all { shown } else { fields }).iter().any(|id| source(&id.field().source))
        };
        self.rest.responsible |=
            section == Section::Responsibility && is(|source| matches!(source, Source::Involvement));
        if section.is_list() && !section.is_dated() {
            return;
        }
        let in_row = |id: FieldId| !matches!(id.field().source, Source::Involvement | Source::Rows(_));
        if all || fields.iter().any(in_row) {
            let ended = all || is(|source| matches!(source, Source::Earlier));
            self.rest.sections.push(Planned { section, fields, stamps: asked.stamps, ended });
        }
    }
}

impl Needed {
    fn reach(&mut self, reach: Reach) {
        match self.lists.iter_mut().find(|other| other.list == reach.list) {
            Some(other) => {
                other.whole |= reach.whole;
                other.own |= reach.own;
                other.open |= reach.open;
            }
            None => self.lists.push(reach),
        }
    }
}

/// The snapshot, held for one use.
pub(super) struct Reader<'a>(tokio::sync::MappedMutexGuard<'a, Snapshot>);

impl std::ops::Deref for Reader<'_> {
    type Target = Snapshot;

    fn deref(&self) -> &Snapshot {
        &self.0
    }
}
