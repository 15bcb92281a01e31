//! Filled forms as files, and the materials of cases.

use axum::{
    Json,
    extract::{
        Multipart, Path, State as Shared,
        multipart::{Field, MultipartRejection},
        rejection::PathRejection,
    },
    http::header,
    response::{IntoResponse, Response},
};
use documents::Paper;
use kernel::{Error, ErrorCode, Result, capability::Definition};
use service::cases::materials::{LARGEST, too_large};

use super::{
    State, doors,
    error::{Problem, unreadable},
    request::Who,
    transfer::{ENOUGH, clean, cut_off, drain, percent},
};

pub(super) const WORD: &str =
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
pub(super) const PDF: &str = "application/pdf";

/// The greatest size of an upload that is read at all, in bytes.
pub(super) const BODY: usize = LARGEST as usize + ENOUGH;

type Id = Result<Path<String>, PathRejection>;

/// A file to be saved, never shown by the browser itself: it must not run in our origin.
fn saved(name: &str, media: &str, bytes: Vec<u8>) -> Response {
    let headers = [
        (header::CONTENT_TYPE, media.to_owned()),
        (
            header::CONTENT_DISPOSITION,
            format!("attachment; filename*=UTF-8''{}", percent(name)),
        ),
        (header::CACHE_CONTROL, "private, no-store".to_owned()),
    ];
    (headers, bytes).into_response()
}

/// In which format.
#[derive(Clone, Copy)]
enum As {
    Docx,
    Pdf,
}

impl As {
    fn save(self, name: &str, paper: &Paper) -> Result<Response> {
        Ok(match self {
            Self::Docx => saved(&format!("{name}.docx"), WORD, paper.docx()?),
            Self::Pdf => saved(&format!("{name}.pdf"), PDF, paper.pdf()?),
        })
    }
}

async fn of_case(
    state: &State,
    who: &Who,
    door: &Definition,
    id: Id,
    format: As,
) -> Result<Response, Problem> {
    let Path(id) = id.map_err(unreadable)?;
    let context = who.context();
    let app = &state.app;
    app.catalogue
        .enter(door, &context, id.clone(), async {
            let (name, paper) = app.cases.paper(&context.caller, &id).await?;
            format.save(&name, &paper)
        })
        .await
        .map_err(|e| Problem(who.explain(e)))
}

async fn of_guide(
    state: &State,
    who: &Who,
    door: &Definition,
    session: Id,
    format: As,
) -> Result<Response, Problem> {
    let Path(session) = session.map_err(unreadable)?;
    let context = who.context();
    let app = &state.app;
    app.catalogue
        .enter(door, &context, session.clone(), async {
            let paper = app.guides.paper(&context.caller, &session).await?;
            format.save(&paper.title, &paper)
        })
        .await
        .map_err(|e| Problem(who.explain(e)))
}

/// The form of a case as a Word document.
pub(super) async fn case_docx(
    Shared(state): Shared<State>,
    who: Who,
    id: Id,
) -> Result<Response, Problem> {
    of_case(&state, &who, &doors::CASE_DOCX, id, As::Docx).await
}

/// The form of a case as a PDF.
pub(super) async fn case_pdf(
    Shared(state): Shared<State>,
    who: Who,
    id: Id,
) -> Result<Response, Problem> {
    of_case(&state, &who, &doors::CASE_PDF, id, As::Pdf).await
}

/// The form of a dialogue as a Word document.
pub(super) async fn guide_docx(
    Shared(state): Shared<State>,
    who: Who,
    session: Id,
) -> Result<Response, Problem> {
    of_guide(&state, &who, &doors::GUIDE_DOCX, session, As::Docx).await
}

/// The form of a dialogue as a PDF.
pub(super) async fn guide_pdf(
    Shared(state): Shared<State>,
    who: Who,
    session: Id,
) -> Result<Response, Problem> {
    of_guide(&state, &who, &doors::GUIDE_PDF, session, As::Pdf).await
}

/// Takes a file for a material of one's own case: the case as it then is.
pub(super) async fn upload(
    Shared(state): Shared<State>,
    who: Who,
    id: Id,
    mut form: Result<Multipart, MultipartRejection>,
) -> Result<Response, Problem> {
    let Path(id) = id.map_err(unreadable)?;
    let context = who.context();
    let app = &state.app;
    let taken = app
        .catalogue
        .enter(&doors::MATERIAL_UPLOAD, &context, id.clone(), async {
            // Whose case it is comes before anything is read.
            app.cases.own(&context, &id).await?;
            let form = form.as_mut().map_err(|e| {
                Error::new(
                    ErrorCode::MalformedBody,
                    "请以 multipart/form-data 上传材料：名称放在 material 字段，文件放在 file 字段。",
                )
                .with_detail(e)
            })?;
            let (material, name, bytes) = receive(form).await?;
            app.cases
                .add_material(&context, &id, &material, &name, bytes)
                .await
        })
        .await;
    if taken.is_err()
        && let Ok(form) = &mut form
    {
        drain(form).await;
    }
    let case = taken.map_err(|e| Problem(who.explain(e)))?;
    Ok(Json(case).into_response())
}

/// The material, the name of the file and its bytes.
async fn receive(form: &mut Multipart) -> Result<(String, String, Vec<u8>)> {
    let (mut material, mut file) = (None, None);
    while let Some(field) = form.next_field().await.map_err(cut_off)? {
        match field.name() {
            Some("material") => material = Some(field.text().await.map_err(cut_off)?),
            Some("file") if file.is_none() => {
                let path = clean(field.file_name().unwrap_or_default())?;
                let name = path.rsplit('/').next().unwrap_or_default().to_owned();
                file = Some((name, whole(field).await?));
            }
            _ => {
                return Err(Error::new(
                    ErrorCode::InvalidInput,
                    "一次上传一个文件：材料名称放在 material 字段，文件放在 file 字段。",
                ));
            }
        }
    }
    match (material, file) {
        (Some(material), Some((name, bytes))) => Ok((material, name, bytes)),
        _ => Err(Error::new(
            ErrorCode::InvalidInput,
            "请写明是哪一项材料（material 字段），并选择文件（file 字段）。",
        )),
    }
}

async fn whole(mut field: Field<'_>) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    while let Some(chunk) = field.chunk().await.map_err(cut_off)? {
        if (bytes.len() + chunk.len()) as u64 > LARGEST {
            return Err(too_large());
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// An uploaded file.
pub(super) async fn material(
    Shared(state): Shared<State>,
    who: Who,
    path: Result<Path<(String, String)>, PathRejection>,
) -> Result<Response, Problem> {
    let Path((id, upload)) = path.map_err(unreadable)?;
    let context = who.context();
    let app = &state.app;
    let (file, bytes) = app
        .catalogue
        .enter(
            &doors::MATERIAL,
            &context,
            format!("{id}/{upload}"),
            app.cases.material(&context.caller, &id, &upload),
        )
        .await
        .map_err(|e| Problem(who.explain(e)))?;
    Ok(saved(&file.name, "application/octet-stream", bytes))
}
