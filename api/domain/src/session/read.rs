//! Seeing children: find, decide, read only what will be shown, reveal.

use super::Session;
use crate::catalogue::{FieldId, IdentifierKind, Section, Source};
use crate::error::{Error, ErrorCode, Refusal};
use crate::gate::{Gate, Loaded, columns_for};
use crate::store::{Snapshot, Standing};
use crate::view::{ChildView, SectionSelection, Selection};
use tokio::sync::MutexGuard;
use uuid::Uuid;

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
            self.one(vec![child], selection, None).await
        };
        self.refused(result.await)
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
            let children =
                self.reader().await?.children_by_identifier(self.caller.agency.id, kind, &normal, self.now).await?;
            let children = if children.is_empty() { vec![Uuid::nil()] } else { children };
            self.one(children, selection, Some(kind.field())).await
        };
        self.refused(result.await)
    }

    /// Whether there is any child that a caller of this role could find by this kind of number: a question of the rules
    /// alone, whatever children there are.
    fn may_ever_find_by(&self, kind: IdentifierKind) -> Result<(), Error> {
        let ever = self.hub.engine.may_ever_search(self.caller.role, self.purpose()?, kind.field());
        ever.then_some(()).ok_or_else(|| Error::refused(ErrorCode::OperationForbidden, ["kind"]))
    }

    /// The one of some children that the caller may know of and find; a miss is noted.
    async fn one(&self, children: Vec<Uuid>, selection: &Selection, by: Option<FieldId>) -> Result<ChildView, Error> {
        let known = {
            let reader = self.reader().await?;
            self.known(&reader, &children).await?
        };
        let mut found = known.into_iter().filter(|gate| by.is_none_or(|id| gate.finds_by(id)));
        let (Some(gate), others) = (found.next(), found.count()) else {
            self.note(|draft| draft.miss());
            return Err(Error::NotFound);
        };
        if others > 0 {
            return Err(Error::refused(ErrorCode::Ambiguous, ["value"]));
        }
        if let Some(id) = by {
            self.note(|draft| draft.show(gate.standing().subject, gate.found_by(id)));
        }
        let view = self.reveal(vec![gate], selection).await?.pop();
        view.map(|(_, view)| view).ok_or(Error::NotFound)
    }

    pub(super) async fn known(&self, reader: &Snapshot, children: &[Uuid]) -> Result<Vec<Gate<'_>>, Error> {
        if children.is_empty() {
            return Ok(Vec::new());
        }
        let agency = self.caller.agency.id;
        let standings = reader.standings(agency, children, self.now, self.rests_on_consent()).await?;
        let gates = standings.into_iter().map(|standing: Standing| self.gate(standing));
        let gates: Vec<Gate<'_>> = gates.collect::<Result<_, _>>()?;
        Ok(gates.into_iter().filter(Gate::knows).collect())
    }

    /// Reads what the gates will show, one statement a table, and shows it.
    pub(super) async fn reveal(
        &self,
        gates: Vec<Gate<'_>>,
        selection: &Selection,
    ) -> Result<Vec<(Uuid, ChildView)>, Error> {
        let loaded = self.load(&gates, selection).await?;
        let reveal = |gate: &Gate<'_>| {
            let Standing { child, subject, .. } = *gate.standing();
            let (view, showing) = gate.reveal(self.public_id(child), selection, &loaded);
            self.note(|draft| draft.show(subject, showing));
            (child, view)
        };
        Ok(gates.iter().map(reveal).collect())
    }

    async fn load(&self, gates: &[Gate<'_>], selection: &Selection) -> Result<Loaded, Error> {
        let children: Vec<Uuid> = gates.iter().map(|gate| gate.standing().child).collect();
        let mut loaded = Loaded::default();
        if children.is_empty() {
            return Ok(loaded);
        }
        let reader = self.reader().await?;
        for (section, asked) in &selection.sections {
            self.load_section(&reader, &children, gates, *section, asked, &mut loaded).await?;
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

    async fn load_section(
        &self,
        reader: &Snapshot,
        children: &[Uuid],
        gates: &[Gate<'_>],
        section: Section,
        asked: &SectionSelection,
        loaded: &mut Loaded,
    ) -> Result<(), Error> {
        let shown = gates.iter().fold(crate::catalogue::FieldSet::EMPTY, |all, gate| all | gate.may_show(section));
        let all = asked.stamps || asked.revisions;
        let values = columns_for(section, asked.fields) & shown;
        if values.is_empty() && (!all || shown.is_empty()) {
            return Ok(());
        }
        let is = |source: fn(&Source) -> bool| {
            (if all { shown } else { values }).iter().any(|id| source(&id.field().source))
        };
        if section == Section::Identifiers {
            for row in reader.identifiers(children, &IdentifierKind::ALL).await? {
                loaded.identifiers.entry(row.child).or_default().push(row);
            }
            return Ok(());
        }
        if section == Section::Responsibility && is(|source| matches!(source, Source::Involvement)) {
            loaded.responsible = reader.responsible(children).await?;
        }
        if all || values.iter().any(|id| !matches!(id.field().source, Source::Involvement)) {
            let ended = all || is(|source| matches!(source, Source::EarlierPlacements));
            for row in reader.section(section, children, values, ended).await? {
                loaded.rows.entry((section, row.child)).or_default().push(row);
            }
        }
        Ok(())
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
            snapshot.end().await?;
        }
        Ok(())
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
