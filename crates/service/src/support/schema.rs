//! The keys of a policy file. Unknown keys are an error, so that a misspelt one isn't overlooked.

use jiff::civil::Date;
use rules::{Amount, Book, Parameter, Rule, book::Number};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::profile;
use crate::items::schema::{Audience, Basis, Channel, Fee, Form, Item, Material, Step, TimeLimit};

/// A policy that supports businesses.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Its id, in ASCII, which never changes.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// The title of its document.
    pub document: String,
    /// Who handles it.
    pub agency: String,
    /// Where it holds.
    pub region: String,
    /// Its first day.
    pub from: Date,
    /// Its last day.
    #[serde(default)]
    pub until: Option<Date>,
    /// What it is about.
    pub topics: Vec<String>,
    /// What it is, in a sentence or two.
    pub summary: String,
    /// 免申即享: who qualifies gets it without an application.
    #[serde(default)]
    pub automatic: bool,
    /// What its statements stand on.
    pub basis: Vec<Basis>,
    /// Its figures with their dates.
    #[serde(default)]
    pub parameters: Vec<Parameter>,
    /// Its conditions.
    pub rules: Vec<Rule>,
    /// Its benefits.
    pub amounts: Vec<Amount>,
    /// What has to be handed in.
    #[serde(default)]
    pub materials: Vec<Material>,
    /// Where to apply.
    pub channels: Vec<Channel>,
    /// What happens, in order.
    #[serde(default)]
    pub steps: Vec<Step>,
    /// How long it takes.
    pub time_limit: TimeLimit,
}

impl Policy {
    /// What decides and computes.
    pub fn book(&self) -> Book {
        Book {
            fields: profile::facts().to_vec(),
            parameters: self.parameters.clone(),
            rules: self.rules.clone(),
            amounts: self.amounts.clone(),
        }
    }

    /// The benefit that is shown first.
    pub fn headline(&self) -> Option<&Amount> {
        self.amounts.iter().find(|a| a.headline)
    }

    /// Whether it holds on a day.
    pub fn holds(&self, on: Date) -> bool {
        self.from <= on && self.until.is_none_or(|until| on <= until)
    }

    /// The same as a service item, to be checked as one.
    pub(super) fn as_item(&self) -> Item {
        Item {
            id: self.id.clone(),
            name: self.name.clone(),
            aliases: Vec::new(),
            questions: Vec::new(),
            area: self.topics.join("、"),
            audience: vec![Audience::Business],
            agency: self.agency.clone(),
            region: self.region.clone(),
            phone: None,
            summary: self.summary.clone(),
            result: String::new(),
            related: Vec::new(),
            basis: self.basis.clone(),
            parameters: self.parameters.clone(),
            fields: profile::fields().to_vec(),
            rules: self.rules.clone(),
            amounts: self.amounts.clone(),
            materials: self.materials.clone(),
            channels: self.channels.clone(),
            steps: self.steps.clone(),
            time_limit: self.time_limit.clone(),
            fee: Fee {
                amount: Number(Decimal::ZERO),
                text: String::new(),
                basis: Vec::new(),
            },
            form: Form {
                title: String::new(),
                sections: Vec::new(),
                statement: None,
            },
        }
    }
}
