//! What is known of documents, corrected.

use std::sync::Arc;

use kernel::{
    Result,
    capability::{Capability, Context, Definition, Registered},
    time,
};

use super::EDITORS;
use crate::{
    library::{EditInput, Library},
    view::DocumentDetail,
};

pub(super) fn all(library: &Arc<Library>) -> [Registered; 1] {
    [Registered::new(EditDocument(library.clone()))]
}

struct EditDocument(Arc<Library>);

impl Capability for EditDocument {
    type Input = EditInput;
    type Output = DocumentDetail;

    fn definition(&self) -> Definition {
        Definition::post(
            "knowledge.edit",
            "修改文件信息",
            "修改一份文件的标题、类型、发文机关、文号、地区、日期、主题或知识空间，或撤销修改；效力和关系随之更新。",
            "/knowledge/documents/{id}/edit",
        )
        .open_to(EDITORS)
    }

    async fn call(&self, context: &Context, input: EditInput) -> Result<DocumentDetail> {
        let document = self.0.edit(context, &input).await?;
        self.0
            .detail(&context.caller, &document.id, time::today())
            .await
    }
}
