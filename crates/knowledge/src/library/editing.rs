//! What is known of a document, corrected by people.

use kernel::{
    Error, ErrorCode, Result,
    capability::Context,
    records::{Condition, Expect},
    time,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Library, adding::Draft};
use crate::{
    facts::{Corrections, Edit, Field},
    record::{DOCUMENTS, DocumentRecord, Touch},
};

/// How many of a document's last changes are kept.
const KEPT: usize = 50;

/// Corrections of a document.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EditInput {
    /// The document's id.
    pub id: String,
    /// The document's revision as it was read; if it has changed since, nothing is corrected.
    pub revision: u64,
    /// What is to hold.
    #[serde(default)]
    pub set: Corrections,
    /// For which fields what the file says is to hold again.
    #[serde(default)]
    pub undo: Vec<Field>,
}

impl Library {
    /// Corrects what is known of a document, and settles from when until when it and those around it are in force. What is
    /// corrected is found so when this returns.
    ///
    /// # Errors
    /// `Conflict` if the document has changed since it was read, saying what; `InvalidInput`, `Forbidden` for a space that
    /// the caller may not see, `NotFound`, `Storage`, `StorageFull`, `Index`.
    pub async fn edit(&self, context: &Context, input: &EditInput) -> Result<DocumentRecord> {
        let values = input.set.values()?;
        if let Some(twice) = input.undo.iter().find(|f| values.contains_key(f)) {
            return Err(Error::new(
                ErrorCode::InvalidInput,
                format!("{}不能同时修改和撤销修改。请只选一样。", twice.label()),
            ));
        }
        let _gate = self.gate.lock().await;
        self.catch_up_if_behind().await?;
        let known = self.document_for(&context.caller, &input.id).await?;
        let stored = self.records.get(&DOCUMENTS, &input.id).await?;
        if known.revision != input.revision {
            return Err(known.changed_since(input.revision));
        }
        let mut document = known.clone();
        let extracted = known.extracted();
        let account = context.caller.account.as_ref();
        for field in &input.undo {
            document.edits.remove(field);
        }
        for (field, value) in values {
            let over = extracted.get(field);
            if value == over {
                document.edits.remove(&field);
                continue;
            }
            let same = document.edits.get(&field).is_some_and(|e| e.value == value);
            if !same {
                let edit = Edit {
                    value,
                    over,
                    by: account.map_or_else(|| "本机".to_owned(), |a| a.name.clone()),
                    at: time::now(),
                };
                document.edits.insert(field, edit);
            }
        }
        let facts = extracted.corrected(&document.edits)?;
        facts.check()?;
        document.extracted = Some(extracted);
        document.take_facts(facts);
        if document.facts() == known.facts() && document.edits == known.edits {
            return Ok(known);
        }
        self.require_room(context, &known, &document).await?;
        note(context, &known, &document);
        let touched = differing(&known, &document).map(|f| f.as_str().to_owned());
        document.touch(account.map(|a| a.name.clone()), touched.collect::<Vec<_>>());
        let mut draft = Draft::default();
        if let Some(stored) = stored {
            draft
                .expected
                .insert(document.id.clone(), Expect::Revision(stored.revision));
        }
        draft.touched.document(&known);
        self.put_changed(document, &known, &mut draft).await?;
        self.settle_touched(&mut draft).await?;
        self.commit(draft).await?;
        self.document(&input.id).await
    }

    /// Puts a document into the batch whose days, names or space have changed; its versions go where it goes.
    async fn put_changed(
        &self,
        document: DocumentRecord,
        known: &DocumentRecord,
        draft: &mut Draft,
    ) -> Result<()> {
        let mut all = vec![document.clone()];
        if document.space != known.space {
            let versions = self.versions_standing(&document.id, draft).await?;
            for mut version in versions.into_values().filter(|v| v.id != document.id) {
                draft.touched.document(&version);
                version.space.clone_from(&document.space);
                all.push(version);
            }
        }
        for document in all {
            self.say_anew(&document, draft).await?;
            draft.touched.document(&document);
            draft.documents.insert(document.id.clone(), document);
        }
        Ok(())
    }

    /// Refuses to move a document where the caller doesn't see it or another one stands under its path.
    async fn require_room(
        &self,
        context: &Context,
        known: &DocumentRecord,
        document: &DocumentRecord,
    ) -> Result<()> {
        if document.space == known.space {
            return Ok(());
        }
        let space = &document.space;
        if known.version_of.is_some() {
            return Err(Error::new(
                ErrorCode::InvalidInput,
                "历史版本不能单独移动。请移动这份文件的最新版本，历史版本会一起移动。",
            ));
        }
        if !context.caller.sees(space) {
            return Err(Error::new(
                ErrorCode::Forbidden,
                format!("不能移到空间“{space}”：您没有这个空间的权限。请联系管理员。"),
            ));
        }
        let there = Condition::is("path", document.path.as_str());
        let there = self
            .all_standing(there, &Draft::default(), |d| {
                d.space == *space && d.path == document.path && d.head() != document.id
            })
            .await?;
        match there.into_values().next() {
            Some(other) => Err(Error::new(
                ErrorCode::Conflict,
                format!(
                    "空间“{space}”里已有同一路径的文件《{}》（{}）。请先改名重新导入，或撤下其中一份。",
                    other.title, other.path
                ),
            )),
            None => Ok(()),
        }
    }
}

impl DocumentRecord {
    /// A word on every correction that a new file disagrees with otherwise than the one it was made over.
    pub(super) fn edits_against(&self, new: &Self) -> Vec<String> {
        let extracted = new.extracted();
        let said = |value: &Value| match value {
            Value::Null => "（空）".to_owned(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        self.edits
            .iter()
            .map(|(field, edit)| (field, edit, extracted.get(*field)))
            .filter(|(field, edit, now)| {
                **field != Field::Space && *now != edit.over && *now != edit.value
            })
            .map(|(field, edit, now)| {
                format!(
                    "{}曾由人工改为“{}”，新文件写的是“{}”：仍按人工修改，请核对，需要时撤销修改。",
                    field.label(),
                    said(&edit.value),
                    said(&now)
                )
            })
            .collect()
    }

    /// A word on what has changed since a revision, for whoever comes second.
    pub(super) fn changed_since(&self, revision: u64) -> Error {
        let told: Vec<String> = self
            .log
            .iter()
            .filter(|t| t.revision > revision)
            .map(Touch::told)
            .collect();
        let told = if told.is_empty() {
            "内容已有变动".to_owned()
        } else {
            told.join("；")
        };
        Error::new(
            ErrorCode::Conflict,
            format!(
                "《{}》在您打开之后已被修改：{told}。您的修改没有保存，请刷新后再改。",
                self.title
            ),
        )
    }

    /// Writes down that it was changed.
    pub(super) fn touch(&mut self, by: Option<String>, what: Vec<String>) {
        self.revision += 1;
        self.log.push(Touch {
            revision: self.revision,
            at: time::now(),
            by,
            what,
        });
        let over = self.log.len().saturating_sub(KEPT);
        self.log.drain(..over);
    }
}

/// The fields in which two states of a document differ, by their value or by whether a person has set it.
fn differing<'a>(
    known: &'a DocumentRecord,
    document: &'a DocumentRecord,
) -> impl Iterator<Item = Field> + 'a {
    let (before, after) = (known.facts(), document.facts());
    Field::ALL.into_iter().filter(move |f| {
        before.get(*f) != after.get(*f)
            || known.edits.contains_key(f) != document.edits.contains_key(f)
    })
}

/// Tells the audit log what was and what is.
fn note(context: &Context, known: &DocumentRecord, document: &DocumentRecord) {
    context.note("title", known.title.as_str());
    let (before, after) = (known.facts(), document.facts());
    let changes: Vec<Value> = differing(known, document)
        .map(|f| json!({ "field": f, "before": before.get(f), "after": after.get(f) }))
        .collect();
    context.note("changes", changes);
}

impl Touch {
    /// In words: who changed what, when.
    fn told(&self) -> String {
        let named = |what: &String| {
            let field = Field::ALL.into_iter().find(|f| f.as_str() == what);
            match (field, what.as_str()) {
                (Some(field), _) => field.label(),
                (None, "import") => "文件内容（重新导入）",
                (None, "withdraw") => "状态（撤下）",
                (None, _) => "状态（恢复）",
            }
        };
        let what: Vec<&str> = self.what.iter().map(named).collect();
        let at: String = self.at.chars().take(16).collect();
        format!(
            "{}{}修改了{}",
            self.by
                .as_deref()
                .map(|b| format!("{b}于"))
                .unwrap_or_default(),
            at.replace('T', " "),
            what.join("、")
        )
    }
}
