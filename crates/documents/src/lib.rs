//! Files to text with structure: bytes and a name in, clauses with their headings, dates, issuer and number out. No I/O.
//!
//! - [`read`] makes a [`Document`] of one file (Markdown, text, HTML, docx, xlsx, CSV, PDF with a text layer).
//! - [`is_archive`] and [`unpack`] open a zip of such files.
//! - [`is_picture`] and [`picture_media`] recognise and check pictures that lie beside documents.
//! - [`Document::locate`] says in words where a byte stands: 第十二条第二款第（三）项.
//! - [`Paper`] is a filled form, written as docx and as PDF.
//! - [`is_suspicious`] recognises text that gives orders to a language model.

mod archive;
mod charset;
mod document;
mod docx;
mod fault;
mod format;
mod html;
mod limits;
mod markdown;
mod metadata;
mod note;
mod package;
mod page;
mod paper;
mod pdf;
mod picture;
mod place;
mod plain;
mod sheet;
mod structure;
mod table;
mod xml;

pub use archive::{Entry, unpack};
pub use document::{
    Clause, ClauseKind, Declared, Document, DocumentKind, Format, Heading, Metadata, Note, Place,
    Reference, Relation, RelationKind,
};
pub use format::is_archive;
pub use limits::Limits;
pub use metadata::field_of_topic;
pub use note::{is_order, is_suspicious, order_in};
pub use paper::{Paper, PaperSection};
pub use picture::{Media, Picture, PictureSource, is_picture, picture_media};

/// Reads one file.
///
/// The content decides the format; the name decides between kinds of text and gives the title as a last resort.
///
/// # Errors
///
/// `UnsupportedFormat`, `DamagedFile`, `UnsafeFile`, `TooLarge` and `EmptyDocument`, each with a message in Chinese that names the
/// file and says what to do.
pub fn read(name: &str, bytes: &[u8], limits: &Limits) -> kernel::Result<Document> {
    if bytes.len() as u64 > limits.file_bytes {
        return Err(fault::too_large(
            name,
            &format!("文件不能超过 {}", fault::megabytes(limits.file_bytes)),
        ));
    }
    let format = format::detect(name, bytes)?;
    let source = match format {
        Format::Markdown => markdown::lines(name, bytes)?,
        Format::Text => plain::lines(name, bytes)?,
        Format::Html => html::lines(name, bytes, limits)?,
        Format::Docx => docx::lines(name, bytes, limits)?,
        Format::Pdf => pdf::lines(name, bytes, limits)?,
        Format::Xlsx => sheet::workbook(name, bytes, limits)?,
        Format::Csv => sheet::separated(name, bytes, limits)?,
    };
    let page = page::assemble(name, source.lines, limits)?;
    let mut metadata = metadata::extract(name, &page, &source.said);
    let structured = structure::recognise(&page, metadata.kind);
    metadata::relate(&page, &structured, &mut metadata);
    let (pictures, dropped) = picture::settle(name, page.pictures, limits);
    let mut document = Document {
        format,
        text: page.text,
        clauses: structured.clauses,
        outline: structured.outline,
        metadata,
        pictures,
        notes: Vec::new(),
    };
    document.notes = note::collect(&document, [source.notes, dropped].concat());
    Ok(document)
}
