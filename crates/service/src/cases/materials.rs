//! What applicants upload for the materials of a case, and whether it agrees with the form.

use documents::{Format, Limits};
use kernel::{Error, ErrorCode, Result, capability::Context, id::fresh, identity::Caller, time};
use rules::{Value, book};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    case::{Case, CaseStatus, Check, Legible, Upload},
    comparing,
    desk::{CaseDesk, CaseView},
};
use crate::{guide::view::told, items::catalogue::Entry};

/// The largest file, in bytes.
pub const LARGEST: u64 = 20 << 20;

/// Files for one material.
const PER_MATERIAL: usize = 10;

/// Files of one case.
const PER_CASE: usize = 50;

/// What looking over the materials came to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Prereview {
    /// Everything that is needed and not exempt was uploaded.
    pub complete: bool,
    /// What was not.
    pub missing: Vec<String>,
    /// What to see to.
    pub findings: Vec<MaterialFinding>,
}

/// Something to see to in the materials.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct MaterialFinding {
    /// What it is.
    pub kind: FindingKind,
    /// The material.
    pub material: String,
    /// The field of the form, for a mismatch.
    pub field: Option<String>,
    /// In words.
    pub text: String,
}

/// What there is to see to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    /// Not uploaded.
    Missing,
    /// The form and the file say different things.
    Mismatch,
    /// A picture or a scan, which a person has to look at.
    Look,
}

/// Looks over the materials of a case.
pub fn prereview(case: &Case) -> Prereview {
    let mut review = Prereview::default();
    let mut find = |kind, material: &str, field: Option<&str>, text: String| {
        review.findings.push(MaterialFinding {
            kind,
            material: material.to_owned(),
            field: field.map(str::to_owned),
            text,
        });
    };
    let mut missing = Vec::new();
    for material in &case.materials {
        let name = material.name.as_str();
        let own: Vec<&Upload> = case.uploads.iter().filter(|u| u.material == name).collect();
        if own.is_empty() {
            if material.exempt.is_none() && !material.perhaps {
                let window = if material.form == "原件" {
                    "（原件也可以由窗口当面核验）"
                } else {
                    ""
                };
                missing.push(name.to_owned());
                let text = format!("还没有上传“{name}”{window}。");
                find(FindingKind::Missing, name, None, text);
            }
            continue;
        }
        let legible: Vec<_> = own
            .iter()
            .filter(|u| u.legible == Legible::Text)
            .flat_map(|u| &u.checks)
            .collect();
        let mut told: Vec<&str> = Vec::new();
        for check in &legible {
            // A value has to stand in one of the files only.
            let stands = legible.iter().any(|c| c.field == check.field && c.found);
            if stands || told.contains(&check.field.as_str()) {
                continue;
            }
            told.push(&check.field);
            let seen = legible
                .iter()
                .filter(|c| c.field == check.field)
                .find_map(|c| c.seen.as_deref());
            let found = match seen {
                Some(seen) => format!("文件里写的是“{seen}”"),
                None => "文件里没有找到".to_owned(),
            };
            let text = format!(
                "“{name}”与申请表不一致：{}填的是“{}”，{found}。",
                check.label, check.expected
            );
            find(FindingKind::Mismatch, name, Some(&check.field), text);
        }
        for upload in own {
            let why = match upload.legible {
                Legible::Text => continue,
                Legible::Scan => "是扫描件",
                Legible::Picture => "是图片",
            };
            let text = format!(
                "“{name}”的文件“{}”{why}，图片文字暂不能自动核对，请人工查看。",
                upload.name
            );
            find(FindingKind::Look, name, None, text);
        }
    }
    review.complete = missing.is_empty();
    review.missing = missing;
    review
}

/// What a file is: its media type, whether it is legible, and its text.
fn look(name: &str, bytes: &[u8]) -> Result<(&'static str, Legible, String)> {
    const WORD: &str = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
    if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        return Ok(("image/png", Legible::Picture, String::new()));
    }
    if bytes.starts_with(b"\xFF\xD8\xFF") {
        return Ok(("image/jpeg", Legible::Picture, String::new()));
    }
    let limits = Limits {
        file_bytes: LARGEST,
        archive_bytes: 200 << 20,
        characters: 1_000_000,
        pages: 500,
        ..Limits::default()
    };
    let is_pdf = bytes.starts_with(b"%PDF");
    match documents::read(name, bytes, &limits) {
        Ok(read) => {
            let media = match read.format {
                Format::Pdf => "application/pdf",
                Format::Docx => WORD,
                Format::Text => "text/plain",
                _ => return Err(unsupported(name)),
            };
            Ok((media, Legible::Text, read.text))
        }
        Err(error) if error.code == ErrorCode::EmptyDocument && is_pdf => {
            Ok(("application/pdf", Legible::Scan, String::new()))
        }
        Err(error) if error.code == ErrorCode::EmptyDocument && bytes.starts_with(b"PK") => {
            Ok((WORD, Legible::Scan, String::new()))
        }
        Err(error) if error.code == ErrorCode::UnsupportedFormat => Err(unsupported(name)),
        Err(error) => Err(error),
    }
}

fn unsupported(name: &str) -> Error {
    Error::new(
        ErrorCode::UnsupportedFormat,
        format!("不能上传“{name}”：材料可以是 PDF、Word（docx）、JPG、PNG 或 txt 文件。"),
    )
}

/// What the form says of the fields that should stand in a material, held against a text.
fn checks(entry: &Entry, case: &Case, material: &str, text: &str) -> Vec<Check> {
    let Some(material) = entry.item.materials.iter().find(|m| m.name == material) else {
        return Vec::new();
    };
    let known = book::Case {
        book: &entry.book,
        facts: &case.facts,
        on: case.submitted_on(),
    };
    let named = material.check.iter().filter_map(|id| entry.item.field(id));
    named
        .filter_map(|field| {
            let value: &Value = case.facts.get(&field.id)?;
            let found = comparing::stands(field, value, text)?;
            let seen = if found {
                None
            } else {
                comparing::instead(field, text)
            };
            Some(Check {
                field: field.id.clone(),
                label: field.label.clone(),
                expected: told(&known, &field.id, value),
                found,
                seen,
            })
        })
        .collect()
}

impl CaseDesk {
    /// Takes a file for a material of the caller's own case. The same file again changes nothing.
    ///
    /// # Errors
    /// `InvalidInput` for a material that the case does not have, or too many files; `TooLarge`, `UnsupportedFormat`,
    /// `DamagedFile`, `UnsafeFile`; `Conflict` once the case is decided; `NotFound` for another's; `Storage`, `StorageFull`.
    pub async fn add_material(
        &self,
        context: &Context,
        id: &str,
        material: &str,
        name: &str,
        bytes: Vec<u8>,
    ) -> Result<CaseView> {
        let case = self.own(context, id).await?;
        open(&case)?;
        let material = material.trim();
        if !case.materials.iter().any(|m| m.name == material) {
            let names: Vec<_> = case.materials.iter().map(|m| m.name.as_str()).collect();
            return Err(Error::new(
                ErrorCode::InvalidInput,
                format!(
                    "这个办件没有“{material}”这项材料。需要的材料有：{}。",
                    names.join("、")
                ),
            ));
        }
        let upload = self.take_in(&case, material, name, bytes).await?;
        context.note("material", material);
        context.note("file", upload.file.as_str());
        let same = |u: &Upload| u.material == upload.material && u.file == upload.file;
        let case = self
            .amend(&context.caller, id, |case| {
                open(case)?;
                case.uploads.retain(|u| !same(u));
                let of_it = case.uploads.iter().filter(|u| u.material == material);
                if of_it.count() >= PER_MATERIAL || case.uploads.len() >= PER_CASE {
                    return Err(Error::new(
                        ErrorCode::InvalidInput,
                        format!(
                            "一项材料最多{PER_MATERIAL}个文件，一个办件最多{PER_CASE}个文件。请合并后再上传。"
                        ),
                    ));
                }
                case.uploads.push(upload.clone());
                Ok(Vec::new())
            })
            .await?;
        self.view(&context.caller, case).await
    }

    /// Looks at a file and keeps it.
    async fn take_in(
        &self,
        case: &Case,
        material: &str,
        name: &str,
        bytes: Vec<u8>,
    ) -> Result<Upload> {
        let length = bytes.len() as u64;
        if length == 0 {
            return Err(Error::new(
                ErrorCode::InvalidInput,
                "上传的文件是空的，请重新选择。",
            ));
        }
        if length > LARGEST {
            return Err(too_large());
        }
        let looked = name.to_owned();
        let (bytes, looked) = tokio::task::spawn_blocking(move || {
            let found = look(&looked, &bytes);
            (bytes, found)
        })
        .await
        .map_err(Error::internal)?;
        let (media, legible, text) = looked?;
        let checks = match self.catalogue.get(&case.item_id) {
            Some(entry) if legible == Legible::Text => checks(&entry, case, material, &text),
            _ => Vec::new(),
        };
        Ok(Upload {
            id: fresh(),
            material: material.to_owned(),
            name: name.to_owned(),
            file: self.files.put(bytes).await?,
            media: media.to_owned(),
            bytes: length,
            at: time::now(),
            legible,
            checks,
        })
    }

    /// Takes an uploaded file back.
    ///
    /// # Errors
    /// `Conflict` once the case is decided; `NotFound` for another's; `Storage`.
    pub async fn remove_material(
        &self,
        context: &Context,
        id: &str,
        upload: &str,
    ) -> Result<CaseView> {
        self.own(context, id).await?;
        context.note("upload", upload);
        let case = self
            .amend(&context.caller, id, |case| {
                let before = case.uploads.len();
                case.uploads.retain(|u| u.id != upload);
                if case.uploads.len() == before {
                    return Err(Error::not_found("这个材料文件"));
                }
                open(case)?;
                Ok(Vec::new())
            })
            .await?;
        self.view(&context.caller, case).await
    }

    /// An uploaded file, for whoever may see the case.
    ///
    /// # Errors
    /// `NotFound`, `SourceChanged`, `Storage`.
    pub async fn material(
        &self,
        caller: &Caller,
        id: &str,
        upload: &str,
    ) -> Result<(Upload, Vec<u8>)> {
        let (case, _) = self.read(caller, id).await?;
        let found = case.uploads.into_iter().find(|u| u.id == upload);
        let found = found.ok_or_else(|| Error::not_found("这个材料文件"))?;
        let bytes = self.files.get(&found.file).await?;
        Ok((found, bytes))
    }
}

/// What is told of a file that is too large.
pub fn too_large() -> Error {
    Error::new(
        ErrorCode::TooLarge,
        format!(
            "材料文件超过上限（{} MB）。请压缩或拆分后再上传。",
            LARGEST >> 20
        ),
    )
}

fn open(case: &Case) -> Result<()> {
    match case.status {
        CaseStatus::Submitted | CaseStatus::Accepted | CaseStatus::Returned => Ok(()),
        status => Err(Error::new(
            ErrorCode::Conflict,
            format!("这个办件{}，不能再改材料。", status.title()),
        )),
    }
}
