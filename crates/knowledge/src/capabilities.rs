//! What the outside can do with knowledge.

mod composing;
mod editing;
mod relations;
mod versions;

use std::sync::Arc;

use jiff::civil::Date;
use kernel::{
    Page, Result,
    capability::{ById, Capability, Context, Definition, Permission, Registered},
    identity::Role,
    page::PageRequest,
    time,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    imports::{Import, Imports, RowState},
    library::{Facets, Library, ListInput, Rebuilt, SearchInput, SearchOutput},
    view::{DocumentDetail, DocumentSummary},
};

/// All capabilities of knowledge.
pub fn all(imports: &Arc<Imports>) -> Vec<Registered> {
    let library = imports.library();
    let mut all = vec![
        Registered::new(SearchClauses(library.clone())),
        Registered::new(ListDocuments(library.clone())),
        Registered::new(GetDocument(library.clone())),
        Registered::new(ListFacets(library.clone())),
        Registered::new(WithdrawDocument(library.clone())),
        Registered::new(RestoreDocument(library.clone())),
        Registered::new(Reindex(library.clone())),
        Registered::new(ListImports(imports.clone())),
        Registered::new(GetImport(imports.clone())),
        Registered::new(CancelImport(imports.clone())),
    ];
    all.extend(versions::all(library));
    all.extend(editing::all(library));
    all.extend(composing::all(library));
    all.extend(relations::all(library));
    all
}

/// Who keeps the knowledge.
pub const EDITORS: Permission =
    Permission::Roles(&[Role::Clerk, Role::Expert, Role::Administrator]);

/// Takes nothing.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Nothing {}

struct SearchClauses(Arc<Library>);

impl Capability for SearchClauses {
    type Input = SearchInput;
    type Output = SearchOutput;

    fn definition(&self) -> Definition {
        Definition::post(
            "knowledge.search",
            "检索条款",
            "在知识库中按问题或关键词检索条款，可按空间、地区、类别、状态和日期筛选。",
            "/knowledge/search",
        )
        .open_to(Permission::Public)
        .without_effects()
    }

    async fn call(&self, context: &Context, input: SearchInput) -> Result<SearchOutput> {
        self.0.search(&context.caller, input).await
    }
}

struct ListDocuments(Arc<Library>);

impl Capability for ListDocuments {
    type Input = ListInput;
    type Output = Page<DocumentSummary>;

    fn definition(&self) -> Definition {
        Definition::get(
            "knowledge.documents",
            "列出文件",
            "分页列出知识库中的文件，可筛选和排序。",
            "/knowledge/documents",
        )
    }

    async fn call(&self, context: &Context, input: ListInput) -> Result<Page<DocumentSummary>> {
        self.0.list(&context.caller, &input).await
    }
}

/// Names a document as of a day.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DocumentInput {
    /// Its id.
    pub id: String,
    /// The day for which its status is told (default today).
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub as_of: Option<Date>,
}

struct GetDocument(Arc<Library>);

impl Capability for GetDocument {
    type Input = DocumentInput;
    type Output = DocumentDetail;

    fn definition(&self) -> Definition {
        Definition::get(
            "knowledge.document",
            "阅读文件",
            "取得一份文件的全文，按条款划分，带结构、效力和废止关系。",
            "/knowledge/documents/{id}",
        )
    }

    async fn call(&self, context: &Context, input: DocumentInput) -> Result<DocumentDetail> {
        let on = input.as_of.unwrap_or_else(time::today);
        self.0.detail(&context.caller, &input.id, on).await
    }
}

struct ListFacets(Arc<Library>);

impl Capability for ListFacets {
    type Input = Nothing;
    type Output = Facets;

    fn definition(&self) -> Definition {
        Definition::get(
            "knowledge.facets",
            "筛选项",
            "列出知识库可用的筛选项及文件数。",
            "/knowledge/facets",
        )
    }

    async fn call(&self, context: &Context, _: Nothing) -> Result<Facets> {
        self.0.facets(&context.caller).await
    }
}

struct WithdrawDocument(Arc<Library>);

impl Capability for WithdrawDocument {
    type Input = ById;
    type Output = DocumentSummary;

    fn definition(&self) -> Definition {
        let path = "/knowledge/documents/{id}";
        Definition::delete(
            "knowledge.withdraw",
            "撤下文件",
            "撤下一份文件：不再被检索和引用，可以恢复。",
            path,
        )
        .open_to(EDITORS)
    }

    async fn call(&self, context: &Context, input: ById) -> Result<DocumentSummary> {
        let document = self.0.document_for(&context.caller, &input.id).await?;
        context.note("title", document.title);
        Ok(DocumentSummary::of(
            &self.0.withdraw(&input.id).await?,
            time::today(),
        ))
    }
}

struct RestoreDocument(Arc<Library>);

impl Capability for RestoreDocument {
    type Input = ById;
    type Output = DocumentSummary;

    fn definition(&self) -> Definition {
        Definition::post(
            "knowledge.restore",
            "恢复文件",
            "恢复一份撤下的文件。",
            "/knowledge/documents/{id}/restore",
        )
        .open_to(EDITORS)
    }

    async fn call(&self, context: &Context, input: ById) -> Result<DocumentSummary> {
        let document = self.0.document_for(&context.caller, &input.id).await?;
        context.note("title", document.title);
        Ok(DocumentSummary::of(
            &self.0.restore(&input.id).await?,
            time::today(),
        ))
    }
}

struct Reindex(Arc<Library>);

impl Capability for Reindex {
    type Input = Nothing;
    type Output = Rebuilt;

    fn definition(&self) -> Definition {
        Definition::post(
            "knowledge.reindex",
            "重建索引",
            "从存储重建检索索引。重建期间照常检索，完成后一次换上；可以中途取消。",
            "/knowledge/reindex",
        )
        .open_to(EDITORS)
        .streaming()
    }

    async fn call(&self, context: &Context, _: Nothing) -> Result<Rebuilt> {
        self.0.reindex(context).await
    }
}

struct ListImports(Arc<Imports>);

impl Capability for ListImports {
    type Input = PageRequest;
    type Output = Page<Import>;

    fn definition(&self) -> Definition {
        let path = "/knowledge/imports";
        Definition::get(
            "knowledge.imports",
            "导入记录",
            "分页列出导入记录，最近的在前。",
            path,
        )
        .open_to(EDITORS)
    }

    async fn call(&self, context: &Context, input: PageRequest) -> Result<Page<Import>> {
        self.0.list(&context.caller, input).await
    }
}

/// Names an import and a page of its files.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportInput {
    /// Its id.
    pub id: String,
    /// Only files in this state.
    #[serde(default)]
    pub state: Option<RowState>,
    /// Which page, from 1.
    #[serde(default)]
    pub page: Option<u64>,
    /// How many a page holds, at most 200.
    #[serde(default)]
    pub page_size: Option<u64>,
}

struct GetImport(Arc<Imports>);

impl Capability for GetImport {
    type Input = ImportInput;
    type Output = Import;

    fn definition(&self) -> Definition {
        let path = "/knowledge/imports/{id}";
        Definition::get(
            "knowledge.import_detail",
            "导入详情",
            "取得一次导入的进度和逐个文件的结果。",
            path,
        )
        .open_to(EDITORS)
    }

    async fn call(&self, context: &Context, input: ImportInput) -> Result<Import> {
        self.0.require_seen(&context.caller, &input.id).await?;
        let page = PageRequest {
            page: input.page,
            page_size: input.page_size,
        };
        self.0.get(&input.id, input.state, page).await
    }
}

struct CancelImport(Arc<Imports>);

impl Capability for CancelImport {
    type Input = ById;
    type Output = Import;

    fn definition(&self) -> Definition {
        Definition::post(
            "knowledge.import_cancel",
            "取消导入",
            "停止一次导入；已导入的文件保留。",
            "/knowledge/imports/{id}/cancel",
        )
        .open_to(EDITORS)
    }

    async fn call(&self, context: &Context, input: ById) -> Result<Import> {
        self.0.require_seen(&context.caller, &input.id).await?;
        self.0.cancel(&input.id).await
    }
}
