//! Knowledge typed into a form: it goes the way of an imported file, and can be opened again.

use documents::Limits;
use kernel::{Error, ErrorCode, Result, capability::Context, id::content_hash};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Incoming, Library, Outcome,
    adding::{Draft, Expected, Given},
    pictures::Beside,
};
use crate::{
    compare::Changes,
    facts::Facts,
    forms::{Form, pictures},
    record::{DocumentRecord, PictureRecord},
    view::DocumentSummary,
};

/// A form as it is typed in.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ComposeInput {
    /// The document that was composed before and is changed; a new one without it.
    #[serde(default)]
    pub id: Option<String>,
    /// The revision of that document as it was read; if it has changed since, nothing is changed.
    #[serde(default)]
    pub revision: Option<u64>,
    /// The knowledge space of a new document (默认 without it).
    #[serde(default)]
    pub space: Option<String>,
    /// What was typed in.
    pub form: Form,
}

/// What became of a form.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Composed {
    /// The document.
    pub document: DocumentSummary,
    /// Its revision.
    pub revision: u64,
    /// How its clauses differ from those of the version before, if there is one.
    pub changes: Option<Changes>,
    /// What a person should look at.
    pub warnings: Vec<String>,
}

/// A form to be opened again.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct OpenedForm {
    /// The document, or the version of one.
    pub id: String,
    /// Its revision, to be named when it is changed.
    pub revision: u64,
    /// The knowledge space.
    pub space: String,
    /// What was typed in.
    pub form: Form,
}

impl Library {
    /// Takes a form in: a new document, or a new version of one that was composed before.
    ///
    /// # Errors
    /// `InvalidInput`, naming the field; `Conflict` if there is a document of that name already, or it has changed since it
    /// was read; `Forbidden` for a space that the caller may not see; `NotFound`, `Storage`, `StorageFull`, `Index`.
    pub async fn compose(&self, context: &Context, input: ComposeInput) -> Result<Outcome> {
        input.form.check(self.limits())?;
        let (space, path, expected) = match &input.id {
            Some(id) => {
                let document = self.composed_before(context, id, &input.form).await?;
                let revision = input.revision.ok_or_else(|| {
                    Error::new(
                        ErrorCode::InvalidInput,
                        "没有说明修改的是哪一次的内容（revision）。请刷新页面后再改。",
                    )
                })?;
                (document.space, document.path, Expected::Revision(revision))
            }
            None => {
                let space = input.space.as_deref().map(str::trim);
                let space = space.filter(|s| !s.is_empty()).unwrap_or("默认");
                if !context.caller.sees(space) {
                    return Err(Error::new(
                        ErrorCode::Forbidden,
                        format!("不能录入到空间“{space}”：您没有这个空间的权限。请联系管理员。"),
                    ));
                }
                let title = input.form.title().replace(['/', '\\'], "-");
                let path = format!("录入/{}/{title}.md", input.form.label());
                (space.to_owned(), path, Expected::Absent)
            }
        };
        context.note("title", input.form.title());
        let file = Incoming {
            space,
            bytes: rendered(&path, &input.form, self.limits()).into_bytes(),
            path,
            title: None,
        };
        let given = Given {
            file,
            form: Some(input.form),
            pictures: None,
            expected,
        };
        let mut outcomes = self
            .take_in(vec![given], &Beside::new(), &mut |_| Ok(Vec::new()))
            .await?;
        outcomes
            .pop()
            .unwrap_or_else(|| Err(Error::internal("nothing came of the form")))
    }

    /// The document that a form changes.
    async fn composed_before(
        &self,
        context: &Context,
        id: &str,
        form: &Form,
    ) -> Result<DocumentRecord> {
        let document = self.document_for(&context.caller, id).await?;
        if document.version_of.is_some() {
            return Err(Error::new(
                ErrorCode::InvalidInput,
                "历史版本不能修改。请打开最新版本修改，或先恢复这个历史版本。",
            ));
        }
        let before = self
            .content(id)
            .await?
            .form
            .ok_or_else(|| not_typed(&document))?;
        if std::mem::discriminant(&before) == std::mem::discriminant(form) {
            Ok(document)
        } else {
            Err(Error::new(
                ErrorCode::InvalidInput,
                format!(
                    "《{}》是按“{}”录入的，不能改成“{}”。请另录一份。",
                    document.title,
                    before.label(),
                    form.label()
                ),
            ))
        }
    }

    /// The form from which a document, or a version of one, was made.
    ///
    /// # Errors
    /// `NotFound` also for one that was imported from a file; `Storage`.
    pub async fn composed(&self, context: &Context, id: &str) -> Result<OpenedForm> {
        let document = self.document_for(&context.caller, id).await?;
        let content = self.content(id).await?;
        let mut form = content.form.ok_or_else(|| not_typed(&document))?;
        for picture in form.pictures_mut() {
            if let Some(file) = pictures::hash(picture) {
                let bytes = self.files.get(file).await?;
                // It was checked when it was typed in.
                let media = documents::picture_media(&bytes, self.limits());
                *picture = pictures::encode(media.map_err(Error::internal)?, &bytes);
            }
        }
        Ok(OpenedForm {
            id: document.id,
            revision: document.revision,
            space: document.space,
            form,
        })
    }

    /// A form whose pictures are named by their hashes; `kept` are those of the document that was made from it.
    pub(super) async fn file_pictures(
        &self,
        mut form: Form,
        kept: &[PictureRecord],
    ) -> Result<Form> {
        for picture in form.pictures_mut() {
            let Some(bytes) = pictures::decode(picture) else {
                continue;
            };
            let hash = content_hash(&bytes);
            if !kept.iter().any(|p| p.file == hash) {
                self.files.put(bytes).await?;
            }
            *picture = pictures::filed(&hash);
        }
        Ok(form)
    }

    /// Refuses a file whose document doesn't stand as whoever gives it supposes.
    pub(super) async fn expect(&self, given: &Given, draft: &Draft) -> Result<()> {
        let (space, path) = (&given.file.space, &given.file.path);
        let known = self.under(space, path, draft).await?;
        match (given.expected, known) {
            (Expected::Absent, Some(known)) => Err(Error::new(
                ErrorCode::Conflict,
                format!(
                    "空间“{space}”里已有同名的《{}》。请打开它修改，或换一个标题。",
                    known.title
                ),
            )),
            (Expected::Revision(revision), Some(known)) if known.revision != revision => {
                Err(known.changed_since(revision))
            }
            (Expected::Revision(_), None) => Err(Error::not_found("要修改的文件")),
            _ => Ok(()),
        }
    }
}

fn not_typed(document: &DocumentRecord) -> Error {
    Error::new(
        ErrorCode::NotFound,
        format!(
            "《{}》是从文件导入的，没有可以打开的录入表单。请修改原文件后重新导入。",
            document.title
        ),
    )
}

/// The form as Markdown. Where its text doesn't tell its days in force as they were typed in, they are written out.
fn rendered(path: &str, form: &Form, limits: &Limits) -> String {
    let text = form.markdown(false);
    let told = documents::read(path, text.as_bytes(), limits)
        .map(|d| (d.metadata.effective_from, d.metadata.effective_until));
    if told.ok() == Some(form.days()) {
        text
    } else {
        form.markdown(true)
    }
}

impl Form {
    /// What it says of the document, over what the reader found in its Markdown.
    pub(super) fn over(&self, found: Facts) -> Facts {
        let mut facts = Facts {
            title: self.title(),
            kind: self.kind(),
            ..found
        };
        if let Self::Policy(form) = self {
            let typed = |text: &Option<String>| {
                let text = text.as_deref().map(str::trim);
                text.filter(|t| !t.is_empty()).map(str::to_owned)
            };
            facts.number = typed(&form.number);
            facts.issuer = typed(&form.issuer);
            facts.issued = form.issued;
            facts.effective_from = form.effective_from;
            facts.effective_until = form.effective_until;
        }
        facts
    }
}

impl Composed {
    /// What is told of an outcome.
    pub(crate) fn of(outcome: Outcome) -> Self {
        Self {
            document: DocumentSummary::of(&outcome.document, kernel::time::today()),
            revision: outcome.document.revision,
            changes: outcome.changes,
            warnings: outcome.warnings,
        }
    }
}
