//! Forms as Markdown, in the wording that the reader knows.

use jiff::civil::Date;
use kernel::time::chinese;
use lang::numeral::to_chinese;

use super::{Faq, Form, Guide, Policy, Walkthrough};

/// A text on one line.
pub(super) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Paragraphs as they were typed in, each on a line of its own with an empty one between.
fn paragraphs(text: &str) -> String {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    // A second title would be another document's.
    let kept = lines.map(|line| match line.strip_prefix("# ") {
        Some(rest) => format!("## {rest}"),
        None => line.to_owned(),
    });
    kept.collect::<Vec<_>>().join("\n\n")
}

impl Form {
    /// The Markdown. `days` writes the days in force out, where the body doesn't say them itself.
    pub(crate) fn markdown(&self, days: bool) -> String {
        let mut parts = vec![format!("# {}", self.title())];
        if let Self::Policy(form) = self
            && let Some(number) = form.number.as_deref().filter(|n| !n.trim().is_empty())
        {
            parts.push(format!("文号：{}", one_line(number)));
        }
        if let Some(issuer) = self.issuer() {
            parts.push(format!("发布单位：{}", one_line(issuer)));
        }
        match self {
            Self::Policy(form) => parts.extend(policy(form, days)),
            Self::Guide(form) => parts.extend(guide(form)),
            Self::Walkthrough(form) => parts.extend(walkthrough(form)),
            Self::Faq(form) => parts.extend(faq(form)),
            Self::Primer(form) => parts.push(paragraphs(&form.body)),
        }
        parts.join("\n\n") + "\n"
    }

    /// The days in force that it tells.
    pub(crate) fn days(&self) -> (Option<Date>, Option<Date>) {
        match self {
            Self::Policy(form) => (form.effective_from, form.effective_until),
            _ => (None, None),
        }
    }
}

fn policy(form: &Policy, days: bool) -> Vec<String> {
    let mut out = Vec::new();
    if let Some(issued) = form.issued {
        out.push(format!("成文日期：{}", chinese(issued)));
    }
    out.push(paragraphs(&form.body));
    if days {
        let from = form
            .effective_from
            .map(|day| format!("自{}起施行", chinese(day)));
        let until = form
            .effective_until
            .map(|day| format!("有效期至{}", chinese(day)));
        let said: Vec<String> = [from, until].into_iter().flatten().collect();
        if !said.is_empty() {
            out.push(format!("本文件{}。", said.join("，")));
        }
    }
    out
}

/// （一）…, or the one entry without a mark.
fn entries(given: &[String]) -> Option<String> {
    match given {
        [] => None,
        [one] => Some(one_line(one)),
        many => {
            let marked = many
                .iter()
                .zip(1..)
                .map(|(entry, n)| format!("（{}）{}", to_chinese(n), one_line(entry)));
            Some(marked.collect::<Vec<_>>().join("\n\n"))
        }
    }
}

fn guide(form: &Guide) -> Vec<String> {
    let said = |text: &Option<String>| {
        let text = text.as_deref().map(one_line);
        text.filter(|text| !text.is_empty())
    };
    let sections = [
        ("事项名称", Some(one_line(&form.item))),
        ("办理依据", entries(&form.basis)),
        ("受理条件", entries(&form.conditions)),
        ("申请材料", entries(&form.materials)),
        ("办理流程", entries(&form.steps)),
        ("办理时限", said(&form.time_limit)),
        ("收费标准", said(&form.fee)),
        ("办理渠道", entries(&form.channels)),
        ("咨询方式", said(&form.contact)),
    ];
    sections
        .into_iter()
        .filter_map(|(heading, text)| text.map(|text| (heading, text)))
        .zip(1..)
        .map(|((heading, text), n)| format!("## {}、{heading}\n\n{text}", to_chinese(n)))
        .collect()
}

fn walkthrough(form: &Walkthrough) -> Vec<String> {
    let audience = form.audience.as_deref().map(one_line);
    let mut out: Vec<String> = audience
        .filter(|a| !a.is_empty())
        .map(|a| format!("适用对象：{a}"))
        .into_iter()
        .collect();
    for (step, n) in form.steps.iter().zip(1..) {
        let title = one_line(&step.title);
        out.push(format!("## 第{}步 {title}", to_chinese(n)));
        out.push(paragraphs(&step.text));
        if let Some(picture) = &step.picture {
            out.push(format!(
                "![第{}步 {}]({picture})",
                to_chinese(n),
                title.replace(['[', ']'], "")
            ));
        }
    }
    out
}

fn faq(form: &Faq) -> Vec<String> {
    let mut out = Vec::new();
    for pair in &form.pairs {
        out.push(format!("问：{}", one_line(&pair.question)));
        out.push(format!("答：{}", paragraphs(&pair.answer)));
        if !pair.variants.is_empty() {
            let variants: Vec<String> = pair.variants.iter().map(|v| one_line(v)).collect();
            out.push(format!("相似问法：{}", variants.join("；")));
        }
        let basis = pair.basis.as_deref().map(one_line);
        if let Some(basis) = basis.filter(|b| !b.is_empty()) {
            out.push(format!("依据：{basis}"));
        }
    }
    out
}
