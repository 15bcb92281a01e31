//! What a form must hold.

use documents::{Limits, Media};
use kernel::{Error, ErrorCode, Result};

use super::{Form, Guide, Pair, Policy, Step, pictures};

/// The longest title, in characters.
const LONGEST_TITLE: usize = 200;
/// The longest line, in characters.
const LONGEST_LINE: usize = 2000;
/// The longest text, in characters.
const LONGEST_TEXT: usize = 50_000;
/// The most entries of a list.
const MOST: usize = 500;
/// The longest picture as it is typed in, in bytes: about 4 MB of it.
const LONGEST_PICTURE: usize = 6 << 20;

fn invalid(message: String) -> Error {
    Error::new(ErrorCode::InvalidInput, message)
}

fn text(what: &str, text: &str, longest: usize) -> Result<()> {
    let length = text.chars().count();
    if text.trim().is_empty() {
        Err(invalid(format!("“{what}”没有填写。请填写后再保存。")))
    } else if length > longest {
        Err(invalid(format!(
            "“{what}”有 {length} 个字，最多 {longest} 个。请缩短。"
        )))
    } else {
        Ok(())
    }
}

fn optional(what: &str, given: Option<&str>, longest: usize) -> Result<()> {
    match given.filter(|g| !g.trim().is_empty()) {
        Some(given) => text(what, given, longest),
        None => Ok(()),
    }
}

fn list(what: &str, given: &[String]) -> Result<()> {
    few(what, given.len())?;
    let mut entries = given.iter().enumerate();
    entries
        .try_for_each(|(at, entry)| text(&format!("{what}第 {} 项", at + 1), entry, LONGEST_LINE))
}

fn few(what: &str, count: usize) -> Result<()> {
    if count > MOST {
        Err(invalid(format!(
            "“{what}”有 {count} 项，最多 {MOST} 项。请分成几份录入。"
        )))
    } else {
        Ok(())
    }
}

fn some(what: &str, count: usize) -> Result<()> {
    if count == 0 {
        Err(invalid(format!("“{what}”一项也没有。请至少填写一项。")))
    } else {
        few(what, count)
    }
}

impl Form {
    /// Whether it holds what it must.
    ///
    /// # Errors
    /// `InvalidInput`, naming the field and what is wrong with it.
    pub fn check(&self, limits: &Limits) -> Result<()> {
        optional("发布单位", self.issuer(), LONGEST_TITLE)?;
        match self {
            Self::Policy(form) => policy(form),
            Self::Guide(form) => guide(form),
            Self::Walkthrough(form) => {
                text("标题", &form.title, LONGEST_TITLE)?;
                optional("适用对象", form.audience.as_deref(), LONGEST_LINE)?;
                some("步骤", form.steps.len())?;
                let mut steps = form.steps.iter().enumerate();
                steps.try_for_each(|(at, s)| step(at + 1, s, limits))
            }
            Self::Faq(form) => {
                text("标题", &form.title, LONGEST_TITLE)?;
                some("问答", form.pairs.len())?;
                let mut pairs = form.pairs.iter().enumerate();
                pairs.try_for_each(|(at, p)| pair(at + 1, p))
            }
            Self::Primer(form) => {
                text("标题", &form.title, LONGEST_TITLE)?;
                text("正文", &form.body, LONGEST_TEXT)
            }
        }
    }
}

fn policy(form: &Policy) -> Result<()> {
    text("标题", &form.title, LONGEST_TITLE)?;
    optional("文号", form.number.as_deref(), LONGEST_TITLE)?;
    text("正文", &form.body, LONGEST_TEXT)?;
    match (form.effective_from.or(form.issued), form.effective_until) {
        (Some(from), Some(until)) if until < from => Err(invalid(format!(
            "失效日期 {until} 早于施行日期 {from}。请核对这两个日期。"
        ))),
        _ => Ok(()),
    }
}

fn guide(form: &Guide) -> Result<()> {
    text("事项名称", &form.item, LONGEST_TITLE)?;
    for (what, given) in [
        ("办理依据", &form.basis),
        ("受理条件", &form.conditions),
        ("申请材料", &form.materials),
        ("办理流程", &form.steps),
        ("办理渠道", &form.channels),
    ] {
        list(what, given)?;
    }
    for (what, given) in [
        ("办理时限", &form.time_limit),
        ("收费标准", &form.fee),
        ("咨询方式", &form.contact),
    ] {
        optional(what, given.as_deref(), LONGEST_LINE)?;
    }
    let filled = form.conditions.len() + form.materials.len() + form.steps.len();
    some("受理条件、申请材料或办理流程", filled.min(1))
}

fn step(at: usize, step: &Step, limits: &Limits) -> Result<()> {
    text(&format!("第 {at} 步的名称"), &step.title, LONGEST_TITLE)?;
    text(&format!("第 {at} 步的说明"), &step.text, LONGEST_TEXT)?;
    let Some(picture) = &step.picture else {
        return Ok(());
    };
    if picture.len() > LONGEST_PICTURE {
        return Err(invalid(format!(
            "第 {at} 步的图片过大，最多 4 MB。请压缩后再上传。"
        )));
    }
    let media = pictures::decode(picture).map(|b| documents::picture_media(&b, limits));
    match media {
        Some(Ok(Media::Png | Media::Jpeg | Media::Gif | Media::Webp)) => Ok(()),
        _ => Err(invalid(format!(
            "第 {at} 步的图片不是 PNG、JPEG、GIF 或 WebP。请换一张图片。"
        ))),
    }
}

fn pair(at: usize, pair: &Pair) -> Result<()> {
    text(&format!("第 {at} 问"), &pair.question, LONGEST_TITLE)?;
    list(&format!("第 {at} 问的相似问法"), &pair.variants)?;
    text(&format!("第 {at} 问的答案"), &pair.answer, LONGEST_TEXT)?;
    optional(
        &format!("第 {at} 问的依据"),
        pair.basis.as_deref(),
        LONGEST_LINE,
    )
}
