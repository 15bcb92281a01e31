//! Knowledge typed into forms.

use std::sync::Arc;

use kernel::{
    Result,
    capability::{ById, Capability, Context, Definition, Registered},
};

use super::EDITORS;
use crate::library::{ComposeInput, Composed, Library, OpenedForm};

pub(super) fn all(library: &Arc<Library>) -> [Registered; 2] {
    [
        Registered::new(Compose(library.clone())),
        Registered::new(OpenForm(library.clone())),
    ]
}

struct Compose(Arc<Library>);

impl Capability for Compose {
    type Input = ComposeInput;
    type Output = Composed;

    fn definition(&self) -> Definition {
        Definition::post(
            "knowledge.compose",
            "录入知识",
            "按表单录入政策、办事指南、操作详解、常见问答或通识知识，或修改以前录入的一份（成为新版本）；马上可以检索。",
            "/knowledge/compose",
        )
        .open_to(EDITORS)
        .with_pictures()
    }

    async fn call(&self, context: &Context, input: ComposeInput) -> Result<Composed> {
        self.0.compose(context, input).await.map(Composed::of)
    }
}

struct OpenForm(Arc<Library>);

impl Capability for OpenForm {
    type Input = ById;
    type Output = OpenedForm;

    fn definition(&self) -> Definition {
        Definition::get(
            "knowledge.composed",
            "打开录入表单",
            "取得一份按表单录入的知识当时填写的内容，以便修改。",
            "/knowledge/documents/{id}/form",
        )
        .open_to(EDITORS)
    }

    async fn call(&self, context: &Context, input: ById) -> Result<OpenedForm> {
        self.0.composed(context, &input.id).await
    }
}
