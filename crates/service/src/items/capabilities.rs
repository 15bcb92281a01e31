//! What the outside can do with service items.

use std::sync::Arc;

use kernel::{
    Error, ErrorCode, Page, Result,
    capability::{ById, Capability, Context, Definition, Permission, Registered},
    evidence::Citation,
    identity::Role,
    page::PageRequest,
    time,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    catalogue::{Catalogue, Entry, read_files},
    reading::Finding,
    schema::{Audience, Channel, Days, Step, TimeLimit},
};
use crate::guide::view::form_name;

/// Who writes service items.
const AUTHORS: Permission = Permission::Roles(&[Role::Expert, Role::Administrator]);

/// An item in a list.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ItemSummary {
    /// Its id.
    pub id: String,
    /// Its official name.
    pub name: String,
    /// The area that it belongs to.
    pub area: String,
    /// Who applies.
    pub audience: Vec<Audience>,
    /// Who handles it.
    pub agency: String,
    /// What it is.
    pub summary: String,
    /// How long it takes, in words.
    pub time_limit: String,
    /// When it was last changed.
    pub updated_at: String,
}

/// An item as a citizen reads it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ItemView {
    /// The same as in the list.
    #[serde(flatten)]
    pub summary: ItemSummary,
    /// What people call it.
    pub aliases: Vec<String>,
    /// How people ask for it.
    pub questions: Vec<String>,
    /// Where it holds.
    pub region: String,
    /// Whom to call.
    pub phone: Option<String>,
    /// What the applicant gets.
    pub result: String,
    /// What it costs, in words.
    pub fee: String,
    /// Its conditions.
    pub conditions: Vec<Said>,
    /// What is handed in.
    pub materials: Vec<Said>,
    /// Figures that rules fix, each with its values by day.
    pub parameters: Vec<ParameterView>,
    /// Where to apply.
    pub channels: Vec<Channel>,
    /// What happens, in order.
    pub steps: Vec<Step>,
    /// Items often applied for together, by name.
    pub related: Vec<String>,
    /// What it stands on.
    pub citations: Vec<Citation>,
    /// Bases that no longer stand in the documents as quoted: somebody should look.
    pub missing_bases: Vec<String>,
    /// As it was written; only for those who may change it.
    pub source: Option<String>,
}

/// A statement with the marks of the citations that it stands on.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Said {
    /// The statement.
    pub text: String,
    /// What to know besides.
    pub note: Option<String>,
    /// The marks.
    pub citations: Vec<usize>,
}

/// A figure with its values by day.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ParameterView {
    /// Its name.
    pub name: String,
    /// Its values, the latest first: from which day, and what.
    pub values: Vec<String>,
}

/// Which items.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ItemsInput {
    /// Words of the name, of another name or of the summary.
    #[serde(default)]
    pub q: Option<String>,
    /// Only of this area.
    #[serde(default)]
    pub area: Option<String>,
    /// The page, from 1.
    #[serde(default)]
    pub page: Option<u64>,
    /// Items a page.
    #[serde(default)]
    pub page_size: Option<u64>,
}

/// Files to take in.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportItemsInput {
    /// The files: items, and `parameters.yaml` that the items of a folder share.
    #[schemars(length(min = 1, max = 500))]
    pub files: Vec<ItemFile>,
    /// Only check.
    #[serde(default)]
    pub dry_run: bool,
}

/// A file.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ItemFile {
    /// Its path.
    #[schemars(length(min = 1, max = 300))]
    pub path: String,
    /// YAML.
    #[schemars(length(max = 524_288))]
    pub content: String,
}

/// What became of files.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ImportedItems {
    /// How many items were taken in, or would be.
    pub items: usize,
    /// What is wrong; then nothing was taken in.
    pub findings: Vec<FileFinding>,
}

/// Something wrong with a file.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct FileFinding {
    /// The file.
    pub path: String,
    /// What is wrong, and where.
    #[serde(flatten)]
    pub finding: Finding,
}

/// All of them.
pub fn all(catalogue: &Arc<Catalogue>) -> Vec<Registered> {
    vec![
        Registered::new(List(catalogue.clone())),
        Registered::new(Get(catalogue.clone())),
        Registered::new(Import(catalogue.clone())),
        Registered::new(Remove(catalogue.clone())),
    ]
}

/// How long something takes, in words.
pub(crate) fn limit_told(limit: &TimeLimit) -> String {
    let unit = match limit.unit {
        Days::WorkingDays => "个工作日",
        Days::Days => "天",
    };
    let instant = if limit.instant {
        "，符合条件的即时办结"
    } else {
        ""
    };
    format!("{}{unit}{instant}", limit.promised)
}

fn summary(entry: &Entry) -> ItemSummary {
    let item = &entry.item;
    ItemSummary {
        id: item.id.clone(),
        name: item.name.clone(),
        area: item.area.clone(),
        audience: item.audience.clone(),
        agency: item.agency.clone(),
        summary: item.summary.clone(),
        time_limit: limit_told(&item.time_limit),
        updated_at: entry.updated_at.clone(),
    }
}

struct List(Arc<Catalogue>);

impl Capability for List {
    type Input = ItemsInput;
    type Output = Page<ItemSummary>;

    fn definition(&self) -> Definition {
        Definition::get(
            "service.items",
            "办事事项",
            "本市可以办理的事项，可按领域和名称查找。",
            "/service/items",
        )
    }

    async fn call(&self, _: &Context, input: ItemsInput) -> Result<Page<ItemSummary>> {
        let page = PageRequest {
            page: input.page,
            page_size: input.page_size,
        };
        let words: Vec<String> = input
            .q
            .iter()
            .flat_map(|q| q.split_whitespace())
            .map(str::to_lowercase)
            .collect();
        let entries = self.0.all();
        let mut found: Vec<&Arc<Entry>> = entries
            .values()
            .filter(|e| input.area.as_ref().is_none_or(|a| *a == e.item.area))
            .filter(|e| {
                words.iter().all(|w| {
                    let item = &e.item;
                    let names = std::iter::once(&item.name)
                        .chain(&item.aliases)
                        .chain([&item.summary]);
                    names.into_iter().any(|n| n.to_lowercase().contains(w))
                })
            })
            .collect();
        found.sort_by(|a, b| (&a.item.area, &a.item.name).cmp(&(&b.item.area, &b.item.name)));
        let total = found.len() as u64;
        let shown = found
            .into_iter()
            .skip(page.offset() as usize)
            .take(page.size() as usize);
        Ok(page.of(shown.map(|e| summary(e)).collect(), total))
    }
}

struct Get(Arc<Catalogue>);

impl Capability for Get {
    type Input = ById;
    type Output = ItemView;

    fn definition(&self) -> Definition {
        Definition::get(
            "service.item",
            "事项详情",
            "一个事项的条件、材料、渠道、时限和依据。",
            "/service/items/{id}",
        )
    }

    async fn call(&self, context: &Context, input: ById) -> Result<ItemView> {
        let entry = self
            .0
            .get(&input.id)
            .ok_or_else(|| Error::not_found("这个事项"))?;
        let item = &entry.item;
        let on = time::today();
        let mut citations = Vec::new();
        let (mut conditions, mut materials) = (Vec::new(), Vec::new());
        for rule in &item.rules {
            conditions.push(Said {
                text: rule.text.clone(),
                note: None,
                citations: self.0.cite(item, &rule.basis, on, &mut citations).await?,
            });
        }
        for material in &item.materials {
            let form = form_name(material.form);
            materials.push(Said {
                text: format!("{}（{form}）", material.name),
                note: material.exempt.clone().or_else(|| material.note.clone()),
                citations: self
                    .0
                    .cite(item, &material.basis, on, &mut citations)
                    .await?,
            });
        }
        let mut missing = Vec::new();
        for basis in &item.basis {
            let ids = [basis.id.clone()];
            if self
                .0
                .cite(item, &ids, on, &mut citations)
                .await?
                .is_empty()
            {
                missing.push(format!("{}：{}", basis.document, basis.quote));
            }
        }
        let may_change = context.caller.is(Role::Expert) || context.caller.is_administrator();
        Ok(ItemView {
            summary: summary(&entry),
            aliases: item.aliases.clone(),
            questions: item.questions.clone(),
            region: item.region.clone(),
            phone: item.phone.clone(),
            result: item.result.clone(),
            fee: item.fee.text.clone(),
            conditions,
            materials,
            parameters: parameters(&item.parameters),
            channels: item.channels.clone(),
            steps: item.steps.clone(),
            related: item.related.clone(),
            citations,
            missing_bases: missing,
            source: may_change.then(|| entry.source.clone()),
        })
    }
}

/// Figures with their values by day, in words.
pub(crate) fn parameters(parameters: &[rules::Parameter]) -> Vec<ParameterView> {
    let view = |p: &rules::Parameter| {
        let mut values = p.values.clone();
        values.sort_by_key(|v| std::cmp::Reverse(v.from));
        let unit = p.unit.clone().unwrap_or_default();
        let told = values.iter().map(|v| {
            let value = rules::Value::from(&v.value);
            format!("{}起 {value}{unit}", time::chinese(v.from))
        });
        ParameterView {
            name: p.name.clone(),
            values: told.collect(),
        }
    };
    parameters.iter().map(view).collect()
}

struct Import(Arc<Catalogue>);

impl Capability for Import {
    type Input = ImportItemsInput;
    type Output = ImportedItems;

    fn definition(&self) -> Definition {
        Definition::post(
            "service.import_items",
            "导入事项",
            "检查并导入办事事项文件；有一处不对就都不导入。",
            "/service/items",
        )
        .open_to(AUTHORS)
    }

    async fn call(&self, _: &Context, input: ImportItemsInput) -> Result<ImportedItems> {
        let files: Vec<(String, String)> = input
            .files
            .into_iter()
            .map(|f| (f.path, f.content))
            .collect();
        let mut findings = Vec::new();
        let mut items = 0;
        for (path, read) in read_files(&files) {
            match read {
                Ok(_) => items += 1,
                Err(found) => findings.extend(found.into_iter().map(|finding| FileFinding {
                    path: path.clone(),
                    finding,
                })),
            }
        }
        if !findings.is_empty() {
            return Ok(ImportedItems { items: 0, findings });
        }
        if items == 0 {
            return Err(Error::new(ErrorCode::InvalidInput, "没有事项文件。"));
        }
        if !input.dry_run {
            self.0.import(&files).await?;
        }
        Ok(ImportedItems { items, findings })
    }
}

struct Remove(Arc<Catalogue>);

/// An item that was taken out.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct RemovedItem {
    /// Its id.
    pub id: String,
    /// As it was written, to be put back if it was a mistake.
    pub source: String,
}

impl Capability for Remove {
    type Input = ById;
    type Output = RemovedItem;

    fn definition(&self) -> Definition {
        Definition::delete(
            "service.remove_item",
            "删除事项",
            "删除一个事项；进行中的办理停在原处。返回原文，便于恢复。",
            "/service/items/{id}",
        )
        .open_to(AUTHORS)
    }

    async fn call(&self, _: &Context, input: ById) -> Result<RemovedItem> {
        let source = self.0.remove(&input.id).await?;
        Ok(RemovedItem {
            id: input.id,
            source,
        })
    }
}
