//! What the rules and the materials suggest to a clerk.

use rules::{Assessment, assessment::State, book::Severity};
use schemars::JsonSchema;
use serde::Serialize;

use super::{
    case::{Case, CaseStatus},
    desk::Decision,
    materials::{FindingKind, Prereview},
};
use crate::items::Catalogue;

/// What the rules suggest to a clerk.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Review {
    /// The suggested decision.
    pub suggestion: Decision,
    /// An opinion to start from.
    pub opinion: String,
    /// What does not hold, or has to be looked at.
    pub findings: Vec<String>,
    /// The rules have changed since it was handed in.
    pub rules_changed: bool,
}

/// What the rules say of a case as it was handed in, and what its materials say of the form.
pub fn of(catalogue: &Catalogue, case: &Case, materials: &Prereview) -> Review {
    let Some(entry) = catalogue.get(&case.item_id) else {
        return Review {
            suggestion: Decision::Return,
            opinion: String::new(),
            findings: vec!["这个事项已经从目录里删除，请人工核对。".to_owned()],
            rules_changed: true,
        };
    };
    let assessment = entry.book.assess(&case.facts, case.submitted_on());
    let mut findings = Vec::new();
    let mut refused = Vec::new();
    for rule in &assessment.rules {
        if let Some(reason) = &rule.reason {
            findings.push(format!("不符合“{}”：{}", rule.text, rule.told));
            if rule.severity == Severity::Must {
                refused.push(reason.clone());
            }
        }
        if rule.state == State::Unknown {
            findings.push(format!("无法判断“{}”，请人工核对。", rule.text));
        }
    }
    let rules_changed = changed(&assessment, case);
    if rules_changed {
        findings.push(
            "事项的规则在提交后有改动，按提交当天的规则重新计算的结果与提交时不同。".to_owned(),
        );
    }
    let by_rules = !findings.is_empty();
    let owed = materials
        .findings
        .iter()
        .filter(|f| f.kind != FindingKind::Look);
    let owed: Vec<_> = owed.map(|f| f.text.clone()).collect();
    findings.extend(materials.findings.iter().map(|f| f.text.clone()));
    let (suggestion, opinion) = if !refused.is_empty() {
        let told = format!("经审查，申请不符合规定条件。{}", refused.concat());
        (Decision::Reject, told)
    } else if by_rules {
        let told = format!("请核对后补正：{}", findings.concat());
        (Decision::Return, told)
    } else if !owed.is_empty() {
        let told = format!("请补充或更正申请材料：{}", owed.concat());
        (Decision::Return, told)
    } else if !findings.is_empty() && case.status == CaseStatus::Submitted {
        (
            Decision::Accept,
            "材料已收到，予以受理，图片和扫描件由窗口人工核对。".to_owned(),
        )
    } else {
        (Decision::Approve, granted(case))
    };
    Review {
        suggestion,
        opinion,
        findings,
        rules_changed,
    }
}

/// Whether what is computed now differs from what was computed then.
fn changed(assessment: &Assessment, case: &Case) -> bool {
    let mut now: Vec<_> = assessment
        .amounts
        .iter()
        .map(|a| (a.label.as_str(), a.told.as_deref()))
        .collect();
    let mut then: Vec<_> = case
        .amounts
        .iter()
        .map(|a| (a.label.as_str(), a.value.as_deref()))
        .collect();
    now.sort_unstable();
    then.sort_unstable();
    now != then
}

fn granted(case: &Case) -> String {
    let amounts: Vec<_> = case
        .amounts
        .iter()
        .filter(|a| a.headline)
        .filter_map(|a| Some(format!("{}{}", a.label, a.value.as_ref()?)))
        .collect();
    let granted = if amounts.is_empty() {
        String::new()
    } else {
        format!("核定{}。", amounts.join("，"))
    };
    format!(
        "经审查，申请符合“{}”的办理条件，同意办理。{granted}",
        case.item
    )
}
