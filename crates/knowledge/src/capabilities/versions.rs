//! Versions: listed, compared, brought back.

use std::sync::Arc;

use kernel::{
    Result,
    capability::{Capability, Context, Definition, Registered},
    time,
};

use super::EDITORS;
use crate::{
    library::{CompareInput, Comparison, Library, RestoreVersionInput, Versions, VersionsInput},
    view::DocumentSummary,
};

pub(super) fn all(library: &Arc<Library>) -> [Registered; 3] {
    [
        Registered::new(ListVersions(library.clone())),
        Registered::new(Compare(library.clone())),
        Registered::new(RestoreVersion(library.clone())),
    ]
}

struct ListVersions(Arc<Library>);

impl Capability for ListVersions {
    type Input = VersionsInput;
    type Output = Versions;

    fn definition(&self) -> Definition {
        Definition::get(
            "knowledge.versions",
            "文件版本",
            "列出一份文件的历次版本，以及同一法规在其他路径下的文本，带起止日期、效力和条款增删改数量。",
            "/knowledge/documents/{id}/versions",
        )
    }

    async fn call(&self, context: &Context, input: VersionsInput) -> Result<Versions> {
        let on = input.as_of.unwrap_or_else(time::today);
        self.0.versions(&context.caller, &input.id, on).await
    }
}

struct Compare(Arc<Library>);

impl Capability for Compare {
    type Input = CompareInput;
    type Output = Comparison;

    fn definition(&self) -> Definition {
        Definition::get(
            "knowledge.compare",
            "比较版本",
            "逐条比较两个版本：先按内容、再按条号对应，标出新增、删除、修改、移动的条款和改动的文字。",
            "/knowledge/documents/{id}/compare/{old}",
        )
    }

    async fn call(&self, context: &Context, input: CompareInput) -> Result<Comparison> {
        self.0.compare(&context.caller, &input, time::today()).await
    }
}

struct RestoreVersion(Arc<Library>);

impl Capability for RestoreVersion {
    type Input = RestoreVersionInput;
    type Output = DocumentSummary;

    fn definition(&self) -> Definition {
        Definition::post(
            "knowledge.restore_version",
            "恢复历史版本",
            "把一份文件的某个历史版本恢复为最新版本；现有版本留作历史。",
            "/knowledge/documents/{id}/versions/{version}/restore",
        )
        .open_to(EDITORS)
    }

    async fn call(&self, context: &Context, input: RestoreVersionInput) -> Result<DocumentSummary> {
        let document = self.0.document_for(&context.caller, &input.id).await?;
        context.note("title", document.title);
        let outcome = self.0.restore_version(&input.id, &input.version).await?;
        Ok(DocumentSummary::of(&outcome.document, time::today()))
    }
}
