//! Files in (imports) and out (originals, pictures).

use std::path::Path as FsPath;

use axum::{
    extract::{
        Multipart, Path, Query, State as Shared,
        multipart::{Field, MultipartError, MultipartRejection},
        rejection::{PathRejection, QueryRejection},
    },
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use kernel::{Error, ErrorCode, Result};
use knowledge::{
    imports::{Import, Staged},
    record::PictureRecord,
};
use serde::Deserialize;
use tokio::io::AsyncWriteExt;

use super::{
    State, doors,
    error::{Problem, unreadable},
    request::Who,
};

/// Takes files into the staging folder and starts importing them: 202 with the import.
pub(super) async fn upload(
    Shared(state): Shared<State>,
    who: Who,
    mut form: Result<Multipart, MultipartRejection>,
) -> Result<Response, Problem> {
    let context = who.context();
    let imports = &state.app.imports;
    let limit = state.app.config.limits.upload_mib << 20;
    let started = state
        .app
        .catalogue
        .enter(&doors::UPLOAD, &context, String::new(), async {
            let form = form.as_mut().map_err(|e| {
                Error::new(
                    ErrorCode::MalformedBody,
                    "请以 multipart/form-data 上传文件，文件放在 file 字段。",
                )
                .with_detail(e)
            })?;
            let (id, folder) = imports.stage().await?;
            context.note("import", id.as_str());
            let started = match receive(form, &folder, limit).await {
                Ok((space, files)) => {
                    context.note("space", space.as_str());
                    context.note("files", files.len());
                    if who.caller.sees(space.trim()) {
                        imports.start(id.clone(), &space, files).await
                    } else {
                        Err(Error::new(
                            ErrorCode::Forbidden,
                            "您看不到这个知识空间，不能向其中导入文件。",
                        ))
                    }
                }
                Err(error) => Err(error),
            };
            if started.is_err() {
                imports.discard(&id).await;
            }
            started
        })
        .await;
    if started.is_err()
        && let Ok(form) = &mut form
    {
        drain(form).await;
    }
    let started = started.map_err(|e| Problem(who.explain(e)))?;
    Ok((StatusCode::ACCEPTED, axum::Json::<Import>(started)).into_response())
}

/// How much is read of a refused upload before the connection is cut, in bytes.
pub(super) const ENOUGH: usize = 16 << 20;

/// Reads on for a while: a browser that still sends would lose the connection and never read why it was refused.
pub(super) async fn drain(form: &mut Multipart) {
    let mut read = 0;
    while let Ok(Some(mut field)) = form.next_field().await {
        while let Ok(Some(chunk)) = field.chunk().await {
            read += chunk.len();
            if read > ENOUGH {
                return;
            }
        }
    }
}

async fn receive(
    form: &mut Multipart,
    folder: &FsPath,
    limit: u64,
) -> Result<(String, Vec<Staged>)> {
    let (mut space, mut files) = (String::new(), Vec::new());
    let mut left = limit;
    while let Some(field) = form.next_field().await.map_err(cut_off)? {
        match field.name() {
            Some("space") => space = field.text().await.map_err(cut_off)?,
            Some("file") => {
                let path = clean(field.file_name().unwrap_or_default())?;
                let file = folder.join(files.len().to_string());
                save(field, &file, &mut left).await?;
                files.push(Staged { path, file });
            }
            other => {
                let name = other.unwrap_or_default().to_owned();
                return Err(Error::new(
                    ErrorCode::InvalidInput,
                    format!("没有“{name}”这个字段：文件放在 file，知识空间放在 space。"),
                ));
            }
        }
    }
    Ok((space, files))
}

/// `left` is how many bytes may come yet.
async fn save(mut field: Field<'_>, file: &FsPath, left: &mut u64) -> Result<()> {
    let write = |e: std::io::Error| match e.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Error::new(
            ErrorCode::StorageFull,
            "存储空间已满，上传的文件没有保存。请清理磁盘或扩容后重试；已导入的内容不受影响。",
        ),
        _ => Error::new(
            ErrorCode::Storage,
            "暂存上传的文件失败，请稍后再试或联系管理员。",
        ),
    };
    let mut out = tokio::fs::File::create_new(file).await.map_err(write)?;
    while let Some(chunk) = field.chunk().await.map_err(cut_off)? {
        *left = left.checked_sub(chunk.len() as u64).ok_or_else(too_large)?;
        out.write_all(&chunk).await.map_err(write)?;
    }
    out.sync_all().await.map_err(write)
}

fn too_large() -> Error {
    Error::new(
        ErrorCode::TooLarge,
        "上传的文件超过上限。请分批上传，或提高 limits.upload_mib。",
    )
}

pub(super) fn cut_off(error: MultipartError) -> Error {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        too_large()
    } else {
        Error::new(ErrorCode::MalformedBody, "上传没有完成，请重新上传。")
    }
    .with_detail(error)
}

/// A relative path without anything that leads elsewhere; it only names the document, no file is opened by it.
pub(super) fn clean(name: &str) -> Result<String> {
    let parts: Vec<&str> = name
        .split(['/', '\\'])
        .map(str::trim)
        .filter(|p| !p.is_empty() && *p != "." && *p != "..")
        .collect();
    if parts.is_empty() || name.chars().count() > 500 {
        return Err(Error::new(
            ErrorCode::InvalidInput,
            "上传的文件缺少文件名，或文件名过长（最多 500 个字）。",
        ));
    }
    Ok(parts
        .join("/")
        .chars()
        .filter(|c| !c.is_control())
        .collect())
}

/// The file as it came.
pub(super) async fn original(
    Shared(state): Shared<State>,
    who: Who,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, Problem> {
    let Path(id) = id.map_err(unreadable)?;
    let context = who.context();
    let library = &state.app.library;
    let (name, bytes) = state
        .app
        .catalogue
        .enter(&doors::ORIGINAL, &context, id.clone(), async {
            let document = library.document_for(&context.caller, &id).await?;
            Ok((
                percent(&document.source.name),
                library.original(&document).await?,
            ))
        })
        .await
        .map_err(|e| Problem(who.explain(e)))?;
    let headers = [
        // Never shown by the browser itself: an uploaded page must not run in our origin.
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (
            header::CONTENT_DISPOSITION,
            format!("attachment; filename*=UTF-8''{name}"),
        ),
    ];
    Ok((headers, bytes).into_response())
}

/// Which picture an address means.
#[derive(Deserialize)]
pub(super) struct PictureMark {
    v: Option<String>,
}

/// A picture of a document. It is shown as what its bytes are, and whatever they are, nothing in it runs.
pub(super) async fn picture(
    Shared(state): Shared<State>,
    who: Who,
    path: Result<Path<(String, String)>, PathRejection>,
    mark: Result<Query<PictureMark>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let Path((id, ordinal)) = path.map_err(unreadable)?;
    let Query(mark) = mark.map_err(unreadable)?;
    let context = who.context();
    let library = &state.app.library;
    let known = headers.get(header::IF_NONE_MATCH);
    let (picture, bytes) = state
        .app
        .catalogue
        .enter(&doors::PICTURE, &context, id.clone(), async {
            let ordinal = ordinal.parse().map_err(|_| Error::not_found("这张图片"))?;
            let picture = library.picture(&context.caller, &id, ordinal).await?;
            let bytes = if known.is_some_and(|k| k.as_bytes() == tag(&picture).as_bytes()) {
                None
            } else {
                Some(library.picture_bytes(&picture).await?)
            };
            Ok((picture, bytes))
        })
        .await
        .map_err(|e| Problem(who.explain(e)))?;
    // The mark names the picture itself. Without it another one may stand at the same place tomorrow.
    let cached = if mark.v.as_deref() == Some(picture.mark()) {
        "private, max-age=31536000, immutable"
    } else {
        "private, no-cache"
    };
    let shown = [
        (header::CONTENT_TYPE, picture.media.media_type().to_owned()),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        (header::CONTENT_SECURITY_POLICY, NOTHING_RUNS.to_owned()),
        (header::CACHE_CONTROL, cached.to_owned()),
        (header::ETAG, tag(&picture)),
    ];
    Ok(match bytes {
        Some(bytes) => (shown, bytes).into_response(),
        None => (StatusCode::NOT_MODIFIED, shown).into_response(),
    })
}

const NOTHING_RUNS: &str = "sandbox; default-src 'none'; style-src 'unsafe-inline'";

fn tag(picture: &PictureRecord) -> String {
    format!("\"{}\"", picture.file)
}

/// Percent-encoding of everything that is not unreserved (RFC 3986).
pub(crate) fn percent(name: &str) -> String {
    name.bytes()
        .map(|b| {
            if b.is_ascii_alphanumeric() || b"-._~".contains(&b) {
                (b as char).to_string()
            } else {
                format!("%{b:02X}")
            }
        })
        .collect()
}
