//! Relations between documents.

use std::sync::Arc;

use kernel::{
    Page, Result,
    capability::{Capability, Context, Definition, Registered},
    time,
};

use crate::library::{Library, Related, RelatedInput};

pub(super) fn all(library: &Arc<Library>) -> [Registered; 1] {
    [Registered::new(ListRelations(library.clone()))]
}

struct ListRelations(Arc<Library>);

impl Capability for ListRelations {
    type Input = RelatedInput;
    type Output = Page<Related>;

    fn definition(&self) -> Definition {
        Definition::get(
            "knowledge.relations",
            "文件关系",
            "分页列出一份文件依据、修改、废止、取代、引用了哪些文件，或被哪些文件依据、修改、废止、取代、引用。",
            "/knowledge/documents/{id}/relations",
        )
    }

    async fn call(&self, context: &Context, input: RelatedInput) -> Result<Page<Related>> {
        let on = input.as_of.unwrap_or_else(time::today);
        self.0.related(&context.caller, &input, on).await
    }
}
