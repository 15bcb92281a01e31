//! Cases go out to the city's own system, where there is one.

use std::{collections::BTreeSet, sync::Arc};

use async_trait::async_trait;
use kernel::{
    Error, Result,
    events::Event,
    records::{Collection, Records, Write},
    time,
};
use platform::events::Handler;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::case::{CASES, Case, CaseStatus};

/// What other systems call cases, by case.
pub const LINKS: Collection = Collection {
    name: "case_links",
    indexed: &[],
};

/// What the city's own system made of a case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct External {
    /// What that system calls it, if it says.
    pub number: Option<String>,
    /// When it took the case.
    pub at: String,
}

/// Brings a case to another system.
#[async_trait]
pub trait Outward: Send + Sync + 'static {
    /// Brings it there; what that system calls it, if it says. The same case may be brought again under the same key: the other
    /// system takes it once.
    ///
    /// # Errors
    /// Any: it is tried again later.
    async fn send(&self, key: &str, case: &Value) -> Result<Option<String>>;
}

/// Sends every case that is handed in, through the lanes of the event system.
pub struct CasesOutward {
    records: Arc<dyn Records>,
    outward: Arc<dyn Outward>,
    items: BTreeSet<String>,
}

impl CasesOutward {
    /// For cases of these items; of all if none are named.
    pub fn new(
        records: Arc<dyn Records>,
        outward: Arc<dyn Outward>,
        items: impl IntoIterator<Item = String>,
    ) -> Self {
        Self {
            records,
            outward,
            items: items.into_iter().collect(),
        }
    }
}

#[async_trait]
impl Handler for CasesOutward {
    fn name(&self) -> &'static str {
        "cases.outward"
    }

    fn kinds(&self) -> &[&str] {
        &["service.case_submitted"]
    }

    async fn handle(&self, event: &Event) -> Result<Vec<Write>> {
        let case: Option<Case> = self.records.read(&CASES, &event.subject).await?;
        let wanted = case.filter(|c| self.items.is_empty() || self.items.contains(&c.item_id));
        // What was taken back before it could be sent stays here.
        let Some(case) = wanted.filter(|c| c.status != CaseStatus::Withdrawn) else {
            return Ok(Vec::new());
        };
        let number = self.outward.send(&case.id, &told(&case)?).await?;
        let link = External {
            number,
            at: time::now(),
        };
        Ok(vec![Write::put(&LINKS, case.id, &link)?])
    }
}

/// A case as other systems are told of it: as it was handed in.
fn told(case: &Case) -> Result<Value> {
    let mut told = json!({
        "event": "case_submitted",
        "id": case.id,
        "number": case.number,
        "item_id": case.item_id,
        "item": case.item,
        "agency": case.agency,
        "applicant": {"name": case.applicant.name},
        "submitted_at": case.submitted_at,
        "due": case.due,
        "statement": case.form.statement,
    });
    let mut put = |name: &str, value: Result<Value, serde_json::Error>| -> Result<()> {
        told[name] = value.map_err(Error::internal)?;
        Ok(())
    };
    put("facts", serde_json::to_value(&case.facts))?;
    put("conditions", serde_json::to_value(&case.conditions))?;
    put("amounts", serde_json::to_value(&case.amounts))?;
    put("materials", serde_json::to_value(&case.materials))?;
    let rows = case.form.sections.iter().flat_map(|section| {
        section.rows.iter().map(|row| {
            json!({"section": section.title, "field": row.field, "label": row.label, "value": row.value})
        })
    });
    put("form", Ok(rows.collect()))?;
    Ok(told)
}
